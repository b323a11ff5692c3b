/*
 * search.c: in charge of which addresses a search may take, and of the last resort, any that can
 * have failed. Leaves it to search_list.c which of a list belong to one that was found.
 */
#include "classify/search.h"

#include <ctype.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "classify/original.h"

#define LABEL_MAX 20	 /* bytes of a label in a line of its own */
#define BEHIND_MAX 40	 /* bytes behind an address that tell what to do with it */
#define SENTENCE_MAX 160 /* bytes of a sentence in front of an address */

/* Bytes that stay of a local part with a word in front of it. */
#define WORD_IN_FRONT_MIN 2

static const char *const role_names[] = {"postmaster", "mailer-daemon", "abuse", "root",
	"hostmaster", "mailerdaemon", "no-reply", "noreply"};

bool search_is_list_of(const char *report_to, const char *address)
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

/* True for a piece of the VERP address that the report came to. */
static bool is_end_of(const char *report_to, const char *address)
{
	size_t length = strlen(address), size = report_to == NULL ? 0 : strlen(report_to);

	return size > length && text_starts_fold(report_to + size - length, address);
}

/* The Message-ID and the sender of what came back, found out once a search. */
static void find_original(struct search *search)
{
	struct original original = {0};
	void *scratch = mem_context(search->context, "original");

	if (!search->has_original) {
		original_find(scratch, search->mail, &original);
		if (original.message_id != NULL)
			search->original_id = header_address(search->context, original.message_id);
		if (original.return_path != NULL)
			search->original_sender = mem_strdup(search->context, original.return_path);
	}
	search->has_original = true;
	mem_free(scratch);
}

/* True for the Message-ID of what came back, or who sent it. */
static bool is_of_original(struct search *search, const char *address)
{
	find_original(search);
	return (search->original_id != NULL && address_equal(search->original_id, address)) ||
	       (search->original_sender != NULL && !search->is_self &&
		       address_equal(search->original_sender, address));
}

