/* parent.h: the address that was mailed, where an alias or a .forward led to the one that failed.
 */
#ifndef BACKSTOP_CLASSIFY_PARENT_H
#define BACKSTOP_CLASSIFY_PARENT_H

#include "classify/bounce.h"

/* Exim and Postfix write "ann@example.net (generated from bob@example.com)" in the words of a
 * report whose fields give ann@example.net alone. Such recipients get the address that was mailed;
 * final stays. */
void parent_find(const void *context, const struct mail *mail, struct bounce *bounce);

#endif
