/*
 * config_read.c: the configuration's text as sections of entries, each with its line.
 *
 * In charge of the syntax and of collecting faults. The only place that knows libconfuse. Leaves
 * what the entries mean to config_rows.c and config.c, which also reads the file.
 *
 * Two things would surprise. libconfuse (3.3) counts the line of a one-line comment twice and
 * refuses comments within a list, so comments are blanked out before it sees the text. And its tree
 * of values is not used: a value of it has no line, and a second section of the same title silently
 * replaces the first, so entries are noted as they are parsed.
 */
#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_private.h"
#include "base/memory.h"
#include "base/text.h"

#define SHOWN_MAX 120	  /* bytes of a value that a fault repeats */
#define KEY_LENGTH_MAX 40 /* of an unknown key that a near one is looked for */
#define SUGGESTION_DISTANCE 2

/* libconfuse hands its callbacks no pointer of ours. */
static struct {
	struct config_file *file;
	cfg_t *root;
	bool in_section;  /* the last of file->sections is being parsed and has entries */
	int *brace_lines; /* of the outermost opening braces: where sections begin */
	char last_code;	  /* before white space: a brace behind '=' opens a list */
	int open_line;	  /* of the last outermost opening brace */
	size_t brace_count;
	bool is_unclosed; /* a brace is missing, and there is a fault that says so */
} parser;

static char *format_text(const void *context, const char *format, va_list arguments)
{
	char *text = talloc_vasprintf(context, format, arguments);

	if (text == NULL)
		abort(); /* out of memory, as in memory.h */
	return text;
}

void config_file_complain(
	struct config_file *file, int line, bool is_warning, const char *format, ...)
{
	struct config_faults *faults = file->faults;
	struct config_fault *fault;
	char *text;
	va_list arguments;

	file->is_wrong |= !is_warning;
	if (faults->count == CONFIG_FAULTS_MAX)
		return;
	va_start(arguments, format);
	text = format_text(file->scratch, format, arguments);
	va_end(arguments);
	faults->items = mem_realloc(
		file->context, faults->items, (faults->count + 1) * sizeof *faults->items);
	fault = &faults->items[faults->count++];
	fault->line = line;
	fault->is_warning = is_warning;
	if (line > 0)
		fault->text = mem_printf(file->context, "%s:%d: %s", file->path, line, text);
	else
		fault->text = mem_printf(file->context, "%s: %s", file->path, text);
}

void config_file_complain_value(struct config_file *file, const struct config_entry *entry)
{
	const struct config_row *row = entry->row;
	const char *shown = text_clean_string(file->scratch, entry->text, SHOWN_MAX);

	if (row->no_drop != NULL && text_equal_fold(entry->text, "drop"))
		config_file_complain(
			file, entry->line, false, "%s = drop: %s", row->name, row->no_drop);
	else
		config_file_complain(file, entry->line, false, "%s = \"%s\": %s", row->name, shown,
			config_rows_want(file->scratch, row));
}

/* ---- what libconfuse finds ---- */

/* Room for one more, doubled at every power of two. */
static void *grow(const void *context, void *items, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return items;
	return mem_realloc(context, items, (count == 0 ? 1 : 2 * count) * size);
}

/* In the order of the file, so the line is that of the next outermost brace. */
static void add_section(struct config_file *file, enum config_kind kind, const char *title)
{
	struct config_section *section;
	size_t number = file->count; /* 1 for the first behind CONFIG_TOP */

	file->sections = grow(file->scratch, file->sections, file->count, sizeof *section);
	section = &file->sections[file->count++];
	memset(section, 0, sizeof *section);
	section->kind = kind;
	section->title = title == NULL ? NULL : mem_strdup(file->scratch, title);
	if (number > 0 && number <= parser.brace_count)
		section->line = parser.brace_lines[number - 1];
}

static enum config_kind find_kind(const char *name)
{
	enum config_kind kind = CONFIG_TOP;

	while (kind + 1 < CONFIG_KIND_COUNT && strcmp(config_kinds[kind].name, name) != 0)
		kind++;
	return kind;
}

static struct config_section *current_section(const cfg_t *cfg)
{
	struct config_file *file = parser.file;

