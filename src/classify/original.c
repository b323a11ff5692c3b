/*
 * original.c: in charge of finding what came back of the original. Only its headers are of use:
 * they are what the checks in weigh/ look at.
 *
 * Where no MIME part holds it, headers quoted in the text are looked for: a run of fields with at
 * least QUOTED_FIELDS_MIN of the names that every message has; first as lines of their own, then,
 * if a Message-ID is among them, in the prose, which knows no indentation and no HTML. Not behind
 * quotation marks ("> "): a report that returns the body alone may return what our message quotes,
 * and that our ledger does not know that message would speak against the report.
 */
#include "classify/original.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/prose.h"

#define QUOTED_FIELDS_MIN 3
#define QUOTED_SEARCH_MAX (64 * 1024) /* bytes of a text that are searched */
#define SUBJECT_MAX 300

static const char *const header_types[] = {"text/rfc822-headers", "message/global-headers",
	"message/rfc822-headers", "message/utf-8-headers", "text/rfc822-header", "message/partial"};

static const char *const well_known_fields[] = {
	"Received", "Return-Path", "From", "To", "Subject", "Date", "Message-ID", "MIME-Version"};

static bool is_header_type(const char *type)
{
	for (size_t i = 0; i < sizeof(header_types) / sizeof(header_types[0]); i++) {
		if (strcmp(type, header_types[i]) == 0)
			return true;
	}
	return false;
}

static size_t count_well_known(const struct headers *headers)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(well_known_fields) / sizeof(well_known_fields[0]); i++) {
		if (headers_find(headers, well_known_fields[i]) != NULL)
			count++;
	}
	return count;
}

/* A report inside a message part: a filter has wrapped it (SpamAssassin's report_safe), or somebody
 * has forwarded it. The original is in it, not it. */
static bool is_wrapped_report(const struct mail *mail, const struct part *part)
{
	char *from = header_address(NULL, headers_find(&part->headers, "From"));
	bool is_report = part->first_child != NULL && part->first_child->report_type != NULL;

	if (from != NULL && text_starts_fold(from, "mailer-daemon@"))
		is_report = true;
	mem_free(from);
	/* Where the message has a report of its own, a report inside is what it is about. */
	return is_report && part_find(mail->root, "message/delivery-status") == NULL;
}

/* Reads fields on a context of their own, *block, in place of what was read there before: one
 * message can have thousands of places that look like a header. */
static void read_block(const void *context, struct bytes bytes, void **block,
	struct headers *headers_out, size_t *size_out)
{
	mem_free(*block);
	*block = mem_context(context, "header block");
	headers_parse(*block, bytes, headers_out, size_out);
}

/* The message part that comes last stands behind the report; a forwarded one may stand before. */
static bool find_in_parts(const void *context, const struct mail *mail, struct headers *headers_out)
{
	bool is_found = false;
	void *block = NULL;

	for (const struct part *part = mail->root; part != NULL;) {
		if (part->is_message && !is_wrapped_report(mail, part)) {
			*headers_out = part->headers;
			is_found = true;
			/* What is inside the original is none of our business. */
			part = part_behind(part, mail->root);
			continue;
		}
		if (is_header_type(part->type) && part->content.size > 0) {
			read_block(context, part->content, &block, headers_out, NULL);
			is_found = is_found || headers_out->count > 0;
		}
		part = part_following(part, mail->root);
	}
	return is_found && headers_out->count > 0;
}

