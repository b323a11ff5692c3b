/*
 * reason.c: in charge of why a recipient failed and whether for good. What words and codes mean is
 * text: rules/reasons.rules and rules/status.rules.
 *
 * The order is: the words of the diagnostic, a status code that says what happened, the refusal in
 * a session's transcript, the words of the report around it, a status code that only says who
 * refused (5.0.0, 5.7.1, 4.4.7), the reply code. Words before codes: servers take the code that
 * their software has by default, and write what they mean behind it. The diagnostic's own status
 * code counts before the field's: it is the refusing server's, the field is often the reporter's
 * guess.
 */
#include "classify/reason.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "base/text.h"
#include "classify/detail.h"
#include "classify/original.h"
#include "classify/prose.h"
#include "classify/reply_text.h"
#include "classify/rule_set.h"

#define WORD_MAX 32
#define CODE_ROWS_MAX 256
#define REPORT_MAX 6000	       /* bytes of what a report says of one recipient */
#define RECIPIENTS_IN_WORDS 20 /* with more, only their own diagnostics are read */

/* Lines that announce the returned original in a report that is not in parts. */
static const char *const original_lines[] = {"--- below this line is a copy",
	"- this is a copy of ", "original message follows", "- original message",
	"- message header follows", "- unsent message", "- returned message",
	"copy of the original message", "--- headers of ", "- message headers", "\nreturn-path: "};

/* What the rules are asked about one recipient. */
struct inquiry {
	const void *context;
	struct recipient *recipient;
	struct haystack words[2]; /* the diagnostic; what the report says of the recipient */
	struct haystack status, reply, remote, writer;
	bool is_status_far; /* it stands somewhere in the report, not with the recipient */
};

/* "5.1.1" against "5.1.1", "5.1.*" or "5.*.*": a '*' stands for one number. */
static bool matches(const char *pattern, const char *code)
{
	while (*pattern != '\0' && *code != '\0') {
		if (*pattern == '*') {
			code += strspn(code, "0123456789");
			pattern++;
		} else if (*pattern++ != *code++) {
			return false;
		}
	}
	return *pattern == '\0' && *code == '\0';
}

/* One row of rules/status.rules. */
struct code_row {
	char pattern[WORD_MAX];
	enum reason reason;
	bool is_weak;
};

/* The rows, read once a process: they are part of the binary. */
static struct code_row code_rows[CODE_ROWS_MAX];
static size_t code_row_count;

static void read_code_rows(void)
{
	for (const char *line = rules_find("status.rules"); line != NULL && *line != '\0';) {
		struct code_row *code = &code_rows[code_row_count];
		char row[3 * WORD_MAX], word[WORD_MAX], weak[WORD_MAX] = "";
		size_t length = strcspn(line, "\n");

		snprintf(row, sizeof(row), "%.*s", (int)length, line);
		if (*row != '#' && code_row_count < CODE_ROWS_MAX &&
			sscanf(row, "%31s %31s %31s", code->pattern, word, weak) >= 2 &&
			reason_parse(word, &code->reason)) {
			code->is_weak = strcmp(weak, "weak") == 0;
			code_row_count++;
		}
		line += length + (line[length] == '\n');
	}
}

/* A reason, and what gave it. */
struct finding {
	enum reason reason;
	bool is_weak;	/* of a code: it says less than words do */
	const char *by; /* the name of the rule, or the code of the row; NULL: none did */
};

/* The first row of status.rules that fits a code. */
static struct finding find_by_code(const char *code)
{
	if (code_row_count == 0)
		read_code_rows();
	for (size_t i = 0; code != NULL && i < code_row_count; i++) {
		const struct code_row *row = &code_rows[i];
		if (matches(row->pattern, code))
			return (struct finding){row->reason, row->is_weak, row->pattern};
	}
	return (struct finding){REASON_UNDEFINED, false, NULL};
}

/* What a line of a reason rule is held against: by default what the report says. */
static const struct haystack *find_haystack(
	const struct inquiry *inquiry, enum rule_part part, bool is_report)
{
	if (part == RULE_LITERAL || part == RULE_BODY)
		return &inquiry->words[is_report];
	return part == RULE_STATUS   ? &inquiry->status
	       : part == RULE_REPLY  ? &inquiry->reply
	       : part == RULE_REMOTE ? &inquiry->remote
	       : part == RULE_WRITER ? &inquiry->writer
				     : &inquiry->words[1];
}

