/*
 * digest.c: the words of a digest.
 *
 * In charge of what its reader looks for: which addresses he should take off the list, and why. So
 * rows about one address are one line, the certain ones stand first, and what is not shown to be
 * about the list's own mail stands apart: a forged report must not cost a member his subscription.
 * Leaves to the pipeline where the rows come from, to compose.c the message.
 */
#include "act/digest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

enum { ADDRESS_SHOWN_MAX = 254, STATUS_SHOWN_MAX = 20, ADDRESS_COLUMN_MAX = 40, MINUTE_TEXT = 17 };

enum section {
	SECTION_PERMANENT,
	SECTION_PASSING,
	SECTION_STORM,
	SECTION_DOUBTFUL,
	SECTION_OTHER,
	SECTION_COUNT
};

static const struct {
	const char *heading; /* behind it the number of addresses */
	size_t shown_max;    /* lines */
} sections[] = {
	[SECTION_PERMANENT] = {"Failed for good", 1000},
	[SECTION_PASSING] = {"Delayed, or failed for a reason that may pass", 60},
	[SECTION_STORM] =
		{"Reports that only the storm makes doubtful; in calm times they are genuine",
			1000},
	[SECTION_DOUBTFUL] =
		{"Not shown to be about mail of this list; take nobody off it for these", 60},
	[SECTION_OTHER] = {"Other answers", 30},
};

_Static_assert(sizeof sections / sizeof sections[0] == SECTION_COUNT, "a section has no row");

static enum section section_of(const struct digest_row *row)
{
	if (row->is_storm_alone)
		return SECTION_STORM;
	switch (row->verdict) {
	case VERDICT_UNPROVEN:
	case VERDICT_BACKSCATTER:
		return SECTION_DOUBTFUL;
	case VERDICT_GENUINE:
	case VERDICT_NONE:
	case VERDICT_COUNT:
		break;
	}
	if (row->kind == KIND_FAILED && row->is_permanent)
		return SECTION_PERMANENT;
	return row->kind == KIND_FAILED || row->kind == KIND_DELAYED ? SECTION_PASSING
								     : SECTION_OTHER;
}

/* What rows of a section are put together by. */
static const char *group_of(const struct digest_row *row)
{
	switch (section_of(row)) {
	case SECTION_DOUBTFUL:
		return verdict_name(row->verdict);
	case SECTION_OTHER:
		return kind_name(row->kind);
	case SECTION_PERMANENT:
	case SECTION_PASSING:
	case SECTION_STORM:
	case SECTION_COUNT:
		break;
	}
	return reason_name(row->reason);
}

static int compare_addresses(const char *left, const char *right)
{
	return strcasecmp(left == NULL ? "" : left, right == NULL ? "" : right);
}

static int compare_rows(const void *a, const void *b)
{
	const struct digest_row *left = a, *right = b;
	int order = (int)section_of(left) - (int)section_of(right);

	if (order == 0)
		order = strcmp(group_of(left), group_of(right));
	if (order == 0)
		order = compare_addresses(left->address, right->address);
	if (order == 0)
		order = (left->time_s > right->time_s) - (left->time_s < right->time_s);
	return order;
}

static bool is_same_line(const struct digest_row *left, const struct digest_row *right)
{
	return left->address != NULL && right->address != NULL &&
	       section_of(left) == section_of(right) &&
	       strcmp(group_of(left), group_of(right)) == 0 &&
	       compare_addresses(left->address, right->address) == 0;
}

/* In order, one row for what is one line: the last report about it, and how many there were. */
static void merge_rows(struct digest *digest)
{
	size_t count = 0;

	if (digest->row_count > 0)
		qsort(digest->rows, digest->row_count, sizeof *digest->rows, compare_rows);
	for (size_t i = 0; i < digest->row_count; i++) {
		struct digest_row *row = &digest->rows[i];
		size_t seen = row->count > 0 ? row->count : 1;

		if (count > 0 && is_same_line(&digest->rows[count - 1], row))
			seen += digest->rows[--count].count;
		digest->rows[count] = *row;
		digest->rows[count++].count = seen;
	}
	digest->row_count = count;
}

/* "2026-11-24 10:04" */
static void format_minute(int64_t time_s, char *text_out)
{
	char iso[CLOCK_TEXT_MAX];

	clock_format_iso(time_s, iso);
	snprintf(text_out, MINUTE_TEXT, "%.10s %.5s", iso, iso + sizeof "2026-11-24T" - 1);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* How many characters a clean text takes on the screen, wide ones apart. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xC0) != 0x80;
	return width;
}

static char *add_row(char *text, const struct digest_row *row)
{
	char *address = text_clean_string(text, row->address, ADDRESS_SHOWN_MAX);
	char *status = text_clean_string(text, row->status, STATUS_SHOWN_MAX);
	const char *shown = address == NULL || *address == '\0' ? "(no address)" : address;
	size_t width = width_of(shown);
	char minute[MINUTE_TEXT];

	format_minute(row->time_s, minute);
	text = mem_append(text, "    %s%*s  %-6s  %s  %s", shown,
		width < ADDRESS_COLUMN_MAX ? (int)(ADDRESS_COLUMN_MAX - width) : 0, "",
		status == NULL || *status == '\0' ? "-" : status, minute, row->id);
	if (row->count > 1)
		text = mem_append(text, "  (last of %zu reports)", row->count);
	mem_free(address);
	mem_free(status);
	return mem_append(text, "\n");
}

