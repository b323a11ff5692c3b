/*
 * evidence.c: in charge of what is found out about a message so that rules can be held against it:
 * its words, its fields, and the facts that hold for it as a whole. Each is found out when a rule
 * first asks, and once a message.
 */
#include "classify/evidence.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/author.h"
#include "classify/prose.h"
#include "classify/rule_set.h"

#define REPORT_MIN 20 /* bytes in front of a disclaimer that are a report */

/* Behind what gateways put in front of a subject, which rules would otherwise have to expect. */
static const char *skip_gateway_tags(const char *subject)
{
	static const char *const tags[] = {"[external]", "[external email]", "[external mail]",
		"[external sender]", "[ext]", "[extern]", "[externe]", "[externo]", "[esterno]",
		"[spam]", "[spam?]", "***spam***", "{spam?}", "external:", "(external)"};

	for (size_t i = 0; subject != NULL && i < sizeof(tags) / sizeof(tags[0]);) {
		const char *tag = subject + strspn(subject, " ");
		if (text_starts_fold(tag, tags[i])) {
			subject = tag + strlen(tags[i]) + strspn(tag + strlen(tags[i]), " ");
			i = 0;
		} else {
			i++;
		}
	}
	return subject;
}

void evidence_text_open(
	const void *context, const struct mail *mail, struct evidence_text *text_out)
{
	*text_out = (struct evidence_text){.mail = mail, .context = context};
	text_out->subject = haystack_make(context,
		skip_gateway_tags(header_decode(context, headers_find(&mail->headers, "Subject"))));
	text_out->from = haystack_make(
		context, header_decode(context, headers_find(&mail->headers, "From")));
	haystack_index(context, &text_out->subject);
	haystack_index(context, &text_out->from);
	text_out->author = header_address(context, headers_find(&mail->headers, "From"));
	text_out->addressee = header_address(context, headers_find(&mail->headers, "To"));
}

const struct haystack *evidence_find_prose(struct evidence_text *text)
{
	if (!text->has_prose) {
		text->prose = haystack_make(text->context, prose_read(text->context, text->mail));
		haystack_index(text->context, &text->prose);
		text->has_prose = true;
	}
	return &text->prose;
}

/* What the group "address" of a header condition took names a recipient. */
static void keep_named(struct evidence_text *text, const char *value, const struct match *match)
{
	if (match->address_end > match->address_start)
		text->named = mem_strndup(text->context, value + match->address_start,
			match->address_end - match->address_start);
}

/* A field's value to search in, folded once for the rules that ask for it. */
static const struct haystack *find_value(struct evidence_text *text, const char *value)
{
	for (size_t i = 0; i < VALUE_CACHE_SIZE; i++) {
		if (text->values[i] == value)
			return &text->folded[i];
	}
	size_t place = text->value_count++ % VALUE_CACHE_SIZE;
	text->values[place] = value;
	text->folded[place] = haystack_make(text->context, value);
	haystack_index(text->context, &text->folded[place]);
	return &text->folded[place];
}

/* True when the line finds something there, which is noted where that is wanted. */
static bool find_in(
	const struct rule_line *line, const struct haystack *haystack, struct evidence_text *text)
{
	struct match match;

	if (!text->notes_found)
		return rule_line_fits(line, haystack);
	if (!rule_line_find(line, haystack, 0, &match))
		return false;
	text->found = haystack->text + match.start;
	text->found_size = match.end - match.start;
	return true;
}

/* True when one field of one of the names fits. */
static bool header_fits(
	const struct rule_line *line, const struct headers *headers, struct evidence_text *text)
{
	const struct header *header;
	struct match match;

	for (const char *const *name = line->headers; *name != NULL; name++) {
		size_t index = 0;
		while ((header = headers_next(headers, *name, &index)) != NULL) {
			if (rule_line_find(line, find_value(text, header->value), 0, &match)) {
				keep_named(text, header->value, &match);
				text->found = header->value + match.start;
				text->found_size = match.end - match.start;
				return true;
			}
		}
	}
	return false;
}

/* The same in the header of a message that came back. */
static bool returned_fits(const struct rule_line *line, struct evidence_text *text)
{
	for (const struct part *part = text->mail->root; part != NULL;
		part = part_following(part, text->mail->root)) {
		if (part->is_message && header_fits(line, &part->headers, text))
			return true;
	}
	return false;
}

/* True for a line of a message that the author answers. Two marks are no quotation: Majordomo puts
 * ">>>> " before a command. */
static bool is_quotation(const char *line)
{
	return line[0] == '>' && line[1] != '>';
}

