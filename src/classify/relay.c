/*
 * relay.c: in charge of bounces that were passed on: Mailman, ezmlm, LISTSERV and gateways send the
 * bounce that they could not place to a person, as an attached message or as text below some words
 * of their own. It is then read as if it had come by itself.
 *
 * A bounce that could not be delivered looks the same, but what is around it names the recipient.
 */
#include "classify/relay.h"

#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "classify/author.h"
#include "classify/prose.h"

#define ADDRESSES_MAX 50 /* that are looked at in the words around */

static bool is_bounce(const struct part *part)
{
	const struct mail view = {.headers = part->headers};
	const char *return_path = headers_find(&part->headers, "Return-Path");

	return author_is_daemon(&view) ||
	       (author_is_postmaster(&view) && return_path != NULL &&
		       strcmp(return_path, "<>") == 0) ||
	       (part->first_child != NULL && part->first_child->report_type != NULL &&
		       strcmp(part->first_child->report_type, "delivery-status") == 0);
}

static const struct part *find_attached(const struct mail *mail)
{
	for (const struct part *part = mail->root; part != NULL;) {
		if (part->is_message && part->first_child != NULL && is_bounce(part))
			return part;
		part = part->is_message ? part_behind(part, mail->root)
					: part_following(part, mail->root);
	}
	return NULL;
}

/* Without the part of a local part that list managers add: announce of announce-help. */
static size_t base_size(const char *address)
{
	size_t size = strcspn(address, "@");
	size_t sign = size;

	for (size_t i = 1; i < size; i++)
		sign = address[i] == '-' || address[i] == '+' ? i : sign;
	return sign;
}

/* True for addresses of one list. */
static bool is_kin(const char *address, const char *other)
{
	if (other == NULL || strchr(other, '@') == NULL)
		return false;
	size_t size = base_size(other);
	return strncasecmp(address, other, size) == 0 && strchr("@-+", address[size]) != NULL &&
	       address[size] != '\0';
}

static bool is_bystander(const struct evidence_text *text, const char *address)
{
	static const char *const roles[] = {
		"postmaster@", "mailer-daemon@", "owner-", "abuse@", "support@"};
	const struct envelope *envelope = &text->mail->envelope;
	const char *others[] = {text->author, text->addressee, envelope->recipient,
		envelope->original_recipient, envelope->sender};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (text_starts_fold(address, roles[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (is_kin(address, others[i]))
			return true;
	}
	return false;
}

/* True when the words name an address of somebody who can have failed. */
static bool names_somebody(const struct evidence_text *text, const char *words, size_t size)
{
	static const char stops[] = " \t\n<>()[]\"',;:";
	const char *at = words;

	for (int i = 0; i < ADDRESSES_MAX; i++) {
		at = memchr(at, '@', size - (size_t)(at - words));
		if (at == NULL)
			return false;
		const char *start = at, *end = at;
		while (start > words && strchr(stops, start[-1]) == NULL)
			start--;
		while (end < words + size && strchr(stops, *end) == NULL)
			end++;
		char *address = mem_strndup(NULL, start, (size_t)(end - start));
		bool is_somebody = start < at && end > at + 1 && !is_bystander(text, address);
		mem_free(address);
		if (is_somebody)
			return true;
		at = end;
	}
	return true;
}

/* Takes one level of "> " away, in place. */
static void unquote(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0';) {
		size_t length = strcspn(in, "\n");
		size_t skip = *in == '>' ? 1 + (size_t)(in[1] == ' ') : 0;
		memmove(out, in + skip, length - skip);
		out += length - skip;
		in += length;
		if (*in == '\n')
			*out++ = *in++;
	}
	*out = '\0';
}

static const struct mail *open_attached(const void *context, const struct part *part)
{
	struct mail *inner = mem_new(context, struct mail);

	inner->headers = part->headers;
	inner->root = part->first_child;
	inner->envelope.has_sender = true; /* what came by itself had the null sender */
	inner->envelope.sender = "";
	return inner;
}

static const struct mail *open_inline(const void *context, const char *text)
{
	char *copy = mem_strdup(context, text);

	unquote(copy);
	return mail_read(context, (struct bytes){(const unsigned char *)copy, strlen(copy)}, NULL);
}

/* Where the header of a bounce begins in the words, 0 for nowhere. Most words hold nothing that one
 * is known by. */
static size_t find_inline(const struct haystack *prose)
{
	static const char *const marks[] = {"return-path: <>", "mailer-daemon", "mailerdaemon",
		"postmaster@", "mail delivery s", "mail administrator"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (memmem(prose->lower, prose->size, marks[i], strlen(marks[i])) != NULL)
			return prose_find_bounce(prose->text, prose->size);
	}
	return 0;
}

const struct mail *relay_find(const void *context, struct evidence_text *text)
{
	if (!evidence_is_asked(text))
		return NULL;
	const struct haystack *prose = evidence_find_prose(text);
	size_t start = find_inline(prose);
	const struct part *part = find_attached(text->mail);

	if (start == 0 && part == NULL)
		return NULL;
	if (names_somebody(text, prose->text, start > 0 ? start : prose->size))
		return NULL;
	return part != NULL ? open_attached(context, part)
			    : open_inline(context, prose->text + start);
}
