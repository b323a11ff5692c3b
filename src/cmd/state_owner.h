/*
 * state_owner.h: writing into a state that belongs to another user, as that user.
 *
 * What root writes into the state of the agent, the agent could not open; yet root changes
 * configurations and makes keys, and that is to be accounted for.
 */
#ifndef BACKSTOP_CMD_STATE_OWNER_H
#define BACKSTOP_CMD_STATE_OWNER_H

#include <stdbool.h>

#include "base/status.h"
#include "state/audit.h"

typedef enum status owner_job(void *argument);

/* True when there is a state in directory. */
bool state_is_there(const char *directory);

/* Runs job: in this process, or, for root before the state of somebody else, in a child that has
 * become him for good. What job changes in memory is lost then. No state may be open. Its result,
 * or STATUS_CHILD. */
enum status state_owner_run(const char *directory, owner_job *job, void *argument);

/* Writes one entry of the account. STATUS_NO_INPUT, and none is made, where there is no state. */
enum status state_owner_audit(const char *directory, const struct audit_entry *entry);

#endif