	if (cfg == parser.root)
		return &file->sections[0];
	if (!parser.in_section)
		add_section(file, find_kind(cfg->name), cfg->title);
	parser.in_section = true;
	return &file->sections[file->count - 1];
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			return true;
	}
	return false;
}

/* Called once for each value, before it is stored (cfg_callback_t). */
static int note_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct config_file *file = parser.file;
	struct config_section *section = current_section(cfg);
	const struct config_row *row = config_rows_find(section->kind, opt->name);
	struct config_entry *entry;

	*(const char **)result = value;
	if (has_control(value))
		config_file_complain(file, cfg->line, false,
			"%s: a line break or control character in the value; is a quote missing?",
			row->name);
	/* The first value behind a '=': "+=" goes on counting. */
	for (size_t i = 0; opt->nvalues <= 1 && i < section->count; i++) {
		if (section->entries[i].row != row)
			continue;
		config_file_complain(file, cfg->line, false,
			"%s: is set already on line %d; keep one of them", row->name,
			section->entries[i].line);
		break;
	}
	section->entries = grow(file->scratch, section->entries, section->count, sizeof *entry);
	entry = &section->entries[section->count++];
	entry->row = row;
	entry->text = mem_strdup(file->scratch, value);
	entry->line = cfg->line;
	return 0;
}

/* Called at the closing brace of a section (cfg_validate_callback_t). One without values was not
 * noted yet, and which of the sections it is only its last line tells. */
static int note_section(cfg_t *cfg, cfg_opt_t *opt)
{
	for (unsigned i = opt->nvalues; !parser.in_section && i > 0; i--) {
		const cfg_t *section = opt->values[i - 1]->section;

		if (section->line != cfg->line)
			continue;
		add_section(parser.file, find_kind(opt->name), section->title);
		break;
	}
	parser.in_section = false;
	return 0;
}

/* ---- what libconfuse complains about ---- */

/* How many letters must change, be added or removed (Levenshtein), or more than the cap. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[KEY_LENGTH_MAX + 1];
	size_t length = strlen(b);

	if (length > KEY_LENGTH_MAX || strlen(a) > KEY_LENGTH_MAX)
		return KEY_LENGTH_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= length; j++) {
			size_t best = diagonal + (a[i] != b[j - 1]);

			diagonal = row[j];
			best = best <= row[j] ? best : row[j] + 1;
			row[j] = best <= row[j - 1] ? best : row[j - 1] + 1;
		}
	}
	return row[length];
}

/* The nearest key or section name that is allowed within cfg, or NULL. */
static const char *find_near(const cfg_t *cfg, const char *name)
{
	size_t least = SUGGESTION_DISTANCE + 1;
	const char *nearest = NULL;

	for (const cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++) {
		size_t distance = edit_distance(name, opt->name);

		if (distance >= least)
			continue;
		least = distance;
		nearest = opt->name;
	}
	return nearest;
}

static const char *list_keys(const cfg_t *cfg)
{
	char *text = mem_strdup(parser.file->scratch, "");

	for (const cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++)
		text = mem_append(text, "%s%s", opt == cfg->opts ? "" : ", ", opt->name);
	return text;
}

static void complain_unknown(const cfg_t *cfg, const char *name)
{
	struct config_file *file = parser.file;
	const char *shown = text_clean_string(file->scratch, name, SHOWN_MAX);
	const char *near = find_near(cfg, name);

	if (near != NULL) {
		config_file_complain(file, cfg->line, false, "unknown key \"%s\"; did you mean %s?",
			shown, near);
		return;
	}
	for (size_t i = 0; i < config_row_count; i++) {
		const char *kind = config_kinds[config_rows[i].kind].name;

		if (strcmp(config_rows[i].name, name) != 0)
			continue;
		if (config_rows[i].kind == CONFIG_TOP)
			config_file_complain(file, cfg->line, false,
				"%s belongs in front of the sections, not in one", shown);
		else
			config_file_complain(
				file, cfg->line, false, "%s belongs in a %s section", shown, kind);
		return;
	}
	config_file_complain(file, cfg->line, false, "unknown key \"%s\"; known here: %s", shown,
		list_keys(cfg));
}

