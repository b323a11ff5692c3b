/*
 * dialect.c: in charge of the bounces that mail software writes in words of its own. The rules say
 * what gives a dialect away and where it names the recipients; here they are held against a
 * message.
 *
 * Three files of rules: providers.rules and mta.rules for what is known, generic.rules for what is
 * not. A generic rule goes by what stands around an address, so it never takes the address that the
 * report came to, nor a postmaster's, nor its author's, nor one behind the place where a run of
 * header fields says that the original begins.
 *
 * Two words of generic.rules are not dialects: "kind failed" says which mail may be asked although
 * envelope and author do not say that a mail system wrote it, "kind delayed" what makes a delay of
 * what a generic rule found.
 */
#include "classify/dialect.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "classify/author.h"
#include "classify/detail.h"
#include "classify/original.h"
#include "classify/prose.h"
#include "classify/reader.h"
#include "classify/reason.h"
#include "classify/rule_set.h"
#include "classify/search.h"

#define DIAGNOSTIC_MAX 1000
#define MATCHES_MAX 2000
#define LABEL_MAX 20 /* bytes of a label in a line of its own */

static const char *const role_names[] = {"postmaster", "mailer-daemon", "abuse", "root",
	"hostmaster", "mailerdaemon", "no-reply", "noreply"};

void evidence_text_open(
	const void *context, const struct mail *mail, struct evidence_text *text_out)
{
	*text_out = (struct evidence_text){.mail = mail, .context = context};
	text_out->subject = haystack_make(
		context, header_decode(context, headers_find(&mail->headers, "Subject")));
	text_out->from = haystack_make(
		context, header_decode(context, headers_find(&mail->headers, "From")));
	haystack_index(context, &text_out->subject);
	haystack_index(context, &text_out->from);
	text_out->author = header_address(context, headers_find(&mail->headers, "From"));
	text_out->addressee = header_address(context, headers_find(&mail->headers, "To"));
}

const struct haystack *dialect_find_prose(struct evidence_text *text)
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

