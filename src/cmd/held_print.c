/*
 * held_print.c: how held messages look.
 *
 * In charge of columns, keys and of cleaning: whatever is printed was written by strangers, and a
 * terminal obeys escape sequences. The table has fixed columns, since it is printed while it is
 * read: a storm leaves a hundred thousand rows.
 */
#include "cmd/held_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

enum {
	COLUMN_TEXT_MAX = 64, /* bytes of an address in the table */
	VALUE_TEXT_MAX = 2048,
	LINE_TEXT_MAX = 4096 /* of a message */
};

#define ROW_FORMAT "%-14s  %-20s  %-11s  %-11s  %5s  %-32s  %-32s  %-14s  %s\n"

/* What the record says, as clean text. NULL where it says nothing. */
struct texts {
	char id[EVENT_ID_TEXT_MAX];
	char time[CLOCK_TEXT_MAX];
	char expires_buffer[CLOCK_TEXT_MAX];
	const char *expires; /* NULL: never */
	const char *list;
	const char *reporter;
	const char *sender;
	const char *recipient;
	const char *failed;
	const char *message_id;
	const char *queue_id;
	const char *evidence;
	const char *reason;
	const char *status;
	const char *permanence;
	const char *file;
};

/* To be freed. */
static struct texts *make_texts(const struct held *held, size_t limit)
{
	struct texts *texts = mem_new(NULL, struct texts);
	const struct event *event = &held->event;

	event_id_format(event->id, texts->id);
	clock_format_iso(event->time_s, texts->time);
	if (held->expires_s != 0) {
		clock_format_iso(held->expires_s, texts->expires_buffer);
		texts->expires = texts->expires_buffer;
	}
	texts->list = text_clean_string(texts, event->list, limit);
	texts->reporter = text_clean_string(texts, event->reporter, limit);
	texts->sender = text_clean_string(texts, event->sender, limit);
	texts->recipient = text_clean_string(texts, event->recipient, limit);
	texts->failed = text_clean_string(texts, event->failed, limit);
	texts->message_id = text_clean_string(texts, event->message_id, limit);
	texts->queue_id = text_clean_string(texts, event->queue_id, limit);
	texts->evidence = text_clean_string(texts, event->evidence, limit);
	texts->reason = text_clean_string(texts, event->reason, limit);
	texts->status = text_clean_string(texts, event->status, limit);
	texts->permanence = text_clean_string(texts, event->permanence, limit);
	texts->file = text_clean_string(texts, held->file, limit);
	return texts;
}

static const char *or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

void held_print_heading(void)
{
	printf(ROW_FORMAT, "ID", "TIME", "KIND", "VERDICT", "SCORE", "LIST", "FAILED RECIPIENT",
		"REASON", "EXPIRES");
}

enum status held_print_row(const struct held *held)
{
	struct texts *texts = make_texts(held, COLUMN_TEXT_MAX);
	const struct event *event = &held->event;

	printf(ROW_FORMAT, texts->id, texts->time, kind_name(event->kind),
		verdict_name(event->verdict), mem_printf(texts, "%d", event->score),
		or_dash(texts->list), or_dash(texts->failed), or_dash(texts->reason),
		texts->expires != NULL ? texts->expires : "never");
	mem_free(texts);
	return STATUS_OK;
}

enum status held_print_json(const struct held *held)
{
	struct texts *texts = make_texts(held, VALUE_TEXT_MAX);
	const struct event *event = &held->event;
	enum status status = STATUS_IO;
	json_t *object =
		json_pack("{ss ss ss ss si ss ss ss? ss? ss? ss? ss? ss? ss? ss? ss? ss? ss? "
			  "sI sI ss ss?}",
			"id", texts->id, "time", texts->time, "kind", kind_name(event->kind),
			"verdict", verdict_name(event->verdict), "score", event->score, "action",
			action_name(event->action), "policy", action_name(event->policy), "list",
			texts->list, "reporter", texts->reporter, "sender", texts->sender,
			"recipient", texts->recipient, "failed", texts->failed, "reason",
			texts->reason, "status", texts->status, "permanence", texts->permanence,
			"message_id", texts->message_id, "queue_id", texts->queue_id, "evidence",
			texts->evidence, "size", (json_int_t)event->size, "stored",
			(json_int_t)event->stored, "file", texts->file, "expires", texts->expires);

