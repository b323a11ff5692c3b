/*
 * header.c: in charge of header fields as bytes. Written by hand although GMime reads headers too:
 * delivery-status groups, quoted headers and cut-off blocks need a reader that forgives, and DKIM
 * needs the fields exactly as they stand, which GMime does not keep for parts of its own making.
 * Words (RFC 2047), address lists and dates are GMime's work.
 */
#include "read/header.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"

#define MESSAGE_ID_COUNT_MAX 100
#define ADDRESS_COUNT_MAX 1000
#define DECODED_MAX 998
#define DATE_MAX 200
#define GROUP_COUNT_MAX 1000 /* colons in an address list */

/* The line at offset: its end without and with the line end. */
static size_t find_line_end(struct bytes block, size_t offset, size_t *next_out)
{
	const unsigned char *line = block.data + offset;
	const unsigned char *newline = memchr(line, '\n', block.size - offset);
	size_t end = newline == NULL ? block.size : (size_t)(newline - block.data);

	*next_out = newline == NULL ? block.size : end + 1;
	if (end > offset && block.data[end - 1] == '\r')
		end--;
	return end;
}

size_t header_measure_name(const unsigned char *line, size_t size, size_t *value_offset_out)
{
	size_t length = 0;

	while (length < size && line[length] > ' ' && line[length] < 127 && line[length] != ':')
		length++;
	size_t colon = length;
	while (colon < size && (line[colon] == ' ' || line[colon] == '\t'))
		colon++;
	if (length == 0 || colon == size || line[colon] != ':')
		return 0;
	*value_offset_out = colon + 1;
	return length;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* Copies a folded value onto one line. Line ends vanish (RFC 5322 section 2.2.3: the white space
 * behind them stays), other controls become spaces. */
static char *unfold(const void *context, const unsigned char *data, size_t size)
{
	if (size > HEADER_VALUE_MAX)
		size = HEADER_VALUE_MAX;
	char *value = mem_alloc(context, size + 1);
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\r' || data[i] == '\n')
			continue;
		if (used == 0 && is_blank(data[i]))
			continue;
		value[used++] = data[i] < ' ' || data[i] == 127 ? ' ' : (char)data[i];
	}
	while (used > 0 && value[used - 1] == ' ')
		used--;
	value[used] = '\0';
	return value;
}

/* Where the field that starts at offset ends: behind its last continuation line. */
static size_t find_field_end(struct bytes block, size_t offset)
{
	size_t next;

	find_line_end(block, offset, &next);
	while (next < block.size && is_blank(block.data[next])) {
		size_t after;
		size_t end = find_line_end(block, next, &after);
		size_t i = next;

		while (i < end && is_blank(block.data[i]))
			i++;
		if (i == end) /* only white space: the empty line of a careless writer */
			break;
		next = after;
	}
	return next;
}

/* True when a field starts at offset. */
static bool is_field(struct bytes block, size_t offset)
{
	size_t next, value_offset;

	if (offset >= block.size)
		return false;
	size_t end = find_line_end(block, offset, &next);
	return header_measure_name(block.data + offset, end - offset, &value_offset) > 0;
}

/* The same for a name in either case. Rules ask each message for some hundred names, of which it
 * has a few. */
static unsigned mark_name(const char *name, size_t size)
{
	if (size == 0)
		return 0;
	unsigned first = (unsigned char)name[0] | 0x20, last = (unsigned char)name[size - 1] | 0x20;
	unsigned middle = (unsigned char)name[size / 2] | 0x20;

	return ((unsigned)size * 37 + first * 5 + middle * 3 + last * 11) % HEADER_MARKS;
}

void headers_parse(
	const void *context, struct bytes block, struct headers *headers_out, size_t *size_out)
{
	struct header *items = NULL;
	size_t count = 0, room = 0, offset = 0;

	memset(headers_out->absent, 0xff, sizeof(headers_out->absent));

	while (offset < block.size) {
		size_t next, value_offset;
		size_t end = find_line_end(block, offset, &next);
		size_t name_size =
			header_measure_name(block.data + offset, end - offset, &value_offset);

		if (end == offset) {
			offset = next;
			break;
		}
		if (name_size == 0) {
			if (!is_field(block, next))
				break;
			offset = next;
			continue;
		}
		size_t field_end = find_field_end(block, offset);
		if (count == room && count < HEADER_COUNT_MAX) {
			room = room == 0 ? 32 : room * 2;
			items = mem_realloc(context, items, room * sizeof(*items));
		}
		if (count < HEADER_COUNT_MAX) {
			const unsigned char *field = block.data + offset;
			unsigned mark = mark_name((const char *)field, name_size);
			items[count].name = mem_strndup(context, (const char *)field, name_size);
			items[count].value = unfold(
				context, field + value_offset, field_end - offset - value_offset);
			items[count].raw = (struct bytes){field, field_end - offset};
			items[count++].mark = mark;
			headers_out->absent[mark / 64] &= ~(UINT64_C(1) << mark % 64);
		}
		offset = field_end;
	}
	headers_out->items = items;
	headers_out->count = count;
	if (size_out != NULL)
		*size_out = offset;
}

const char *headers_find(const struct headers *headers, const char *name)
{
	size_t index = 0;
	const struct header *header = headers_next(headers, name, &index);

	return header == NULL ? NULL : header->value;
}

const struct header *headers_next(const struct headers *headers, const char *name, size_t *index)
{
	unsigned mark = mark_name(name, strlen(name));

	if ((headers->absent[mark / 64] >> mark % 64 & 1) != 0)
		return NULL;
	while (*index < headers->count) {
		const struct header *header = &headers->items[(*index)++];
		if (header->mark == mark && text_equal_fold(header->name, name))
			return header;
	}
	return NULL;
}

