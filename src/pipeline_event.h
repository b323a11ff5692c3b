/* pipeline_event.h: what is remembered of a judged message; between the files of the pipeline. */
#ifndef BACKSTOP_PIPELINE_EVENT_H
#define BACKSTOP_PIPELINE_EVENT_H

#include "pipeline.h"

/* The recipients that the report names, up to about limit bytes. */
char *pipeline_join_failed(
	const void *context, const struct bounce *bounce, const char *separator, size_t limit);

/* The recipient whose signed address the report came to: the proof is about him alone, whoever else
 * the report names. NULL: there is none. */
const char *pipeline_find_proven(const struct judgement *judgement);

/* The event of a message, as it is about to be acted on; it has no id yet. Strings are on context
 * or the judgement's. */
void pipeline_fill_event(const void *context, const struct pipeline *pipeline,
	const struct judgement *judgement, struct event *event_out);

#endif