/* The first words of the body that the author wrote himself. */
static const struct haystack *find_opening(struct evidence_text *text)
{
	const struct haystack *prose = dialect_find_prose(text);
	size_t size = 0;

	if (text->has_opening)
		return &text->opening;
	char *words = mem_alloc(text->context, RULE_OPENING_MAX + 1);
	for (size_t i = 0; i < prose->size && size < RULE_OPENING_MAX;) {
		size_t length = strcspn(prose->text + i, "\n") + 1;
		bool is_kept = !is_quotation(prose->text + i);
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

static bool opening_fits(const struct rule_line *line, struct evidence_text *text)
{
	struct match match;

	return rule_line_find(line, find_opening(text), 0, &match);
}

/* The type of a part of the message itself: a message inside counts, what is in it does not. */
static bool part_fits(const struct rule_line *line, struct evidence_text *text)
{
	const struct part *root = text->mail->root;
	struct match match;

	for (const struct part *part = root; part != NULL;) {
		struct haystack type = haystack_make(text->context, part->type);
		if (rule_line_find(line, &type, 0, &match))
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

static bool is_fact(enum rule_part part)
{
	for (size_t i = 0; i < FACT_COUNT; i++) {
		if (facts[i].part == part)
			return true;
	}
	return false;
}

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

static bool line_fits(const struct rule_line *line, struct evidence_text *text)
{
	struct match match;

	switch (line->part) {
	case RULE_LITERAL:
	case RULE_BODY:
		return rule_line_find(line, dialect_find_prose(text), 0, &match) != line->is_not;
	case RULE_SUBJECT:
		return rule_line_find(line, &text->subject, 0, &match) != line->is_not;
	case RULE_FROM:
		return rule_line_find(line, &text->from, 0, &match) != line->is_not;
	case RULE_HEADER:
		return header_fits(line, &text->mail->headers, text) != line->is_not;
	case RULE_RETURNED:
		return returned_fits(line, text) != line->is_not;
	case RULE_OPENING:
		return opening_fits(line, text) != line->is_not;
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

static bool is_about_headers(enum rule_part part)
{
	return part == RULE_SUBJECT || part == RULE_FROM || part == RULE_HEADER;
}

static bool is_about_words(enum rule_part part)
{
	return part == RULE_LITERAL || part == RULE_BODY || part == RULE_OPENING;
}

/* The cheap conditions first: facts, then header fields, then words. */
enum { PASS_FACTS, PASS_HEADERS, PASS_WORDS, PASS_COUNT };

static int find_pass(enum rule_part part)
{
	if (is_fact(part))
		return PASS_FACTS;
	return is_about_words(part) ? PASS_WORDS : PASS_HEADERS;
}

/* The conditions on words last: they are dear. */
bool dialect_fits(const struct rule *rule, struct evidence_text *text)
{
	text->named = NULL;
	for (int pass = 0; pass < PASS_COUNT; pass++) {
		for (size_t i = 0; i < rule->line_count; i++) {
			if (find_pass(rule->lines[i].part) == pass &&
				!line_fits(&rule->lines[i], text))
				return false;
		}
	}
	return true;
}

/* The first "kind" rule of generic.rules for that kind that fits. */
static bool is_marked(enum kind kind, struct evidence_text *text)
{
	const struct rules *rules = rule_set_find("generic.rules");

	for (size_t i = 0; i < rules->count; i++) {
		if (rules->items[i].type == RULE_KIND && rules->items[i].kind == kind &&
			dialect_fits(&rules->items[i], text))
			return true;
	}
	return false;
}

bool dialect_is_asked(struct evidence_text *text)
{
	const struct mail *mail = text->mail;

	if (!text->is_asked)
		text->is_system = headers_find(&mail->headers, "X-Failed-Recipients") != NULL ||
				  (!author_is_person(mail) &&
					  (author_has_null_sender(mail) || author_is_daemon(mail) ||
						  author_is_postmaster(mail) ||
						  is_marked(KIND_FAILED, text)));
	text->is_asked = true;
	return text->is_system;
}

static bool has_header_condition(const struct rule *rule)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		if (is_about_headers(rule->lines[i].part) && !rule->lines[i].is_not)
			return true;
	}
	return false;
}

/* The words up to the line that announces the original. */
static struct haystack cut_original(const struct rule *rule, const struct haystack *prose)
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

/* The same for any software: its line is one of those that "kind ordinary" in generic.rules lists,
 * or the header fields begin without one. */
static struct haystack cut_unknown_original(const struct haystack *prose)
{
	const struct rules *rules = rule_set_find("generic.rules");
	struct haystack words = *prose;
	size_t fields = prose_find_fields(prose->text, prose->size);

	if (fields > 0)
		words.size = fields;
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->items[i].type == RULE_KIND && rules->items[i].kind == KIND_ORDINARY)
			words = cut_original(&rules->items[i], &words);
	}
	return words;
}

static const struct haystack *find_unknown(struct evidence_text *text)
{
	if (!text->has_unknown) {
		text->unknown = cut_unknown_original(dialect_find_prose(text));
		text->has_unknown = true;
	}
	return &text->unknown;
}

/* Addresses that a generic rule must not take for a failed recipient. */
static bool is_bystander(const struct search *search, const char *address)
{
	const struct envelope *envelope = &search->mail->envelope;
	const char *others[] = {envelope->recipient, envelope->original_recipient, envelope->sender,
		search->author, search->addressee};
	char *local = address_local(search->context, address);

	for (size_t i = 0; search->is_generic && i < sizeof(role_names) / sizeof(role_names[0]);
		i++) {
		if (strcmp(local, role_names[i]) == 0)
			return true;
	}
	for (size_t i = 0; search->is_generic && i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i] != NULL && address_equal(others[i], address))
			return true;
	}
	return false;
}

void search_add_address(struct search *search, const char *text, const struct match *match)
{
	char *address = header_address(search->context, text);

	if (address == NULL || *address == '\0' || search->count >= RECIPIENT_COUNT_MAX ||
		is_bystander(search, address))
		return;
	for (size_t i = 0; i < search->count; i++) {
		if (strcmp(search->recipients[i].address, address) == 0)
			return;
	}
	search->recipients = mem_realloc(search->context, search->recipients,
		(search->count + 1) * sizeof(*search->recipients));
	search->recipients[search->count] = (struct recipient){.address = address};
	search->starts[search->count] = match->start;
	search->ends[search->count] = match->address_end;
	search->count++;
}

/* The author's @ and domain, or NULL. AOL's screen names, and those of others, are users there. */
static const char *find_author_domain(const struct search *search)
{
	return search->author == NULL ? NULL : strrchr(search->author, '@');
}

