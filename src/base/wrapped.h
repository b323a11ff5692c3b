/*
 * wrapped.h: an address of ours inside what another program made of it: BATV's prvs= in both
 * orders, Barracuda's btv1==, SparkPost's msprvs1=, batv-tools' USER+prvs=TAG, and SRS0 and SRS1 of
 * a host that forwards (postsrsd and its kin).
 */
#ifndef BACKSTOP_BASE_WRAPPED_H
#define BACKSTOP_BASE_WRAPPED_H

#include <stddef.h>

#define WRAPPED_MAX 8 /* addresses in one; wrappings go three deep */

struct wrapped {
	const char *address; /* what was inside, as it was spelled */
	const char *name;    /* of the wrapping: "prvs", "srs0", ... */
	const char *tag;     /* what was wrapped around it: prvs' KDDDSSSSSS; NULL for SRS */
};

/* Fills items_out with what can be inside address, the outermost wrapping first, and returns how
 * many: 0 for a plain address. Where the order of tag and user cannot be told, both are there. No
 * signature is checked. Strings on context. */
size_t wrapped_open(
	const void *context, const char *address, struct wrapped items_out[WRAPPED_MAX]);

#endif
