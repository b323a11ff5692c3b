/* prune.h: old records go, by hand. What expires by itself does so without (README.md, Retention).
 */
#ifndef BACKSTOP_STATE_PRUNE_H
#define BACKSTOP_STATE_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "state/state.h"

/* Something that can be pruned; static. The list ends with a name that is NULL. */
struct prune_kind {
	const char *name;
	const char *text; /* what goes: "events: decisions that were taken before" */
};
extern const struct prune_kind prune_kinds[];

struct prune_result {
	uint64_t looked_at;
	uint64_t removed; /* or, is_dry, what would be */
};

/* Removes what is of before before_s, in as many short transactions as are needed, so that
 * deliveries get in between; after a failure, or a kill, a part is gone and what is left fits
 * together. is_dry: only counts. STATUS_NOT_FOUND when nothing of that name can be pruned. */
enum status state_prune(struct state *state, const char *name, int64_t before_s, bool is_dry,
	struct prune_result *result_out);

#endif