char *header_decode(const void *context, const char *value)
{
	if (value == NULL)
		return NULL;
	if (strstr(value, "=?") == NULL)
		return text_clean_string(context, value, DECODED_MAX);
	char *decoded = g_mime_utils_header_decode_text(NULL, value);
	char *clean = text_clean_string(context, decoded, DECODED_MAX);
	g_free(decoded);
	return clean;
}

/* Where the first '<' outside of quotes and comments stands, or NULL. */
static const char *find_bracket(const char *value)
{
	bool is_quoted = false;
	int depth = 0;

	for (const char *c = value; *c != '\0'; c++) {
		if (*c == '\\' && c[1] != '\0' && (is_quoted || depth > 0))
			c++;
		else if (*c == '"' && depth == 0)
			is_quoted = !is_quoted;
		else if (*c == '(' && !is_quoted)
			depth++;
		else if (*c == ')' && !is_quoted && depth > 0)
			depth--;
		else if (*c == '<' && !is_quoted && depth == 0)
			return c;
	}
	return NULL;
}

/* The first word of a value that has an '@' in it. */
static char *find_at_word(const void *context, const char *value)
{
	while (*value != '\0') {
		size_t skip = strspn(value, " \t,;<>");
		size_t length;

		value += skip;
		if (*value == '"') { /* "john doe"@example.org */
			const char *quote = strchr(value + 1, '"');
			length = quote == NULL
					 ? strlen(value)
					 : (size_t)(quote - value) + strcspn(quote, " \t,;<>");
		} else {
			length = strcspn(value, " \t,;<>");
		}
		char *word = mem_strndup(context, value, length);
		if (strchr(word, '@') != NULL)
			return word;
		mem_free(word);
		value += length;
	}
	return NULL;
}

char *header_address(const void *context, const char *value)
{
	if (value == NULL)
		return NULL;
	const char *open = find_bracket(value);
	const char *close = open == NULL ? NULL : strchr(open, '>');

	if (close != NULL) {
		if (close == open + 1)
			return mem_strdup(context, "");
		char *inner = mem_strndup(context, open + 1, (size_t)(close - open - 1));
		char *address = address_normalise(context, inner);
		mem_free(inner);
		if (address != NULL)
			return address;
	}
	char *word = find_at_word(context, value);
	char *address = word == NULL ? NULL : address_normalise(context, word);
	mem_free(word);
	return address;
}

/* Collects the mailboxes of a list, groups included. */
static void collect_mailboxes(
	const void *context, InternetAddressList *list, char **addresses, size_t *count)
{
	int length = internet_address_list_length(list);

	for (int i = 0; i < length && *count < ADDRESS_COUNT_MAX; i++) {
		InternetAddress *item = internet_address_list_get_address(list, i);
		if (INTERNET_ADDRESS_IS_GROUP(item)) {
			collect_mailboxes(context,
				internet_address_group_get_members(INTERNET_ADDRESS_GROUP(item)),
				addresses, count);
			continue;
		}
		const char *text =
			internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(item));
		char *address = text == NULL ? NULL : address_normalise(context, text);
		if (address != NULL)
			addresses[(*count)++] = address;
	}
}

/* GMime descends a level of the stack for each group in a group, to the stack's end. */
static bool has_too_many_groups(const char *value)
{
	size_t count = 0;

	for (; (value = strchr(value, ':')) != NULL; value++)
		count++;
	return count > GROUP_COUNT_MAX;
}

char **header_addresses(const void *context, const char *value, size_t *count_out)
{
	*count_out = 0;
	if (value == NULL || has_too_many_groups(value))
		return NULL;
	InternetAddressList *list = internet_address_list_parse(NULL, value);
	if (list == NULL)
		return NULL;
	char **addresses = mem_new_array(context, char *, ADDRESS_COUNT_MAX);
	collect_mailboxes(context, list, addresses, count_out);
	g_object_unref(list);
	return mem_realloc(context, addresses, sizeof(*addresses) * (*count_out + 1));
}

char *header_message_id(const void *context, const char *value)
{
	size_t count;
	char **ids = header_message_ids(context, value, &count);

	if (count > 0)
		return ids[0];
	if (value == NULL)
		return NULL;
	value += strspn(value, " \t");
	size_t length = strcspn(value, " \t");
	return length == 0 ? NULL : mem_strndup(context, value, length);
}

char **header_message_ids(const void *context, const char *value, size_t *count_out)
{
	*count_out = 0;
	const char *open = value == NULL ? NULL : strchr(value, '<');
	if (open == NULL)
		return NULL;
	char **ids = mem_new_array(context, char *, MESSAGE_ID_COUNT_MAX);
	while (open != NULL && *count_out < MESSAGE_ID_COUNT_MAX) {
		const char *close = strchr(open, '>');
		if (close == NULL)
			break;
		if (close > open + 1)
			ids[(*count_out)++] =
				mem_strndup(context, open, (size_t)(close - open + 1));
		open = strchr(close, '<');
	}
	return ids;
}

bool header_date(const char *value, long long *seconds_out)
{
	if (value == NULL || strlen(value) > DATE_MAX)
		return false;
	GDateTime *date = g_mime_utils_header_decode_date(value);
	if (date == NULL)
		return false;
	*seconds_out = g_date_time_to_unix(date);
	g_date_time_unref(date);
	return true;
}

char *header_token(const void *context, const char *value)
{
	if (value == NULL)
		return NULL;
	value += strspn(value, " \t");
	char *word = mem_strndup(context, value, strcspn(value, "; \t("));
	char *lower = text_lower(context, word);
	mem_free(word);
	return lower;
}
