/* rule_set.h: the rules that are in force: those compiled in from rules/, and those that a
 * rules-dir of the configuration adds or puts in their place. */
#ifndef BACKSTOP_CLASSIFY_RULE_SET_H
#define BACKSTOP_CLASSIFY_RULE_SET_H

#include "classify/rule.h"

/* The names of the files of rules in this syntax, ending with NULL. */
extern const char *const rule_set_files[];

/* The rules of one file, parsed once a process; empty when there is no such file. An error in those
 * that are compiled in is our mistake: the tests and `backstop rules check` find it. */
const struct rules *rule_set_find(const char *file);

/* Adds a file's text in front of the rules of the same name; a rule with the type and name of one
 * that is there takes its place. path is what errors call the file. STATUS_DATA, and nothing is
 * changed, when it does not parse; STATUS_NOT_FOUND when file is none of rule_set_files. error_out:
 * a sentence. */
enum status rule_set_extend(const void *context, const char *file, const char *path,
	const char *text, const char **error_out);

#endif