/* What would be right, for libconfuse's own sentences. Under a locale with a translation they are
 * not found here, and are told without. */
struct hint {
	const char *format;
	const char *hint;
};

static const struct hint hints[] = {
	{"missing equal sign after option '%s'", "want KEY = VALUE"},
	{"missing title for section '%s'", "want the name in quotes in front of the brace"},
	{"missing opening brace for section '%s'", "want { behind the name"},
	{"attempt to append to non-list option '%s'", "want =, it has one value"},
	{"premature end of file", "want a value"},
	{"unexpected closing brace", "there is one } too many"},
	{"unexpected token '%s'",
		"want one value, or a list as { \"A\", \"B\" }; a value with blanks or any of "
		"#{}(),=+ in it stands in quotes"},
};

/* The library's way to report an error (cfg_errfunc_t); it gives up after the first. */
static void note_error(cfg_t *cfg, const char *format, va_list arguments)
{
	struct config_file *file = parser.file;
	const char *hint = NULL;
	char *text;

	if (strcmp(format, "no such option '%s'") == 0) {
		complain_unknown(cfg, va_arg(arguments, const char *));
		return;
	}
	if (strcmp(format, "premature end of file") == 0 && parser.is_unclosed)
		return;
	for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
		if (strcmp(format, hints[i].format) == 0)
			hint = hints[i].hint;
	}
	text = format_text(file->scratch, format, arguments);
	text = text_clean_string(file->scratch, text, 2 * SHOWN_MAX);
	config_file_complain(file, cfg->line, false, "%s%s%s", text, hint == NULL ? "" : "; ",
		hint == NULL ? "" : hint);
}

/* ---- the text ---- */

enum scan { SCAN_CODE, SCAN_DOUBLE, SCAN_SINGLE, SCAN_LINE, SCAN_BLOCK };

/* What begins at text[at]. A comment of slashes begins only where a word could: "/var//lib" is a
 * path to libconfuse, too. */
static enum scan scan_start(const char *text, size_t at, size_t size)
{
	bool at_word = at == 0 || strchr(" \t\r\n={}(),", text[at - 1]) != NULL;
	char next = at + 1 < size ? text[at + 1] : '\0';

	if (text[at] == '"')
		return SCAN_DOUBLE;
	if (text[at] == '\'')
		return SCAN_SINGLE;
	if (text[at] == '#' || (at_word && text[at] == '/' && next == '/'))
		return SCAN_LINE;
	return at_word && text[at] == '/' && next == '*' ? SCAN_BLOCK : SCAN_CODE;
}

/* The offset behind the comment or string that begins at text[at]; 0 when it has no end. A line
 * comment ends in front of its line end, or with the file. */
static size_t scan_end(const char *text, size_t at, size_t size, enum scan what)
{
	const char *rest = text + at + 1;
	const char *end;

	switch (what) {
	case SCAN_CODE:
		return at + 1;
	case SCAN_LINE:
		end = memchr(rest, '\n', size - at - 1);
		return end == NULL ? size : (size_t)(end - text);
	case SCAN_BLOCK:
		end = at + 2 < size ? memmem(rest + 1, size - at - 2, "*/", 2) : NULL;
		return end == NULL ? 0 : (size_t)(end - text) + 2;
	case SCAN_DOUBLE:
	case SCAN_SINGLE:
		break;
	}
	for (size_t i = at + 1; i < size; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == text[at])
			return i + 1;
	}
	return 0;
}

/* A character outside of strings and comments. libconfuse takes the end of the file for that of a
 * section, so braces are counted here: half a file must not pass for a whole one. */
static bool note_code(struct config_file *file, char c, int line, int *depth)
{
	bool is_list = parser.last_code == '=';

	if (strchr(" \t\r\n", c) == NULL)
		parser.last_code = c;
	if (c == '{' && (*depth)++ == 0) {
		parser.open_line = line;
		if (is_list)
			return true;
		parser.brace_lines = grow(file->scratch, parser.brace_lines, parser.brace_count,
			sizeof *parser.brace_lines);
		parser.brace_lines[parser.brace_count++] = line;
	} else if (c == '}') {
		(*depth)--;
	} else if (c == '|' || c == '*' || c == '$') {
		/* To libconfuse '|' is a path into sections, '*' is nothing at all, and ${NAME} is
		 * a variable of the environment, with braces that would be counted. */
		config_file_complain(
			file, line, false, "'%c' outside of quotes; want the value in quotes", c);
		return false;
	}
	return true;
}

