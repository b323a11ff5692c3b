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
#include "classify/parent.h"
#include "classify/prose.h"
#include "classify/reader.h"
#include "classify/reason.h"
#include "classify/rule_set.h"
#include "classify/said.h"
#include "classify/search.h"

#define MATCHES_MAX 2000

static bool has_line(const struct rule *rule, enum rule_part part)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part == part)
			return true;
	}
	return false;
}

static bool is_about_headers(enum rule_part part)
{
	return part == RULE_SUBJECT || part == RULE_FROM || part == RULE_HEADER;
}

static bool has_header_condition(const struct rule *rule)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		if (is_about_headers(rule->lines[i].part) && !rule->lines[i].is_not)
			return true;
	}
	return false;
}

static const struct haystack *find_unknown(struct evidence_text *text)
{
	if (!text->has_unknown) {
		text->unknown = evidence_cut_unknown(text->context, evidence_find_prose(text));
		text->has_unknown = true;
	}
	return &text->unknown;
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
		search->places[i].start = search->places[i].end = 0;
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

/* Of the lines that fit, "not delayed" wins. */
static bool is_delayed(
	const struct rule *rule, const struct haystack *words, const struct haystack *subject)
{
	bool is_delay = false;

	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part != RULE_DELAYED ||
			(!rule_line_fits(&rule->lines[i], words) &&
				!rule_line_fits(&rule->lines[i], subject)))
			continue;
		if (rule->lines[i].is_not)
			return false;
		is_delay = true;
	}
	return is_delay;
}

/* A dialect of which it is not known how it writes delays is asked for what all software says. */
static bool is_marked_delayed(
	const struct rule *rule, const struct haystack *words, const struct evidence_text *text)
{
	struct evidence_text near = *text;

	near.prose = *words;
	near.has_opening = false;
	return !has_line(rule, RULE_DELAYED) && evidence_is_marked(KIND_DELAYED, &near);
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

/* Who was mailed, where the words say that the address was expanded from another. */
static void find_parents(const struct search *search, struct bounce *bounce)
{
	struct recipient *recipients;

	for (size_t i = 0; i < search->count; i++)
		search->recipients[i].final = search->recipients[i].address;
	parent_find(search->context, search->mail, bounce);
	recipients = mem_memdup(
		search->context, bounce->recipients, search->count * sizeof(*recipients));
	for (size_t i = 0; i < search->count; i++) {
		if (strcmp(recipients[i].final, recipients[i].address) == 0)
			recipients[i].final = NULL;
	}
	bounce->recipients = recipients;
}

/* Completes what was found and hands it to the bounce. rule may be NULL. */
static void finish(
	struct search *search, const struct rule *rule, const char *action, struct bounce *bounce)
{
	const char **said = said_find(search);

	for (size_t i = 0; i < search->count; i++) {
		search->recipients[i].action = action;
		complete(search, rule, said[i], &search->recipients[i]);
	}
	bounce->recipients = search->recipients;
	bounce->recipient_count = search->count;
	bounce->words = find_words(search);
	if (search->is_generic)
		find_parents(search, bounce);
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
		.is_self = text->is_self,
		.is_generic = is_generic};
	search->words = is_generic ? *find_unknown(text)
				   : evidence_cut_original(rule, evidence_find_prose(text));
	if (!is_generic)
		search->words = evidence_cut_disclaimer(&search->words);
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
	if (is_generic && search->count == 0 && has_line(rule, RULE_ADDRESS))
		return false;
	is_delay = !search->has_waiting &&
		   (is_delayed(rule, &search->words, &text->subject) ||
			   (is_generic && evidence_is_marked(KIND_DELAYED, text)) ||
			   (!is_generic && is_marked_delayed(rule, &search->words, text)));
	if (search->count > 0)
		finish(search, rule, is_delay ? "delayed" : "failed", bounce);
	bounce->kind = is_delay ? KIND_DELAYED : KIND_FAILED;
	bounce->dialect = is_generic ? "generic" : rule->name;
	bounce->rule = rule;
	return true;
}

static bool rule_is_asked(const struct rule *rule, bool is_system, struct evidence_text *text)
{
	return (is_system || has_header_condition(rule)) && evidence_fits(rule, text);
}

/* The first rule that fits and finds somebody; where none does, the first that fits: then the words
 * end where it says that the original begins, so that a generic rule does not look there. */
static bool read_known(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	static const char *const files[] = {"providers.rules", "mta.rules"};
	const struct bounce before = *bounce;
	const struct rule *first = NULL;
	bool is_system = evidence_is_asked(text);

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
		text->prose = evidence_cut_original(first, evidence_find_prose(text));
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

	if (!evidence_is_asked(text))
		return false;
	if (author_is_daemon(mail) || headers_find(&mail->headers, "X-Failed-Recipients") != NULL)
		return true;
	if (author_is_postmaster(mail) && (is_null || !mail->envelope.has_sender))
		return true;
	return evidence_is_marked(KIND_FAILED, text);
}

/* True when the report came to the one whom the message was for that came back, and that is no
 * list: people write to themselves, and archives give all the same name. */
