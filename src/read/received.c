/*
 * received.c: in charge of Received fields. The grammar of RFC 5321 is a wish; every MTA has its
 * own dialect. The one thing that must not go wrong is taking what the client SAID (HELO) for where
 * it CAME FROM: a spammer says "[192.0.2.10]" with our address in it. So a HELO is recognised and
 * put aside before an address is looked for, and where an address stands in two places that differ,
 * the one in the comment counts (Postfix, sendmail), except for chasquid, which writes it first.
 *
 *   Postfix, Dovecot, Haraka, OpenSMTPD   from HELO (name [IP])
 *   sendmail                              from HELO (name [IP] (may be forged))
 *   Exim                                  from name ([IP] helo=HELO)  ·  from [IP] (helo=HELO)
 *   qmail                                 from name (HELO x) (IP)
 *   Courier, slimta                       from HELO (name [::ffff:IP])
 *   XMail                                 from HELO ([IP]:port)
 *   masqmail                              from IP
 *   Exchange                              from name (IP) by name (IP)
 *   chasquid                              from [IP] (HELO) by name (chasquid)
 */
#include "read/received.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"

#define COMMENT_COUNT_MAX 8

enum clause { CLAUSE_NONE, CLAUSE_FROM, CLAUSE_BY, CLAUSE_FOR, CLAUSE_OTHER, CLAUSE_COUNT };

static const struct {
	const char *word;
	enum clause clause;
} clause_words[] = {
	{"from", CLAUSE_FROM},
	{"by", CLAUSE_BY},
	{"for", CLAUSE_FOR},
	{"with", CLAUSE_OTHER},
	{"via", CLAUSE_OTHER},
	{"id", CLAUSE_OTHER},
};

/* A field taken apart: of each clause its first word and the comments behind it. */
struct clauses {
	char *words[CLAUSE_COUNT];
	char *comments[CLAUSE_COUNT][COMMENT_COUNT_MAX];
	size_t comment_counts[CLAUSE_COUNT];
	const char *date;
};

/* The length of a comment, brackets included; nesting and backslashes as RFC 5322 section 3.2.2. */
static size_t measure_comment(const char *text)
{
	int depth = 0;
	const char *c = text;

	for (; *c != '\0'; c++) {
		if (*c == '\\' && c[1] != '\0')
			c++;
		else if (*c == '(')
			depth++;
		else if (*c == ')' && --depth == 0)
			return (size_t)(c - text) + 1;
	}
	return (size_t)(c - text);
}

static enum clause find_clause(const char *word, size_t size)
{
	for (size_t i = 0; i < sizeof(clause_words) / sizeof(clause_words[0]); i++) {
		if (size == strlen(clause_words[i].word) &&
			text_starts_fold(word, clause_words[i].word))
			return clause_words[i].clause;
	}
	return CLAUSE_NONE;
}

static void add_comment(const void *context, struct clauses *clauses, enum clause clause,
	const char *text, size_t size)
{
	size_t *count = &clauses->comment_counts[clause];

	if (*count < COMMENT_COUNT_MAX && size >= 2)
		clauses->comments[clause][(*count)++] = mem_strndup(context, text + 1, size - 2);
}

static void split_clauses(const void *context, const char *value, struct clauses *clauses)
{
	enum clause clause = CLAUSE_NONE;

	while (*value != '\0') {
		value += strspn(value, " \t");
		if (*value == '(') {
			size_t size = measure_comment(value);
			add_comment(context, clauses, clause, value, size);
			value += size;
			continue;
		}
		if (*value == ';') { /* the date follows the last one */
			clauses->date = ++value;
			continue;
		}
		size_t size = strcspn(value, " \t(;");
		enum clause next = find_clause(value, size);
		/* "by" and "from" count once: text behind them that repeats the word is noise. */
		if (next != CLAUSE_NONE && (next == CLAUSE_OTHER || clauses->words[next] == NULL))
			clause = next;
		else if (size > 0 && clauses->words[clause] == NULL)
			clauses->words[clause] = mem_strndup(context, value, size);
		value += size;
	}
}

/* "[192.0.2.1]" or "[192.0.2.1]:25" at text; the bracket's inside must be an address. */
static bool parse_bracket(const void *context, const char *text, struct netaddr *address_out)
{
	const char *close = strchr(text, ']');

	if (close == NULL || close - text > NETADDR_TEXT_MAX + 8)
		return false;
	char *inner = mem_strndup(context, text + 1, (size_t)(close - text - 1));
	bool is_address = netaddr_parse(inner, address_out);
	mem_free(inner);
	return is_address;
}

