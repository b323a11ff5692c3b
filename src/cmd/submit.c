/*
 * submit.c: `backstop submit`: stands in for sendmail on the host that posts.
 *
 * In charge of the order: sign the envelope sender, write the ledger, then hand over to the real
 * sendmail, so that no mail is out that a bounce could not be checked against. Leaves options to
 * sendmail_args.c, recipients to recipients.c, the runs of the real one to handover.c. The list
 * that is posting must not be stopped by us: without keys, ledger or configuration the mail goes
 * out as it would have gone, and the log warns. The one exception is a domain whose ledger counts
 * as complete, when neither ledger nor tag could be had: a bounce of that mail would look forged,
 * so it waits (exit 75, nothing sent). For that the wait for the ledger has a deadline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/handover.h"
#include "cmd/recipients.h"
#include "cmd/sendmail_args.h"
#include "read/source.h"
#include "state/ledger.h"

#define DEPTH_VARIABLE "BACKSTOP_SUBMIT_DEPTH"
#define DEPTH_MAX 10 /* runs of submit inside one another */
#define ENVELOPE_ID_MAX 100
#define RANDOM_SIZE 10	 /* bytes in a Message-ID of ours */
#define RANDOM_LENGTH 16 /* the same in base32 */

const struct option_row submit_options[] = {{.name = NULL}};

struct submission {
	struct command_run *run;
	const void *context;
	struct sendmail_args args;
	const char *sender;		    /* normalised, or NULL */
	const struct domain_config *domain; /* the sender's, if it is ours */
	struct bytes message;		    /* as it came, up to the single dot */
	size_t start;			    /* behind an mbox From line */
	struct headers headers;
	const char *message_id; /* NULL: none, and none was added */
	const char *added;	/* a field to put on top, or "" */
	struct addressees to;
	struct run *runs; /* with senders of our making; none: the command line stays as it is */
	size_t run_count;
	bool is_signed;	      /* all of them carry a tag */
	struct bytes *pieces; /* the message as it is handed over */
	size_t piece_count;
};

/* Ends with the code of the real sendmail, for which enum status has no rows. */
static enum status finish(struct command_run *run, int code)
{
	if (code == EX_OK)
		return STATUS_OK;
	state_close(run->state);
	fflush(NULL);
	exit(code);
}

/* A sendmail in the configuration that is a wrapper around this command would start itself for
 * ever. */
static bool is_too_deep(void)
{
	const char *text = getenv(DEPTH_VARIABLE);
	int depth = text != NULL ? atoi(text) : 0;
	char next[16];

	snprintf(next, sizeof next, "%d", depth >= 0 && depth < DEPTH_MAX ? depth + 1 : DEPTH_MAX);
	setenv(DEPTH_VARIABLE, next, 1);
	return depth >= DEPTH_MAX;
}

/* Not a submission (-bs, -bp, -q): the real one gets everything, standard input included. */
static enum status become_sendmail(struct command_run *run)
{
	const char *path = run->config->sendmail;
	char **argv = mem_new_array(run->context, char *, run->argument_count + 2);

	argv[0] = mem_strdup(run->context, path);
	memcpy(argv + 1, run->arguments, run->argument_count * sizeof *argv);
	fflush(NULL);
	execv(path, argv);
	log_error("submit: cannot start %s (%s); \"sendmail =\" in the configuration names the "
		  "real one",
		path, strerror(errno));
	return finish(run, EX_TEMPFAIL);
}

/* The bytes in front of a line that holds a single dot. sendmail ends there unless -i is given. */
static size_t find_dot(struct bytes message)
{
	const unsigned char *end = message.data + message.size;
	const unsigned char *line = message.data;

	while (line != NULL && line < end) {
		const unsigned char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t size = (size_t)((newline != NULL ? newline : end) - line);

		if (*line == '.' && (size == 1 || (size == 2 && line[1] == '\r')))
			return (size_t)(line - message.data);
		line = newline != NULL ? newline + 1 : NULL;
	}
	return message.size;
}

static bool starts_with(struct bytes bytes, const char *text)
{
	size_t length = strlen(text);

	return bytes.size >= length && memcmp(bytes.data, text, length) == 0;
}

static struct bytes behind(struct bytes bytes, size_t size)
{
	if (size == 0)
		return bytes;
	return (struct bytes){bytes.data + size, bytes.size - size};
}

static size_t measure_from_line(struct bytes message)
{
	const unsigned char *newline;

	if (!starts_with(message, "From "))
		return 0;
	newline = memchr(message.data, '\n', message.size);
	return newline != NULL ? (size_t)(newline - message.data) + 1 : 0;
}