/* Addresses that a generic rule must not take for a failed recipient. */
static bool is_bystander(struct search *search, const char *address)
{
	const struct envelope *envelope = &search->mail->envelope;
	/* A field can be the sender's own: DragonFly gives the address that failed as
	 * X-Original-To, anonymous archives make all addresses the same. */
	bool is_addressed = search->addressee == NULL || search->is_any;
	bool is_told = envelope->is_recipient_told;
	const char *others[] = {envelope->sender, search->author,
		is_addressed || is_told ? envelope->recipient : NULL,
		is_addressed || (is_told && !envelope->is_original_hearsay)
			? envelope->original_recipient
			: NULL,
		search->is_self ? NULL : search->addressee};

	if (!search->is_generic)
		return false;
	char *local = address_local(search->context, address);
	for (size_t i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++) {
		if (strcmp(local, role_names[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i] != NULL && address_equal(others[i], address))
			return true;
	}
	if (search->is_generic && text_starts_fold(local, "owner-"))
		return true;
	return search->is_generic && (is_end_of(search->addressee, address) ||
					     search_is_list_of(search->addressee, address) ||
					     is_of_original(search, address));
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
	if (search->count == search->room) {
		search->room = search->room == 0 ? 4 : search->room * 2;
		search->recipients = mem_realloc(search->context, search->recipients,
			search->room * sizeof(*search->recipients));
		search->places = mem_realloc(
			search->context, search->places, search->room * sizeof(*search->places));
	}
	search->recipients[search->count] = (struct recipient){.address = address};
	search->places[search->count++] = (struct place){match->start, match->address_end};
}

/* The author's @ and domain, or NULL. AOL's screen names, and those of others, are users there. */
static const char *find_author_domain(const struct search *search)
{
	return search->author == NULL ? NULL : strrchr(search->author, '@');
}

/* A letter of a script that needs no blanks around an address: UTF-8 from U+0370 on, which leaves
 * out Latin with its accents. Combining marks are not told apart. */
static bool is_foreign(char c)
{
	return (unsigned char)c >= 0xcd;
}

/* Behind a word of such a script that runs into a local part. */
static const char *skip_word_in_front(const char *start, const char *at)
{
	bool is_word = false;

	for (const char *c = start; c + WORD_IN_FRONT_MIN < at; c++) {
		if ((*c & 0xc0) != 0x80) /* a character begins */
			is_word = is_foreign(*c);
		if (is_word && isalnum((unsigned char)c[1]))
			start = c + 1;
	}
	return start;
}

/* What the words around a match have put at an address: "*ann@example.net*" is bold where a report
 * was HTML; Korean and Japanese write their particles right behind it, Chinese words in front. */
static char *take_bare(const struct search *search, const char *where, const struct match *match)
{
	const char *start = where + match->address_start, *end = where + match->address_end;
	const char *at = memchr(start, '@', (size_t)(end - start)), *dot = at;

	if (at == NULL || is_foreign(at[1]))
		return mem_strndup(search->context, start, (size_t)(end - start));
	start = skip_word_in_front(start, at);
	for (const char *c = at; c < end; c++)
		dot = *c == '.' ? c : dot;
	if (isalpha((unsigned char)dot[1])) {
		const char *last = dot + 1;
		while (last < end && !is_foreign(*last))
			last++;
		end = last;
	}
	if (start + 1 < at && *start == '*' && isalnum((unsigned char)start[1]) &&
		(*end == '*' || end[-1] == '*')) {
		start++;
		end -= end[-1] == '*';
	}
	return mem_strndup(search->context, start, (size_t)(end - start));
}

/* True for who wrote the original that came back, unless to himself: reports greet him. */
static bool is_writer(const struct search *search, const char *address)
{
	void *scratch = mem_context(search->context, "writer");
	struct original original = {0};
	size_t count;

	original_find(scratch, search->mail, &original);
	char **to = header_addresses(scratch, headers_find(&original.headers, "To"), &count);
	bool is_writer = original.from != NULL && address_equal(original.from, address);
	for (size_t i = 0; i < count; i++)
		is_writer = is_writer && !address_equal(to[i], address);
	mem_free(scratch);
	return is_writer;
}

/* What stands in front of an address that wrote, or can be asked, and did not fail. */
static const char *const author_words[] = {"from", "sender", "sent by", "reply-to", "return-path",
	"message-id", "contact", "contacting", "notify", "von", "absender", "mail us at", "发件人",
	"差出人", "sender was", "sender is", "sent by", "enviado por", "envoyé par", "inviato da",
	"afzender", "expéditeur", "remitente", "remetente", "mittente", "avsändare", "avsender",
	"afsender", "от", "nadawca", "odesílatel", "отправитель"};

/* True when the same sentence asks to write to the address at start. */
static bool asks_to_write(const char *text, size_t start)
{
	static const char *const words[] = {"please contact", "please write", "please forward",
		"please send", "please e-mail", "please email", "please mail", "please report",
		"please address", "please ask", "please use", "you can contact", "you may contact",
		"questions to", "get in touch", "wenden sie sich", "schreiben sie", "bitte nutzen",
		"bitte benutzen", "kontaktieren sie", "veuillez contacter", "veuillez écrire",
		"contactez", "póngase en contacto", "por favor contacte", "escriba a", "contatta",
		"scrivere a", "neem contact op", "entre em contato", "prosimy o kontakt",
		"kontakta", "kontakt ", "обратитесь", "обращайтесь", "お問い合わせ", "请联系"};
	size_t first = start;
	bool is_found = false;

	while (first > 0 && start - first < SENTENCE_MAX &&
		strchr(".!?", text[first - 1]) == NULL &&
		!(text[first - 1] == '\n' && first > 1 && text[first - 2] == '\n'))
		first--;
	char *sentence = mem_strndup(NULL, text + first, start - first);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is_found = is_found || text_find_fold(sentence, words[i]) != NULL;
	mem_free(sentence);
	return is_found;
}

/* The same in languages where the verb comes last: soon behind the address. */
static bool asks_behind(const char *address)
{
	static const char *const words[] = {
		"連絡", "問い合", "問合", "문의", "iletişim", "联系", "聯繫"};
	size_t end = strcspn(address, " \t\n<>()[]\"',;:");
	size_t size = strcspn(address + end, "\n@");
	char *behind = mem_strndup(NULL, address + end, size < BEHIND_MAX ? size : BEHIND_MAX);
	bool is_found = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is_found = is_found || strstr(behind, words[i]) != NULL;
	mem_free(behind);
	return is_found;
}

/* True where "von" at the end of a line's text says whose mailbox it is, not who wrote. */
static bool is_owner(const char *line, size_t size)
{
	static const char *const nouns[] = {"postfach", "postfachs", "postfaches", "mailbox",
		"konto", "kontos", "adresse", "kontingent", "quota", "briefkasten", "posteingang"};

	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++) {
		size_t length = strlen(nouns[i]) + 4; /* and " von" */
		if (size >= length && text_starts_fold(line + size - length, nouns[i]) &&
			text_starts_fold(line + size - 4, " von"))
			return true;
	}
	return false;
}

