/* check_storms.c: in charge of what `check` says of storms. That one is on is no fault of the
 * set-up, so it changes no exit status. */
#include "cmd/check_storms.h"

#include "base/clock.h"
#include "state/storm.h"

static enum status note_storm(void *argument, const struct storm *storm)
{
	struct survey *survey = argument;
	char since[CLOCK_TEXT_MAX];

	if (!storm->is_on)
		return STATUS_OK;
	clock_format_iso(storm->began_s, since);
	check_note(survey, "storm: %s since %s: %llu reports, %llu of them held",
		*storm->list == '\0' ? "the host as a whole" : storm->list, since,
		(unsigned long long)storm->total, (unsigned long long)storm->held);
	return STATUS_OK;
}

void check_storms(struct survey *survey, struct state *state)
{
	storm_walk(state, survey->now, note_storm, survey);
}
