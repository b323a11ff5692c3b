/*
 * pipeline_digest.h: sending a list's owners what they are owed (state/owed.h): one message about
 * all the reports that were kept for it.
 */
#ifndef BACKSTOP_PIPELINE_DIGEST_H
#define BACKSTOP_PIPELINE_DIGEST_H

#include "pipeline.h"

/* Told of each list with which something was done or should be, in a phrase. STATUS_OK: it was
 * sent, or would be (is_dry); anything else: it was not. */
typedef void digest_teller(void *argument, const char *list, enum status status, const char *what);

struct digest_run {
	struct pipeline *pipeline; /* with a state that can be written */
	const char *list;	   /* of this list alone; NULL: of all */
	bool takes_all;		   /* also what is not due yet */
	bool is_dry;		   /* nothing is sent or changed */
	bool is_delivery; /* what fails is not tried again until the claim runs out, so that
			     not every delivery waits for it */
	digest_teller *tell;
	void *argument;
};

/* Sends what is due. One failure does not end it; the first is the result. */
enum status pipeline_send_digests(const struct digest_run *run);

#endif
