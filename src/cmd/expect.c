/*
 * expect.c: in charge of measuring: how many messages of each kind were found, how often the
 * recipients are exactly right, and what verdict the forged and the genuine ones got.
 */
#include "cmd/expect.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/expect_figures.h"
#include "read/source.h"

#define COLUMNS_MAX 32
#define ADDRESSES_MAX 512

/* What a message can be compared by; the words are the names of the columns. */
enum column {
	COLUMN_PATH,
	COLUMN_KIND,
	COLUMN_RECIPIENTS,
	COLUMN_VERDICT,
	COLUMN_REASON,
	COLUMN_CONFIDENCE,
	COLUMN_NOTE,
	COLUMN_COUNT
};

static const char *const column_names[COLUMN_COUNT] = {
	[COLUMN_PATH] = "path",
	[COLUMN_KIND] = "kind",
	[COLUMN_RECIPIENTS] = "recipients",
	[COLUMN_VERDICT] = "verdict",
	[COLUMN_REASON] = "reason",
	[COLUMN_CONFIDENCE] = "confidence",
	[COLUMN_NOTE] = "note",
};

struct label {
	const char *values[COLUMN_COUNT]; /* NULL: the table has no such column */
	bool is_seen;
};

struct expect {
	struct label *labels; /* sorted by path */
	size_t count;
	size_t compared, duplicates, unlabelled, different;
	bool has_kinds, has_verdicts;
	struct figures figures;
};

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->values[COLUMN_PATH],
		((const struct label *)b)->values[COLUMN_PATH]);
}

/* Splits a line at its tabs, in place; returns how many fields there are. */
static size_t split_line(char *line, char **fields)
{
	size_t count = 0;

	while (count < COLUMNS_MAX) {
		fields[count++] = line;
		line = strchr(line, '\t');
		if (line == NULL)
			break;
		*line++ = '\0';
	}
	return count;
}

/* Which field of the head line is which column; -1 where it is missing. */
static bool read_head(char *line, int *positions)
{
	char *fields[COLUMNS_MAX];
	size_t count = split_line(line, fields);

	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		positions[c] = -1;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(fields[i], column_names[c]) == 0)
				positions[c] = (int)i;
		}
	}
	return positions[COLUMN_PATH] >= 0 &&
	       (positions[COLUMN_KIND] >= 0 || positions[COLUMN_VERDICT] >= 0);
}

static void check_words(const void *context, const char *path, size_t line,
	const struct label *label, const char **error_out)
{
	const char *kind = label->values[COLUMN_KIND];
	const char *verdict = label->values[COLUMN_VERDICT];
	enum kind a_kind;
	enum verdict a_verdict;

	if (kind != NULL && !kind_parse(kind, &a_kind))
		*error_out = mem_printf(context,
			"%s:%zu: kind \"%.40s\" is none; want failed, delayed, "
			"delivered, autoreply, challenge, feedback, mdn, "
			"virusnotice or ordinary",
			path, line, kind);
	else if (verdict != NULL && !verdict_parse(verdict, &a_verdict))
		*error_out = mem_printf(context,
			"%s:%zu: verdict \"%.40s\" is none; want genuine, "
			"backscatter, unproven or -",
			path, line, verdict);
}

/* One row of the table below its head. */
static void add_label(struct expect *expect, char *line, const int *positions)
{
	char *fields[COLUMNS_MAX];
	size_t count = split_line(line, fields);
	struct label *label;

	if ((expect->count & (expect->count + 1)) == 0) /* room doubles at each power of two */
		expect->labels = mem_realloc(
			expect, expect->labels, (expect->count + 1) * 2 * sizeof(*expect->labels));
	label = &expect->labels[expect->count++];
	memset(label, 0, sizeof(*label));
	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		if (positions[c] >= 0 && (size_t)positions[c] < count)
			label->values[c] = fields[positions[c]];
	}
}

