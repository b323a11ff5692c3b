/*
 * deliver.c: in charge of final delivery: the envelope from the command line, one message from
 * standard input, the whole pipeline. main.c sees to it that it ends with 0 or 75.
 *
 * Standard input is read to its end before anything is decided: Postfix takes an exit 0 for success
 * even when it could not hand over the whole message (pipe(8) ignores EPIPE).
 */
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/command.h"
#include "pipeline_digest.h"
#include "read/source.h"

#define ERROR_SHOWN_MAX 200

const struct option_row deliver_options[] = {
	{"sender", OPTION_VALUE, "ADDRESS",
		"envelope sender; empty or MAILER-DAEMON: the null sender"},
	{"recipient", OPTION_VALUE, "ADDRESS", "envelope recipient"},
	{"original-recipient", OPTION_VALUE, "ADDRESS", "recipient before rewriting"},
	{"client-address", OPTION_VALUE, "ADDRESS", "IP address of the client"},
	{"client-helo", OPTION_VALUE, "NAME", "what it said in HELO"},
	{"client-name", OPTION_VALUE, "NAME",
		"its name by reverse DNS, checked by the mail server"},
	{"queue-id", OPTION_VALUE, "ID", "the mail server's queue id, for the log"},
	{NULL, OPTION_FLAG, NULL, NULL},
};

/* An option that the mail server left empty is the same as one not given. */
static const char *find_value(const struct command_run *run, const char *name)
{
	const char *value = command_option(run, name);

	return value == NULL || *value == '\0' ? NULL : value;
}

static void read_envelope(const struct command_run *run, struct envelope *envelope)
{
	const char *sender = command_option(run, "sender");
	const char *client = find_value(run, "client-address");
	const char *name = find_value(run, "client-name");

	memset(envelope, 0, sizeof(*envelope));
	if (sender != NULL) {
		char *address = address_normalise(run->context, sender);
		envelope->has_sender = true;
		envelope->sender = address_is_null_sender(sender) ? ""
				   : address == NULL		  ? sender
								  : address;
	}
	envelope->recipient = find_value(run, "recipient");
	envelope->original_recipient = find_value(run, "original-recipient");
	envelope->client_helo = find_value(run, "client-helo");
	envelope->queue_id = find_value(run, "queue-id");
	if (client != NULL)
		envelope->has_client = netaddr_parse(client, &envelope->client);
	if (name != NULL && strcmp(name, "unknown") != 0)
		envelope->client_name = text_lower(run->context, name);
}

static void log_digest(void *argument, const char *list, enum status status, const char *what)
{
	(void)argument;
	if (status == STATUS_OK)
		log_info("digest list=%s sent: %s", list, what);
	else
		log_warning("digest list=%s not sent: %s", list, what);
}

/* A host without a timer must not leave owners without what they are owed. The message itself is
 * safe by now, whatever becomes of this. */
static void send_digest(const struct command_run *run, const struct judgement *judgement)
{
	const struct digest_run digest = {
		.pipeline = run->pipeline,
		.list = judgement->list == NULL ? NULL : judgement->list->address,
		.is_delivery = true,
		.tell = log_digest,
	};

	if (digest.list != NULL && run->state != NULL)
		pipeline_send_digests(&digest);
}

enum status deliver_run(struct command_run *run)
{
	struct envelope envelope;
	struct judgement judgement;
	struct event event;
	struct bytes message;
	const char *error = NULL;

	if (run->argument_count > 0)
		return command_misused(run, "unexpected argument; options are --name=value");
	enum status status = source_read_all(run->context, STDIN_FILENO, &message);
	if (status != STATUS_OK)
		return command_failed(run, status, "standard input: %s", status_text(status));
	if (message.size == 0) /* a mail server that died, not a message */
		return command_failed(run, STATUS_DATA, "standard input is empty");
	read_envelope(run, &envelope);
	pipeline_judge(run->pipeline, run->context, message, &envelope, &judgement);
	status = pipeline_act(run->pipeline, run->context, &judgement, &event, &error);
	if (status != STATUS_OK)
		return command_failed(run, status, "%s: deferred: %.*s",
			action_name(judgement.decision.target.action), ERROR_SHOWN_MAX,
			error == NULL ? status_text(status) : error);
	log_info("%s", pipeline_log_line(run->context, &judgement, &event));
	send_digest(run, &judgement);
	return STATUS_OK;
}