/* One body line must fit, every other line must hold. */
static bool rule_fits(const struct rule *rule, const struct inquiry *inquiry, bool is_report)
{
	bool has_body = false, has_fit = false;

	for (size_t i = 0; i < rule->line_count; i++) {
		const struct rule_line *line = &rule->lines[i];
		bool is_choice = line->part == RULE_BODY && !line->is_not;
		if (is_choice && has_fit)
			continue;
		bool is_found = rule_line_fits(line, find_haystack(inquiry, line->part, is_report));
		if (!is_choice && is_found == line->is_not)
			return false;
		has_body |= is_choice;
		has_fit |= is_choice && is_found;
	}
	return has_fit || !has_body;
}

/* The words of the diagnostic, or those of the report. */
static struct finding find_by_words(const struct inquiry *inquiry, bool is_report)
{
	const struct rules *rules = rule_set_find("reasons.rules");
	size_t count = inquiry->words[is_report].size == 0 ? 0 : rules->count;

	for (size_t i = 0; i < count; i++) {
		const struct rule *rule = &rules->items[i];
		if (rule_fits(rule, inquiry, is_report))
			return (struct finding){rule->reason, false, rule->name};
	}
	return (struct finding){REASON_UNDEFINED, false, NULL};
}

/* "onhold" is, in the names that bounce software has in common, a failure of which something is
 * said that nobody can tell a reason from; "undefined" is one of which nothing is said. */
static enum reason find_default(const struct inquiry *inquiry)
{
	const char *action = inquiry->recipient->action;

	if (action != NULL && strcmp(action, "delayed") == 0)
		return REASON_EXPIRED;
	if (action != NULL && strcmp(action, "failed") != 0)
		return REASON_UNDEFINED;
	return strspn(inquiry->words[1].text, " ") < inquiry->words[1].size ? REASON_ONHOLD
									    : REASON_UNDEFINED;
}

/* The first refusal in the transcript of a session: what the server said, to what was said next.
 * What was said to it names the sender and commands, which is no reason. NULL: none is there. */
static const char *find_refusal(const struct inquiry *inquiry)
{
	static const char *const marks[] = {"<<< 4", "<<< 5", "<-- 4", "<-- 5"};
	static const char *const ends[] = {">>> ", "--> ", "... while talking to "};
	const char *words = inquiry->words[1].text, *first = NULL;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *found = strstr(words, marks[i]);
		if (found != NULL && (first == NULL || found < first))
			first = found;
	}
	if (first == NULL)
		return NULL;
	size_t length = strlen(first);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *end = strstr(first, ends[i]);
		if (end != NULL && (size_t)(end - first) < length)
			length = (size_t)(end - first);
	}
	return mem_strndup(inquiry->context, first, length);
}

static struct finding find_by_refusal(const struct inquiry *inquiry)
{
	const char *refusal = find_refusal(inquiry);
	struct inquiry asked = *inquiry;

	if (refusal == NULL)
		return (struct finding){REASON_UNDEFINED, false, NULL};
	asked.words[0] = haystack_make(inquiry->context, refusal);
	return find_by_words(&asked, false);
}

static struct finding find_reason(const struct inquiry *inquiry)
{
	struct finding by_code = find_by_code(inquiry->status.text);
	struct finding found = {REASON_UNDEFINED, false, NULL};

	/* sendmail puts "User unknown" below whatever the server said to RCPT TO. */
	if (strstr(inquiry->writer.lower, "sendmail") != NULL)
		found = find_by_refusal(inquiry);
	if (found.reason == REASON_UNDEFINED)
		found = find_by_words(inquiry, false);
	if (found.reason == REASON_UNDEFINED && !by_code.is_weak && !inquiry->is_status_far)
		found = by_code;
	if (found.reason == REASON_UNDEFINED)
		found = find_by_refusal(inquiry);
	if (found.reason == REASON_UNDEFINED)
		found = find_by_words(inquiry, true);
	if (found.reason == REASON_UNDEFINED)
		found = by_code;
	if (found.reason == REASON_UNDEFINED)
		found = find_by_code(inquiry->recipient->reply);
	if (found.reason == REASON_UNDEFINED)
		found.reason = find_default(inquiry);
	return found;
}

/* What a failure without any code implies. A refusal by policy implies nothing: the same address
 * may take the next message. */
