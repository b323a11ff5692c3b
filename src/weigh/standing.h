/*
 * standing.h: may the client that brought the report speak for the recipients that it names?
 */
#ifndef BACKSTOP_WEIGH_STANDING_H
#define BACKSTOP_WEIGH_STANDING_H

#include "weigh/weigh.h"

enum standing {
	STANDING_UNKNOWN = 0, /* it could not be found out, or there is nothing to ask about */
	STANDING_RELATED,     /* for every recipient that we mailed */
	STANDING_ELSEWHERE,   /* not for one of them; but it may be where a forwarder led, or there
				 are too many to ask about, or DNS failed among several domains */
	STANDING_STRANGER     /* everything could be asked, and nothing ties it to one of them */
};

/* Asks names, our own server's findings and, where input->resolver allows it, DNS: once a message,
 * the answer is kept in input->notes. why_out: a sentence for people, on context. */
enum standing standing_find(
	const void *context, const struct weigh_input *input, const char **why_out);

#endif
