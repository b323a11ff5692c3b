/*
 * compose.c: a message of ours about a report, and the lines in front of one that is passed on.
 *
 * In charge of the structure, and of what foreign bytes may do in it: nothing. They stand in parts
 * of their own, as they came where they are clean 7-bit text and encoded where not, behind a
 * boundary that does not occur in them; none of them gets into a header except through text_clean.
 * Leaves to encode.c the encodings, to forward.c the random token and the sending, and to the
 * pipeline the words of the summary.
 */
#include "act/compose.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "act/encode.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

enum transfer { TRANSFER_7BIT, TRANSFER_QUOTED, TRANSFER_BASE64, TRANSFER_COUNT };

static const char *const transfer_names[] = {
	[TRANSFER_7BIT] = "7bit",
	[TRANSFER_QUOTED] = "quoted-printable",
	[TRANSFER_BASE64] = "base64",
};

_Static_assert(sizeof transfer_names / sizeof transfer_names[0] == TRANSFER_COUNT,
	"a transfer encoding has no name");

/* The parts, in their order, and what is done when one cannot go out as it stands. A
 * delivery-status part must be 7bit (RFC 3464 section 2.1), returned headers may be
 * quoted-printable (RFC 6522 section 4). With base64 the type is given up as well: nobody may
 * decode it before reading. */
enum part_number { PART_TEXT, PART_REPORT, PART_HEADERS, PART_COUNT };

static const struct part_row {
	const char *type;
	const char *file;	    /* its name as an attachment */
	enum transfer when_wide;    /* 8-bit bytes or long lines in it */
	enum transfer when_control; /* control characters in it, NUL among them */
} part_rows[] = {
	[PART_TEXT] = {"text/plain; charset=utf-8", "text", TRANSFER_QUOTED, TRANSFER_QUOTED},
	[PART_REPORT] = {"message/delivery-status", "delivery-status", TRANSFER_BASE64,
		TRANSFER_BASE64},
	[PART_HEADERS] = {"text/rfc822-headers", "headers", TRANSFER_QUOTED, TRANSFER_BASE64},
};

_Static_assert(sizeof part_rows / sizeof part_rows[0] == PART_COUNT, "a part has no row");

struct piece {
	struct bytes content; /* with LF line ends unless it goes as base64 */
	enum transfer transfer;
};

/* Printable ASCII without spaces, and short enough for a line: what may stand in a header as it is.
 * Everything that comes from the configuration does, unless somebody uses 8-bit addresses. */
static bool is_plain_word(const char *word)
{
	size_t length = 0;

	if (word == NULL)
		return false;
	for (; word[length] != '\0'; length++) {
		if (word[length] <= ' ' || word[length] > '~' || length == COMPOSE_LINE_MAX)
			return false;
	}
	return length > 0;
}

static const char *plain_or(const char *word, const char *otherwise)
{
	return is_plain_word(word) ? word : otherwise;
}

static const char *own_domain(const struct compose_facts *facts)
{
	const char *list = facts->notice->list;

	return plain_or(list != NULL ? address_domain(list) : NULL, facts->host);
}

/* The fields that say whose work this is: the loop guard, and what mail filters sort by. */
static void add_loop_fields(
	struct output *output, const struct compose_facts *facts, const char *line_end)
{
	const struct notice *notice = facts->notice;

	encode_format(
		output, "%s: %s%s", ACT_LOOP_HEADER, plain_or(notice->list, facts->host), line_end);
	encode_format(output, "X-Backstop-Kind: %s%s", plain_or(notice->kind, "-"), line_end);
}

static void add_own_fields(
	struct output *output, const struct compose_facts *facts, const char *line_end)
{
	const struct notice *notice = facts->notice;

	add_loop_fields(output, facts, line_end);
	encode_format(output, "X-Backstop-Verdict: %s%s", plain_or(notice->verdict, "-"), line_end);
	encode_format(output, "X-Backstop-Score: %d%s", notice->score, line_end);
}

static void add_to_field(struct output *output, const struct compose_facts *facts)
{
	const char *separator = "To: ";

	for (size_t i = 0; i < facts->recipient_count && i < COMPOSE_TO_MAX; i++) {
		if (!is_plain_word(facts->recipients[i]))
			continue;
		encode_format(output, "%s%s", separator, facts->recipients[i]);
		separator = ",\n\t";
	}
	if (separator[0] == 'T')
		encode_format(output, "To: undisclosed-recipients:;");
	encode_add(output, "\n", 1);
}

