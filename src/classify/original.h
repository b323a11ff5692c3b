/* original.h: finds what came back of the original message. */
#ifndef BACKSTOP_CLASSIFY_ORIGINAL_H
#define BACKSTOP_CLASSIFY_ORIGINAL_H

#include "classify/bounce.h"

/* Fills original_out from, in this order: a message/rfc822 part behind the report, a
 * text/rfc822-headers part, an encoded message part, headers quoted in the text behind a line that
 * announces them. Left empty when nothing came back. */
void original_find(const void *context, const struct mail *mail, struct original *original_out);

#endif
