/*
 * tagged.h: the tag of ours by which a report can be told to be about mail of ours, wherever it
 * stands: in the address that the report came to, or in what the reporter gives for the envelope
 * sender of the original. Shared by the checks that look at it.
 */
#ifndef BACKSTOP_WEIGH_TAGGED_H
#define BACKSTOP_WEIGH_TAGGED_H

#include "weigh/weigh.h"

#define TAGGED_PLACES 4

/* An address that may be the envelope sender that our mail had. */
struct tagged_place {
	const char *address;
	const char *where; /* for people; NULL: the address that the report came to */
};

/* The best that was found. */
struct tagged {
	enum tag_result result;
	struct tag tag;
	const char *recipient; /* the one in the tag, or behind its id; or NULL */
	const char *where;     /* as above */
};

struct tagged_prvs {
	enum prvs_result result;
	const char *tag;
	const char *where;
};

/* The places of a report, in the order of trust: the envelope's two recipients, X-Postfix-Sender,
 * and the Return-Path that the reporter put on top of the returned headers; one that stands below a
 * Received line was in the mail before, as in a replayed post. Returns how many. */
size_t tagged_places(
	const struct weigh_input *input, struct tagged_place places_out[TAGGED_PLACES]);

/* Looks for a tag of ours in all places, also inside other programs' wrappings. Outside the
 * envelope only a valid one counts: it is a secret wherever it stands, but all else there is
 * anybody's to write. TAG_ABSENT when there is none, or no keys. */
void tagged_find(const void *context, const struct weigh_input *input, struct tagged *tagged_out);

/* The same for tags of another program (base/prvs.h). */
void tagged_find_prvs(
	const void *context, const struct weigh_input *input, struct tagged_prvs *tagged_out);

#endif