static bool is_own_mail(const struct evidence_text *text)
{
	static const char *const list_fields[] = {"List-Id", "List-Post", "List-Unsubscribe",
		"List-Help", "Precedence", "Mailing-List", "X-Mailing-List", "X-BeenThere"};
	struct original original = {0};
	void *scratch = mem_context(text->context, "own");
	bool is_own = false;

	original_find(scratch, text->mail, &original);
	char *to = header_address(scratch, headers_find(&original.headers, "To"));
	if (to != NULL && text->addressee != NULL)
		is_own = address_equal(to, text->addressee);
	for (size_t i = 0; i < sizeof(list_fields) / sizeof(list_fields[0]); i++)
		is_own = is_own && headers_find(&original.headers, list_fields[i]) == NULL;
	mem_free(scratch);
	return is_own;
}

/* Each generic rule that fits is tried until one finds somebody. A condition on the subject does
 * not open them to mail from people, as it does for the other rules: their words are too common. */
static bool try_generic(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	const struct rules *rules = rule_set_find("generic.rules");

	for (size_t i = 0; i < rules->count && (i > 0 || may_be_generic(text)); i++) {
		const struct rule *rule = &rules->items[i];
		if (rule->type == RULE_DIALECT && evidence_fits(rule, text) &&
			read_by(context, rule, text, true, bounce))
			return true;
	}
	return false;
}

static bool read_generic(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	bool is_read = try_generic(context, text, bounce);

	if (bounce->recipient_count > 0 || !evidence_is_asked(text) || !is_own_mail(text))
		return is_read;
	text->is_self = true;
	is_read = try_generic(context, text, bounce) || is_read;
	text->is_self = false;
	return is_read;
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
		.addressee = text->addressee,
		.is_generic = rule->kind == KIND_DELAYED};
	if (text->named != NULL)
		search_add_address(search, text->named, &match);
	if (has_line(rule, RULE_ADDRESS)) {
		struct haystack words = evidence_cut_original(rule, evidence_find_prose(text));
		search->words = evidence_cut_unknown(context, &words);
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

/* When the report names nobody, but the original went to one address only, that one failed. */
static void add_original_recipient(
	const void *context, struct evidence_text *text, struct bounce *bounce)
{
	struct search *search = mem_new(context, struct search);
	const struct mail *mail = text->mail;
	struct original original = {0};
	struct match none = {0};
	size_t count;

	original_find(context, mail, &original);
	if (headers_find(&original.headers, "Cc") != NULL)
		return;
	char **addresses = header_addresses(context, headers_find(&original.headers, "To"), &count);
	*search = (struct search){.context = context, .mail = mail, .is_generic = true};
	search->words = *find_unknown(text);
	if (count == 1 && !is_list_address(&original.headers, addresses[0]) &&
		!search_is_list_of(text->addressee, addresses[0]))
		search_add_address(search, addresses[0], &none);
	if (search->count == 1)
		finish(search, NULL, kind_name(bounce->kind), bounce);
	if (search->count == 1)
		bounce->words = NULL; /* all that the report says is said of him */
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

/* What a report part says of the one recipient whose address it does not give. */
static void complete_nameless(const void *context, struct bounce *bounce)
{
	const struct recipient *nameless = &bounce->nameless;
	struct recipient *recipient =
		mem_memdup(context, bounce->recipients, sizeof(*bounce->recipients));

	if (nameless->action != NULL)
		recipient->action = nameless->action;
	if (nameless->status != NULL)
		recipient->status = nameless->status;
	if (nameless->diagnostic != NULL)
		recipient->diagnostic = nameless->diagnostic;
	if (nameless->remote_mta != NULL)
		recipient->remote_mta = nameless->remote_mta;
	bounce->recipients = recipient;
}

/* The reader to whom the mail went that comes back to "announce-bounces+ann=example.net@", when the
 * report names nobody. */
static void add_verp_recipient(
	const void *context, struct evidence_text *text, struct bounce *bounce)
{
	struct search *search = mem_new(context, struct search);
	const struct match none = {0};
	const char *plus = text->addressee == NULL ? NULL : strchr(text->addressee, '+');
	char *address = plus == NULL ? NULL : mem_strdup(context, plus + 1);
	char *at = address == NULL ? NULL : strrchr(address, '@');

	if (at == NULL)
		return;
	*at = '\0';
	at = strrchr(address, '=');
	if (at == NULL || at == address || strchr(at, '.') == NULL ||
		(strchr(address, '=') != at && text_starts_fold(address, "prvs=")) ||
		text_starts_fold(address, "srs"))
		return;
	*at = '@';
	*search = (struct search){.context = context,
		.mail = text->mail,
		.is_generic = true,
		.words = *find_unknown(text)};
	search_add_address(search, address, &none);
	if (search->count == 1)
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
	if (bounce->dialect == NULL && evidence_is_marked(KIND_DELAYED, &text))
		bounce->kind = KIND_DELAYED;
	if (found.recipient_count > 0)
		add_recipients(bounce, &found);
	else
		add_lone_recipient(context, &text, bounce);
	if (bounce->recipient_count == 0)
		add_original_recipient(context, &text, bounce);
	if (bounce->recipient_count == 0)
		add_verp_recipient(context, &text, bounce);
	if (bounce->recipient_count == 1)
		complete_nameless(context, bounce);
	if (bounce->recipient_count > 0 && bounce->dialect == NULL)
		bounce->dialect = "generic";
}