/* What stands in front of an address that wrote, or can be asked, and did not fail. */
static const char *const author_words[] = {"from", "sender", "sent by", "reply-to", "return-path",
	"message-id", "contact", "contacting", "von", "absender", "mail us at", "发件人", "差出人",
	"sender was", "sender is", "sent by", "enviado por", "envoyé par", "inviato da", "afzender",
	"expéditeur", "remitente", "remetente", "mittente", "avsändare", "avsender", "afsender",
	"от", "nadawca", "odesílatel", "отправитель"};

bool search_is_author(const char *text, size_t start)
{
	size_t line = start, end = start;

	while (line > 0 && text[line - 1] != '\n')
		line--;
	while (end > line && strchr(" :<\"'(", text[end - 1]) != NULL)
		end--;
	if (end == line && line > 0) { /* a cell of a table: its label is the line before */
		for (end = --line; line > 0 && text[line - 1] != '\n';)
			line--;
		if (end - line > LABEL_MAX)
			return false;
	}
	for (size_t i = 0; i < sizeof(author_words) / sizeof(author_words[0]); i++) {
		size_t length = strlen(author_words[i]);
		const char *first = text + line + strspn(text + line, " >*");
		if (end - line == length && text_starts_fold(text + line, author_words[i]))
			return true;
		if (text_starts_fold(first, author_words[i]) &&
			first[length + strspn(first + length, " ")] == ':')
			return true;
		if (end - line >= length &&
			text_starts_fold(text + end - length, author_words[i]) &&
			(end - length == line || text[end - length - 1] == ' '))
			return true;
	}
	/* A Message-ID in "the message <1@example.net> was". */
	return end - line >= 7 && start > 0 && text[start - 1] == '<' &&
	       text_starts_fold(text + end - 7, "message");
}

void search_add_match(struct search *search, const char *where, const struct match *match)
{
	const char *domain = match->is_local ? find_author_domain(search) : NULL;
	char *rest = mem_strndup(search->context, where + match->address_start,
		match->address_end - match->address_start);
	char *word;

	if (search->is_generic && search_is_author(where, match->address_start))
		return;
	while ((word = strsep(&rest, ",; \t\n")) != NULL) {
		if (domain != NULL && *word != '\0' && strchr(word, '@') == NULL)
			word = mem_printf(search->context, "%s%s", word, domain);
		if (strchr(word, '@') != NULL)
			search_add_address(search, word, match);
	}
}

static void find_addresses(struct search *search, const struct rule *rule)
{
	for (size_t i = 0; i < rule->line_count && search->count == 0; i++) {
		size_t offset = 0;
		struct match match;
		if (rule->lines[i].part != RULE_ADDRESS)
			continue;
		for (int k = 0; k < MATCHES_MAX && offset < search->words.size &&
				rule_line_find(&rule->lines[i], &search->words, offset, &match);
			k++) {
			search_add_match(search, search->words.text, &match);
			offset = match.end > offset ? match.end : offset + 1;
		}
	}
}

/* Many say in no words where the original begins. A dialect whose own words look like header fields
 * is given all of them. */
static void find_before_fields(struct search *search, const struct rule *rule)
{
	size_t size = search->words.size;
	size_t fields = prose_find_fields(search->words.text, size);

	if (fields > 0) {
		search->words.size = fields;
		find_addresses(search, rule);
		if (search->count > 0)
			return;
		search->words.size = size;
	}
	find_addresses(search, rule);
}

/* Where the words name nobody: the group "address" of a condition on subject or author. */
static void find_in_conditions(
	struct search *search, const struct rule *rule, const struct evidence_text *text)
{
	struct match match;

	for (size_t i = 0; i < rule->line_count && search->count == 0; i++) {
		const struct rule_line *line = &rule->lines[i];
		const struct haystack *value =
			line->part == RULE_SUBJECT ? &text->subject : &text->from;
		if (line->is_not || (line->part != RULE_SUBJECT && line->part != RULE_FROM) ||
			!rule_line_find(line, value, 0, &match))
			continue;
		search_add_match(search, value->text, &match);
	}
	/* The whole report is about him. */
	for (size_t i = 0; i < search->count; i++)
		search->starts[i] = search->ends[i] = 0;
}

