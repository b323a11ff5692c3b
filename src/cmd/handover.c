/*
 * handover.c: runs the real sendmail.
 *
 * In charge of its command line and of what many runs come to. Leaves the message and who signs it
 * to submit.c.
 *
 * Surprising: the first failure ends the whole as long as nothing was handed over and the code does
 * not blame the address: the queue is full or the mail system down, and the caller may safely try
 * again. Later failures are tried again once, after all others. If some are left then, the code is
 * 75: a caller that repeats everything sends some copies twice, which is better than some never.
 */
#include "cmd/handover.h"

#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"

#define OUTPUT_MAX (64 * 1024) /* bytes of the real sendmail's output that are shown */

/* The exit code; EX_TEMPFAIL when it could not be started or was killed. */
static int run_sendmail(
	const void *context, const struct handover *handover, const char *const *argv)
{
	struct process_request request = {
		.argv = argv,
		.input = handover->pieces,
		.input_count = handover->piece_count,
		.output_limit = OUTPUT_MAX,
	};
	struct process_result result;
	enum status status = process_run(context, &request, &result);

	if (status != STATUS_OK) {
		log_error("submit: cannot run %s: %s", argv[0], status_text(status));
		return EX_TEMPFAIL;
	}
	fputs(result.output, stderr);
	if (result.signal == 0)
		return result.exit_code;
	log_error("submit: %s was ended by signal %d", argv[0], result.signal);
	return EX_TEMPFAIL;
}

static int run_unchanged(const void *context, const struct handover *handover)
{
	const char **argv = mem_new_array(context, const char *, handover->word_count + 2);

	argv[0] = handover->sendmail;
	for (size_t i = 0; i < handover->word_count; i++)
		argv[i + 1] = handover->words[i];
	return run_sendmail(context, handover, argv);
}

/* SENDMAIL -i OPTIONS -f SENDER [-t] [-- RECIPIENT...] */
static int run_signed(const void *context, const struct handover *handover, const struct run *run)
{
	const struct sendmail_args *args = handover->args;
	const char **argv =
		mem_new_array(context, const char *, args->kept_count + args->recipient_count + 10);
	size_t count = 0;

	argv[count++] = handover->sendmail;
	argv[count++] = "-i";
	for (size_t i = 0; i < args->kept_count; i++)
		argv[count++] = args->kept[i];
	if (handover->envelope_id != NULL) {
		argv[count++] = "-V";
		argv[count++] = handover->envelope_id;
	}
	argv[count++] = "-f";
	argv[count++] = run->sender != NULL ? run->sender : args->sender;
	if (run->word == NULL && args->reads_header)
		argv[count++] = "-t";
	if (run->word != NULL || args->recipient_count > 0)
		argv[count++] = "--";
	if (run->word != NULL)
		argv[count++] = run->word;
	for (size_t i = 0; run->word == NULL && i < args->recipient_count; i++)
		argv[count++] = args->recipients[i];
	return run_sendmail(context, handover, argv);
}

/* Codes by which a sendmail refuses one recipient, which says nothing about the others. */
static bool is_about_recipient(int code)
{
	return code == EX_USAGE || code == EX_DATAERR || code == EX_NOUSER || code == EX_NOHOST;
}

/* Tries those that were not handed over. Returns how many have been by now. */
static size_t run_all(
	const void *context, const struct handover *handover, size_t sent, bool is_retry)
{
	for (size_t i = 0; i < handover->run_count; i++) {
		struct run *run = &handover->runs[i];

		if (is_retry && (run->code == EX_OK || is_about_recipient(run->code)))
			continue;

		void *scratch = mem_context(context, "run");

		run->code = run_signed(scratch, handover, run);
		mem_free(scratch);
		if (run->code == EX_OK)
			sent++;
		else if (sent == 0 && !is_about_recipient(run->code))
			break;
	}
	return sent;
}

/* The first code that is no success; those about the mail system come first. */
static int find_failure(const struct handover *handover)
{
	int found = EX_OK;

	for (size_t i = 0; i < handover->run_count; i++) {
		int code = handover->runs[i].code;

		if (code != EX_OK && (found == EX_OK || (is_about_recipient(found) &&
								!is_about_recipient(code))))
			found = code;
	}
	return found;
}

int handover_run(const void *context, const struct handover *handover)
{
	size_t count = handover->run_count;
	size_t sent;
	int code;

	if (count == 0)
		return run_unchanged(context, handover);
	sent = run_all(context, handover, 0, false);
	if (sent > 0 && sent < count)
		sent = run_all(context, handover, sent, true);
	code = find_failure(handover);
	if (code == EX_OK || sent == 0)
		return code;
	log_error("submit: %zu of %zu recipients were not handed to %s, which ended with %d; the "
		  "others were",
		count - sent, count, handover->sendmail, code);
	return is_about_recipient(code) ? code : EX_TEMPFAIL;
}
