/*
 * expect.c: in charge of measuring: how many messages of each kind were found, how often the
 * recipients are exactly right, and what verdict the forged and the genuine ones got.
 */
#include "cmd/expect.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "cmd/expect_figures.h"
#include "cmd/expect_labels.h"

#define ADDRESSES_MAX 512
#define MISSING_MAX 10 /* labels without a message that are named */

struct expect {
	struct labels *labels;
	size_t compared, duplicates, unlabelled, different;
	struct figures figures;
};

enum status expect_read(
	const void *context, const char *path, struct expect **expect_out, const char **error_out)
{
	*expect_out = mem_new(context, struct expect);
	return labels_read(*expect_out, path, &(*expect_out)->labels, error_out);
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

/* The family that wrote it, where the label names one. */
static bool compare_dialect(struct expect *expect, const struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	const char *wanted = label->values[COLUMN_DIALECT];
	const char *found = judgement->bounce->dialect;
	struct dialect_figures *dialect;

	if (wanted == NULL || strcmp(wanted, "-") == 0)
		return true;
	dialect = figures_find_dialect(&expect->figures, wanted);
	bool is_right = found != NULL && strcmp(found, wanted) == 0;
	if (dialect != NULL) {
		dialect->expected.total++;
		dialect->expected.right += is_right;
		dialect->missed += found == NULL;
	}
	if (!is_right)
		fprintf(out, "%s: dialect: want %s, got %s\n", source, wanted,
			found == NULL ? "-" : found);
	return is_right;
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
	bool is_right = compare_dialect(expect, label, source, judgement, out);

	figures->report_kinds.total += is_report;
	figures->report_kinds.right += is_report && is_kind_right;
	figures->report_recipients.total += is_report;
	figures->report_recipients.right += is_report && are_right;
	if (dialect != NULL) {
		dialect->kinds.total++;
		dialect->kinds.right += is_kind_right;
		dialect->recipients.right += are_right;
	}
	return compare_reason(expect, label, source, judgement, out) && is_kind_right &&
	       are_right && is_right;
}

static void compare_label(struct expect *expect, struct label *label, const char *source,
	const struct judgement *judgement, FILE *out)
{
	bool is_right = true;

	const char *note = label->values[COLUMN_NOTE];
	label->is_seen = true;
	if (note != NULL && strstr(note, "dup-of=") != NULL) {
		expect->duplicates++;
		return;
	}
	if (expect->labels->has[COLUMN_KIND] && label->values[COLUMN_KIND] == NULL)
		return;
	expect->compared++;
	if (expect->labels->has[COLUMN_KIND])
		is_right = compare_content(expect, label, source, judgement, out);
	if (label->values[COLUMN_VERDICT] != NULL)
		is_right = compare_verdict(expect, label, source, judgement, out) && is_right;
	expect->different += !is_right;
}

void expect_compare(struct expect *expect, const char *source, size_t index,
	const struct judgement *judgement, FILE *out)
{
	struct label *label = labels_find(expect->labels, source, index);
	char *name =
		index > 1 ? mem_printf(NULL, "%s:%zu", source, index) : mem_strdup(NULL, source);

	if (label == NULL)
		expect->unlabelled++;
	else
		compare_label(expect, label, name, judgement, out);
	mem_free(name);
}

/* The labels whose message was not there: their number; the first of them are printed. */
static size_t count_missing(const struct expect *expect, FILE *out)
{
	size_t missing = 0;

	for (size_t i = 0; i < expect->labels->count; i++) {
		missing += !expect->labels->items[i].is_seen;
		if (out != NULL && !expect->labels->items[i].is_seen && missing <= MISSING_MAX)
			fprintf(out, "  %s\n",
				text_clean_string(
					expect, label_path(&expect->labels->items[i]), 200));
	}
	if (out != NULL && missing > MISSING_MAX)
		fprintf(out, "  and %zu more\n", missing - MISSING_MAX);
	return missing;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

enum status expect_print(const struct expect *expect, bool is_brief, FILE *out)
{
	const struct figures *figures = &expect->figures;

	fflush(out);
	fputs(expect->labels->notes, stderr);
	if (!is_brief) {
		size_t missing = count_missing(expect, NULL);

		fprintf(out,
			"\n%zu message%s compared, %zu duplicate%s and %zu without a label left "
			"out, "
			"%zu label%s without a message\n",
			expect->compared, plural(expect->compared), expect->duplicates,
			plural(expect->duplicates), expect->unlabelled, missing, plural(missing));
		count_missing(expect, out);
		if (expect->labels->has[COLUMN_KIND]) {
			figures_print_kinds(figures, out);
			figures_print_dialects(figures, expect->labels->has[COLUMN_DIALECT], out);
			figures_print_reasons(figures, out);
			figures_print_totals(figures, out);
		}
		if (expect->labels->has[COLUMN_VERDICT])
			figures_print_verdicts(figures, out);
	}
	if (expect->compared == 0)
		fputs("no message has a label: is the path right?\n", is_brief ? stderr : out);
	return expect->different == 0 && expect->compared > 0 ? STATUS_OK : STATUS_DIFFERENT;
}
