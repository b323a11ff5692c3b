/*
 * postfix_entry.h: one line of Postfix's log, taken apart as far as the text behind its queue id.
 * The forms are those of postfix_log.h. Touches no files and no state.
 */
#ifndef BACKSTOP_CMD_POSTFIX_ENTRY_H
#define BACKSTOP_CMD_POSTFIX_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#define POSTFIX_QUEUE_ID_MIN 5
#define POSTFIX_QUEUE_ID_MAX 31
#define POSTFIX_INSTANCE_MAX 63

/* What a time without a year is read by; begin with now and the rest 0. */
struct postfix_clock {
	int64_t now;
	char stamp[16]; /* the last syslog time */
	int64_t stamp_s;
};

/* One line, taken apart; lent from the text that it was read from. */
struct postfix_entry {
	int64_t time_s;
	char instance[POSTFIX_INSTANCE_MAX + 1]; /* "postfix-out" of postfix-out/smtp */
	char service[POSTFIX_INSTANCE_MAX + 1];	 /* "smtp" */
	char queue_id[POSTFIX_QUEUE_ID_MAX + 1]; /* "" when the line has none */
	char *text;				 /* behind the queue id */
};

/* False when it is not a line of a program such as Postfix's. entry_out: all 0 before; its time may
 * be later than now, by a day at most where the line has no year. */
bool postfix_entry_read(struct postfix_clock *clock, char *text, struct postfix_entry *entry_out);

/* Copies a part of a name into POSTFIX_INSTANCE_MAX + 1 bytes; false when it is empty or too long.
 */
bool postfix_entry_copy_name(char *name_out, const char *start, const char *end);

#endif
