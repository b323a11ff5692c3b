/* author.h: who wrote a message, as far as it tells a program from a person. */
#ifndef BACKSTOP_CLASSIFY_AUTHOR_H
#define BACKSTOP_CLASSIFY_AUTHOR_H

#include "read/mail.h"

/* The envelope sender is known and null. */
bool author_has_null_sender(const struct mail *mail);

/* The author's local part is one that mail systems keep for themselves (MAILER-DAEMON). */
bool author_is_daemon(const struct mail *mail);

/* It is postmaster, who is a person as often as a program. */
bool author_is_postmaster(const struct mail *mail);

#endif
