/*
 * fuzz_mail.c: one message through everything that looks at it: read, classify, weigh, decide, and
 * each way in which the result is printed, logged and sent on. It aborts when what comes out is not
 * what its readers rely on: JSON that does not parse, a control character in a line.
 *
 * No target of the Makefile builds it. By hand, from the top of the tree:
 *
 *   flags="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined"
 *   make CC=clang BUILD=build/fuzz CFLAGS="$flags -fsanitize=fuzzer-no-link"
 * build/fuzz/libbackstop.a libs="gmime-3.0 talloc libconfuse lmdb libcrypto jansson libpcre2-8"
 *   clang -std=c11 -D_GNU_SOURCE $flags -fsanitize=fuzzer -Isrc -I. $(pkg-config --cflags $libs) \
 *       -o fuzz_mail tests/fuzz/fuzz_mail.c build/fuzz/libbackstop.a $(pkg-config --libs $libs)
 *   ./fuzz_mail -max_len=65536 -timeout=5 NEW-INPUTS tests/mail/dsn
 *
 * With -DFUZZ_REPLAY in place of -fsanitize=fuzzer, gcc builds it too (after make SAN=1, with
 * build/san/libbackstop.a); its arguments are then files.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/compose.h"
#include "base/log.h"
#include "base/memory.h"
#include "cmd/command.h"
#include "cmd/judgement_format.h"
#include "pipeline.h"
#include "replay.h"

static struct pipeline *pipeline;

/* explain.c stands for a command, too, which nobody calls here; main.c has these. */
enum status command_misused(const struct command_run *run, const char *format, ...)
{
	(void)run;
	(void)format;
	abort();
}

enum status command_failed(
	const struct command_run *run, enum status status, const char *format, ...)
{
	(void)run;
	(void)status;
	(void)format;
	abort();
}

/* A world in which all checks have something to say. */
static const char world[] = "mode = enforce\n"
			    "state = \"/nonexistent\"\n"
			    "domain \"lists.example.org\" {\n"
			    "\tsenders = {\"192.0.2.10\", \"2001:db8::/48\"}\n"
			    "\ttag-keys = \"%s\"\n"
			    "\ttagged = all\n"
			    "\tsent-log = complete\n"
			    "}\n"
			    "list \"announce@lists.example.org\" {\n"
			    "\towners = {\"alice@example.org\"}\n"
			    "}\n";

static const char key[] =
	"1 2026-11-01 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

/* The file is the caller's to remove. */
static char *write_file(const char *text)
{
	char *path = mem_strdup(NULL, "/tmp/backstop-fuzz-XXXXXX");
	int descriptor = mkstemp(path);

	if (descriptor < 0 || write(descriptor, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(descriptor);
	return path;
}

int LLVMFuzzerInitialize(int *count, char ***words)
{
	char *keys = write_file(key);
	char *path = write_file(mem_printf(keys, world, keys));
	const struct config *config;
	struct config_faults faults;
	static const char first[] = "Delivered-To: announce-bounces@lists.example.org\n"
				    "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\n\n";

	(void)count;
	(void)words;
	if (config_read(NULL, path, &config, &faults) != STATUS_OK) {
		fprintf(stderr, "%s\n", faults.items[0].text);
		abort();
	}
	/* GLib's warnings about hostile mail are no findings; thousands of them are slow. */
	log_open("/dev/null", LOG_LEVEL_ERROR);
	mail_library_open();
	pipeline = pipeline_new(NULL, config, NULL);
	pipeline->now = 1795461562;
	/* Has the keys read, while they are there. */
	LLVMFuzzerTestOneInput((const uint8_t *)first, strlen(first));
	unlink(path);
	unlink(keys);
	mem_free(path);
	mem_free(keys);
	return 0;
}

/* The form of UTF-8 of what text_clean takes out: C0, DEL, C1, line separators, bidi controls. */
static void require_clean(const char *what, const char *text, const char *allowed)
{
	static const char *const forbidden[] = {
		"\xC2\x80", "\xC2\x85", "\xC2\x9B", "\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x81\xA6"};

	for (const char *c = text; *c != '\0'; c++) {
		if (((unsigned char)*c < ' ' || *c == 0x7F) && strchr(allowed, *c) == NULL) {
			fprintf(stderr, "%s: byte %#x in: %s\n", what, (unsigned char)*c, text);
			abort();
		}
	}
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		if (strstr(text, forbidden[i]) != NULL) {
			fprintf(stderr, "%s: control character %zu in: %s\n", what, i, text);
			abort();
		}
	}
}

static void check_json(const void *context, const struct judgement *judgement)
{
	json_error_t error;
	const char *line = judgement_format_json(context, judgement, "fuzz", 1);
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);

	if (object == NULL || json_object_size(object) != 12) {
		fprintf(stderr, "not the JSON that was promised (%s): %s\n", error.text, line);
		abort();
	}
	json_decref(object);
	require_clean("json", line, "");
}

/* The header of what is handed to sendmail: every line is a field or goes on with one. */
static void check_header(struct bytes message)
{
	const unsigned char *end = memmem(message.data, message.size, "\n\n", 2);
	char *header;

	if (end == NULL)
		abort();
	header = mem_strndup(NULL, (const char *)message.data, (size_t)(end - message.data));
	require_clean("summary", header, "\n\t");
	for (char *line = header, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (strlen(line) > 998 ||
			(*line != '\t' && *line != ' ' && strcspn(line, ":") == strlen(line))) {
			fprintf(stderr, "a line of the summary's header: %s\n", line);
			abort();
		}
	}
	mem_free(header);
}

/* What pipeline_act.c makes of a judgement is its own; this is as much foreign text. */
static void compose(const void *context, const struct judgement *judgement)
{
	static const char *const owners[] = {"alice@example.org"};
	const struct bounce *bounce = judgement->bounce;
	const struct part *report = part_find(judgement->mail->root, "message/delivery-status");
	const struct headers *headers = &bounce->original.headers;
	struct notice notice = {
		.list = "announce@lists.example.org",
		.subject = bounce->recipient_count > 0 ? bounce->recipients[0].address
						       : bounce->original.subject,
		.verdict = verdict_name(judgement->weighing.verdict),
		.kind = kind_name(bounce->kind),
		.text = bounce->original.to,
		.time_s = pipeline->now,
	};
	struct compose_facts facts = {&notice, owners, 1, "mx.example.org", "abcdefgh"};

	if (report != NULL)
		notice.report = report->content;
	if (headers->count > 0)
		notice.original_headers = (struct bytes){headers->items[0].raw.data,
			(size_t)(headers->items[headers->count - 1].raw.data +
				 headers->items[headers->count - 1].raw.size -
				 headers->items[0].raw.data)};
	check_header(compose_summary(context, &facts));
	compose_top(context, &facts, judgement->mail->raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *context = mem_context(NULL, "fuzz");
	struct judgement judgement;
	struct event event = {.id = 1};
	char *explained = NULL;
	size_t explained_size;

	pipeline_judge(pipeline, context, (struct bytes){data, size}, NULL, &judgement);
	check_json(context, &judgement);
	require_clean("csv", judgement_format_csv(context, &judgement, "fuzz", 2), "");
	require_clean("text", judgement_format_text(context, &judgement, "fuzz", 2), "");
	pipeline_log_line(context, &judgement, &event); /* log.c cleans it */
	FILE *out = open_memstream(&explained, &explained_size);
	judgement_explain(context, &judgement, out);
	fclose(out);
	require_clean("explain", explained, "\n");
	free(explained);
	compose(context, &judgement);
	mem_free(context);
	return 0;
}