static void add_subject(struct output *output, const char *subject)
{
	static const char name[] = "Subject: ";
	char *clean = text_clean_string(
		output->context, subject != NULL ? subject : "", COMPOSE_SUBJECT_MAX);

	encode_add(output, name, sizeof name - 1);
	encode_header_text(output, sizeof name - 1, clean);
	encode_add(output, "\n", 1);
	mem_free(clean);
}

/* At most COMPOSE_PART_MAX bytes, ending with a whole line. */
static struct bytes cap_part(struct bytes content)
{
	const unsigned char *end;

	if (content.size <= COMPOSE_PART_MAX)
		return content;
	content.size = COMPOSE_PART_MAX;
	end = memrchr(content.data, '\n', content.size);
	if (end != NULL)
		content.size = (size_t)(end - content.data) + 1;
	return content;
}

/* sendmail is given LF; a CR that stands alone is kept, and found by choose_transfer. */
static struct bytes with_bare_line_ends(const void *context, struct bytes content)
{
	unsigned char *copy = mem_alloc(context, content.size + 1);
	size_t size = 0;

	for (size_t i = 0; i < content.size; i++) {
		bool is_line_end = content.data[i] == '\r' && i + 1 < content.size &&
				   content.data[i + 1] == '\n';

		if (!is_line_end)
			copy[size++] = content.data[i];
	}
	return (struct bytes){copy, size};
}

static enum transfer choose_transfer(const struct part_row *row, struct bytes content)
{
	enum transfer transfer = TRANSFER_7BIT;
	size_t column = 0;

	for (size_t i = 0; i < content.size; i++) {
		unsigned char c = content.data[i];

		column = c == '\n' ? 0 : column + 1;
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F)
			return row->when_control;
		if (c > 0x7F || column > COMPOSE_LINE_MAX)
			transfer = row->when_wide;
	}
	return transfer;
}

static struct piece make_piece(const void *context, enum part_number number, struct bytes content)
{
	struct bytes capped = cap_part(content);
	struct piece piece = {with_bare_line_ends(context, capped), TRANSFER_7BIT};

	piece.transfer = choose_transfer(&part_rows[number], piece.content);
	if (piece.transfer == TRANSFER_BASE64)
		piece.content = capped;
	return piece;
}

static bool is_in_pieces(const struct piece *pieces, const char *boundary)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct bytes content = pieces[i].content;

		if (memmem(content.data, content.size, boundary, strlen(boundary)) != NULL)
			return true;
	}
	return false;
}

/* Without a '=', so that quoted-printable neither makes nor hides one. Whoever guessed the token
 * could fill a part with numbers, but not with all of them. */
static char *make_boundary(const void *context, const char *token, const struct piece *pieces)
{
	char *boundary = mem_printf(context, "backstop-%s", token);

	for (unsigned number = 1; is_in_pieces(pieces, boundary); number++) {
		mem_free(boundary);
		boundary = mem_printf(context, "backstop-%s-%u", token, number);
	}
	return boundary;
}

static void add_part(struct output *output, const struct part_row *row, const struct piece *piece)
{
	bool is_attachment = piece->transfer == TRANSFER_BASE64;

	encode_format(output, "Content-Type: %s\n",
		is_attachment ? "application/octet-stream" : row->type);
	if (is_attachment)
		encode_format(
			output, "Content-Disposition: attachment; filename=\"%s\"\n", row->file);
	encode_format(output, "Content-Transfer-Encoding: %s\n\n", transfer_names[piece->transfer]);
	switch (piece->transfer) {
	case TRANSFER_7BIT:
		encode_add(output, piece->content.data, piece->content.size);
		break;
	case TRANSFER_QUOTED:
		encode_quoted_printable(output, piece->content);
		break;
	case TRANSFER_BASE64:
		encode_base64(output, piece->content);
		break;
	case TRANSFER_COUNT:
		break;
	}
}

/* The fields of every message that is ours, up to those of its content. */
static void add_header(struct output *output, const struct compose_facts *facts)
{
	char date[CLOCK_TEXT_MAX];

	clock_format_rfc5322(facts->notice->time_s, date);
	encode_format(output, "From: Mail Delivery System <MAILER-DAEMON@%s>\n", own_domain(facts));
	add_to_field(output, facts);
	add_subject(output, facts->notice->subject);
	encode_format(output, "Date: %s\n", date);
	encode_format(output, "Message-ID: <backstop.%s@%s>\n", facts->token, facts->host);
	encode_format(output, "MIME-Version: 1.0\n");
	encode_format(output, "Auto-Submitted: auto-generated\n");
}

