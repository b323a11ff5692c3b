/* pipeline_rates.h: what a message's event counts for, and what is said of storms in the log. */
#ifndef BACKSTOP_PIPELINE_RATES_H
#define BACKSTOP_PIPELINE_RATES_H

#include "pipeline.h"

/* What a judged report is counted under, on context; NULL for what is not judged. */
const struct rate_use *pipeline_find_rates(
	const void *context, const struct pipeline *pipeline, const struct judgement *judgement);

/* Logs that a storm began or ended with this event, which was recorded. */
void pipeline_log_storms(const struct event *event);

#endif
