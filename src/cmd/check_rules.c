/*
 * check_rules.c: in charge of the rows of rules/: does each parse, does it name what there is, can
 * it win? A rules file that no row here knows is left to whoever reads it.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rules.h"
#include "classify/reason.h"
#include "cmd/check_parts.h"
#include "cmd/rules_dir.h"
#include "weigh/weigh.h"

#define ROW_MAX 256
#define WORD_MAX 32
#define WORDS_MAX 4

/* A row as words; more than WORDS_MAX are counted and not kept. */
struct row {
	char words[WORDS_MAX][WORD_MAX];
	size_t count;
};

/* The checks that there are, as a weighing of an empty report shows them: it asks each one, and
 * without a domain none looks at anything. */
static void find_checks(const void *context, struct weighing *checks_out)
{
	static const unsigned char empty[] = "\n";
	const struct bounce bounce = {.kind = KIND_FAILED};
	struct weigh_input input = {.bounce = &bounce};

	input.mail = mail_read(context, (struct bytes){empty, 1}, NULL);
	input.config = config_none(context);
	weigh_bounce(context, &input, checks_out);
}

static bool is_check(const struct weighing *checks, const char *name)
{
	for (size_t i = 0; i < checks->count; i++) {
		if (strcmp(checks->items[i].check, name) == 0)
			return true;
	}
	return false;
}

static const char *check_weight(const struct weighing *checks, const struct row *row)
{
	int weight, winner;
	char rest;

	if (row->count < 3 || row->count > 4 || sscanf(row->words[2], "%d%c", &weight, &rest) != 1)
		return "want CHECK RESULT WEIGHT, and perhaps forgeable, post or supporting";
	if (row->count == 4 && strcmp(row->words[3], "forgeable") != 0 &&
		strcmp(row->words[3], "post") != 0 && strcmp(row->words[3], "supporting") != 0)
		return "the fourth word can only be forgeable, post or supporting";
	if (!is_check(checks, row->words[0]))
		return "there is no check of this name";
	if (!weigh_find_weight(NULL, row->words[0], row->words[1], &winner) || winner != weight)
		return "cannot win: an earlier row has the same check and result";
	return NULL;
}

/* "5.1.1", "*.1.*" (RFC 3463 section 2), or "550". */
static bool is_code(const char *text)
{
	size_t dots = 0;

	if (strlen(text) == 3 && strspn(text, "0123456789") == 3)
		return true;
	for (; *text != '\0'; text++) {
		size_t digits = strspn(text, "0123456789");
		size_t size = *text == '*' ? 1 : digits;
		if (size == 0 || size > 3)
			return false;
		text += size;
		dots += *text == '.';
		if (*text == '\0')
			break;
		if (*text != '.' || text[1] == '\0')
			return false;
	}
	return dots == 2;
}

/* True when a code of the row gets its reason from this row, not from one above. */
static bool code_wins(const char *pattern)
{
	void *context = mem_context(NULL, "code");
	char *code = mem_strdup(context, "");
	struct recipient recipient = {.action = "failed"};

	for (const char *c = pattern; *c != '\0'; c++) {
		if (*c == '*')
			code = mem_append(code, "%s", c == pattern ? "5" : "199");
		else
			code = mem_append(code, "%c", *c);
	}
	if (strchr(code, '.') != NULL)
		recipient.status = code;
	else
		recipient.reply = code;
	reason_judge(context, &(struct bounce){.kind = KIND_FAILED}, "", &recipient);
	bool is_won = recipient.reason_by != NULL && strcmp(recipient.reason_by, pattern) == 0;
	mem_free(context);
	return is_won;
}

static const char *check_status(const struct weighing *checks, const struct row *row)
{
	enum reason reason;
	bool is_weak = row->count == 3 && strcmp(row->words[2], "weak") == 0;

	(void)checks;
	if ((row->count != 2 && !is_weak) || !is_code(row->words[0]))
		return "want CODE REASON, such as *.1.1 userunknown, and perhaps weak";
	if (!reason_parse(row->words[1], &reason))
		return "there is no reason of this name";
	if (!code_wins(row->words[0]))
		return "cannot win: an earlier row, or a rule for a reason, has its codes";
	return NULL;
}

/* How the rows of a file are checked: find_problem returns what is wrong, or NULL. */
static const struct {
	const char *file;
	const char *rows; /* what they are called */
	const char *(*find_problem)(const struct weighing *checks, const struct row *row);
} files[] = {
	{"weights.rules", "weights", check_weight},
	{"status.rules", "status codes", check_status},
};

static void split(const char *line, size_t length, struct row *row_out)
{
	static const char blanks[] = " \t\r";
	char text[ROW_MAX];
	char *rest = NULL;

	row_out->count = 0;
	snprintf(text, sizeof(text), "%.*s", (int)length, line);
	for (char *word = strtok_r(text, blanks, &rest); word != NULL;
		word = strtok_r(NULL, blanks, &rest)) {
		if (row_out->count < WORDS_MAX)
			snprintf(row_out->words[row_out->count], WORD_MAX, "%s", word);
		row_out->count++;
	}
}

static void check_file(struct survey *survey, const struct weighing *checks, size_t which)
{
	const char *text = rules_find(files[which].file);
	size_t number = 0, rows = 0;

	if (text == NULL)
		check_fault(survey, "rules/%s: is not compiled in", files[which].file);
	for (const char *line = text; line != NULL && *line != '\0';) {
		size_t length = strcspn(line, "\n");
		const char *problem;
		struct row row;

		number++;
		split(line, length, &row);
		if (row.count > 0 && row.words[0][0] != '#') {
			rows++;
			problem = files[which].find_problem(checks, &row);
			if (problem != NULL)
				check_fault(survey, "rules/%s:%zu: %.*s: %s", files[which].file,
					number, (int)(length < ROW_MAX ? length : ROW_MAX), line,
					problem);
		}
		line += length + (line[length] == '\n');
	}
	check_fact(survey, "rules: %zu %s", rows, files[which].rows);
}

static void report_file(void *argument, const char *what)
{
	check_fault(argument, "%s", what);
}

/* The rules-dir: what `backstop rules check` then looks at more closely. */
static void check_directory(struct survey *survey, const void *context)
{
	const char *directory = survey->config == NULL ? NULL : survey->config->rules_dir;

	if (directory != NULL &&
		rules_dir_read(context, directory, report_file, survey) == STATUS_OK)
		check_fact(survey, "rules-dir %s: its files can be read", directory);
}

void check_rules(struct survey *survey)
{
	void *scratch = mem_context(NULL, "rules");
	struct weighing checks;

	find_checks(scratch, &checks);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		check_file(survey, &checks, i);
	check_directory(survey, scratch);
	mem_free(scratch);
}
