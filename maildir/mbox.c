/*
 * mbox.c: where the messages of an mbox begin and end.
 *
 * Leaves to others: reading (or mapping) the file, whether to undo the quoting (nobody can tell an
 * mboxo from an mboxrd), and what the messages say. Content-Length fields are not believed:
 * programs that rewrite messages leave them wrong.
 *
 * What may surprise: a From line is read from its end. What stands before the date is whatever a
 * sender chose to call himself, while the forms of the date are few; they are rows of a table.
 */
#include "maildir/maildir.h"

#include <string.h>
#include <strings.h>

enum {
	FROM_LINE_MAX = 1024, /* longer ones are text */
	TOKENS_MAX = 16,      /* "From" ... "remote from HOST"; lines of more words are text */
};

static const unsigned char from_mark[] = {'F', 'r', 'o', 'm', ' '};

struct token {
	const char *text;
	size_t size;
};

/* The dates, a letter a word: Weekday Month Day Time Year Zone. */
static const char *const date_forms[] = {
	"WMDTY",   /* asctime, RFC 4155 */
	"WMDTYZ",  /* "2026 +0100" */
	"WMDTYZZ", /* "2026 +0100 (CET)", "2026 MET DST" */
	"WMDTZY",  /* "CET 2026": UUCP, System V; "+0000 2026": Google Takeout */
	"WMDTZZY", /* "MET DST 2026" */
	"WMDYT",   /* "Nov 23 2026 19:19:22": exported from mail programs in JavaScript */
	"WMDYTZ",  /* "... GMT+0100" */
	"WMDYTZZ", /* "... GMT+0100 (CET)" */
	"WDMYT",   /* RFC 5322 and what resembles it */
	"WDMYTZ",  /* "23 Nov 2026 19:19:22 +0100" */
	"WDMYTZZ", /* "... +0100 (CET)" */
};

static bool is_listed(const struct token *token, const char *three_letter_words)
{
	if (token->size != 3)
		return false;
	for (const char *word = three_letter_words; *word; word += 3) {
		if (strncasecmp(word, token->text, 3) == 0)
			return true;
	}
	return false;
}

static bool is_weekday(const struct token *token)
{
	struct token word = *token;
	if (word.size == 4 && word.text[3] == ',')
		word.size = 3;
	return is_listed(&word, "MonTueWedThuFriSatSun");
}

