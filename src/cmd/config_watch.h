/* config_watch.h: changes of the configuration, entered in the account. */
#ifndef BACKSTOP_CMD_CONFIG_WATCH_H
#define BACKSTOP_CMD_CONFIG_WATCH_H

#include <stdint.h>

#include "base/config.h"

/* Compares the file of the configuration with what is remembered of it, and enters what changed,
 * each section for itself; by: the command that looks ("check"). A file that is named to be tried
 * out is left alone: another one than the last time counts where it is the one that is read without
 * -c, or where the last one is gone. Writes only where something did, as the owner of the state
 * (state_owner.h); no state may be open. STATUS_NO_INPUT where there is no state. */
enum status config_watch(const struct config *config, int64_t now, const char *by);

#endif