/* Where the words name nobody: Exim's field. */
static void find_in_field(struct search *search)
{
	const struct match match = {.start = search->words.size, .address_end = search->words.size};
	const struct header *field;
	size_t index = 0;

	while ((field = headers_next(&search->mail->headers, "X-Failed-Recipients", &index)) !=
		NULL) {
		size_t count;
		char **addresses = header_addresses(search->context, field->value, &count);
		for (size_t i = 0; i < count; i++)
			search_add_address(search, addresses[i], &match);
	}
}

static bool has_address_line(const struct rule *rule)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part == RULE_ADDRESS)
			return true;
	}
	return false;
}

/* The recipients of X-Failed-Recipients: a field is surer than words. What is said of them is
 * looked for where the words name them. */
static void find_named_by_field(struct search *search)
{
	const struct header *header;
	size_t index = 0, total = 0;

	while ((header = headers_next(&search->mail->headers, "X-Failed-Recipients", &index)) !=
		NULL) {
		size_t count;
		char **addresses = header_addresses(search->context, header->value, &count);
		for (size_t i = 0; i < count && total < RECIPIENT_COUNT_MAX; i++, total++) {
			struct match match = {0};
			const char *found = strstr(search->words.lower, addresses[i]);
			if (found != NULL && found < search->words.lower + search->words.size) {
				match.start = (size_t)(found - search->words.lower);
				match.address_end = match.start + strlen(addresses[i]);
			}
			search_add_address(search, addresses[i], &match);
		}
	}
}

/* What is said of the recipient: behind his address, to the next recipient or the second empty
 * line. */
static char *find_diagnostic(const struct search *search, size_t index)
{
	size_t start = search->ends[index];
	size_t end = search->words.size;
	int empty = 0;

	for (size_t i = 0; i < search->count; i++) {
		if (search->starts[i] > start && search->starts[i] < end)
			end = search->starts[i];
	}
	if (end < start) /* the original was found to begin within the address */
		end = start;
	if (end > start + DIAGNOSTIC_MAX)
		end = start + DIAGNOSTIC_MAX;
	for (size_t i = start; i + 1 < end; i++) {
		if (search->words.text[i] == '\n' && search->words.text[i + 1] == '\n' &&
			++empty == 2)
			end = i;
	}
	struct bytes text = {(const unsigned char *)search->words.text + start, end - start};
	char *clean = text_clean(search->context, text, DIAGNOSTIC_MAX);
	size_t skip = strspn(clean, ">:) \t.,;");
	return clean[skip] == '\0' ? NULL : clean + skip;
}

static bool is_delayed(
	const struct rule *rule, const struct haystack *words, const struct haystack *subject)
{
	struct match match;

	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part == RULE_DELAYED &&
			(rule_line_find(&rule->lines[i], words, 0, &match) ||
				rule_line_find(&rule->lines[i], subject, 0, &match)))
			return true;
	}
	return false;
}

/* What the report says, for the reason. A session's transcript ends the recipients, but it is where
 * the refusal stands. */
static const char *find_words(const struct search *search)
{
	const char *cut = search->words.text + search->words.size;
	char *line = mem_strndup(search->context, cut, strcspn(cut + (*cut == '\n'), "\n") + 1);

	if (text_find_fold(line, "transcript") != NULL)
		return search->words.text;
	return mem_strndup(search->context, search->words.text, search->words.size);
}

/* What is said of a recipient: by the lines of the dialect, then what stands there first. */
static void complete(const struct search *search, const struct rule *rule, const char *said,
	struct recipient *recipient)
{
	struct haystack text = haystack_make(search->context, said);

	if (said != NULL && rule != NULL && detail_take_by(search->context, rule, &text, recipient))
		recipient->said = said;
	if (recipient->diagnostic == NULL)
		recipient->diagnostic = said;
	if (recipient->status == NULL)
		recipient->status = reason_find_status(search->context, said);
	if (recipient->reply == NULL)
		recipient->reply = reason_find_reply(search->context, said);
}

/* Completes what was found and hands it to the bounce. rule may be NULL. */
static void finish(
	struct search *search, const struct rule *rule, const char *action, struct bounce *bounce)
{
	for (size_t i = 0; i < search->count; i++) {
		search->recipients[i].action = action;
		complete(search, rule, find_diagnostic(search, i), &search->recipients[i]);
	}
	bounce->recipients = search->recipients;
	bounce->recipient_count = search->count;
	bounce->words = find_words(search);
}