enum status expect_read(
	const void *context, const char *path, struct expect **expect_out, const char **error_out)
{
	struct expect *expect = mem_new(context, struct expect);
	struct bytes file;
	int positions[COLUMN_COUNT];
	size_t number = 0;

	*error_out = NULL;
	enum status status = source_read_file(context, path, &file);
	if (status != STATUS_OK) {
		*error_out = mem_printf(context, "%s: %s", path, status_text(status));
		return status;
	}
	char *text = mem_strndup(expect, (const char *)file.data, file.size);
	for (char *line = text; line != NULL && *line != '\0' && *error_out == NULL;) {
		char *end = strpbrk(line, "\r\n");
		char *next = end == NULL ? NULL : end + (end[0] == '\r' && end[1] == '\n') + 1;
		if (end != NULL)
			*end = '\0';
		number++;
		if (number == 1 && !read_head(line, positions)) {
			*error_out = mem_printf(context,
				"%s:1: want a head line with the columns path and kind or verdict, "
				"with tabs between them",
				path);
		} else if (number > 1 && *line != '#' && *line != '\0') {
			add_label(expect, line, positions);
			check_words(context, path, number, &expect->labels[expect->count - 1],
				error_out);
		}
		line = next;
	}
	if (*error_out != NULL)
		return STATUS_DATA;
	expect->has_kinds = number > 0 && positions[COLUMN_KIND] >= 0;
	expect->has_verdicts = number > 0 && positions[COLUMN_VERDICT] >= 0;
	qsort(expect->labels, expect->count, sizeof(*expect->labels), compare_labels);
	*expect_out = expect;
	return STATUS_OK;
}

/* The label whose path is the longest tail of source. */
static struct label *find_label(struct expect *expect, const char *source)
{
	for (const char *tail = source; tail != NULL; tail = strchr(tail, '/')) {
		tail += *tail == '/';
		struct label key = {.values = {[COLUMN_PATH] = tail}};
		struct label *label = bsearch(&key, expect->labels, expect->count,
			sizeof(*expect->labels), compare_labels);
		if (label != NULL)
			return label;
	}
	return NULL;
}

struct addresses {
	char *items[ADDRESSES_MAX];
	size_t count;
};

static bool has_address(const struct addresses *set, const char *address)
{
	for (size_t i = 0; i < set->count; i++) {
		if (text_equal_fold(set->items[i], address))
			return true;
	}
	return false;
}

static void add_address(struct addresses *set, char *address)
{
	if (set->count < ADDRESSES_MAX && !has_address(set, address))
		set->items[set->count++] = address;
}

static void split_addresses(const void *context, const char *list, struct addresses *set)
{
	while (list != NULL && *list != '\0' && strcmp(list, "-") != 0) {
		size_t length = strcspn(list, ",");
		if (length > 0)
			add_address(set, mem_strndup(context, list, length));
		list += length;
		list += *list == ',';
	}
}

/* "alt=ADDRESS" notes: other addresses of the same recipient. */
static void read_alternatives(const void *context, const char *note, struct addresses *set)
{
	while (note != NULL && (note = strstr(note, "alt=")) != NULL) {
		note += 4;
		split_addresses(context, mem_strndup(context, note, strcspn(note, "; \t(")), set);
	}
}

/* True when the recipient's own fate is the report's kind: who was delivered in a report on a
 * failure is not one of those that failed. */
static bool is_concerned(const struct bounce *bounce, const struct recipient *recipient)
{
	static const char *const fates[] = {
		"failed", "delayed", "delivered", "relayed", "expanded"};
	const char *wanted = bounce->kind == KIND_FAILED    ? "failed"
			     : bounce->kind == KIND_DELAYED ? "delayed"
							    : NULL;

	if (wanted == NULL || recipient->action == NULL || strcmp(recipient->action, wanted) == 0)
		return true;
	for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
		if (strcmp(recipient->action, fates[i]) == 0)
			return false;
	}
	return true;
}

static void collect_found(const void *context, const struct bounce *bounce, struct addresses *set)
{
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		if (is_concerned(bounce, &bounce->recipients[i]))
			add_address(set, mem_strdup(context, bounce->recipients[i].address));
	}
}