/* Looks for a run of fields in text, trying each line that could begin one. */
static bool find_in_text(const void *context, struct bytes text, struct headers *headers_out)
{
	size_t offset = 0;
	void *block = NULL;

	if (text.size > QUOTED_SEARCH_MAX)
		text.size = QUOTED_SEARCH_MAX;
	while (offset < text.size) {
		const unsigned char *line = text.data + offset;
		const unsigned char *newline = memchr(line, '\n', text.size - offset);
		size_t next = newline == NULL ? text.size : (size_t)(newline - text.data) + 1;
		bool is_candidate = false;

		for (size_t i = 0; i < sizeof(well_known_fields) / sizeof(well_known_fields[0]);
			i++) {
			size_t length = strlen(well_known_fields[i]);
			is_candidate =
				is_candidate || (next - offset > length && line[length] == ':' &&
							strncasecmp((const char *)line,
								well_known_fields[i], length) == 0);
		}
		if (is_candidate) {
			struct bytes rest = {line, text.size - offset};
			size_t size;
			read_block(context, rest, &block, headers_out, &size);
			if (count_well_known(headers_out) >= QUOTED_FIELDS_MIN)
				return true;
			next = offset + (size > 0 ? size : next - offset);
		}
		offset = next;
	}
	mem_free(block);
	headers_out->count = 0;
	return false;
}

static bool find_in_texts(const void *context, const struct mail *mail, struct headers *headers_out)
{
	for (const struct part *part = mail->root; part != NULL;
		part = part_following(part, mail->root)) {
		if (part_is_text(part) && strcmp(part->type, "text/html") != 0 &&
			find_in_text(context, part->content, headers_out))
			return true;
	}
	return false;
}

/* The length of a field's name at line, with the blanks behind it that some put there to align the
 * values; 0 when no field begins there. */
static size_t measure_name(const char *line)
{
	size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return length > 0 && line[length + strspn(line + length, " ")] == ':' ? length : 0;
}

/* The prose with fields from the start of their lines, whatever stood in front, and with all other
 * lines as continuations. */
static char *align_fields(const void *context, const struct mail *mail)
{
	const char *prose = prose_read(context, mail);
	char *aligned = mem_alloc(context, 2 * strlen(prose) + 2), *out = aligned;

	for (const char *line = prose; *line != '\0';) {
		const char *first = line + strspn(line, " ");
		size_t length = strcspn(first, "\n"), name = measure_name(first);
		if (name == 0 && length > 0)
			*out++ = ' ';
		memcpy(out, first, name);
		out += name;
		name += name == 0 ? 0 : strspn(first + name, " ");
		memcpy(out, first + name, length - name);
		out += length - name;
		*out++ = '\n';
		line = first + length + (first[length] == '\n');
	}
	*out = '\0';
	return aligned;
}

/* Fields that are indented, that stand in HTML, or that the report repeats in a table of its own.
 * Only with a Message-ID: what people quote of each other's mail has none. */
static bool find_in_prose(const void *context, const struct mail *mail, struct headers *headers_out)
{
	const char *aligned = align_fields(context, mail);
	struct bytes text = {(const unsigned char *)aligned, strlen(aligned)};

	if (find_in_text(context, text, headers_out) &&
		headers_find(headers_out, "Message-ID") != NULL)
		return true;
	headers_out->count = 0;
	return false;
}

static void read_fields(const void *context, struct original *original)
{
	const struct headers *headers = &original->headers;

	original->message_id = header_message_id(context, headers_find(headers, "Message-ID"));
	original->from = header_address(context, headers_find(headers, "From"));
	original->return_path = header_address(context, headers_find(headers, "Return-Path"));
	original->to = header_decode(context, headers_find(headers, "To"));
	original->subject = text_clean_string(
		context, header_decode(context, headers_find(headers, "Subject")), SUBJECT_MAX);
	original->date = header_decode(context, headers_find(headers, "Date"));
}

void original_find(const void *context, const struct mail *mail, struct original *original_out)
{
	struct headers headers = {.items = NULL};

	original_out->is_part = find_in_parts(context, mail, &headers);
	if (!original_out->is_part && !find_in_texts(context, mail, &headers) &&
		!find_in_prose(context, mail, &headers))
		return;
	original_out->is_returned = true;
	original_out->headers = headers;
	read_fields(context, original_out);
}