/* True when the fields lie behind one another from the very start: then what headers_parse found is
 * what every mail server finds. Else it has skipped a line that ends the header for others. */
static bool is_header_whole(const struct submission *submission)
{
	const struct headers *headers = &submission->headers;
	const unsigned char *next = submission->message.data + submission->start;

	for (size_t i = 0; i < headers->count; i++) {
		if (headers->items[i].raw.data != next)
			return false;
		next += headers->items[i].raw.size;
	}
	return true;
}

/* The line end of the message, "\n" or "\r\n". Postfix tells from the first line whether there are
 * CRs to take off, so a line on top has to end as the others do. */
static const char *line_end(struct bytes text)
{
	const unsigned char *newline = text.size > 0 ? memchr(text.data, '\n', text.size) : NULL;

	return newline != NULL && newline > text.data && newline[-1] == '\r' ? "\r\n" : "\n";
}

static char *make_message_id(const struct submission *submission)
{
	unsigned char secret[RANDOM_SIZE] = {0};
	char random[RANDOM_LENGTH + 1];
	char time_text[CLOCK_TEXT_MAX];
	char digits[CLOCK_TEXT_MAX];
	size_t count = 0;

	/* Without it the time and our process would still be unique enough for a Message-ID. */
	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) {
		pid_t process = getpid();

		memcpy(secret, &process, sizeof process);
	}
	text_base32_encode(secret, sizeof secret, random);
	clock_format_iso(submission->run->now, time_text);
	for (const char *c = time_text; *c != '\0'; c++) {
		if (*c >= '0' && *c <= '9')
			digits[count++] = *c;
	}
	digits[count] = '\0';
	return mem_printf(
		submission->context, "<%s.%s@%s>", digits, random, submission->domain->name);
}

/* The ledger is by Message-ID, so mail of ours gets one before the mail server would add its own.
 */
static void add_message_id(struct submission *submission)
{
	struct bytes text = behind(submission->message, submission->start);
	const char *end = line_end(text);
	bool starts_with_field =
		submission->headers.count > 0 && submission->headers.items[0].raw.data == text.data;
	bool is_body = text.size > 0 && !starts_with_field && !starts_with(text, end);

	submission->message_id = make_message_id(submission);
	/* A body without header would otherwise go on in our field, or become one. */
	submission->added = mem_printf(submission->context, "Message-ID: %s%s%s",
		submission->message_id, end, is_body ? end : "");
}

static void find_message_id(struct submission *submission)
{
	const char *field = headers_find(&submission->headers, "Message-ID");

	submission->added = "";
	if (field != NULL)
		submission->message_id = header_message_id(submission->context, field);
	else if (submission->domain != NULL)
		add_message_id(submission);
	if (field != NULL && submission->message_id == NULL && submission->domain != NULL)
		log_warning(
			"submit: the Message-ID field is empty; the message is not in the ledger");
}

static enum status read_message(struct submission *submission)
{
	struct bytes *message = &submission->message;
	enum status status = source_read_all(submission->context, STDIN_FILENO, message);

	if (status != STATUS_OK)
		return status;
	if (message->data == NULL)
		message->data = (const unsigned char *)"";
	if (!submission->args.ignores_dots)
		message->size = find_dot(*message);
	submission->start = measure_from_line(*message);
	headers_parse(submission->context, behind(*message, submission->start),
		&submission->headers, NULL);
	return STATUS_OK;
}

static void find_domain(struct submission *submission)
{
	const struct config *config = submission->run->config;
	const char *name;

	if (submission->args.sender == NULL || address_is_null_sender(submission->args.sender))
		return;
	submission->sender = address_normalise(submission->context, submission->args.sender);
	name = address_domain(submission->sender);
	if (name != NULL)
		submission->domain = config_find_domain(config, name);
}

/* Signing: one run a recipient, or a single one for all, as the domain has it. */

static void add_run(struct submission *submission, const char *word, const char *address)
{
	submission->runs[submission->run_count++] = (struct run){
		.word = word,
		.address = address,
	};
}

static void plan_runs(struct submission *submission)
{
	const struct addressees *to = &submission->to;

	submission->runs = mem_new_array(submission->context, struct run, to->count);
	if (submission->domain->tag_form == TAG_FORM_SENDER || !to->can_split || to->count == 0) {
		add_run(submission, NULL, NULL);
		return;
	}
	for (size_t i = 0; i < to->count; i++)
		add_run(submission, to->items[i].word, to->items[i].address);
}