static enum permanence guess_permanence(enum reason reason)
{
	static const enum permanence implied[REASON_COUNT] = {
		[REASON_USERUNKNOWN] = PERMANENCE_PERMANENT,
		[REASON_HOSTUNKNOWN] = PERMANENCE_PERMANENT,
		[REASON_HASMOVED] = PERMANENCE_PERMANENT,
		[REASON_NOTACCEPT] = PERMANENCE_PERMANENT,
		[REASON_NORELAYING] = PERMANENCE_PERMANENT,
		[REASON_EXPIRED] = PERMANENCE_TEMPORARY,
		[REASON_MAILBOXFULL] = PERMANENCE_TEMPORARY,
		[REASON_SYSTEMFULL] = PERMANENCE_TEMPORARY,
		[REASON_SPEEDING] = PERMANENCE_TEMPORARY,
		[REASON_TOOMANYCONN] = PERMANENCE_TEMPORARY,
		[REASON_NETWORKERROR] = PERMANENCE_TEMPORARY,
		[REASON_SYSTEMERROR] = PERMANENCE_TEMPORARY,
	};

	return implied[reason];
}

/* The code whose class counts (RFC 3463 section 2). Exim and Postfix write 5.0.0 for any failure:
 * there the server's own code says more, whose queue may have given up on a temporary one. */
static const char *find_class_code(const struct recipient *recipient, const char *own)
{
	if (recipient->status != NULL && strcmp(recipient->status, "5.0.0") != 0)
		return recipient->status;
	return own != NULL ? own : recipient->reply;
}

/* A queue that gave up on a temporary failure may have the message again. */
static enum permanence find_permanence(const struct recipient *recipient, const char *own)
{
	bool is_delayed = recipient->action != NULL && strcmp(recipient->action, "delayed") == 0;
	const char *code = find_class_code(recipient, own);

	if (is_delayed)
		return PERMANENCE_TEMPORARY;
	/* Nobody waits for what is final: a queue gave up, a mailbox may be emptied. */
	if (code == NULL && recipient->reason != REASON_EXPIRED &&
		recipient->reason != REASON_MAILBOXFULL)
		code = recipient->status;
	if (code != NULL && *code == '4')
		return PERMANENCE_TEMPORARY;
	if (code != NULL && *code == '5')
		return PERMANENCE_PERMANENT;
	return guess_permanence(recipient->reason);
}

/* The words of a report up to the line that announces the original. */
static void cut_original(char *words)
{
	for (size_t i = 0; i < sizeof(original_lines) / sizeof(original_lines[0]); i++) {
		const char *found = text_find_fold(words, original_lines[i]);
		if (found != NULL && found > words)
			words[found - words] = '\0';
	}
}

/* Takes out the lines that only repeat fields of the original: who sent it says nothing of why. */
static void drop_fields(char *words)
{
	static const char *const names[] = {"sender", "from", "mail from", "mail-from",
		"envelope from", "subject", "betreff", "absender", "von", "message-id", "date"};
	char *out = words;

	for (const char *line = words; *line != '\0';) {
		size_t length = strcspn(line, "\n") + 1;
		const char *name = line + strspn(line, " >*|");
		bool is_field = false;
		if (line[length - 1] == '\0')
			length--;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			const char *behind = name + strlen(names[i]);
			if (text_starts_fold(name, names[i]) &&
				(*behind == ':' || *behind == '=' ||
					strncmp(behind, "  ", 2) == 0 ||
					strncmp(behind, " :", 2) == 0))
				is_field = true;
		}
		if (!is_field) {
			memmove(out, line, length);
			out += length;
		}
		line += length;
	}
	*out = '\0';
}

/* The paragraphs of words from each line that names the address to the next empty one. */
static char *find_paragraphs(const void *context, const char *words, const char *address)
{
	char *found = mem_alloc(context, REPORT_MAX + 1);
	size_t size = 0;
	bool is_taking = false;

	for (const char *line = words; *line != '\0' && size < REPORT_MAX;) {
		size_t length = strcspn(line, "\n");
		char *copy = mem_strndup(context, line, length);
		if (text_find_fold(copy, address) != NULL)
			is_taking = true;
		else if (length == 0 || strchr(copy, '@') != NULL)
			is_taking = false;
		if (is_taking && size + length < REPORT_MAX) {
			memcpy(found + size, line, length);
			size += length;
			found[size++] = '\n';
		}
		mem_free(copy);
		line += length + (line[length] == '\n');
	}
	found[size] = '\0';
	return found;
}

