/* held_print.h: held messages as text and JSON on standard output. Foreign text is cleaned. */
#ifndef BACKSTOP_CMD_HELD_PRINT_H
#define BACKSTOP_CMD_HELD_PRINT_H

#include "base/bytes.h"
#include "base/status.h"
#include "state/record.h"

#define HELD_SHOW_MAX (1024 * 1024) /* bytes of a message that are shown; --raw writes all */

/* The heading of the table, and one line of it. */
void held_print_heading(void);
enum status held_print_row(const struct held *held);

/* One JSON object on a line, keys always there. STATUS_IO when it cannot be written. */
enum status held_print_json(const struct held *held);

/* CSV (RFC 4180): the names of the columns, which are the keys of the JSON form, and a row. */
void held_print_csv_heading(void);
enum status held_print_csv(const struct held *held);

/* The record, one value a line, and an empty line. */
void held_print_record(const struct held *held);

/* The message, each line made safe for a terminal. */
void held_print_message(struct bytes message);

#endif
