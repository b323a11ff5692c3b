/* relay.h: a bounce that reached us inside another mail: a list manager or a gateway passed it on,
 * attached or as text. */
#ifndef BACKSTOP_CLASSIFY_RELAY_H
#define BACKSTOP_CLASSIFY_RELAY_H

#include "classify/evidence.h"

/* The bounce inside, taken apart, on context; NULL when there is none, or when the mail around it
 * names somebody itself: then that one failed, and what is inside is the original. Only for mail
 * that a mail system wrote. */
const struct mail *relay_find(const void *context, struct evidence_text *text);

#endif