/* Replaces comments by blanks, line ends kept. False, with a fault, when libconfuse had better not
 * see the text. */
static bool blank_comments(struct config_file *file, char *text, size_t size)
{
	int line = 1;
	int depth = 0;

	for (size_t at = 0, end; at < size; at = end) {
		enum scan what = scan_start(text, at, size);
		bool is_comment = what == SCAN_LINE || what == SCAN_BLOCK;

		end = scan_end(text, at, size, what);
		if (end == 0) {
			config_file_complain(file, line, false,
				"the %s that starts here is not closed",
				is_comment ? "comment" : "quoted value");
			return false;
		}
		if (what == SCAN_CODE && !note_code(file, text[at], line, &depth))
			return false;
		for (size_t i = at; i < end; i++) {
			line += text[i] == '\n';
			if (is_comment && text[i] != '\n')
				text[i] = ' ';
		}
	}
	parser.is_unclosed = depth > 0;
	if (parser.is_unclosed)
		config_file_complain(file, parser.open_line, false,
			"a brace that opens here is not closed; want }");
	return true;
}

/* libconfuse's description of one kind of section, made from the rows. Ends with CFG_END. */
static cfg_opt_t *make_options(const void *scratch, enum config_kind kind)
{
	cfg_opt_t *options =
		mem_new_array(scratch, cfg_opt_t, config_row_count + CONFIG_KIND_COUNT + 1);
	size_t count = 0;

	for (size_t i = 0; i < config_row_count; i++) {
		cfg_flag_t flags = CFGF_NODEFAULT | (config_rows[i].is_list ? CFGF_LIST : 0);
		cfg_opt_t option = CFG_STR_CB(config_rows[i].name, NULL, flags, note_value);

		if (config_rows[i].kind == kind)
			options[count++] = option;
	}
	for (size_t i = CONFIG_TOP + 1; kind == CONFIG_TOP && i < CONFIG_KIND_COUNT; i++) {
		cfg_flag_t flags = CFGF_MULTI | (config_kinds[i].has_title ? CFGF_TITLE : 0);
		cfg_opt_t option = CFG_SEC(
			config_kinds[i].name, make_options(scratch, (enum config_kind)i), flags);

		option.validcb = note_section;
		options[count++] = option;
	}
	options[count] = (cfg_opt_t)CFG_END();
	return options;
}

static void parse_text(struct config_file *file, char *text, size_t size)
{
	FILE *stream = fmemopen(text, size, "r");

	parser.root = cfg_init(make_options(file->scratch, CONFIG_TOP), CFGF_NONE);
	if (stream == NULL || parser.root == NULL)
		abort(); /* out of memory */
	cfg_set_error_function(parser.root, note_error);
	file->is_whole = cfg_parse_fp(parser.root, stream) == CFG_SUCCESS && !parser.is_unclosed;
	/* libconfuse also fails without a word, when its own memory is out. */
	if (!file->is_whole && !file->is_wrong)
		config_file_complain(file, parser.root->line, false, "cannot be parsed");
	cfg_free(parser.root);
	fclose(stream);
}

void config_file_parse(struct config_file *file, char *text, size_t size)
{
	static const char mark[] = "\xEF\xBB\xBF"; /* some editors begin a file with it */

	memset(&parser, 0, sizeof parser);
	parser.file = file;
	add_section(file, CONFIG_TOP, NULL);
	if (memchr(text, '\0', size) != NULL) {
		config_file_complain(file, 0, false, "holds a NUL byte; want a text file");
		return;
	}
	if (size >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0)
		memset(text, ' ', sizeof mark - 1);
	if (size == 0)
		file->is_whole = true; /* fmemopen does not take it everywhere */
	else if (blank_comments(file, text, size))
		parse_text(file, text, size);
	memset(&parser, 0, sizeof parser);
}
