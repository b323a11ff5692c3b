/*
 * storm.c: in charge of the prior odds: while the list is in a storm, most of what is not proven
 * is no answer to mail of ours. A storm of the host weighs on no list that is not in one itself,
 * only on what no list claims.
 */
#include "state/storm.h"
#include "base/clock.h"
#include "base/memory.h"
#include "weigh/weigh.h"

void storm_weigh(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	const char *list = input->list == NULL ? "" : input->list->address;
	char since[CLOCK_TEXT_MAX];
	struct storm *storm;
	enum status status;

	evidence_out->result = "unavailable";
	if (input->config->storm.is_off || input->state == NULL) {
		evidence_out->detail = input->state == NULL ? "the state is not there to be asked"
							    : "use = no in section storm";
		return;
	}
	status = storm_find(input->state, context, list, input->now, &storm);
	if (status == STATUS_NOT_FOUND) {
		evidence_out->result = "calm";
		return;
	}
	if (status != STATUS_OK) {
		evidence_out->detail =
			mem_printf(context, "the state cannot be read: %s", status_text(status));
		return;
	}
	evidence_out->result = "storm";
	clock_format_iso(storm->began_s, since);
	evidence_out->detail = mem_printf(context,
		"%s is in a storm since %s: reports that are not proven genuine came at up to %.0f "
		"an hour, where %.1f are usual",
		*list == '\0' ? "the host" : "the list", since, storm->peak, storm->usual);
}
