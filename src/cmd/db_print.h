/* db_print.h: what `backstop db stat` and `db check` say, as text or as one JSON object. */
#ifndef BACKSTOP_CMD_DB_PRINT_H
#define BACKSTOP_CMD_DB_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "state/state.h"

struct db_figures {
	const char *directory;
	struct state_size size;
	struct state_database *databases; /* state_database_count() */
};
enum status db_print_figures(const struct db_figures *figures, bool is_json, FILE *out);

struct db_verdict {
	const char *directory;
	struct state_database *databases;
	enum status *results; /* of reading each */
	uint64_t faults;
	unsigned unreadable;
};
enum status db_print_verdict(const struct db_verdict *verdict, bool is_json, FILE *out);

#endif
