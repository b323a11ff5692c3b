/*
 * mail.c: in charge of a message as a whole. The bytes that are analysed are not always the bytes
 * that came: an mbox From line is left out, a message with bare CR line ends is read through a copy
 * with LF (Macintosh exports), and what lies behind MAIL_ANALYSED_MAX is not looked into. The
 * original is untouched in `raw` and is what goes on.
 */
#include "read/mail.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "read/part.h"

/* GLib would write to standard error in its own words, where the mail server takes the first line
 * for ours (DESIGN.md section 7.2). */
static void log_library(
	const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer unused)
{
	(void)unused;
	(void)level;
	log_warning("%s: %s", domain == NULL ? "glib" : domain, message);
}

void mail_library_open(void)
{
	g_log_set_default_handler(log_library, NULL);
	g_mime_init();
}

#define FROM_SENDER_MAX 1000 /* bytes of the sender in a From line */

/* Splits off a leading "From " line. */
static struct bytes skip_from_line(const void *context, struct bytes raw, char **sender_out)
{
	*sender_out = NULL;
	if (raw.size > 5 && memcmp(raw.data, "From ", 5) == 0) {
		const unsigned char *newline = memchr(raw.data, '\n', raw.size);
		size_t size = newline == NULL ? raw.size : (size_t)(newline - raw.data) + 1;
		size_t end = 5;

		while (end < size && raw.data[end] != ' ' && raw.data[end] > 31 &&
			end - 5 < FROM_SENDER_MAX)
			end++;
		*sender_out = mem_strndup(context, (const char *)raw.data + 5, end - 5);
		raw.data += size;
		raw.size -= size;
	}
	return raw;
}

/* Bare CR as line end, and not one LF: a copy with LF. Else message itself. */
static struct bytes convert_line_ends(const void *context, struct bytes message)
{
	if (message.size == 0 || memchr(message.data, '\n', message.size) != NULL ||
		memchr(message.data, '\r', message.size) == NULL)
		return message;
	unsigned char *copy = mem_memdup(context, message.data, message.size);
	for (size_t i = 0; i < message.size; i++) {
		if (copy[i] == '\r')
			copy[i] = '\n';
	}
	return (struct bytes){copy, message.size};
}

/* Lines that end with CR CR LF, as text has that a program converted twice: a copy with LF, told by
 * the first line. Else message itself. */
static struct bytes drop_doubled_returns(const void *context, struct bytes message)
{
	const unsigned char *newline =
		message.size == 0 ? NULL : memchr(message.data, '\n', message.size);
	size_t size = 0;

	if (newline == NULL || newline < message.data + 2 || newline[-1] != '\r' ||
		newline[-2] != '\r')
		return message;
	unsigned char *copy = mem_memdup(context, message.data, message.size);
	for (size_t i = 0; i < message.size; i++) {
		if (copy[i] == '\n') {
			while (size > 0 && copy[size - 1] == '\r')
				size--;
		}
		copy[size++] = copy[i];
	}
	return (struct bytes){copy, size};
}

struct mail *mail_read(const void *context, struct bytes raw, const struct envelope *envelope)
{
	struct mail *mail = mem_new(context, struct mail);
	struct budget budget = {0};
	char *from_line_sender;

	if (raw.data == NULL)
		raw.data = (const unsigned char *)"";
	if (envelope != NULL)
		mail->envelope = *envelope;
	mail->raw = raw;
	struct bytes head = {raw.data, raw.size < MAIL_ANALYSED_MAX ? raw.size : MAIL_ANALYSED_MAX};
	struct bytes converted = convert_line_ends(mail, head);
	struct bytes message;
	if (converted.data == head.data) {
		message = mail->raw = skip_from_line(mail, raw, &from_line_sender);
	} else { /* the copy has LF where the original has CR, so the From line is found in it */
		message = skip_from_line(mail, converted, &from_line_sender);
		size_t skipped = converted.size - message.size;
		mail->raw = (struct bytes){raw.data + skipped, raw.size - skipped};
	}
	if (message.size > MAIL_ANALYSED_MAX)
		message.size = MAIL_ANALYSED_MAX;
	mail->is_truncated = message.size < mail->raw.size;
	message = drop_doubled_returns(mail, message);
	struct message whole = {.bytes = message, .headers = &mail->headers};
	headers_parse(mail, message, &mail->headers, &whole.header_size);
	mail->root = part_build(mail, &whole, NULL, &budget);
	mail->part_count = budget.parts;
	mail->is_truncated = mail->is_truncated || budget.is_exceeded;
	envelope_complete(mail, &mail->headers, from_line_sender, &mail->envelope);
	return mail;
}

const struct part *part_following(const struct part *part, const struct part *top)
{
	if (part->first_child != NULL)
		return part->first_child;
	while (part != top && part->next == NULL)
		part = part->parent;
	return part == NULL || part == top ? NULL : part->next;
}

const struct part *part_behind(const struct part *part, const struct part *top)
{
	while (part != top && part != NULL && part->next == NULL)
		part = part->parent;
	return part == NULL || part == top ? NULL : part->next;
}

const struct part *part_find(const struct part *top, const char *type)
{
	const struct part *part = top;

	while (part != NULL) {
		if (strcmp(part->type, type) == 0)
			return part;
		part = part->is_message && part != top ? part_behind(part, top)
						       : part_following(part, top);
	}
	return NULL;
}

bool part_is_text(const struct part *part)
{
	return strncmp(part->type, "text/", 5) == 0;
}