/* The rows from first on that are of one group. */
static size_t group_size(const struct digest *digest, size_t first)
{
	size_t end = first;

	while (end < digest->row_count &&
		section_of(&digest->rows[end]) == section_of(&digest->rows[first]) &&
		strcmp(group_of(&digest->rows[end]), group_of(&digest->rows[first])) == 0)
		end++;
	return end - first;
}

static char *add_section(
	char *text, const struct digest *digest, enum section section, size_t first, size_t count)
{
	size_t shown_max = sections[section].shown_max;
	size_t shown = 0;

	text = mem_append(text, "\n%s: %zu\n", sections[section].heading, count);
	for (size_t at = first; at < first + count && shown < shown_max;) {
		size_t size = group_size(digest, at);

		text = mem_append(text, "  %s: %zu\n", group_of(&digest->rows[at]), size);
		for (size_t i = 0; i < size && shown < shown_max; i++, shown++)
			text = add_row(text, &digest->rows[at + i]);
		at += size;
	}
	if (shown < count)
		text = mem_append(
			text, "    and %zu more; see below how to list them\n", count - shown);
	return text;
}

static char *add_sections(char *text, const struct digest *digest)
{
	size_t first = 0;

	for (int section = 0; section < SECTION_COUNT; section++) {
		size_t end = first;

		while (end < digest->row_count &&
			section_of(&digest->rows[end]) == (enum section)section)
			end++;
		if (end > first)
			text = add_section(text, digest, (enum section)section, first, end - first);
		first = end;
	}
	return text;
}

static char *add_counts(char *text, const uint64_t *counts, int length, bool is_kinds)
{
	const char *glue = "  ";

	for (int i = 0; i < length; i++) {
		const char *name =
			is_kinds ? kind_name((enum kind)i) : verdict_name((enum verdict)i);

		if (counts[i] == 0)
			continue;
		text = mem_append(text, "%s%s %" PRIu64, glue,
			!is_kinds && i == VERDICT_NONE ? "not judged" : name, counts[i]);
		glue = ", ";
	}
	return mem_append(text, "\n");
}

static const char *unit_of(const struct limit_config *limit)
{
	return limit->period_s <= 60 ? "a minute" : limit->period_s <= 3600 ? "an hour" : "a day";
}

static char *add_opening(char *text, const struct digest *digest)
{
	char from[MINUTE_TEXT], until[MINUTE_TEXT];

	format_minute(digest->from_s, from);
	format_minute(digest->until_s, until);
	text = mem_append(text,
		"%" PRIu64 " report%s for the list %s %s kept for this message instead of\n"
		"being sent to you one by one",
		digest->reports, plural(digest->reports), digest->list,
		digest->reports == 1 ? "was" : "were");
	if (digest->limit.count > 0)
		text = mem_append(text, " (owner-limit: %d %s)", digest->limit.count,
			unit_of(&digest->limit));
	text = mem_append(
		text, ".\nThey came from %s to %s (UTC, as all times here).\n\n", from, until);
	text = add_counts(text, digest->kinds, KIND_COUNT, true);
	return add_counts(text, digest->verdicts, VERDICT_COUNT, false);
}

/* What a reader on the mail host can type. */
static char *add_ending(char *text, const struct digest *digest)
{
	char since[CLOCK_TEXT_MAX], until[MINUTE_TEXT];

	if (digest->unread > 0)
		text = mem_append(text,
			"\n%" PRIu64 " of the reports are counted above, but not listed.\n",
			digest->unread);
	if (digest->left > 0)
		text = mem_append(
			text, "\nThe next message tells of %" PRIu64 " more.\n", digest->left);
	clock_format_iso(digest->from_s, since);
	format_minute(digest->kept_until_s, until);
	return mem_append(text,
		"\nThe last column is the ID of a report. The reports themselves are kept until\n"
		"%s. On the mail host:\n"
		"  backstop held list --list=%s --since=%s\n"
		"  backstop held show ID\n"
		"  backstop held release ID      sends it to you as it came\n",
		until, digest->list, since);
}

char *digest_text(const void *context, struct digest *digest)
{
	char *text = mem_strdup(context, "");

	merge_rows(digest);
	text = add_opening(text, digest);
	text = add_sections(text, digest);
	return add_ending(text, digest);
}

char *digest_subject(const void *context, const struct digest *digest)
{
	size_t failed = 0;
	char *text = mem_printf(context, "[%s] digest: %" PRIu64 " report%s", digest->list,
		digest->reports, plural(digest->reports));

	for (size_t i = 0; i < digest->row_count; i++)
		failed += section_of(&digest->rows[i]) == SECTION_PERMANENT;
	if (failed > 0)
		text = mem_append(
			text, ", %zu address%s failed for good", failed, failed == 1 ? "" : "es");
	return text;
}
