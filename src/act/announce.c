/*
 * announce.c: the words about a storm. Its reader did not ask for them, and may never have heard of
 * backscatter: what happens, why, what becomes of his reports, and that he need not do anything.
 */
#include "act/announce.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"

enum { MINUTE_TEXT = 17, RATE_TEXT = 32 };

/* "2026-11-24 10:04" */
static void format_minute(int64_t time_s, char *text_out)
{
	char iso[CLOCK_TEXT_MAX];

	clock_format_iso(time_s, iso);
	snprintf(text_out, MINUTE_TEXT, "%.10s %.5s", iso, iso + sizeof "2026-11-24T" - 1);
}

static void format_rate(double rate, char *text_out)
{
	snprintf(text_out, RATE_TEXT, rate < 9.95 ? "%.1f" : "%.0f", rate);
}

static char *add_numbers(char *text, const struct storm_facts *facts)
{
	char usual[RATE_TEXT], peak[RATE_TEXT];

	format_rate(facts->usual, usual);
	format_rate(facts->peak, peak);
	text = mem_append(text,
		"\n  reports                          %8" PRIu64 "\n"
		"  genuine                          %8" PRIu64 "\n"
		"  unproven                         %8" PRIu64 "\n"
		"  backscatter (proven to be forged)%8" PRIu64 "\n"
		"  held, of all these               %8" PRIu64 "\n",
		facts->total, facts->genuine, facts->unproven, facts->backscatter, facts->held);
	return mem_append(text,
		"\nIn the busiest minute those that are not genuine came at a rate of %s an hour;\n"
		"%s an hour are usual.\n",
		peak, usual);
}

/* What becomes of reports meanwhile. */
static char *add_measures(char *text, const struct storm_facts *facts)
{
	text = mem_append(text, "\nWhile it lasts,\n");
	if (facts->is_collecting)
		text = mem_append(text, "- genuine reports are kept, and not sent one by one: the "
					"message that you get when\n  it is over lists them;\n");
	if (facts->is_holding)
		text = mem_append(text,
			"- reports that cannot be shown to be about mail of the list "
			"are held on the mail\n  host, and sent to nobody;\n");
	if (!facts->is_collecting && !facts->is_holding)
		text = mem_append(text, "- reports go where they go at other times;\n");
	return mem_append(text, "- you are told when it is over, and once a day until then.\n"
				"There is nothing that you have to do.\n");
}

static char *add_ending(char *text, const struct storm_facts *facts)
{
	char since[CLOCK_TEXT_MAX];

	clock_format_iso(facts->began_s, since);
	return mem_append(text,
		"\nOn the mail host:\n"
		"  backstop report storms\n"
		"  backstop held list --list=%s --since=%s\n",
		facts->list, since);
}

char *announce_text(const void *context, const struct storm_facts *facts)
{
	char began[MINUTE_TEXT], ended[MINUTE_TEXT];
	char *text = mem_strdup(context, "");

	format_minute(facts->began_s, began);
	format_minute(facts->ended_s, ended);
	switch (facts->what) {
	case ANNOUNCE_BEGAN:
		text = mem_append(text,
			"Since %s (UTC) far more reports than usual come in on mail of the list\n"
			"%s. Most often that is because somebody sends spam in its name:\n"
			"the reports on that come here.\n",
			began, facts->list);
		text = add_measures(text, facts);
		text = mem_append(
			text, "\nSo far, counted from the report that made it a storm:\n");
		break;
	case ANNOUNCE_LASTS:
		text = mem_append(text,
			"The storm of reports on mail of the list %s, which began\n"
			"at %s (UTC), still lasts. So far:\n",
			facts->list, began);
		break;
	case ANNOUNCE_ENDED:
	case ANNOUNCE_COUNT:
		text = mem_append(text,
			"The storm of reports on mail of the list %s is over. It lasted\n"
			"from %s to %s (UTC). In that time there were:\n",
			facts->list, began, ended);
		break;
	}
	text = add_numbers(text, facts);
	return add_ending(text, facts);
}

char *announce_subject(const void *context, const struct storm_facts *facts)
{
	char began[MINUTE_TEXT];

	format_minute(facts->began_s, began);
	switch (facts->what) {
	case ANNOUNCE_BEGAN:
		return mem_printf(context, "[%s] storm of reports since %s", facts->list, began);
	case ANNOUNCE_LASTS:
		return mem_printf(context, "[%s] storm of reports lasts: %" PRIu64 " since %s",
			facts->list, facts->total, began);
	case ANNOUNCE_ENDED:
	case ANNOUNCE_COUNT:
		break;
	}
	return mem_printf(context, "[%s] storm is over: %" PRIu64 " reports, %" PRIu64 " genuine",
		facts->list, facts->total, facts->genuine);
}
