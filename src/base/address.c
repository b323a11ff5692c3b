/*
 * address.c: one spelling for an address, and the address inside a VERP local part.
 *
 * In charge of what stands in an envelope or in a "rfc822;" field. Leaves display names, groups and
 * encoded words to read/. Stricter than RFC 5322 where strictness costs nothing (a second @ is no
 * address), laxer where real subscribers are (dots at the end of a local part or two in a row, as
 * Japanese mobile carriers hand out). Bytes above 127 are kept as they are: only ASCII is folded.
 */
#include "base/address.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* With comments, brackets and a source route; what is left must fit ADDRESS_MAX. */
#define INPUT_MAX (4 * ADDRESS_MAX)

/* A stretch of somebody else's string. */
struct span {
	const char *text;
	size_t size;
};

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7F;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 5322 atext, the dot, and 8-bit (RFC 6531): what needs no quotes. */
static bool is_plain(char c)
{
	return is_letter(c) || is_digit(c) || (unsigned char)c > 127 ||
	       (c != '\0' && strchr(".!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static struct span trimmed(struct span span)
{
	while (span.size > 0 && is_white(span.text[span.size - 1]))
		span.size--;
	while (span.size > 0 && is_white(*span.text)) {
		span.text++;
		span.size--;
	}
	return span;
}

static struct span skipped(struct span span, size_t count)
{
	return (struct span){span.text + count, span.size - count};
}

/* Without one comment at the end; the same span when none is there or its brackets do not match. */
static struct span without_comment(struct span span)
{
	size_t depth = 0;

	if (span.size == 0 || span.text[span.size - 1] != ')')
		return span;
	for (size_t at = span.size; at-- > 0;) {
		if (span.text[at] == ')')
			depth++;
		else if (span.text[at] == '(' && --depth == 0)
			return trimmed((struct span){span.text, at});
	}
	return span;
}

/* "rfc822;" (RFC 3464 section 2.3.1) and "utf-8;" (RFC 6533); other address types stay and fail. */
static struct span without_type(struct span span)
{
	static const char *const types[] = {"rfc822", "utf-8"};
	const char *end = memchr(span.text, ';', span.size);

	if (end == NULL)
		return span;
	struct span type = trimmed((struct span){span.text, (size_t)(end - span.text)});

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (type.size == strlen(types[i]) && text_starts_fold(type.text, types[i]))
			return trimmed(skipped(span, (size_t)(end - span.text) + 1));
	}
	return span;
}

static struct span without_brackets(struct span span)
{
	if (span.size >= 2 && span.text[0] == '<' && span.text[span.size - 1] == '>')
		return trimmed((struct span){span.text + 1, span.size - 2});
	return span;
}

/* RFC 5321 section 4.1.2: a source route is read and ignored. */
static struct span without_route(struct span span)
{
	const char *end = memchr(span.text, ':', span.size);

	if (span.size == 0 || *span.text != '@' || end == NULL)
		return span;
	return skipped(span, (size_t)(end - span.text) + 1);
}

/* Copies the meaning of a local part, without quotes and backslashes, to raw_out. The number of
 * bytes read, with span[that] the '@'; 0 when it is none. */
static size_t read_local(struct span span, char *raw_out, size_t *raw_size_out)
{
	enum { WORD_START, ATOM, QUOTED, QUOTED_END } state = WORD_START;
	size_t size = 0;

	for (size_t at = 0; at < span.size; at++) {
		char c = span.text[at];

		if (is_control(c))
			return 0;
		if (state == QUOTED && c == '"') {
			state = QUOTED_END;
			continue;
		}
		if (state == QUOTED) {
			if (c == '\\' && ++at < span.size && !is_control(span.text[at]))
				c = span.text[at];
			else if (c == '\\')
				return 0;
			raw_out[size++] = c;
			continue;
		}
		if (c == '@') {
			*raw_size_out = size;
			return size > 0 ? at : 0;
		}
		if (state == WORD_START && c == '"') {
			state = QUOTED;
			continue;
		}
		if (!is_plain(c) || (state == QUOTED_END && c != '.'))
			return 0;
		state = c == '.' ? WORD_START : ATOM;
		raw_out[size++] = c;
	}
	return 0;
}

/* Quotes are put back where the content needs them, around the whole, so that "a b".c and "a b.c"
 * (RFC 5321: the same mailbox) become one. text_out has room for twice the size and two more. */
static size_t write_local(const char *raw, size_t size, char *text_out)
{
	bool needs_quotes = false;
	size_t length = 0;

	for (size_t i = 0; i < size; i++)
		needs_quotes = needs_quotes || !is_plain(raw[i]);
	if (needs_quotes)
		text_out[length++] = '"';
	for (size_t i = 0; i < size; i++) {
		if (raw[i] == '"' || raw[i] == '\\')
			text_out[length++] = '\\';
		text_out[length++] = raw[i];
	}
	if (needs_quotes)
		text_out[length++] = '"';
	return length;
}

static bool is_host_name(struct span domain)
{
	char before = '.';

	for (size_t i = 0; i < domain.size; i++) {
		char c = domain.text[i];

		if (c == '.' && before == '.')
			return false;
		/* Underscores are no host name's, but live hosts have them. */
		if (!is_letter(c) && !is_digit(c) && (unsigned char)c <= 127 && c != '.' &&
			c != '-' && c != '_')
			return false;
		before = c;
	}
	return before != '.';
}

/* RFC 5321 section 4.1.3: [192.0.2.1], [IPv6:2001:db8::1]. */
static bool is_literal(struct span domain)
{
	if (domain.size < 3 || domain.text[0] != '[' || domain.text[domain.size - 1] != ']')
		return false;
	for (size_t i = 1; i < domain.size - 1; i++) {
		char c = domain.text[i];

		if (!is_letter(c) && !is_digit(c) && strchr(".:-", c) == NULL)
			return false;
	}
	return true;
}

static struct span without_last_dot(struct span domain)
{
	if (domain.size > 0 && domain.text[domain.size - 1] == '.')
		domain.size--;
	return domain;
}

/* Takes off, in the order in which they wrap it, what may stand around an address. */
static struct span unwrapped(const char *address, size_t size)
{
	struct span span = without_type(trimmed((struct span){address, size}));
	size_t before;

	do {
		before = span.size;
		span = without_comment(span);
	} while (span.size < before);
	return without_route(without_brackets(span));
}

char *address_normalise(const void *context, const char *address)
{
	char raw[INPUT_MAX];
	char text[2 * INPUT_MAX + 2];
	size_t raw_size;
	size_t local_size;
	size_t length;

	if (address == NULL || strnlen(address, INPUT_MAX + 1) > INPUT_MAX)
		return NULL;

	struct span span = unwrapped(address, strlen(address));

	local_size = read_local(span, raw, &raw_size);
	if (local_size == 0)
		return NULL;

	struct span domain = without_last_dot(skipped(span, local_size + 1));

	if (!is_host_name(domain) && !is_literal(domain))
		return NULL;
	length = write_local(raw, raw_size, text);
	if (length + 1 + domain.size > ADDRESS_MAX)
		return NULL;
	text[length++] = '@';
	memcpy(text + length, domain.text, domain.size);
	text[length + domain.size] = '\0';
	return text_lower(context, text);
}

bool address_equal(const char *a, const char *b)
{
	void *context = mem_context(NULL, "address_equal");
	const char *left = address_normalise(context, a);
	const char *right = address_normalise(context, b);
	bool equal = left != NULL && right != NULL && strcmp(left, right) == 0;

	mem_free(context);
	return equal;
}

const char *address_domain(const char *address)
{
	const char *at = address != NULL ? strrchr(address, '@') : NULL;

	return at != NULL && at[1] != '\0' ? at + 1 : NULL;
}

char *address_local(const void *context, const char *address)
{
	const char *at = strrchr(address, '@');

	return mem_strndup(context, address, at != NULL ? (size_t)(at - address) : strlen(address));
}

bool address_is_null_sender(const char *sender)
{
	static const char daemon[] = "mailer-daemon";
	struct span span;

	if (sender == NULL)
		return false;
	span = without_brackets(trimmed((struct span){sender, strlen(sender)}));
	if (span.size == 0)
		return true;
	if (span.size < sizeof daemon - 1 || !text_starts_fold(span.text, daemon))
		return false;
	return span.size == sizeof daemon - 1 || span.text[sizeof daemon - 1] == '@';
}

/* Narrower than what an address may have: in a VERP local part any '=' of a tag, a token or a
 * cookie could be taken for the one that stands for the '@'. */
static bool is_public_domain(struct span domain)
{
	const char *dot = memrchr(domain.text, '.', domain.size);

	if (dot == NULL || domain.size > 255 || !is_host_name(domain))
		return false;
	return is_letter(dot[1]) || (unsigned char)dot[1] > 127;
}

static char *join(const void *context, struct span user, struct span domain)
{
	char text[ADDRESS_MAX + 1];

	if (user.size == 0 || user.size + 1 + domain.size > ADDRESS_MAX ||
		!is_public_domain(domain))
		return NULL;
	memcpy(text, user.text, user.size);
	text[user.size] = '@';
	memcpy(text + user.size + 1, domain.text, domain.size);
	text[user.size + 1 + domain.size] = '\0';
	return address_normalise(context, text);
}

/* Sympa: user==a==domain==list, perhaps with more behind. */
static char *from_sympa(const void *context, struct span rest)
{
	static const char at[] = "==a==";
	const char *middle = memmem(rest.text, rest.size, at, sizeof at - 1);

	if (middle == NULL)
		return NULL;
	struct span user = {rest.text, (size_t)(middle - rest.text)};
	struct span domain = skipped(rest, user.size + sizeof at - 1);
	const char *end = memmem(domain.text, domain.size, "==", 2);

	if (end != NULL)
		domain.size = (size_t)(end - domain.text);
	return join(context, user, domain);
}

static char *from_equals(const void *context, struct span rest)
{
	const char *equals = memrchr(rest.text, '=', rest.size);

	if (equals == NULL)
		return NULL;
	struct span user = {rest.text, (size_t)(equals - rest.text)};

	return join(context, user, skipped(rest, user.size + 1));
}

/* What stands between the list's name and the user. */
struct marker {
	const char *text;
	enum { NOTHING, NUMBER, COOKIE, NUMBER_OR_NOTHING } then; /* and a '-' behind it */
};

/* First match wins at one place; the leftmost place wins over all, since a user may contain any of
 * them. */
static const struct marker markers[] = {
	{"+bounces-", NUMBER},		  /* mlmmj */
	{"+", NOTHING},			  /* Mailman, Postfix XVERP, Sympa */
	{"-return-", NUMBER},		  /* ezmlm */
	{"-return-warn-", COOKIE},	  /* ezmlm's warnings ... */
	{"-return-probe-", COOKIE},	  /* ... and probes */
	{"-bounces-", NUMBER_OR_NOTHING}, /* mlmmj and Mailman where the delimiter is '-' */
};

/* The length of the marker at the start of span, 0 when it is not there. */
static size_t match_marker(const struct marker *marker, struct span span)
{
	size_t size = strlen(marker->text);
	size_t end = size;

	if (span.size < size || memcmp(span.text, marker->text, size) != 0)
		return 0;
	if (marker->then == NOTHING)
		return size;
	while (end < span.size && span.text[end] != '-' &&
		(marker->then == COOKIE || is_digit(span.text[end])))
		end++;
	if (end > size && end < span.size && span.text[end] == '-')
		return end + 1;
	return marker->then == NUMBER_OR_NOTHING ? size : 0;
}

/* What stands behind the leftmost marker; size 0 when there is none. */
static struct span behind_marker(struct span span)
{
	for (; span.size > 0; span = skipped(span, 1)) {
		for (size_t i = 0; i < sizeof markers / sizeof markers[0]; i++) {
			size_t size = match_marker(&markers[i], span);

			if (size > 0)
				return skipped(span, size);
		}
	}
	return span;
}

char *address_from_verp(const void *context, const char *local_part)
{
	struct span rest;
	char *address;

	if (local_part == NULL || strnlen(local_part, ADDRESS_MAX + 1) > ADDRESS_MAX)
		return NULL;
	rest = behind_marker((struct span){local_part, strlen(local_part)});
	address = from_sympa(context, rest);
	return address != NULL ? address : from_equals(context, rest);
}

static bool is_form(const char *address, const char *base)
{
	const char *at = strrchr(address, '@');
	const char *base_at = strrchr(base, '@');
	size_t size = (size_t)(base_at - base);

	if (strcmp(at, base_at) != 0 || (size_t)(at - address) < size ||
		memcmp(address, base, size) != 0)
		return false;
	if (address + size == at || address[size] == '+')
		return true;
	return address[size] == '-' &&
	       memchr(address + size, '=', (size_t)(at - address) - size) != NULL;
}

bool address_is_form_of(const char *address, const char *base)
{
	void *context = mem_context(NULL, "address_is_form_of");
	const char *left = address_normalise(context, address);
	const char *right = address_normalise(context, base);
	bool result = left != NULL && right != NULL && is_form(left, right);

	mem_free(context);
	return result;
}
