/* dump_form.h: what dump.c and load.c share of the form of a dump (dump.h). */
#ifndef BACKSTOP_STATE_DUMP_FORM_H
#define BACKSTOP_STATE_DUMP_FORM_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>

#define DUMP_HEAD "backstop-dump 1"
#define DUMP_DATABASE "database "
#define DUMP_END "end "
#define DUMP_RECORD '='
#define DUMP_ESCAPE '\\'
#define DUMP_EMPTY "\\e"

/* Parses a line without its end, in place: key and value lie in it. False when it is no record. */
bool dump_parse_record(char *line, size_t length, MDB_val *key_out, MDB_val *value_out);

#endif