struct bytes compose_summary(const void *context, const struct compose_facts *facts)
{
	const struct notice *notice = facts->notice;
	const char *text = notice->text != NULL ? notice->text : "";
	const struct bytes contents[] = {
		[PART_TEXT] = {(const unsigned char *)text, strlen(text)},
		[PART_REPORT] = notice->report,
		[PART_HEADERS] = notice->original_headers,
	};
	void *scratch = mem_context(context, "compose_summary");
	struct output output = {.context = context};
	struct piece pieces[PART_COUNT];
	bool is_report;
	char *boundary;

	for (int i = 0; i < PART_COUNT; i++)
		pieces[i] = make_piece(scratch, (enum part_number)i, contents[i]);
	boundary = make_boundary(scratch, facts->token, pieces);
	is_report = pieces[PART_REPORT].content.size > 0 &&
		    pieces[PART_REPORT].transfer == TRANSFER_7BIT;
	add_header(&output, facts);
	add_own_fields(&output, facts, "\n");
	encode_format(&output, "Content-Type: %s;\n\tboundary=\"%s\"\n\n",
		is_report ? "multipart/report; report-type=delivery-status" : "multipart/mixed",
		boundary);
	for (int i = 0; i < PART_COUNT; i++) {
		if (i != PART_TEXT && pieces[i].content.size == 0)
			continue;
		encode_format(&output, "--%s\n", boundary);
		add_part(&output, &part_rows[i], &pieces[i]);
		/* This LF belongs to the boundary: the part keeps the end that it had. */
		encode_add(&output, "\n", 1);
	}
	encode_format(&output, "--%s--\n", boundary);
	mem_free(scratch);
	return (struct bytes){output.data, output.size};
}

struct bytes compose_text(const void *context, const struct compose_facts *facts)
{
	const char *text = facts->notice->text != NULL ? facts->notice->text : "";
	struct output output = {.context = context};
	void *scratch = mem_context(context, "compose_text");
	struct bytes content = {(const unsigned char *)text, strlen(text)};
	struct piece piece = make_piece(scratch, PART_TEXT, content);

	add_header(&output, facts);
	add_loop_fields(&output, facts, "\n");
	add_part(&output, &part_rows[PART_TEXT], &piece);
	mem_free(scratch);
	return (struct bytes){output.data, output.size};
}

/* The first line of bytes, its LF included; all when there is none. */
static struct bytes first_line(struct bytes bytes)
{
	const unsigned char *end = bytes.size > 0 ? memchr(bytes.data, '\n', bytes.size) : NULL;

	if (end != NULL)
		bytes.size = (size_t)(end - bytes.data) + 1;
	return bytes;
}

static bool is_empty_line(struct bytes line)
{
	return line.size == 0 || line.data[0] == '\n' ||
	       (line.data[0] == '\r' && (line.size == 1 || line.data[1] == '\n'));
}

/* The length of the field name that a line begins with (RFC 5322 section 3.6.8, and blanks before
 * the colon as section 4.5 has them), or 0. */
static size_t field_name_length(struct bytes line)
{
	size_t length = 0;
	size_t at;

	while (length < line.size && line.data[length] > ' ' && line.data[length] < 0x7F &&
		line.data[length] != ':')
		length++;
	at = length;
	while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t'))
		at++;
	return at < line.size && line.data[at] == ':' ? length : 0;
}

/* Looks as strictly as an MTA does: a line that is no field ends the header, and what stands behind
 * it protects nobody from a loop. */
static bool has_field(struct bytes message, const char *name)
{
	while (message.size > 0) {
		struct bytes line = first_line(message);
		size_t length = field_name_length(line);
		bool is_continuation = line.data[0] == ' ' || line.data[0] == '\t';

		if (is_empty_line(line) || (length == 0 && !is_continuation))
			return false;
		if (length == strlen(name) &&
			strncasecmp((const char *)line.data, name, length) == 0)
			return true;
		message.data += line.size;
		message.size -= line.size;
	}
	return false;
}

struct bytes compose_top(
	const void *context, const struct compose_facts *facts, struct bytes original)
{
	struct bytes line = first_line(original);
	bool has_returns = line.size >= 2 && line.data[line.size - 1] == '\n' &&
			   line.data[line.size - 2] == '\r';
	const char *line_end = has_returns ? "\r\n" : "\n";
	struct output output = {.context = context};

	add_own_fields(&output, facts, line_end);
	if (!has_field(original, "Auto-Submitted"))
		encode_format(&output, "Auto-Submitted: auto-generated%s", line_end);
	/* Else its first line would be read as the rest of ours, or end the header by chance. */
	if (!is_empty_line(line) && field_name_length(line) == 0)
		encode_format(&output, "%s", line_end);
	return (struct bytes){output.data, output.size};
}