/* Cuts "helo=..." and "ident=..." out of an Exim comment, and gives the HELO. */
static char *take_assignments(const void *context, const char *comment, struct hop *hop)
{
	char *rest = mem_alloc(context, strlen(comment) + 1);
	size_t used = 0;

	while (*(comment += strspn(comment, " \t")) != '\0') {
		size_t size = strcspn(comment, " \t");
		if (text_starts_fold(comment, "helo=")) {
			hop->helo = mem_strndup(context, comment + 5, size - 5);
		} else if (memchr(comment, '=', size) == NULL) {
			if (used > 0)
				rest[used++] = ' ';
			memcpy(rest + used, comment, size);
			used += size;
		}
		comment += size;
	}
	return rest;
}

/* Looks for the client in one comment of the from clause: the last bracketed address, or a comment
 * that is nothing but an address (qmail, Exchange). */
static void read_from_comment(const void *context, const char *comment, struct hop *hop)
{
	if (text_starts_fold(comment, "HELO ") || text_starts_fold(comment, "EHLO ")) {
		hop->helo = mem_strdup(context, comment + 5);
		return;
	}
	char *rest = take_assignments(context, comment, hop);
	const char *bracket = strrchr(rest, '[');

	if (bracket != NULL && parse_bracket(context, bracket, &hop->client)) {
		hop->has_client = true;
		if (bracket > rest && strstr(rest, "may be forged") == NULL) {
			char *name = mem_strndup(context, rest, strcspn(rest, " ["));
			hop->client_name = text_lower(context, name);
		}
	} else if (netaddr_parse(rest, &hop->client)) {
		hop->has_client = true;
	}
}

static void read_from(const void *context, const struct clauses *clauses, struct hop *hop)
{
	const char *word = clauses->words[CLAUSE_FROM];
	bool is_chasquid = false;

	for (size_t i = 0; i < clauses->comment_counts[CLAUSE_BY]; i++) {
		if (text_equal_fold(clauses->comments[CLAUSE_BY][i], "chasquid"))
			is_chasquid = true;
	}
	if (word != NULL && is_chasquid) {
		hop->has_client = *word == '[' && parse_bracket(context, word, &hop->client);
		return;
	}
	for (size_t i = 0; i < clauses->comment_counts[CLAUSE_FROM]; i++)
		read_from_comment(context, clauses->comments[CLAUSE_FROM][i], hop);
	if (word == NULL)
		return;
	if (!hop->has_client) {
		hop->has_client = *word == '[' ? parse_bracket(context, word, &hop->client)
					       : netaddr_parse(word, &hop->client);
	} else if (hop->helo == NULL) {
		hop->helo = word;
	}
}

bool received_parse(const void *context, const char *value, struct hop *hop_out)
{
	struct clauses clauses = {0};
	struct hop hop = {0};

	split_clauses(context, value, &clauses);
	hop.is_qmail = strncmp(value, "(qmail ", 7) == 0;
	if (clauses.words[CLAUSE_FROM] == NULL && clauses.words[CLAUSE_BY] == NULL &&
		!hop.is_qmail && strstr(value, "invoked") == NULL)
		return false;
	read_from(context, &clauses, &hop);
	if (clauses.words[CLAUSE_BY] != NULL)
		hop.by = text_lower(context, clauses.words[CLAUSE_BY]);
	hop.for_address = clauses.words[CLAUSE_FOR] == NULL
				  ? NULL
				  : address_normalise(context, clauses.words[CLAUSE_FOR]);
	hop.is_local = clauses.words[CLAUSE_FROM] == NULL ||
		       (!hop.has_client && strchr(clauses.words[CLAUSE_FROM], '.') == NULL);
	if (clauses.date == NULL || !header_date(clauses.date, &hop.time_s))
		hop.time_s = 0;
	*hop_out = hop;
	return true;
}

struct hop *received_chain(const void *context, const struct headers *headers, size_t *count_out)
{
	struct hop *hops = mem_new_array(context, struct hop, HOP_COUNT_MAX);
	size_t index = 0, count = 0;
	const struct header *header;

	while (count < HOP_COUNT_MAX &&
		(header = headers_next(headers, "Received", &index)) != NULL) {
		if (received_parse(context, header->value, &hops[count]))
			count++;
	}
	*count_out = count;
	return hops;
}
