/*
 * dsn.c: in charge of delivery status notifications: RFC 3464, with the part types of RFC 6533 and
 * of its experimental forerunner RFC 5337.
 *
 * The groups are not trusted to be groups: Exchange begins with an empty one, others leave out the
 * empty line between two recipients. So fields are read in a row, and a field that the current
 * recipient has already, or an empty line, begins the next. QUIRKS.md lists who needs what.
 */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "classify/author.h"
#include "classify/parent.h"
#include "classify/reader.h"
#include "classify/reason.h"
#include "classify/status_part.h"

#define MESSAGE_ID_MAX 100
#define DIAGNOSTIC_MAX 2000
#define NAME_MAX_BYTES 300

static const char *const status_types[] = {"message/delivery-status",
	"message/global-delivery-status", "message/utf-8-delivery-status", NULL};

struct report {
	const void *context;
	struct bounce *bounce;
	struct recipient *recipients;
	size_t count, room;
	struct recipient current;  /* address: Original-Recipient so far; final: Final-Recipient */
	struct recipient nameless; /* the last whose address is none, X.400 or a local user */
	bool has_original, has_final;
	const char *comment; /* of Status: what some say in place of a Diagnostic-Code */
};

static const struct {
	const char *word;
	enum kind kind;
} actions[] = {
	{"failed", KIND_FAILED},
	{"failure", KIND_FAILED},
	{"delayed", KIND_DELAYED},
	{"delivered", KIND_DELIVERED},
	{"relayed", KIND_DELIVERED},
	{"expanded", KIND_DELIVERED},
	{"deliverable", KIND_DELIVERED}, /* Postfix, sendmail -bv */
	{"undeliverable", KIND_FAILED},
};

static bool find_action(const char *word, enum kind *kind_out)
{
	for (size_t i = 0; word != NULL && i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(word, actions[i].word) == 0) {
			*kind_out = actions[i].kind;
			return true;
		}
	}
	return false;
}

/* What one recipient's fields amount to; without Action the status class decides. */
static enum kind find_recipient_kind(const struct recipient *recipient)
{
	enum kind kind;

	if (find_action(recipient->action, &kind))
		return kind;
	if (recipient->status != NULL && recipient->status[0] == '2')
		return KIND_DELIVERED;
	return KIND_FAILED;
}

static void finish_recipient(struct report *report)
{
	struct recipient *current = &report->current;

	if ((current->address != NULL || current->final != NULL) &&
		report->count < RECIPIENT_COUNT_MAX) {
		if (report->count == report->room) {
			report->room = report->room == 0 ? 8 : report->room * 2;
			report->recipients = mem_realloc(report->context, report->recipients,
				report->room * sizeof(*report->recipients));
		}
		if (current->address == NULL)
			current->address = current->final;
		if (current->diagnostic == NULL)
			current->diagnostic = report->comment;
		if (current->diagnostic != NULL) {
			current->reply = reason_find_reply(report->context, current->diagnostic);
			if (current->status == NULL)
				current->status =
					reason_find_status(report->context, current->diagnostic);
		}
		report->recipients[report->count++] = *current;
	} else if (current->status != NULL || current->diagnostic != NULL) {
		report->nameless = *current;
	}
	memset(current, 0, sizeof(*current));
	report->has_original = report->has_final = false;
	report->comment = NULL;
}

static void add_message_id(struct report *report, const char *value)
{
	struct bounce *bounce = report->bounce;
	char *id = header_message_id(report->context, value);

	if (id == NULL || bounce->message_id_count >= MESSAGE_ID_MAX)
		return;
	bounce->message_ids = mem_realloc(report->context, bounce->message_ids,
		(bounce->message_id_count + 1) * sizeof(char *));
	bounce->message_ids[bounce->message_id_count++] = id;
}

/* One function a field; the table below says which. */
typedef void field_reader(struct report *report, const char *value);

static void read_original_recipient(struct report *report, const char *value)
{
	if (report->has_original)
		finish_recipient(report);
	report->has_original = true;
	report->current.address = status_part_original(report->context, value);
}

static void read_final_recipient(struct report *report, const char *value)
{
	char *address = status_part_address(report->context, value);
	bool is_again = address != NULL && report->current.final != NULL &&
			strcmp(address, report->current.final) == 0;

	if (report->has_final && !is_again)
		finish_recipient(report);
	report->has_final = true;
	report->current.final = address;
}

static void read_action(struct report *report, const char *value)
{
	report->current.action = header_token(report->context, value);
}

/* PowerMTA, Sun: "Status: 5.1.1 (bad destination mailbox address)". What only puts the class into
 * words, "permanent failure" and "undefined status", is none. */
