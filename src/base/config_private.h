/*
 * config_private.h: what the files of config share, and nobody else includes.
 *
 * config_read.c makes sections of entries (text with line numbers) out of a file's text,
 * config_rows.c knows what each entry means, config.c puts the structures of config.h together and
 * compares sections with each other, config_find.c looks things up in the result.
 */
#ifndef BACKSTOP_BASE_CONFIG_PRIVATE_H
#define BACKSTOP_BASE_CONFIG_PRIVATE_H

#include "base/config.h"

enum config_kind {
	CONFIG_TOP = 0, /* what stands outside of all sections */
	CONFIG_DNS,
	CONFIG_STORM,
	CONFIG_BLOCKLIST,
	CONFIG_DOMAIN,
	CONFIG_LIST,
	CONFIG_KIND_COUNT
};

/* What a kind of section is called, and whether a title follows its name. */
struct config_kind_row {
	const char *name;
	bool has_title;
};

struct config_word {
	const char *name; /* NULL ends a table */
	int value;
};

/* One setting. */
struct config_row {
	enum config_kind kind;
	const char *name;
	/* Turns text into a value at slot; false when text is not one. slot NULL: only look. */
	bool (*check)(
		const void *context, const struct config_row *row, const char *text, void *slot);
	const char *standard; /* the default as a file would have it, or NULL: zero, empty */
	const char *want;    /* "want ...": what would be right; NULL: made from words or actions */
	const char *no_drop; /* for targets: why drop is refused, or NULL */

	const struct config_word *words; /* for words */
	int64_t low, high;		 /* for numbers and durations */
	unsigned actions;		 /* for targets: allowed ones, bits 1 << action */

	bool is_list;	     /* values in braces */
	size_t offset;	     /* of the member in the structure of its kind */
	size_t count_offset; /* lists: of the member that counts */
	size_t element_size; /* lists */
};

/* One value of one setting, as the file has it; a list has several, one behind the other. */
struct config_entry {
	const struct config_row *row;
	const char *text;
	int line;
};

struct config_section {
	enum config_kind kind;
	const char *title; /* NULL without one */
	int line;	   /* of its opening brace; 0 for CONFIG_TOP */
	struct config_entry *entries;
	size_t count;
};

/* A file being read. All but the faults lives on scratch. */
struct config_file {
	const char *path;
	void *scratch;
	struct config_section *sections; /* the first is CONFIG_TOP */
	size_t count;
	bool is_whole; /* libconfuse reached the end */
	uid_t owner;
	int64_t written_s;

	const void *context;	      /* of the faults */
	struct config_faults *faults; /* at most CONFIG_FAULTS_MAX */
	bool is_wrong;		      /* a fault that is not a warning */
};

/* config_rows.c */
extern const struct config_kind_row config_kinds[CONFIG_KIND_COUNT];
extern const struct config_row config_rows[];
extern const size_t config_row_count;

/* The row of a setting, or NULL. */
const struct config_row *config_rows_find(enum config_kind kind, const char *name);
/* "want ..." for a row, on context. */
const char *config_rows_want(const void *context, const struct config_row *row);
/* True for what can stand behind an @: letters, digits, dots, dashes; 8-bit for IDN. */
bool config_is_domain_name(const char *text);

/* config_file.c: reads the file at file->path and takes it apart. STATUS_NO_INPUT, with a fault,
 * when it cannot be read; faults in it are no failure. */
enum status config_file_read(struct config_file *file);

/* config_read.c: takes a file's text apart, into file->sections; text is changed. */
void config_file_parse(struct config_file *file, char *text, size_t size);
/* Adds a fault; line 0: of the file as a whole. */
void config_file_complain(struct config_file *file, int line, bool is_warning, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* The same, about one value: what it is and what would be right. */
void config_file_complain_value(struct config_file *file, const struct config_entry *entry);

/* How an address came to belong to a list. */
enum config_match {
	CONFIG_MATCH_NONE = 0,
	CONFIG_MATCH_LIST,    /* the list's own address, or a form of it */
	CONFIG_MATCH_BOUNCES, /* an entry of bounces, or a form of it */
	CONFIG_MATCH_DERIVED  /* NAME-owner and the like, or a form of one */
};

/* One name of a domain or a list. */
struct config_name {
	const char *name;
	enum config_match match;
	size_t position; /* in config->domains or config->lists */
};

/* Both sorted by name, then match, then position: the first of several equal ones counts. */
struct config_index {
	struct config_name *domains;
	size_t domain_count;
	struct config_name *addresses;
	size_t address_count;
};

/* config_find.c: makes config->index; names that are NULL are left out. */
void config_index_build(struct config *config);
/* As config_find_list, and how it matched. */
const struct list_config *config_find_match(
	const struct config *config, const char *address, enum config_match *match_out);

#endif