static const struct tag_keys *read_keys(const struct submission *submission)
{
	const struct domain_config *domain = submission->domain;
	struct tag_keys *keys = NULL;
	const char *error = NULL;

	if (domain->tag_keys == NULL)
		return NULL;
	if (tag_keys_read(submission->context, domain->tag_keys, &keys, &error) == STATUS_OK &&
		keys->count > 0) {
		keys->delimiter = domain->delimiter;
		return keys;
	}
	log_warning("submit: %s; mail from %s cannot be signed",
		error != NULL ? error : domain->tag_keys, domain->name);
	return NULL;
}

static void sign_runs(struct submission *submission, const struct tag_keys *keys)
{
	const void *context = submission->context;
	int64_t now = submission->run->now;
	size_t signed_count = 0;

	for (size_t i = 0; i < submission->run_count; i++) {
		struct run *run = &submission->runs[i];

		run->sender =
			tag_make(context, keys, submission->sender, run->address, now, &run->id);
		if (run->sender == NULL && run->address != NULL)
			run->sender =
				tag_make(context, keys, submission->sender, NULL, now, &run->id);
		if (run->sender != NULL)
			signed_count++;
	}
	submission->is_signed = signed_count == submission->run_count;
	if (!submission->is_signed)
		log_warning("submit: a tag does not fit behind %s, which goes out without one",
			submission->sender);
	if (signed_count == 0)
		submission->run_count = 0;
}

/* An id that the ledger does not know makes a tag that nobody can check: the tag of the sender
 * alone says less, but can be checked. */
static void sign_without_ids(struct submission *submission, const struct tag_keys *keys)
{
	for (size_t i = 0; i < submission->run_count; i++) {
		struct run *run = &submission->runs[i];

		if (run->id != NULL)
			run->sender = tag_make(submission->context, keys, submission->sender, NULL,
				submission->run->now, &run->id);
	}
}

static const char *find_id(const struct submission *submission, const char *address)
{
	for (size_t i = 0; i < submission->run_count; i++) {
		const struct run *run = &submission->runs[i];

		if (run->id != NULL && strcmp(run->address, address) == 0)
			return run->id;
	}
	return NULL;
}

static enum status record(const struct submission *submission)
{
	struct command_run *run = submission->run;
	const struct addressees *to = &submission->to;
	const char *names[] = {submission->message_id, submission->args.envelope_id};
	size_t count = to->address_count > 0 ? to->address_count : 1;
	size_t added = 0;
	struct ledger_entry *entries;

	if (submission->message_id == NULL)
		return STATUS_OK;
	if (run->state == NULL)
		return STATUS_STATE;
	entries = mem_new_array(submission->context, struct ledger_entry, count + count);
	/* A report may give nothing but the envelope id that the caller has set. */
	for (size_t n = 0; n < 2 && names[n] != NULL; n++) {
		for (size_t i = 0; i < count; i++) {
			struct ledger_entry *entry = &entries[added++];

			entry->sent_s = run->now;
			entry->message_id = names[n];
			entry->domain =
				submission->domain == NULL ? NULL : submission->domain->name;
			if (to->address_count == 0)
				continue;
			entry->recipient = to->addresses[i];
			entry->recipient_id = find_id(submission, to->addresses[i]);
		}
	}
	ledger_set_lifetime(run->state, run->config->sent_lifetime_s);
	return ledger_add(run->state, LEDGER_FEED_CONTINUOUS, run->now, entries, added, NULL);
}

static void add_piece(
	struct submission *submission, const unsigned char *start, const unsigned char *end)
{
	submission->pieces[submission->piece_count++] =
		(struct bytes){start, (size_t)(end - start)};
}

/* The message with our field on top and, where -t is not passed on, without the fields that the
 * real sendmail would have taken out. Nothing is copied. */
static void cut_pieces(struct submission *submission)
{
	const struct headers *headers = &submission->headers;
	const unsigned char *start = submission->message.data;
	const unsigned char *end = start + submission->message.size;
	const unsigned char *added = (const unsigned char *)submission->added;
	bool is_split = submission->run_count > 0 && submission->runs[0].word != NULL;

	submission->pieces = mem_new_array(submission->context, struct bytes, headers->count + 3);
	add_piece(submission, start, start + submission->start);
	start += submission->start;
	add_piece(submission, added, added + strlen(submission->added));
	for (size_t i = 0; is_split && submission->args.reads_header && i < headers->count; i++) {
		const struct bytes *field = &headers->items[i].raw;

		if (!recipients_is_secret(headers->items[i].name))
			continue;
		add_piece(submission, start, field->data);
		start = field->data + field->size;
	}
	add_piece(submission, start, end);
}

