/*
 * roster.h: the index of rosters: who is on a list's file of members, and who left it and when, so
 * that a delivery answers with one look-up and reads the file only when that has changed.
 *
 * A renewal writes only what differs from the file, in several small transactions, so that it does
 * not keep other deliveries from theirs. Whoever asks meanwhile gets, for each address, the old
 * answer or the new one; the file's stamp is recorded last. One process renews at a time (a lock on
 * STATE/roster.lock, which ends with its holder); a renewal that was cut short is carried on with
 * by the next.
 */
#ifndef BACKSTOP_STATE_ROSTER_H
#define BACKSTOP_STATE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/roster_file.h"
#include "base/status.h"
#include "state/state.h"

#define ROSTER_LEFT_KEPT_S (30 * 86400) /* how long who left is remembered */

enum roster_presence {
	ROSTER_ABSENT = 0,
	ROSTER_LEFT, /* was on it; at most ROSTER_LEFT_KEPT_S ago */
	ROSTER_PRESENT
};

struct roster_answer {
	bool is_indexed;	       /* a file was read to its end once */
	struct roster_stamp stamp;     /* of the file that was read last */
	uint64_t members;	       /* entries for them */
	int64_t first_s;	       /* when the index began */
	enum roster_presence presence; /* the best of the addresses */
	int64_t left_s;		       /* of ROSTER_LEFT */
};

/* Asks for each of the addresses (normalised) in one read transaction. path: of the roster. No
 * index is STATUS_OK. */
enum status roster_find(struct state *state, const char *path, const char *const *addresses,
	size_t count, int64_t now, struct roster_answer *answer_out);

/* Makes the index what the file is. STATUS_TIMEOUT when another process is at it, or budget_ms were
 * not enough; STATUS_NO_INPUT, STATUS_DATA and the like when the file cannot be used, and then
 * nothing was changed. why_out: a phrase, static, of what is not STATUS_OK. Several write
 * transactions, none of them long. */
enum status roster_renew(struct state *state, const char *path, int64_t now, int64_t budget_ms,
	const char **why_out);

#endif