struct haystack evidence_cut_original(const struct rule *rule, const struct haystack *prose)
{
	struct haystack words = *prose;
	struct match match;

	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part == RULE_ORIGINAL &&
			rule_line_find(&rule->lines[i], prose, 0, &match) && match.start > 0 &&
			match.start < words.size)
			words.size = match.start;
	}
	return words;
}

/* The words without the borders of tables that are drawn with '|'. Everything keeps its place. */
static struct haystack clear_borders(const void *context, const struct haystack *words)
{
	char *text = mem_strdup(context, words->text);

	for (char *border = text; (border = strchr(border, '|')) != NULL;)
		*border = ' ';
	struct haystack cleared = haystack_make(context, text);
	haystack_index(context, &cleared);
	cleared.size = words->size;
	return cleared;
}

struct haystack evidence_cut_disclaimer(const struct haystack *prose)
{
	const struct rules *rules = rule_set_find("generic.rules");
	struct haystack words = *prose;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];
		if (rule->type == RULE_KIND && rule->kind == KIND_ORDINARY &&
			strcmp(rule->name, "disclaimer") == 0)
			words = evidence_cut_original(rule, &words);
	}
	/* One on top of a report is not what ends it. */
	return words.size >= REPORT_MIN || memchr(words.text, '@', words.size) != NULL ? words
										       : *prose;
}

struct haystack evidence_cut_unknown(const void *context, const struct haystack *prose)
{
	const struct rules *rules = rule_set_find("generic.rules");
	struct haystack words = evidence_cut_disclaimer(prose);
	size_t fields = prose_find_fields(words.text, words.size);

	if (fields > 0)
		words.size = fields;
	if (memchr(words.text, '|', words.size) != NULL)
		words = clear_borders(context, &words);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];
		if (rule->type == RULE_KIND && rule->kind == KIND_ORDINARY &&
			strcmp(rule->name, "disclaimer") != 0)
			words = evidence_cut_original(rule, &words);
	}
	return words;
}

/* True for "-----Original Message-----" and its like. All that announces an original is known to
 * generic.rules; but the opening is asked for of all mail, and this is cheap. */
static bool announces_original(const char *line)
{
	static const char *const words[] = {"original ", "forwarded ", "returned ", "your message",
		"your mail", "below this", "message d", "mensaje original", "mensagem original",
		"messaggio originale", "oorspronkelijk", "urspr", "weitergeleitete", "wiadomo",
		"исходное", "original-", "begin forwarded"};
	size_t blanks = strspn(line, " ");
	size_t dashes = strspn(line + blanks, "-");
	const char *text = line + blanks + dashes;

	text += strspn(text, " ");
	for (size_t i = 0; dashes >= 2 && i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_starts_fold(text, words[i]))
			return true;
	}
	return false;
}

/* The first words of the body that the author wrote himself: not what he quotes, nor what came
 * back.
 */
static const struct haystack *find_opening(struct evidence_text *text)
{
	const struct haystack *prose = evidence_find_prose(text);
	size_t size = 0;

	if (text->has_opening)
		return &text->opening;
	char *words = mem_alloc(text->context, RULE_OPENING_MAX + 1);
	for (size_t i = 0; i < prose->size && size < RULE_OPENING_MAX;) {
		size_t length = strcspn(prose->text + i, "\n") + 1;
		bool is_kept = !is_quotation(prose->text + i);
		if (announces_original(prose->text + i))
			break;
		if (i + length > prose->size)
			length = prose->size - i;
		for (size_t k = 0; is_kept && k < length && size < RULE_OPENING_MAX; k++)
			words[size++] = prose->text[i + k];
		i += length;
	}
	words[size] = '\0';
	text->opening = haystack_make(text->context, words);
	haystack_index(text->context, &text->opening);
	text->has_opening = true;
	return &text->opening;
}

/* The type of a part of the message itself: a message inside counts, what is in it does not. */
static bool part_fits(const struct rule_line *line, struct evidence_text *text)
{
	const struct part *root = text->mail->root;

	for (const struct part *part = root; part != NULL;) {
		struct haystack type = haystack_make(text->context, part->type);
		if (rule_line_fits(line, &type))
			return true;
		part = part->is_message ? part_behind(part, root) : part_following(part, root);
	}
	return false;
}

/* What holds for the message as a whole, whichever rule asks. */
static const struct {
	enum rule_part part;
	bool (*holds)(const struct mail *mail);
} facts[] = {
	{RULE_SENDER_NULL, author_has_null_sender},
	{RULE_AUTHOR_DAEMON, author_is_daemon},
	{RULE_AUTHOR_POSTMASTER, author_is_postmaster},
	{RULE_AUTHOR_PERSON, author_is_person},
	{RULE_ANSWER, author_is_answer},
	{RULE_DISTRIBUTED, author_is_distributed},
};