/* The Message-ID without its brackets, which reports to us give back as Original-Envelope-Id where
 * the caller has none of his own; NULL when it had better not stand there (RFC 3461 section 4.4:
 * 100 characters, and some software takes no '+' or '=' in it, which are written otherwise on the
 * way).
 */
static const char *make_envelope_id(const struct submission *submission)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    ".-_@$";
	const char *id = submission->message_id;
	size_t size = id == NULL ? 0 : strlen(id);

	if (!submission->run->config->has_envelope_ids || submission->args.envelope_id != NULL ||
		size < 3 || size > ENVELOPE_ID_MAX + 2 || strspn(id + 1, plain) != size - 2)
		return NULL;
	return mem_strndup(submission->context, id + 1, size - 2);
}

static int hand_over(const struct submission *submission)
{
	const struct command_run *run = submission->run;
	const struct handover handover = {
		.sendmail = run->config->sendmail,
		.words = run->arguments,
		.word_count = run->argument_count,
		.args = &submission->args,
		.pieces = submission->pieces,
		.piece_count = submission->piece_count,
		.envelope_id = make_envelope_id(submission),
		.runs = submission->runs,
		.run_count = submission->run_count,
	};

	return handover_run(submission->context, &handover);
}

/* Signs and records. False when the message has to wait. */
static bool prepare(struct submission *submission)
{
	const struct domain_config *domain = submission->domain;
	const struct tag_keys *keys = NULL;
	struct tag already;
	enum status status;

	recipients_collect(submission->context, &submission->args, &submission->headers,
		is_header_whole(submission), &submission->to);
	if (domain != NULL && tag_parse(submission->context, submission->sender, &already))
		domain = NULL;
	else if (domain != NULL)
		keys = read_keys(submission);
	if (keys != NULL) {
		plan_runs(submission);
		sign_runs(submission, keys);
	}
	guard_set_deadline((unsigned)submission->run->config->deadline_s);
	status = record(submission);
	guard_set_deadline(0);
	if (keys == NULL && domain != NULL && domain->tagged == SHARE_ALL &&
		domain->tag_keys != NULL) {
		log_error(
			"submit: not sent: all mail of %s is said to be tagged and this could not "
			"be, so that a bounce of it would look forged",
			domain->name);
		return false;
	}
	if (status == STATUS_OK)
		return true;
	/* Only the tag of one recipient outweighs that the ledger does not know the message. */
	if (domain != NULL && domain->sent_log == SENT_LOG_COMPLETE &&
		!(submission->is_signed && domain->tag_form == TAG_FORM_RECIPIENT)) {
		log_error("submit: not sent: the ledger cannot be written (%s) and no tag makes up "
			  "for it, so that a bounce of it would look forged",
			status_text(status));
		return false;
	}
	log_warning("submit: the ledger cannot be written (%s); message-id=%s is not in it",
		status_text(status), submission->message_id);
	if (keys != NULL)
		sign_without_ids(submission, keys);
	return true;
}

/* Mail of other domains and without a return path cannot bounce to us: nothing is to be learnt from
 * it. Without -f the sender is whoever the real sendmail takes it to be, perhaps one of ours. */
static bool is_of_interest(const struct submission *submission)
{
	return submission->domain != NULL || submission->args.sender == NULL;
}

enum status submit_run(struct command_run *run)
{
	struct submission submission = {.run = run, .context = run->context};
	enum status status;

	if (is_too_deep()) {
		log_error("submit: \"sendmail = %s\" leads back to backstop submit; it has to name "
			  "the real sendmail",
			run->config->sendmail);
		return finish(run, EX_TEMPFAIL);
	}
	sendmail_args_parse(
		submission.context, run->arguments, run->argument_count, &submission.args);
	if (!submission.args.is_submission)
		return become_sendmail(run);
	/* From here on until something is handed over, a death means that nothing was sent. */
	guard_enter();
	status = read_message(&submission);
	if (status != STATUS_OK) {
		log_error("submit: cannot read the message: %s", status_text(status));
		return finish(run, EX_TEMPFAIL);
	}
	find_domain(&submission);
	find_message_id(&submission);
	if (is_of_interest(&submission) && !prepare(&submission))
		return finish(run, EX_TEMPFAIL);
	cut_pieces(&submission);
	return finish(run, hand_over(&submission));
}
