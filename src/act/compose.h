/*
 * compose.h: the bytes that are handed to sendmail. Pure: data in, bytes out.
 */
#ifndef BACKSTOP_ACT_COMPOSE_H
#define BACKSTOP_ACT_COMPOSE_H

#include <stddef.h>

#include "act/act.h"
#include "base/bytes.h"

#define COMPOSE_PART_MAX (512 * 1024) /* bytes of one part; as much as read/ keeps of one */
#define COMPOSE_SUBJECT_MAX 300	      /* bytes */
#define COMPOSE_TO_MAX 50    /* addresses in the To field; the others get it all the same */
#define COMPOSE_LINE_MAX 900 /* a longer line needs an encoding; RFC 5321 allows 998 */

struct compose_facts {
	const struct notice *notice;
	const char *const *recipients;
	size_t recipient_count;
	const char *host;  /* this host's name */
	const char *token; /* letters and digits, random, never used before */
};

/* A new message, with LF line ends (RFC 3464, RFC 6522): multipart/report with the text, the
 * delivery-status and the returned headers, so that a program can read it as a bounce. Where the
 * report is missing, or cannot be sent as it stands because it is not clean 7-bit text, it is
 * multipart/mixed, with the report as an attachment. On context. */
struct bytes compose_summary(const void *context, const struct compose_facts *facts);

/* A new message of text alone, with LF line ends; of the notice its list, subject, kind, text and
 * time. On context. */
struct bytes compose_text(const void *context, const struct compose_facts *facts);

/* The lines that go in front of the original, which then follows unchanged: our header fields, in
 * the original's kind of line end, and an empty line where the original does not begin with a
 * header field. On context. */
struct bytes compose_top(
	const void *context, const struct compose_facts *facts, struct bytes original);

#endif