	if (object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF)
		status = STATUS_OK;
	json_decref(object);
	mem_free(texts);
	return status;
}

void held_print_csv_heading(void)
{
	puts("id,time,kind,verdict,score,action,policy,list,reporter,sender,recipient,failed,"
	     "reason,"
	     "status,permanence,message_id,queue_id,evidence,size,stored,file,expires");
}

enum status held_print_csv(const struct held *held)
{
	struct texts *texts = make_texts(held, VALUE_TEXT_MAX);
	const struct event *event = &held->event;
	const char *const before[] = {
		texts->id, texts->time, kind_name(event->kind), verdict_name(event->verdict)};
	const char *const between[] = {action_name(event->action), action_name(event->policy),
		texts->list, texts->reporter, texts->sender, texts->recipient, texts->failed,
		texts->reason, texts->status, texts->permanence, texts->message_id, texts->queue_id,
		texts->evidence};
	char *line = NULL;

	for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
		line = csv_append(line, texts, before[i]);
	line = mem_append(line, ",%d", event->score); /* a number, though it may begin with - */
	for (size_t i = 0; i < sizeof between / sizeof between[0]; i++)
		line = csv_append(line, texts, between[i]);
	line = mem_append(line, ",%llu,%llu", (unsigned long long)event->size,
		(unsigned long long)event->stored);
	line = csv_append(line, texts, texts->file);
	line = csv_append(line, texts, texts->expires);
	puts(line);
	mem_free(texts);
	return STATUS_OK;
}

void held_print_record(const struct held *held)
{
	struct texts *texts = make_texts(held, VALUE_TEXT_MAX);
	const struct event *event = &held->event;
	const struct {
		const char *name;
		const char *value;
	} rows[] = {
		{"id", texts->id},
		{"time", texts->time},
		{"kind", kind_name(event->kind)},
		{"verdict", verdict_name(event->verdict)},
		{"score", mem_printf(texts, "%d", event->score)},
		{"evidence", texts->evidence},
		{"action", action_name(event->action)},
		{"list", texts->list},
		{"reporter", texts->reporter},
		{"sender",
			texts->sender != NULL && texts->sender[0] == '\0' ? "<>" : texts->sender},
		{"recipient", texts->recipient},
		{"failed", texts->failed},
		{"reason", texts->reason},
		{"status", texts->status},
		{"permanence", texts->permanence},
		{"message-id", texts->message_id},
		{"queue-id", texts->queue_id},
		{"size", mem_printf(texts, "%llu", (unsigned long long)event->size)},
		{"stored", mem_printf(texts, "%llu", (unsigned long long)event->stored)},
		{"file", texts->file},
		{"expires", texts->expires != NULL ? texts->expires : "never"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		printf("%-10s  %s\n", rows[i].name, or_dash(rows[i].value));
	putchar('\n');
	mem_free(texts);
}

void held_print_message(struct bytes message)
{
	size_t end = message.size < HELD_SHOW_MAX ? message.size : HELD_SHOW_MAX;

	for (size_t at = 0; at < end;) {
		const unsigned char *start = message.data + at;
		const unsigned char *stop = memchr(start, '\n', end - at);
		size_t size = stop != NULL ? (size_t)(stop - start) : end - at;
		size_t shown = size > 0 && start[size - 1] == '\r' ? size - 1 : size;
		char *line = text_clean(NULL, (struct bytes){start, shown}, LINE_TEXT_MAX);

		puts(line);
		mem_free(line);
		at += size + 1;
	}
	if (end < message.size)
		printf("(%zu more bytes; --raw writes them all)\n", message.size - end);
}
