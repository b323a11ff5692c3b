/*
 * mail.h: bytes to a message: its headers, its tree of MIME parts, its envelope. Nothing here says
 * what the message means.
 *
 * GMime finds the structure and decodes; what it cannot do for us stands in part.c. The original
 * bytes are never changed and are what is forwarded.
 */
#ifndef BACKSTOP_READ_MAIL_H
#define BACKSTOP_READ_MAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"
#include "read/envelope.h"
#include "read/header.h"

#define MAIL_ANALYSED_MAX (2 * 1024 * 1024) /* only so much of a message is looked into */
#define PART_COUNT_MAX 200		    /* parts of one message */
#define PART_DEPTH_MAX 20
#define PART_CONTENT_MAX (512 * 1024) /* decoded bytes kept of one part */

/* One MIME part. A message/rfc822 part has the headers of the message inside it, and that message's
 * body as its only child. */
struct part {
	const char *type; /* "text/plain", lower case; what holds by default if not declared */
	const char *report_type; /* Content-Type's report-type, lower case, or NULL */
	const char *disposition; /* "attachment", "inline", or NULL */
	struct bytes content;	 /* leaf: decoded, in UTF-8 if it is text; multipart: empty */
	bool is_cut;		 /* content was longer than PART_CONTENT_MAX */
	bool is_message;	 /* message/rfc822 and its kin, taken apart */
	struct headers headers;	 /* of the message inside, if is_message */
	const struct part *parent;
	const struct part *first_child;
	const struct part *next;
};

struct mail {
	struct bytes raw;	/* the original, without an mbox From line */
	struct headers headers; /* of the message itself */
	const struct part *root;
	size_t part_count;
	bool is_truncated; /* longer than MAIL_ANALYSED_MAX, or caps were reached */
	struct envelope envelope;
};

/* Once a process, before mail_read. */
void mail_library_open(void);

/* Takes a message apart. raw must outlive the context; a leading "From " line is skipped and gives
 * the sender if Return-Path does not. envelope: what the mail server told, or NULL. Never fails: a
 * message that makes no sense is one text part. */
struct mail *mail_read(const void *context, struct bytes raw, const struct envelope *envelope);

/* Walks a tree in the order of the message; NULL at the end. Does not leave the tree below top. */
const struct part *part_following(const struct part *part, const struct part *top);

/* The part behind this one that is not inside it; NULL at the end of the tree below top. */
const struct part *part_behind(const struct part *part, const struct part *top);

/* The first part of that type below top (top included), or NULL. Does not look into messages inside
 * messages unless top is one. */
const struct part *part_find(const struct part *top, const char *type);

bool part_is_text(const struct part *part);

#endif
