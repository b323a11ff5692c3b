/* held_choice.h: which held messages the options and IDs of backstop held mean. */
#ifndef BACKSTOP_CMD_HELD_CHOICE_H
#define BACKSTOP_CMD_HELD_CHOICE_H

#include "base/netaddr.h"
#include "base/privacy.h"
#include "cmd/command.h"
#include "state/record.h"

/* What the options choose; strings on the run's context. */
struct held_choice {
	const char *list;
	enum verdict verdict;
	enum kind kind;
	enum reason reason;
	struct netblock reporter;
	const char *recipient;
	char recipient_mark[PRIVACY_MARK_MAX]; /* what may stand for it in a record; "" */
	int64_t since_s;
	int64_t until_s;
	unsigned rows;	 /* one bit for each option that was given */
	bool is_expired; /* only what expires until expired_s */
	int64_t expired_s;
};

/* From the options of this run; STATUS_USAGE, and it is said, when a value is none. */
enum status held_choice_read(const struct command_run *run, struct held_choice *choice_out);

/* True when some message may not match: an option other than --all and --expired was given. */
bool held_choice_is_narrow(const struct held_choice *choice);

/* True when the option is one of those that choose: "list", "verdict", ... */
bool held_choice_has_option(const char *name);

/* Whether the message is meant. */
bool held_choice_matches(const struct held_choice *choice, const struct held *held);

/* Numbers that grow: IDs, or hashes. */
struct held_ids {
	uint64_t *ids;
	size_t count;
	size_t room;
};
void held_ids_add(const void *context, struct held_ids *ids, uint64_t id);

/* The IDs of all that match, oldest first. */
enum status held_choose(
	struct command_run *run, const struct held_choice *choice, struct held_ids *ids_out);

#endif