_Static_assert(sizeof(facts) / sizeof(facts[0]) == FACT_COUNT, "one place for each fact");

/* Found out once a message. */
static bool fact_holds(enum rule_part part, struct evidence_text *text)
{
	for (size_t i = 0; i < FACT_COUNT; i++) {
		if (facts[i].part != part)
			continue;
		if (text->facts[i] == FACT_UNKNOWN)
			text->facts[i] = facts[i].holds(text->mail) ? FACT_YES : FACT_NO;
		return text->facts[i] == FACT_YES;
	}
	return false;
}

bool evidence_line_fits(const struct rule_line *line, struct evidence_text *text)
{
	switch (line->part) {
	case RULE_LITERAL:
	case RULE_BODY:
		return find_in(line, evidence_find_prose(text), text) != line->is_not;
	case RULE_SUBJECT:
		return find_in(line, &text->subject, text) != line->is_not;
	case RULE_FROM:
		return find_in(line, &text->from, text) != line->is_not;
	case RULE_HEADER:
		return header_fits(line, &text->mail->headers, text) != line->is_not;
	case RULE_RETURNED:
		return returned_fits(line, text) != line->is_not;
	case RULE_OPENING:
		return find_in(line, find_opening(text), text) != line->is_not;
	case RULE_MIME_TYPE:
		return part_fits(line, text) != line->is_not;
	case RULE_SENDER_NULL:
	case RULE_AUTHOR_DAEMON:
	case RULE_AUTHOR_POSTMASTER:
	case RULE_AUTHOR_PERSON:
	case RULE_ANSWER:
	case RULE_DISTRIBUTED:
		return fact_holds(line->part, text) != line->is_not;
	case RULE_EARLY:
	case RULE_ADDRESS:
	case RULE_ORIGINAL:
	case RULE_DELAYED:
	case RULE_REPORT:
	case RULE_STATUS:
	case RULE_REPLY:
	case RULE_REMOTE:
	case RULE_DIAGNOSTIC:
	case RULE_WRITER:
	case RULE_PART_COUNT:
		break;
	}
	return true;
}

/* The cheap conditions first: facts, then what words have to be there, then header fields, then the
 * first words, then all of them. */
enum { PASS_HEADERS, PASS_FACTS, PASS_LITERALS, PASS_OPENING, PASS_WORDS, PASS_COUNT };

static const int order[PASS_COUNT] = {
	PASS_FACTS, PASS_LITERALS, PASS_HEADERS, PASS_OPENING, PASS_WORDS};

static const unsigned char passes[RULE_PART_COUNT] = {
	[RULE_SENDER_NULL] = PASS_FACTS,
	[RULE_AUTHOR_DAEMON] = PASS_FACTS,
	[RULE_AUTHOR_POSTMASTER] = PASS_FACTS,
	[RULE_AUTHOR_PERSON] = PASS_FACTS,
	[RULE_ANSWER] = PASS_FACTS,
	[RULE_DISTRIBUTED] = PASS_FACTS,
	[RULE_LITERAL] = PASS_LITERALS,
	[RULE_OPENING] = PASS_OPENING,
	[RULE_BODY] = PASS_WORDS,
};

const struct rule_line *evidence_find_misfit(const struct rule *rule, struct evidence_text *text)
{
	text->named = NULL;
	for (int i = 0; i < PASS_COUNT; i++) {
		for (size_t k = 0; k < rule->line_count; k++) {
			if (passes[rule->lines[k].part] == order[i] &&
				!evidence_line_fits(&rule->lines[k], text))
				return &rule->lines[k];
		}
	}
	return NULL;
}

bool evidence_fits(const struct rule *rule, struct evidence_text *text)
{
	return evidence_find_misfit(rule, text) == NULL;
}

const struct rule *evidence_find_mark(enum kind kind, struct evidence_text *text)
{
	const struct rules *rules = rule_set_find("generic.rules");

	for (size_t i = 0; i < rules->count; i++) {
		if (rules->items[i].type == RULE_KIND && rules->items[i].kind == kind &&
			evidence_fits(&rules->items[i], text))
			return &rules->items[i];
	}
	return NULL;
}

bool evidence_is_marked(enum kind kind, struct evidence_text *text)
{
	return evidence_find_mark(kind, text) != NULL;
}

bool evidence_is_asked(struct evidence_text *text)
{
	const struct mail *mail = text->mail;

	if (!text->is_asked)
		text->is_system = headers_find(&mail->headers, "X-Failed-Recipients") != NULL ||
				  (!author_is_person(mail) &&
					  (author_has_null_sender(mail) || author_is_daemon(mail) ||
						  author_is_postmaster(mail) ||
						  evidence_is_marked(KIND_FAILED, text)));
	text->is_asked = true;
	return text->is_system;
}
