/* classify.h: struct mail to struct bounce. Pure: no files, clock, network or log. */
#ifndef BACKSTOP_CLASSIFY_CLASSIFY_H
#define BACKSTOP_CLASSIFY_CLASSIFY_H

#include "classify/bounce.h"

/* Never fails, never NULL: what nothing recognises is KIND_ORDINARY, or KIND_FAILED without
 * recipients where null sender and mailer-daemon say that it is a bounce. On context. */
struct bounce *classify_mail(const void *context, const struct mail *mail);

#endif
