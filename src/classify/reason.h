/* reason.h: why a recipient failed, and whether for good: from words, codes and the server's name
 * (rules/reasons.rules, rules/status.rules). */
#ifndef BACKSTOP_CLASSIFY_REASON_H
#define BACKSTOP_CLASSIFY_REASON_H

#include "classify/bounce.h"

/* Sets reason and permanence of every recipient of a failure or a delay; a status code that only
 * the report's words give is filled in where there is one recipient. Bare 5.0.0 and 550 say nothing
 * of the user (FACTS: Postfix writes them for any refusal). Allocates on context. */
void reason_settle(const void *context, const struct mail *mail, struct bounce *bounce);

/* The same for one recipient, whose diagnostic, status, reply, remote_mta and action are asked,
 * with what the report says of him (his diagnostic included) and the dialect and reporter of the
 * bounce. The refusing server and the codes are filled in where the text gives them. */
void reason_judge(const void *context, const struct bounce *bounce, const char *around,
	struct recipient *recipient);

/* The first enhanced status code ("5.1.1") in text, on context, or NULL. */
char *reason_find_status(const void *context, const char *text);
/* The first SMTP reply code ("550") that stands as one, or NULL. */
char *reason_find_reply(const void *context, const char *text);

#endif