/* The text about the recipient that his diagnostic is, or is a part of. */
static const char *find_said(const struct recipient *recipient)
{
	return recipient->said == NULL ? recipient->diagnostic : recipient->said;
}

/* What the report says of one recipient: all of it where he is the only one. Lines become one, as
 * servers break theirs anywhere; but the lines of a session's transcript are told apart. */
static char *find_surroundings(const void *context, const struct bounce *bounce,
	const struct recipient *recipient, const char *words)
{
	const char *said = find_said(recipient) == NULL ? "" : find_said(recipient);
	const char *around = "";

	if (bounce->recipient_count == 1)
		around = words;
	else if (bounce->recipient_count <= RECIPIENTS_IN_WORDS && recipient->address != NULL)
		around = find_paragraphs(context, words, recipient->address);
	struct bytes all = {(const unsigned char *)around, strlen(around)};
	return mem_printf(context, "%s %s", said, text_clean(context, all, REPORT_MAX));
}

/* "x.0.0" and nothing at all leave it to the other. */
static bool says_something(const char *status)
{
	return status != NULL && strcmp(status + 1, ".0.0") != 0;
}

/* The length of an enhanced status code at text (RFC 3463 section 2), or 0. */
static size_t measure_status(const char *text)
{
	if ((*text != '2' && *text != '4' && *text != '5') || text[1] != '.')
		return 0;
	size_t subject = strspn(text + 2, "0123456789");
	if (subject == 0 || subject > 3 || text[2 + subject] != '.')
		return 0;
	size_t detail = strspn(text + 3 + subject, "0123456789");
	if (detail == 0 || detail > 3)
		return 0;
	return 3 + subject + detail;
}

static bool is_boundary(char c)
{
	return !isalnum((unsigned char)c) && c != '.' && c != '-';
}

/* The enhanced code of the server's reply, "550 5.1.1"; else the first that stands in the text: in
 * "<mx.example.org #5.5.0 smtp;550 5.1.1 no>" the reporter's own stands in front. */
static const char *find_own_status(const void *context, const char *text)
{
	for (const char *c = text; c != NULL && *c != '\0'; c++) {
		if ((*c == '4' || *c == '5') && isdigit((unsigned char)c[1]) &&
			isdigit((unsigned char)c[2]) && (c[3] == ' ' || c[3] == '-') &&
			(c == text || is_boundary(c[-1])) && measure_status(c + 4) > 0)
			return mem_strndup(context, c + 4, measure_status(c + 4));
	}
	return reason_find_status(context, text);
}

/* The words that the rules are asked about, and what the text around them names. */
static void take_words(const void *context, const char *around, struct inquiry *inquiry)
{
	const void *scratch = inquiry->context;
	const char *address = inquiry->recipient->address;
	const char *joined = reply_text_join(scratch, around);
	const char *said = reply_text_join(scratch, find_said(inquiry->recipient));
	struct haystack named = haystack_make(scratch, joined);

	said = reply_text_complete(scratch, said, joined);
	inquiry->words[0] = haystack_make(scratch, reply_text_hide_names(scratch, said, address));
	inquiry->words[1] = haystack_make(scratch, reply_text_hide_names(scratch, joined, address));
	haystack_index(scratch, &inquiry->words[0]);
	haystack_index(scratch, &inquiry->words[1]);
	haystack_index(scratch, &named);
	detail_take(context, &named, inquiry->recipient);
}

void reason_judge(const void *context, const struct bounce *bounce, const char *around,
	struct recipient *recipient)
{
	void *scratch = mem_context(context, "reason");
	const char *own = find_own_status(scratch, recipient->diagnostic);
	struct inquiry inquiry = {.context = scratch, .recipient = recipient};

	if (recipient->status == NULL && bounce->recipient_count == 1) {
		recipient->status = reason_find_status(context, around);
		inquiry.is_status_far = own == NULL;
	}
	take_words(context, around, &inquiry);
	inquiry.status = haystack_make(scratch, says_something(own) ? own : recipient->status);
	inquiry.reply = haystack_make(scratch, recipient->reply);
	inquiry.remote = haystack_make(scratch,
		recipient->remote_mta != NULL ? recipient->remote_mta : bounce->reporter.mta);
	inquiry.writer = haystack_make(scratch, bounce->dialect);
	struct finding found = find_reason(&inquiry);
	recipient->reason = found.reason;
	recipient->reason_by = found.by;
	recipient->permanence = find_permanence(recipient, own);
	mem_free(scratch);
}

/* What holds for each of the recipients: the words above the first of them, and the subject where
 * it is not the original's. */
