/*
 * message_id.h: Message-IDs as strings (RFC 5322 section 3.6.4): one spelling for comparing and
 * hashing. Knows nothing of headers; read/ takes Message-IDs out of those.
 */
#ifndef BACKSTOP_BASE_MESSAGE_ID_H
#define BACKSTOP_BASE_MESSAGE_ID_H

/* One spelling, on context: without white space and angle brackets around it; what stands behind
 * the last @ in lower case, since some relays fold the names of domains wherever they stand. The
 * case before it is kept. NULL when nothing is left, or for NULL. */
char *message_id_normalise(const void *context, const char *message_id);

/* The same with all its case kept. */
char *message_id_strip(const void *context, const char *message_id);

#endif
