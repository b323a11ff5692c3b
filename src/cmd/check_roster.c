/*
 * check_roster.c: in charge of whether the rosters can be read and what is in them. How they are
 * used is weigh/roster.c's business.
 */
#include <inttypes.h>
#include <string.h>

#include "base/roster_file.h"
#include "cmd/check_parts.h"

static enum status count_address(void *argument, const char *address)
{
	(void)argument;
	(void)address;
	return STATUS_OK;
}

static void check_file(struct survey *survey, const struct list_config *list)
{
	struct roster_figures figures;
	struct roster_stamp stamp;
	const char *why = NULL;
	enum status status =
		roster_file_read(list->roster, count_address, NULL, &stamp, &figures, &why);

	if (status != STATUS_OK) {
		check_fault(survey, "%s:%d: roster: %s %s", survey->config_path, list->line,
			list->roster, why);
		return;
	}
	if (figures.wrong > 0)
		check_warn(survey, "%s:%" PRIu64 ": is no address; %" PRIu64 " line%s like that",
			list->roster, figures.first_wrong, figures.wrong,
			figures.wrong == 1 ? "" : "s");
	if (figures.addresses == 0)
		check_fault(survey, "%s:%d: roster: %s has no address in it", survey->config_path,
			list->line, list->roster);
	else
		check_fact(survey, "roster %s: %" PRIu64 " address%s", list->roster,
			figures.addresses, figures.addresses == 1 ? "" : "es");
}

void check_rosters(struct survey *survey)
{
	const struct config *config = survey->config;

	for (size_t i = 0; i < config->list_count; i++) {
		const char *path = config->lists[i].roster;
		size_t first = 0;

		while (path != NULL && (config->lists[first].roster == NULL ||
					       strcmp(config->lists[first].roster, path) != 0))
			first++;
		if (path != NULL && first == i)
			check_file(survey, &config->lists[i]);
	}
}
