/* csv.h: a line of comma-separated values (RFC 4180) from foreign text. */
#ifndef BACKSTOP_BASE_CSV_H
#define BACKSTOP_BASE_CSV_H

/* Appends a field to a line that it made on the context (NULL: this is the first one); use the
 * result in its place. The value is cleaned and cut at 2000 bytes, and quoted where it must be; one
 * that a spreadsheet would take for a formula gets a ' in front. NULL is an empty field. */
char *csv_append(char *line, const void *context, const char *value);

#endif