static char *join(const void *context, const struct addresses *set)
{
	char *text = mem_strdup(context, set->count == 0 ? "-" : "");

	for (size_t i = 0; i < set->count && strlen(text) < 300; i++)
		text = mem_append(text, "%s%s", i == 0 ? "" : ",",
			text_clean_string(context, set->items[i], 200));
	return text;
}

/* The same addresses, where an alternative is as good as the one it stands for. */
static bool is_same(const struct addresses *expected, const struct addresses *alternatives,
	const struct addresses *found)
{
	size_t missing = 0;

	for (size_t i = 0; i < found->count; i++) {
		if (!has_address(expected, found->items[i]) &&
			!has_address(alternatives, found->items[i]))
			return false;
	}
	for (size_t i = 0; i < expected->count; i++)
		missing += !has_address(found, expected->items[i]);
	return found->count == expected->count ||
	       (missing == 0 && found->count <= expected->count + alternatives->count) ||
	       (expected->count == 0 && found->count <= alternatives->count);
}

/* True when a part of a delivery status, readable, is anywhere in the message. */
static bool has_status_part(const struct mail *mail)
{
	for (const struct part *part = mail->root; part != NULL;
		part = part_following(part, mail->root)) {
		if (strstr(part->type, "delivery-status") != NULL && part->content.size > 0)
			return true;
	}
	return false;
}

static bool compare_kind(struct expect *expect, const struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	enum kind expected = KIND_ORDINARY, found = judgement->bounce->kind;

	kind_parse(label->values[COLUMN_KIND], &expected);
	expect->figures.kinds[expected][found]++;
	if (expected == found)
		return true;
	fprintf(out, "%s: kind: want %s, got %s\n", source, kind_name(expected), kind_name(found));
	return false;
}

static bool compare_recipients(struct expect *expect, const struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	void *context = mem_context(NULL, "recipients");
	struct addresses *sets = mem_new_array(context, struct addresses, 3);
	enum kind kind = KIND_ORDINARY;

	split_addresses(context, label->values[COLUMN_RECIPIENTS], &sets[0]);
	read_alternatives(context, label->values[COLUMN_NOTE], &sets[1]);
	collect_found(context, judgement->bounce, &sets[2]);
	bool is_right = is_same(&sets[0], &sets[1], &sets[2]);
	if (label->values[COLUMN_KIND] != NULL)
		kind_parse(label->values[COLUMN_KIND], &kind);
	expect->figures.recipients[kind].total++;
	expect->figures.recipients[kind].right += is_right;
	if (!is_right)
		fprintf(out, "%s: recipients: want %s, got %s\n", source, join(context, &sets[0]),
			join(context, &sets[2]));
	mem_free(context);
	return is_right;
}

/* Unproven where genuine or backscatter is expected is not counted as different: it is "don't
 * know". The opposite of what is expected is. */
static bool compare_verdict(struct expect *expect, const struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	enum verdict expected = VERDICT_NONE, found = judgement->weighing.verdict;

	verdict_parse(label->values[COLUMN_VERDICT], &expected);
	expect->figures.verdicts[expected][found]++;
	if (expected == found)
		return true;
	fprintf(out, "%s: verdict: want %s, got %s\n", source, verdict_name(expected),
		verdict_name(found));
	return false;
}

/* True when word is one of the list's, which has commas between. */
static bool is_listed(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *item = list; item != NULL; item = strchr(item, ',')) {
		item += *item == ',';
		if (strncmp(item, word, length) == 0 &&
			(item[length] == ',' || item[length] == '\0'))
			return true;
	}
	return false;
}

/* The label has one reason, or one a recipient in some order: each that was found must be listed.
 * Rows that only one reading stands behind (confidence low) are not compared. */