static bool read_by(const void *context, const struct rule *rule, struct evidence_text *text,
	bool is_generic, struct bounce *bounce)
{
	struct search *search = mem_new(context, struct search);
	bool is_delay;

	*search = (struct search){.context = context,
		.mail = text->mail,
		.author = text->author,
		.addressee = text->addressee,
		.is_generic = is_generic};
	search->words =
		is_generic ? *find_unknown(text) : cut_original(rule, dialect_find_prose(text));
	if (is_generic)
		find_named_by_field(search);
	if (search->count == 0)
		find_before_fields(search, rule);
	if (is_generic)
		search_complete(search);
	if (search->count == 0)
		find_in_conditions(search, rule, text);
	if (!is_generic && search->count == 0)
		find_in_field(search);
	if (is_generic && search->count == 0 && has_address_line(rule))
		return false;
	is_delay = is_delayed(rule, &search->words, &text->subject) ||
		   (is_generic && is_marked(KIND_DELAYED, text));
	if (search->count > 0)
		finish(search, rule, is_delay ? "delayed" : "failed", bounce);
	bounce->kind = is_delay ? KIND_DELAYED : KIND_FAILED;
	bounce->dialect = is_generic ? "generic" : rule->name;
	return true;
}

static bool rule_is_asked(const struct rule *rule, bool is_system, struct evidence_text *text)
{
	return (is_system || has_header_condition(rule)) && dialect_fits(rule, text);
}

/* The first rule that fits and finds somebody; where none does, the first that fits: then the words
 * end where it says that the original begins, so that a generic rule does not look there. */
static bool read_known(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	static const char *const files[] = {"providers.rules", "mta.rules"};
	const struct bounce before = *bounce;
	const struct rule *first = NULL;
	bool is_system = dialect_is_asked(text);

	for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		const struct rules *rules = rule_set_find(files[f]);
		for (size_t i = 0; i < rules->count; i++) {
			struct bounce found = before;
			if (!rule_is_asked(&rules->items[i], is_system, text))
				continue;
			read_by(context, &rules->items[i], text, false, &found);
			if (first == NULL || found.recipient_count > 0)
				*bounce = found;
			first = first == NULL ? &rules->items[i] : first;
			if (found.recipient_count > 0)
				return true;
		}
	}
	if (first != NULL) {
		text->prose = cut_original(first, dialect_find_prose(text));
		text->has_unknown = false;
	}
	return first != NULL;
}

/* Words alone are not believed from everybody: postmaster is a person where an envelope sender says
 * so, and robots answer with a null sender. */
static bool may_be_generic(struct evidence_text *text)
{
	const struct mail *mail = text->mail;
	bool is_null = author_has_null_sender(mail);

	if (!dialect_is_asked(text))
		return false;
	if (author_is_daemon(mail) || headers_find(&mail->headers, "X-Failed-Recipients") != NULL)
		return true;
	if (author_is_postmaster(mail) && (is_null || !mail->envelope.has_sender))
		return true;
	return (is_null && headers_find(&mail->headers, "In-Reply-To") == NULL) ||
	       is_marked(KIND_FAILED, text);
}

/* Each generic rule that fits is tried until one finds somebody. A condition on the subject does
 * not open them to mail from people, as it does for the other rules: their words are too common. */
static bool read_generic(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	const struct rules *rules = rule_set_find("generic.rules");

	for (size_t i = 0; i < rules->count && (i > 0 || may_be_generic(text)); i++) {
		const struct rule *rule = &rules->items[i];
		if (rule->type == RULE_DIALECT && dialect_fits(rule, text) &&
			read_by(context, rule, text, true, bounce))
			return true;
	}
	return false;
}

static void add_recipients(struct bounce *bounce, const struct bounce *found)
{
	bounce->recipients = found->recipients;
	bounce->words = found->words;
	bounce->recipient_count = found->recipient_count;
}

void dialect_name_recipients(const void *context, const struct rule *rule,
	struct evidence_text *text, struct bounce *bounce)
{
	struct search *search = mem_new(context, struct search);
	struct match match = {0};

	*search = (struct search){.context = context,
		.mail = text->mail,
		.author = text->author,
		.addressee = text->addressee};
	if (text->named != NULL)
		search_add_address(search, text->named, &match);
	if (has_address_line(rule)) {
		struct haystack words = cut_original(rule, dialect_find_prose(text));
		search->words = cut_unknown_original(&words);
		find_addresses(search, rule);
	}
	bounce->recipients = search->recipients;
	bounce->recipient_count = search->count;
}

