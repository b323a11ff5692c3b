/* rules_dir.h: the rules of the configuration's rules-dir, read once at the start. */
#ifndef BACKSTOP_CMD_RULES_DIR_H
#define BACKSTOP_CMD_RULES_DIR_H

#include "base/status.h"

/* Reads each NAME.rules of directory and puts it in force (classify/rule_set.h). Stops at the first
 * that is wrong: STATUS_CONFIG, or STATUS_NO_INPUT when the directory cannot be read. error_out: a
 * sentence with file and line, on context. */
enum status rules_dir_read(const void *context, const char *directory, const char **error_out);

#endif