static const char *copy_comment(const void *context, const char *value)
{
	const char *open = strchr(value, '('), *close = strrchr(value, ')');

	if (open == NULL || close == NULL || close <= open + 1)
		return NULL;
	char *comment = text_clean_string(context,
		mem_strndup(context, open + 1, (size_t)(close - open - 1)), DIAGNOSTIC_MAX);
	return text_find_fold(comment, " failure") != NULL ||
			       text_find_fold(comment, "undefined status") != NULL
		       ? NULL
		       : comment;
}

static void read_status(struct report *report, const char *value)
{
	report->current.status = reason_find_status(report->context, value);
	report->comment = copy_comment(report->context, value);
}

static void read_diagnostic(struct report *report, const char *value)
{
	report->current.diagnostic = status_part_typed(report->context, value, DIAGNOSTIC_MAX);
}

static void read_remote_mta(struct report *report, const char *value)
{
	report->current.remote_mta = status_part_typed(report->context, value, NAME_MAX_BYTES);
}

static void read_reporting_mta(struct report *report, const char *value)
{
	char *name = status_part_typed(report->context, value, NAME_MAX_BYTES);

	if (name != NULL)
		report->bounce->reporter.mta = text_lower(report->context, name);
}

static void read_envelope_id(struct report *report, const char *value)
{
	report->bounce->envelope_id = text_clean_string(report->context, value, NAME_MAX_BYTES);
}

static void read_postfix_sender(struct report *report, const char *value)
{
	report->bounce->original_sender = status_part_address(report->context, value);
}

static const struct {
	const char *name;
	field_reader *read;
} fields[] = {
	{"Original-Recipient", read_original_recipient},
	{"Final-Recipient", read_final_recipient},
	{"Action", read_action},
	{"Status", read_status},
	{"Diagnostic-Code", read_diagnostic},
	{"Remote-MTA", read_remote_mta},
	{"X-Original-Message-ID", add_message_id},
	{"Reporting-MTA", read_reporting_mta},
	{"Original-Envelope-Id", read_envelope_id},
	{"X-Postfix-Sender", read_postfix_sender},
};

/* A group that names nobody, behind a recipient of whom nothing is said: an empty line went between
 * his fields. */
static bool is_continued(const struct report *report, const struct headers *group)
{
	const struct recipient *current = &report->current;

	return (report->has_original || report->has_final) &&
	       headers_find(group, "Final-Recipient") == NULL &&
	       headers_find(group, "Original-Recipient") == NULL &&
	       (headers_find(group, "Action") == NULL || current->action == NULL) &&
	       (headers_find(group, "Status") == NULL || current->status == NULL);
}

static void read_group(struct report *report, const struct headers *group)
{
	if (!is_continued(report, group))
		finish_recipient(report);
	for (size_t i = 0; i < group->count; i++) {
		for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
			if (text_equal_fold(group->items[i].name, fields[f].name))
				fields[f].read(report, group->items[i].value);
		}
	}
}

/* The gravest fate gives the report its kind: one recipient failed makes it a failure. */
static enum kind find_report_kind(const struct report *report)
{
	static const enum kind order[] = {KIND_FAILED, KIND_DELAYED, KIND_DELIVERED};

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < report->count; i++) {
			if (find_recipient_kind(&report->recipients[i]) == order[k])
				return order[k];
		}
	}
	if (report->nameless.action != NULL)
		return find_recipient_kind(&report->nameless);
	return KIND_FAILED;
}

/* The ids that the report's own header gives (Exchange, Google, Postfix with threaded bounces). */
static void add_threading_ids(struct report *report, const struct mail *mail)
{
	static const char *const names[] = {"X-Original-Message-ID", "In-Reply-To", "References"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t count;
		char **ids = header_message_ids(
			report->context, headers_find(&mail->headers, names[i]), &count);
		for (size_t k = 0; k < count; k++)
			add_message_id(report, ids[k]);
	}
}

/* Where a line begins with name, blanks and '>' in front of it left aside, or the size when none
 * does. */
static size_t find_line(struct bytes text, const char *name)
{
	size_t offset = 0, length = strlen(name);

	while (offset + length < text.size) {
		const unsigned char *line = text.data + offset;
		size_t marks = 0;
		while (offset + marks + length < text.size && line[marks] != '\0' &&
			strchr(" \t>", line[marks]) != NULL)
			marks++;
		if (offset + marks + length <= text.size &&
			strncasecmp((const char *)line + marks, name, length) == 0)
			return offset;
		const unsigned char *newline = memchr(line, '\n', text.size - offset);
		if (newline == NULL)
			break;
		offset = (size_t)(newline - text.data) + 1;
	}
	return text.size;
}