static char *find_heading(const void *context, const struct mail *mail, const struct bounce *bounce,
	const char *words)
{
	char *subject = header_decode(context, headers_find(&mail->headers, "Subject"));
	struct original original = {0};
	size_t size = strlen(words);

	original_find(context, mail, &original);
	if (subject == NULL || (original.subject != NULL && *original.subject != '\0' &&
				       text_find_fold(subject, original.subject) != NULL))
		subject = mem_strdup(context, "");
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		const char *address = bounce->recipients[i].address;
		const char *found = address == NULL ? NULL : text_find_fold(words, address);
		if (found != NULL && (size_t)(found - words) < size)
			size = (size_t)(found - words);
	}
	if (bounce->recipient_count == 1) /* all the words were asked already */
		size = 0;
	return mem_printf(context, "%s. %.*s", subject, (int)size, words);
}

/* Where nothing is known from what is said of the recipient. */
static void settle_by_heading(const void *context, const struct mail *mail, const char *words,
	const struct bounce *bounce, struct recipient *recipient)
{
	struct recipient other = *recipient;
	void *scratch = mem_context(context, "heading");

	reason_judge(context, bounce, find_heading(scratch, mail, bounce, words), &other);
	if (other.reason_by != NULL && other.reason != REASON_SYSTEMERROR) /* "Mail System Error" */
		*recipient = other;
	mem_free(scratch);
}

static void settle_recipient(const void *context, const struct mail *mail, const char *words,
	const struct bounce *bounce, struct recipient *recipient)
{
	char *around = find_surroundings(context, bounce, recipient, words);

	reason_judge(context, bounce, around, recipient);
	if (recipient->reason_by == NULL && bounce->recipient_count <= RECIPIENTS_IN_WORDS)
		settle_by_heading(context, mail, words, bounce, recipient);
	mem_free(around);
}

void reason_settle(const void *context, const struct mail *mail, struct bounce *bounce)
{
	size_t count = bounce->recipient_count;

	if ((bounce->kind != KIND_FAILED && bounce->kind != KIND_DELAYED &&
		    bounce->kind != KIND_DELIVERED) ||
		count == 0)
		return;
	char *words = bounce->words == NULL ? prose_read(context, mail)
					    : mem_strdup(context, bounce->words);
	cut_original(words);
	drop_fields(words);
	struct recipient *recipients = mem_new_array(context, struct recipient, count);
	memcpy(recipients, bounce->recipients, count * sizeof(*recipients));
	for (size_t i = 0; i < count; i++)
		settle_recipient(context, mail, words, bounce, &recipients[i]);
	bounce->recipients = recipients;
}

/* "550-5.7.26 ...": a line of a reply that goes on. */
static bool is_behind_reply(const char *text, const char *c)
{
	return c - text >= 4 && c[-1] == '-' && (c[-4] == '4' || c[-4] == '5') &&
	       isdigit((unsigned char)c[-3]) && isdigit((unsigned char)c[-2]);
}

/* A code of success is one where a field or a reply begins with it; elsewhere "2.3.4" is the
 * version of some software. */
static bool is_success_elsewhere(const char *text, const char *c)
{
	return *c == '2' && c != text &&
	       (c - text < 4 || c[-4] != '2' || !isdigit((unsigned char)c[-3]) ||
		       !isdigit((unsigned char)c[-2]));
}

char *reason_find_status(const void *context, const char *text)
{
	for (const char *c = text; c != NULL && *c != '\0'; c++) {
		size_t length = is_success_elsewhere(text, c) ? 0 : measure_status(c);
		if (length > 0 && (c == text || is_boundary(c[-1]) || is_behind_reply(text, c)) &&
			(is_boundary(c[length]) || c[length] == '\0' ||
				(c[length] == '.' && !isdigit((unsigned char)c[length + 1]))))
			return mem_strndup(context, c, length);
	}
	return NULL;
}

char *reason_find_reply(const void *context, const char *text)
{
	for (const char *c = text; c != NULL && *c != '\0'; c++) {
		if ((*c == '4' || *c == '5') && c[1] >= '0' && c[1] <= '5' &&
			isdigit((unsigned char)c[2]) && (c == text || is_boundary(c[-1])) &&
			(c[3] == '\0' || c[3] == ' ' || c[3] == '-' || c[3] == ':' || c[3] == ','))
			return mem_strndup(context, c, 3);
	}
	return NULL;
}
