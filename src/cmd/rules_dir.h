/* rules_dir.h: the rules of the configuration's rules-dir, read once at the start. */
#ifndef BACKSTOP_CMD_RULES_DIR_H
#define BACKSTOP_CMD_RULES_DIR_H

#include "base/status.h"

/* Told of each file that is not put in force: a sentence, with the line where one is to blame. */
typedef void rules_dir_problem(void *argument, const char *what);

/* Reads each NAME.rules of directory and puts it in force (classify/rule_set.h). A file that is
 * wrong is left out as a whole, the others count: STATUS_CONFIG, or STATUS_NO_INPUT when the
 * directory cannot be read. */
enum status rules_dir_read(
	const void *context, const char *directory, rules_dir_problem *problem, void *argument);

/* Tells of each line of a rule from a rules-dir of which a regex went on too long, and so counted
 * as one that finds nothing, since the program began. */
void rules_dir_report_slow(rules_dir_problem *problem, void *argument);

#endif
