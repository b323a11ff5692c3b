/* author.h: who wrote a message, as far as it tells a program from a person. */
#ifndef BACKSTOP_CLASSIFY_AUTHOR_H
#define BACKSTOP_CLASSIFY_AUTHOR_H

#include "read/mail.h"

/* The envelope sender is known and null. */
bool author_has_null_sender(const struct mail *mail);

/* The author's local part is one that mail systems keep for themselves (MAILER-DAEMON), or there is
 * nobody in From ("<>"). */
bool author_is_daemon(const struct mail *mail);

/* It is postmaster, who is a person as often as a program. */
bool author_is_postmaster(const struct mail *mail);

/* It says of itself that it answers a message: null sender, In-Reply-To or References. */
bool author_is_answer(const struct mail *mail);

/* A person wrote it: it names a program that people write with, or was handed in with a password at
 * its first hop (RFC 3848) with a sender, and no field says that a program wrote it. People's mail
 * of other kinds is not told from a program's by this. */
bool author_is_person(const struct mail *mail);

/* A list handed it round. What the list manager itself says to one person carries List-Id too, with
 * Mailman's mark beside it, and is not meant. */
bool author_is_distributed(const struct mail *mail);

#endif
