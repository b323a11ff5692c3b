/* boundary.h: the boundary of parts that no header field declares. */
#ifndef BACKSTOP_READ_BOUNDARY_H
#define BACKSTOP_READ_BOUNDARY_H

#include "base/bytes.h"

/* What stands behind "--" in the first such line of a body, where that line begins a part with a
 * Content- field, there or further down; on context, or NULL. In front of it stands nothing but a
 * word for old mail programs: a report that quotes its original below names an address before that.
 */
char *boundary_guess(const void *context, struct bytes body);

#endif
