/* reason.h: enhanced status codes and reply codes to reason and permanence (rules/status.rules). */
#ifndef BACKSTOP_CLASSIFY_REASON_H
#define BACKSTOP_CLASSIFY_REASON_H

#include "classify/bounce.h"

/* Sets reason and permanence from status, reply and action. The first row that fits wins;
 * bare 5.0.0 and 550 say nothing of the user (FACTS: Postfix writes them for any refusal). */
void reason_assign(struct recipient *recipient);

/* The first enhanced status code ("5.1.1") in text, on context, or NULL. */
char *reason_find_status(const void *context, const char *text);
/* The first SMTP reply code ("550") that stands as one, or NULL. */
char *reason_find_reply(const void *context, const char *text);

#endif