bool dialect_read(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	struct bounce found = {0};

	if (!read_known(context, text, bounce))
		return false;
	if (bounce->recipient_count == 0 && read_generic(context, text, &found))
		add_recipients(bounce, &found);
	return true;
}

bool generic_read(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	return read_generic(context, text, bounce);
}

/* True when the original went to a list: its address failed nowhere. */
static bool is_list_address(const struct headers *original, const char *address)
{
	static const char *const names[] = {"List-Id", "List-Post", "List-Help", "Sender",
		"Errors-To", "Reply-To", "X-BeenThere", "From", "Return-Path"};
	char *id = mem_strdup(NULL, address);
	bool is_found = false;

	for (char *at = id; *at != '\0'; at++)
		*at = *at == '@' ? '.' : *at;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = headers_find(original, names[i]);
		is_found =
			is_found || (value != NULL && (text_find_fold(value, address) != NULL ||
							      text_find_fold(value, id) != NULL));
	}
	mem_free(id);
	return is_found;
}

/* True when the report came to announce-bounces@, announce+...@ or owner-announce@ of announce@. */
static bool is_list_of(const char *report_to, const char *address)
{
	const char *at = strrchr(address, '@');
	size_t length = at == NULL ? 0 : (size_t)(at - address);

	if (report_to == NULL || at == NULL || strrchr(report_to, '@') == NULL ||
		strcmp(strrchr(report_to, '@'), at) != 0)
		return false;
	if (strncmp(report_to, "owner-", 6) == 0 && strcmp(report_to + 6, address) == 0)
		return true;
	return strncmp(report_to, address, length) == 0 &&
	       (report_to[length] == '-' || report_to[length] == '+');
}

/* When the report names nobody, but the original went to one address only, that one failed. */
static void add_original_recipient(
	const void *context, const struct mail *mail, struct bounce *bounce)
{
	struct search *search = mem_new(context, struct search);
	struct original original = {0};
	struct match none = {0};
	size_t count;

	original_find(context, mail, &original);
	if (headers_find(&original.headers, "Cc") != NULL)
		return;
	char **addresses = header_addresses(context, headers_find(&original.headers, "To"), &count);
	*search = (struct search){.context = context, .mail = mail, .is_generic = true};
	search->words = haystack_make(context, "");
	if (count == 1 && !is_list_address(&original.headers, addresses[0]) &&
		!is_list_of(
			header_address(context, headers_find(&mail->headers, "To")), addresses[0]))
		search_add_address(search, addresses[0], &none);
	if (search->count == 1)
		finish(search, NULL, kind_name(bounce->kind), bounce);
}

/* The one address that the words up to the original name, else the subject, in whatever language:
 * of the people in a report, the one who is neither its author, nor addressed, nor there to help.
 */
static void add_lone_recipient(
	const void *context, struct evidence_text *text, struct bounce *bounce)
{
	struct search *search = mem_new(context, struct search);

	*search = (struct search){.context = context,
		.mail = text->mail,
		.author = text->author,
		.addressee = text->addressee,
		.is_generic = true,
		.words = *find_unknown(text)};
	search_add_any(search);
	if (search->count == 0) {
		search->words = text->subject;
		search_add_any(search);
	}
	if (search->count == 2)
		search_keep_list(search);
	if (search->count >= 1)
		finish(search, NULL, kind_name(bounce->kind), bounce);
}

void dialect_add_recipients(const void *context, const struct mail *mail, struct bounce *bounce)
{
	struct bounce found = {0};
	struct evidence_text text;

	evidence_text_open(context, mail, &text);
	read_known(context, &text, &found);
	if (found.recipient_count == 0)
		read_generic(context, &text, &found);
	if (bounce->dialect == NULL && is_marked(KIND_DELAYED, &text))
		bounce->kind = KIND_DELAYED;
	if (found.recipient_count > 0)
		add_recipients(bounce, &found);
	else
		add_lone_recipient(context, &text, bounce);
	if (bounce->recipient_count == 0)
		add_original_recipient(context, mail, bounce);
	if (bounce->recipient_count > 0 && bounce->dialect == NULL)
		bounce->dialect = "generic";
}
