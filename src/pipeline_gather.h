/* pipeline_gather.h: the reports of a digest, from the messages that are kept for it. */
#ifndef BACKSTOP_PIPELINE_GATHER_H
#define BACKSTOP_PIPELINE_GATHER_H

#include "act/digest.h"
#include "pipeline.h"
#include "state/owed.h"

/* Reads the batch into numbers, rows and times of digest_out, whose rows live on context; list,
 * limit and kept_until_s are the caller's to fill. A report that was released or purged meanwhile
 * is left out; one whose message cannot be read is told of by its record. */
enum status pipeline_gather(const struct pipeline *pipeline, const void *context,
	const struct owed_batch *batch, struct digest *digest_out);

#endif
