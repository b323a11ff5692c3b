/* said.h: what a report says of each recipient that was found in it; internal to dialect.c and
 * said.c.
 */
#ifndef BACKSTOP_CLASSIFY_SAID_H
#define BACKSTOP_CLASSIFY_SAID_H

#include "classify/search.h"

/* For each recipient of the search what the words say of him, cleaned, as one line, or NULL where
 * they say nothing: on the search's context, search->count of them. */
const char **said_find(const struct search *search);

#endif