static bool compare_reason(struct expect *expect, const struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	const char *wanted = label->values[COLUMN_REASON];
	const char *confidence = label->values[COLUMN_CONFIDENCE];
	const struct bounce *bounce = judgement->bounce;
	const char *found = bounce->recipient_count == 0 ? reason_name(REASON_UNDEFINED) : NULL;
	enum reason first = REASON_UNDEFINED;
	bool is_right = bounce->recipient_count > 0;

	if (wanted == NULL || strcmp(wanted, "-") == 0 ||
		(bounce->kind != KIND_FAILED && bounce->kind != KIND_DELAYED) ||
		(confidence != NULL && strcmp(confidence, "low") == 0))
		return true;
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		const char *reason = reason_name(bounce->recipients[i].reason);
		if (!is_concerned(bounce, &bounce->recipients[i]) || is_listed(wanted, reason))
			continue;
		is_right = false;
		found = reason;
	}
	char *word = mem_strndup(expect, wanted, strcspn(wanted, ","));
	if (!reason_parse(word, &first))
		first = REASON_UNDEFINED;
	mem_free(word);
	expect->figures.reasons[first].total++;
	expect->figures.reasons[first].right += is_right;
	if (is_right)
		return true;
	expect->figures.reasons_missed[first] += strcmp(found, reason_name(REASON_UNDEFINED)) == 0;
	fprintf(out, "%s: reason: want %s, got %s\n", source, wanted, found);
	return false;
}

/* Kind, recipients and reason against the label; true when all are right. */
static bool compare_content(struct expect *expect, const struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	struct figures *figures = &expect->figures;
	struct dialect_figures *dialect = figures_find_dialect(figures, judgement->bounce->dialect);
	bool is_kind_right = compare_kind(expect, label, source, judgement, out);
	bool is_report = has_status_part(judgement->mail);
	bool are_right = label->values[COLUMN_RECIPIENTS] == NULL ||
			 compare_recipients(expect, label, source, judgement, out);

	figures->report_kinds.total += is_report;
	figures->report_kinds.right += is_report && is_kind_right;
	figures->report_recipients.total += is_report;
	figures->report_recipients.right += is_report && are_right;
	if (dialect != NULL) {
		dialect->kinds.total++;
		dialect->kinds.right += is_kind_right;
		dialect->recipients.right += are_right;
	}
	return compare_reason(expect, label, source, judgement, out) && is_kind_right && are_right;
}

void expect_compare(struct expect *expect, const char *source, size_t index,
	const struct judgement *judgement, FILE *out)
{
	struct label *label = find_label(expect, source);
	bool is_right = true;

	if (label == NULL || index > 1) {
		expect->unlabelled++;
		return;
	}
	const char *note = label->values[COLUMN_NOTE];
	label->is_seen = true;
	if (note != NULL && strstr(note, "dup-of=") != NULL) {
		expect->duplicates++;
		return;
	}
	expect->compared++;
	if (label->values[COLUMN_KIND] != NULL)
		is_right = compare_content(expect, label, source, judgement, out);
	if (label->values[COLUMN_VERDICT] != NULL)
		is_right = compare_verdict(expect, label, source, judgement, out) && is_right;
	expect->different += !is_right;
}

/* The label whose message was not there, of those below the folder that was scanned. */
static size_t count_missing(const struct expect *expect)
{
	size_t missing = 0;

	for (size_t i = 0; i < expect->count; i++)
		missing += !expect->labels[i].is_seen;
	return missing;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

enum status expect_print(const struct expect *expect, bool is_brief, FILE *out)
{
	const struct figures *figures = &expect->figures;

	if (!is_brief) {
		size_t missing = count_missing(expect);

		fprintf(out,
			"\n%zu message%s compared, %zu duplicate%s and %zu without a label left "
			"out, "
			"%zu label%s without a message\n",
			expect->compared, plural(expect->compared), expect->duplicates,
			plural(expect->duplicates), expect->unlabelled, missing, plural(missing));
		if (expect->has_kinds) {
			figures_print_kinds(figures, out);
			figures_print_dialects(figures, out);
			figures_print_reasons(figures, out);
			figures_print_totals(figures, out);
		}
		if (expect->has_verdicts)
			figures_print_verdicts(figures, out);
	}
	if (expect->compared == 0)
		fputs("no message has a label: is the path right?\n", is_brief ? stderr : out);
	return expect->different == 0 && expect->compared > 0 ? STATUS_OK : STATUS_DIFFERENT;
}