static bool is_month(const struct token *token)
{
	return is_listed(token, "JanFebMarAprMayJunJulAugSepOctNovDec");
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Takes 1 or 2 digits off the token; -1 when there are none. */
static int take_number(struct token *token)
{
	int number = -1;
	for (int i = 0; i < 2 && token->size > 0 && is_digit(*token->text); i++) {
		number = (number < 0 ? 0 : number * 10) + (*token->text - '0');
		token->text++;
		token->size--;
	}
	return number;
}

static bool is_day(const struct token *token)
{
	struct token rest = *token;
	int day = take_number(&rest);
	return rest.size == 0 && day >= 1 && day <= 31;
}

static bool is_year(const struct token *token)
{
	size_t digits = 0;
	while (digits < token->size && is_digit(token->text[digits]))
		digits++;
	return digits == 4 && token->size == 4;
}

/* hh:mm or hh:mm:ss, with a leap second. */
static bool is_time(const struct token *token)
{
	static const int limits[] = {23, 59, 60};
	struct token rest = *token;
	size_t fields = 0;
	while (fields < 3) {
		int number = take_number(&rest);
		if (number < 0 || number > limits[fields])
			return false;
		fields++;
		if (rest.size == 0 || *rest.text != ':')
			break;
		rest.text++;
		rest.size--;
	}
	return rest.size == 0 && fields >= 2;
}

/* "CET", "+0100", "-08:00", "GMT+1", "(CET)"; capital letters only, so that no word of a sentence
 * which goes on behind a date is one. */
static bool is_zone(const struct token *token)
{
	size_t begin = 0;
	size_t end = token->size;
	size_t digits = 0;
	if (end >= 2 && token->text[0] == '(' && token->text[end - 1] == ')') {
		begin++;
		end--;
	}
	size_t at = begin;
	while (at < end && token->text[at] >= 'A' && token->text[at] <= 'Z')
		at++;
	bool is_named = at > begin && at - begin <= 5;
	if (at == end)
		return is_named;
	if ((at > begin && !is_named) || (token->text[at] != '+' && token->text[at] != '-'))
		return false;
	for (at++; at < end && (is_digit(token->text[at]) || token->text[at] == ':'); at++)
		digits += token->text[at] != ':';
	return at == end && digits >= 1 && digits <= 4;
}

static const struct {
	char letter;
	bool (*matches)(const struct token *token);
} token_kinds[] = {
	{'W', is_weekday},
	{'M', is_month},
	{'D', is_day},
	{'T', is_time},
	{'Y', is_year},
	{'Z', is_zone},
};

static bool matches_kind(const struct token *token, char letter)
{
	size_t i = 0;
	while (token_kinds[i].letter != letter)
		i++;
	return token_kinds[i].matches(token);
}

static bool matches_form(const struct token *tokens, const char *form)
{
	size_t i = 0;
	while (form[i] && matches_kind(&tokens[i], form[i]))
		i++;
	return !form[i];
}

static bool is_word(const struct token *token, const char *word)
{
	return token->size == strlen(word) && memcmp(token->text, word, token->size) == 0;
}

/* None (the null sender, as some write it), one, or "ann at example.org" from web archives. More
 * words are a sentence. */
static bool is_sender(const struct token *tokens, size_t count)
{
	return count <= 1 || (count == 3 && is_word(&tokens[1], "at"));
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The size of the word that line begins with. Quoted blanks are part of it, as in the sender
 * "Ann Lee"@example.org; a quote that is never closed, as in o"neil@example.org, is a plain byte.
 */
static size_t measure_word(const char *line, size_t size)
{
	size_t at = 0;
	while (at < size && !is_blank(line[at])) {
		const char *close =
			line[at] == '"' ? memchr(line + at + 1, '"', size - at - 1) : NULL;
		at = close ? (size_t)(close - line) + 1 : at + 1;
	}
	return at;
}

/* The words of the line; TOKENS_MAX + 1 when there are more than TOKENS_MAX. */
static size_t split_words(const char *line, size_t size, struct token tokens[TOKENS_MAX])
{
	size_t count = 0;
	size_t at = 0;
	while (at < size) {
		if (is_blank(line[at])) {
			at++;
			continue;
		}
		if (count == TOKENS_MAX)
			return TOKENS_MAX + 1;
		tokens[count] = (struct token){line + at, measure_word(line + at, size - at)};
		at += tokens[count++].size;
	}
	return count;
}

/* The line without its end; *next_out is the offset behind that. */
static size_t measure_line(const unsigned char *data, size_t size, size_t offset, size_t *next_out)
{
	const unsigned char *start = data + offset;
	const unsigned char *end = memchr(start, '\n', size - offset);
	size_t length = end ? (size_t)(end - start) : size - offset;
	*next_out = offset + length + (end ? 1 : 0);
	if (length > 0 && end && start[length - 1] == '\r')
		length--;
	return length;
}

static bool has_from_mark(const unsigned char *data, size_t size)
{
	return size >= sizeof(from_mark) && memcmp(data, from_mark, sizeof(from_mark)) == 0;
}

bool mbox_is(const unsigned char *data, size_t size)
{
	struct token tokens[TOKENS_MAX];
	size_t next = 0;
	if (!has_from_mark(data, size))
		return false;
	/* A cut is enough for the cap: a line that goes on behind it is refused below. */
	if (size > FROM_LINE_MAX)
		size = FROM_LINE_MAX;
	size_t length = measure_line(data, size, 0, &next);
	if (length == FROM_LINE_MAX)
		return false;
	size_t count = split_words(
		(const char *)data + sizeof(from_mark), length - sizeof(from_mark), tokens);
	if (count > TOKENS_MAX)
		return false;
	if (count >= 3 && is_word(&tokens[count - 3], "remote") &&
		is_word(&tokens[count - 2], "from"))
		count -= 3;
	for (size_t i = 0; i < sizeof(date_forms) / sizeof(date_forms[0]); i++) {
		size_t words = strlen(date_forms[i]);
		if (words <= count && matches_form(&tokens[count - words], date_forms[i]) &&
			is_sender(tokens, count - words))
			return true;
	}
	return false;
}

/* The size of the empty line that ends just before end, 0 when the line there is not empty. begin
 * is where a line begins. */
static size_t measure_blank(const unsigned char *data, size_t begin, size_t end)
{
	size_t at = end;
	if (at <= begin || data[at - 1] != '\n')
		return 0;
	at--;
	if (at > begin && data[at - 1] == '\r')
		at--;
	return at == begin || data[at - 1] == '\n' ? end - at : 0;
}

/* The next From line behind an empty line, or size. */
static size_t find_boundary(const unsigned char *data, size_t size, size_t begin)
{
	size_t at = begin;
	while (at < size) {
		const unsigned char *hit =
			memmem(data + at, size - at, "\nFrom ", sizeof("\nFrom ") - 1);
		if (!hit)
			break;
		at = (size_t)(hit - data) + 1;
		if (measure_blank(data, begin, at) > 0 && mbox_is(data + at, size - at))
			return at;
	}
	return size;
}

bool mbox_next(
	const unsigned char *data, size_t size, size_t *offset, struct mbox_message *message_out)
{
	size_t begin = *offset;
	if (begin >= size)
		return false;
	*message_out = (struct mbox_message){.from_line = NULL};
	if (has_from_mark(data + begin, size - begin)) {
		message_out->from_line = data + begin;
		message_out->from_line_size = measure_line(data, size, begin, &begin);
	}
	size_t end = find_boundary(data, size, begin);
	*offset = end;
	/* At the end of a bare message, one without a From line, no writer has added a blank one.
	 */
	if (end < size || message_out->from_line)
		end -= measure_blank(data, begin, end);
	message_out->data = data + begin;
	message_out->size = end - begin;
	return true;
}

size_t mbox_unquote(const unsigned char *data, size_t size, unsigned char *data_out)
{
	static const char mark[] = ">From ";
	size_t copied = 0; /* of data; never behind filled, so data_out may be data */
	size_t filled = 0; /* of data_out */
	size_t at = 0;
	while (at < size) {
		const unsigned char *hit = memmem(data + at, size - at, mark, sizeof(mark) - 1);
		if (!hit)
			break;
		size_t quote = (size_t)(hit - data);
		size_t start = quote;
		while (start > at && data[start - 1] == '>')
			start--;
		at = quote + sizeof(mark) - 1;
		if (start > 0 && data[start - 1] != '\n')
			continue;
		memmove(data_out + filled, data + copied, quote - copied);
		filled += quote - copied;
		copied = quote + 1;
	}
	if (size > copied)
		memmove(data_out + filled, data + copied, size - copied);
	return filled + (size - copied);
}