bool search_is_author(const char *text, size_t start)
{
	size_t line = start, end = start;

	if (asks_to_write(text, start) || asks_behind(text + start))
		return true;
	while (line > 0 && text[line - 1] != '\n')
		line--;
	while (end > line && strchr(" :<\"'(", text[end - 1]) != NULL)
		end--;
	if (end == line && line > 0) { /* a cell of a table: its label is the line before */
		while (line > 1 && text[line - 2] == '\n')
			line--;
		for (end = --line; line > 0 && text[line - 1] != '\n';)
			line--;
		if (end - line > LABEL_MAX)
			return false;
	}
	if (is_owner(text + line, end - line))
		return false;
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

/* True when a sentence and a paragraph end between what a rule went by and the address, and the
 * address does not begin its line: somebody's signature. */
static bool is_elsewhere(const char *text, const struct match *match)
{
	size_t line = match->address_start;
	bool has_ended = false;

	if (match->start >= match->address_start)
		return false;
	for (size_t i = match->start; i + 2 < match->address_start; i++)
		has_ended = has_ended || (strchr(".!?", text[i]) != NULL && text[i + 1] == '\n' &&
						 text[i + 2] == '\n');
	while (line > match->start && text[line - 1] != '\n')
		line--;
	line += strspn(text + line, " \t*>-<(\"'[");
	return has_ended && line < match->address_start &&
	       memchr(text + line, ':', match->address_start - line) == NULL;
}

void search_add_match(struct search *search, const char *where, const struct match *match)
{
	const char *domain = match->is_local ? find_author_domain(search) : NULL;
	char *rest = take_bare(search, where, match);
	char *word;

	if (search->is_generic &&
		(search_is_author(where, match->address_start) || is_elsewhere(where, match)))
		return;
	while ((word = strsep(&rest, ",; \t\n")) != NULL) {
		if (domain != NULL && *word != '\0' && strchr(word, '@') == NULL)
			word = mem_printf(search->context, "%s%s", word, domain);
		/* The greeting comes first. */
		bool is_greeted =
			search->is_generic && search->count == 0 && is_writer(search, word);
		if (strchr(word, '@') != NULL && !is_greeted)
			search_add_address(search, word, match);
	}
}

/* Whom one asks for help. */
static const char *const help_names[] = {"support", "help", "helpdesk", "info", "admin",
	"administrator", "webmaster", "service", "feedback", "contact", "security", "operator",
	"suporte", "soporte", "supporto", "assistenza", "aide", "hilfe", "kundenservice",
	"servicedesk", "listmaster", "mailman", "listserv", "sales", "owner", "noc",
	"postmaster-help"};

static bool is_help(const void *context, const char *address)
{
	char *local = address_local(context, address);

	for (size_t i = 0; i < sizeof(help_names) / sizeof(help_names[0]); i++) {
		if (strcmp(local, help_names[i]) == 0)
			return true;
	}
	return strstr(local, "helpdesk") != NULL;
}

void search_add_any(struct search *search)
{
	static const char stops[] = " \t\n<>()[]{}\"'`,;:|=*。，：、（）「」";
	const struct haystack *words = &search->words;

	search->is_any = true;
	for (size_t i = 0; i < words->size && search->count < 2; i++) {
		size_t start = i, end = i;
		if (words->text[i] != '@')
			continue;
		while (start > 0 && strchr(stops, words->text[start - 1]) == NULL)
			start--;
		while (end < words->size && strchr(stops, words->text[end]) == NULL)
			end++;
		while (end > i && strchr(".!?", words->text[end - 1]) != NULL)
			end--;
		const struct match match = {
			.start = start, .address_start = start, .address_end = end};
		char *address = take_bare(search, words->text, &match);
		const char *behind = words->text + end + (words->text[end] == '>');
		i = end > i ? end : i;
		if (!search_is_author(words->text, start) && !is_help(search->context, address) &&
			strncmp(behind, " -> ", 4) != 0 && !is_writer(search, address))
			search_add_address(search, address, &match);
	}
}
