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

/* Adds a file's text in front of the rules of the same name. A rule with the type and name of one
 * that is there is asked in its place; one that is off takes it away. path is what errors call the
 * file. STATUS_DATA, and nothing is changed, when it does not parse, or when a rule has a fault
 * (rule_fault.h), a name that another has, or a type that this file is not asked for;
 * STATUS_NOT_FOUND when file is none of rule_set_files. error_out: "PATH:LINE: what is wrong", on
 * context. */
enum status rule_set_extend(const void *context, const char *file, const char *path,
	const char *text, const char **error_out);

/* Calls visitor for each line of a rule in force of which a regex has given up in this process. */
typedef void rule_set_visitor(
	void *argument, const struct rule *rule, const struct rule_line *line);
void rule_set_visit_given_up(rule_set_visitor *visitor, void *argument);

#endif