/* True when a part of the message itself, not only of one inside, says that it is a report. */
static bool holds_report(const struct mail *mail)
{
	return mail->root->report_type != NULL || part_find(mail->root, "multipart/report") != NULL;
}

/* Where the fields of a report can stand though their part is called something else. */
static bool is_mislabelled(const struct part *part)
{
	return part_is_text(part) || strcmp(part->type, "application/octet-stream") == 0;
}

/* The first of the lines that begin with one of the names, or the size. */
static size_t find_first(struct bytes text, const char *const *names)
{
	size_t first = text.size;

	for (; *names != NULL; names++) {
		size_t start = find_line(text, *names);
		first = start < first ? start : first;
	}
	return first;
}

/* The fields of a report whose MIME structure is lost (a wrong boundary, a header that says
 * nothing), as they stand in the text, up to the next boundary line. Only where somebody says that
 * it is a report: people quote such fields in mail to each other. */
static struct bytes find_status_text(const struct mail *mail)
{
	static const char *const begins[] = {
		"Reporting-MTA", "Final-Recipient", "Original-Recipient", NULL};
	static const char *const recipients[] = {"Final-Recipient", "Original-Recipient", NULL};
	static const char *const fates[] = {"Action", "Status", NULL};
	bool is_report =
		author_is_daemon(mail) || author_has_null_sender(mail) || holds_report(mail);

	for (const struct part *part = mail->root; is_report && part != NULL;
		part = part_following(part, mail->root)) {
		struct bytes text = part->content;
		size_t start = is_mislabelled(part) ? find_first(text, begins) : text.size;
		if (start == text.size)
			continue;
		text = (struct bytes){text.data + start, text.size - start};
		text.size = find_line(text, "--");
		if (find_first(text, recipients) < text.size && find_first(text, fates) < text.size)
			return text;
	}
	return (struct bytes){NULL, 0};
}

/* A person who forwards a bounce attaches its parts: no multipart/report, and a sender who is no
 * mail system. */
static bool is_from_person(const struct mail *mail)
{
	return !holds_report(mail) && mail->envelope.has_sender && !author_has_null_sender(mail) &&
	       !author_is_daemon(mail) && !author_is_postmaster(mail) &&
	       headers_find(&mail->headers, "X-Failed-Recipients") == NULL;
}

/* The groups of one part. Returns how many there are. */
static size_t read_groups(struct report *report, struct bytes content)
{
	struct headers group;
	size_t offset = 0, groups = 0;

	content = status_part_tidy(report->context, content);
	for (bool is_group = true; is_group;) {
		void *scratch = mem_context(report->context, "group"); /* there can be 100,000 */
		is_group = status_part_next_group(scratch, content, &offset, &group);
		if (is_group)
			read_group(report, &group);
		groups += is_group;
		mem_free(scratch);
	}
	finish_recipient(report);
	return groups;
}

/* Gateways that split a message write a report for each piece: the parts of first's type from it
 * on, not those in what came back. */
static size_t read_parts(struct report *report, const struct mail *mail, const struct part *first)
{
	size_t groups = 0;

	for (const struct part *part = first; part != NULL;
		part = part->is_message ? part_behind(part, mail->root)
					: part_following(part, mail->root)) {
		if (strcmp(part->type, first->type) == 0)
			groups += read_groups(report, part->content);
	}
	return groups;
}

/* MDN's part with the fields of a delivery report, as some gateways label it. */
static const struct part *find_mislabelled(const struct mail *mail)
{
	const struct part *part = part_find(mail->root, "message/disposition-notification");

	return part != NULL && find_line(part->content, "Action:") < part->content.size ? part
											: NULL;
}

bool dsn_read(const void *context, const struct mail *mail, struct bounce *bounce)
{
	const struct part *part = status_part_find(mail, status_types);
	struct report report = {.context = context, .bounce = bounce};
	size_t groups;

	if (is_from_person(mail))
		return false;
	if (part == NULL)
		part = find_mislabelled(mail);
	groups = part != NULL ? read_parts(&report, mail, part)
			      : read_groups(&report, find_status_text(mail));
	if (groups == 0)
		return false;
	add_threading_ids(&report, mail);
	bounce->kind = find_report_kind(&report);
	bounce->dialect = "rfc3464";
	bounce->has_status_part = part != NULL;
	bounce->recipients = report.recipients;
	bounce->recipient_count = report.count;
	bounce->nameless = report.nameless;
	if (report.count > 0)
		parent_find(context, mail, bounce);
	return true;
}
