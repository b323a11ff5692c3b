/*
 * sendmail_args.c: sendmail's options, as a table of letters.
 *
 * In charge of telling options from values and recipients in the dialects of sendmail, Postfix and
 * Exim. Leaves to submit.c what is done about it. Surprising: a letter that is not in the table,
 * and whatever is joined to it, is kept and not refused: a list must not stop posting because its
 * mail server has an option that we never heard of. Options behind the first recipient are options,
 * as glibc's getopt has it for Postfix.
 */
#include "cmd/sendmail_args.h"

#include <string.h>

#include "base/memory.h"

enum effect {
	EFFECT_KEEP = 0,
	EFFECT_SENDER,
	EFFECT_ENVELOPE_ID,
	EFFECT_HEADER,
	EFFECT_DOTS,
	EFFECT_MODE, /* -bX: a submission only for X = m */
	EFFECT_SET,  /* -oX */
	EFFECT_OTHER /* not a submission */
};

enum value {
	VALUE_NONE = 0,
	VALUE_JOINED, /* what follows in the same word belongs to it, be it empty */
	VALUE_NEEDED  /* the rest of the word, or else the next word */
};

struct letter {
	char name;
	enum value value;
	enum effect effect;
};

/* -x, -d and -M differ between mail servers; what is joined to them is always theirs. */
static const struct letter letters[] = {
	{'A', VALUE_NEEDED, EFFECT_KEEP},  /* -Ac, -Am: which sendmail.cf */
	{'B', VALUE_NEEDED, EFFECT_KEEP},  /* body type */
	{'C', VALUE_NEEDED, EFFECT_KEEP},  /* configuration */
	{'D', VALUE_NEEDED, EFFECT_KEEP},  /* debug log */
	{'F', VALUE_NEEDED, EFFECT_KEEP},  /* full name */
	{'G', VALUE_NONE, EFFECT_KEEP},	   /* gateway submission */
	{'I', VALUE_NONE, EFFECT_OTHER},   /* newaliases */
	{'L', VALUE_NEEDED, EFFECT_KEEP},  /* syslog label */
	{'M', VALUE_JOINED, EFFECT_OTHER}, /* queue work */
	{'N', VALUE_NEEDED, EFFECT_KEEP},  /* DSN notify */
	{'O', VALUE_NEEDED, EFFECT_KEEP},  /* long option */
	{'Q', VALUE_JOINED, EFFECT_OTHER}, /* quarantine */
	{'R', VALUE_NEEDED, EFFECT_KEEP},  /* DSN return */
	{'T', VALUE_JOINED, EFFECT_KEEP},
	{'U', VALUE_NONE, EFFECT_KEEP}, /* initial submission */
	{'V', VALUE_NEEDED, EFFECT_ENVELOPE_ID},
	{'X', VALUE_NEEDED, EFFECT_KEEP}, /* traffic log */
	{'b', VALUE_NEEDED, EFFECT_MODE},
	{'c', VALUE_NONE, EFFECT_KEEP},
	{'d', VALUE_JOINED, EFFECT_KEEP}, /* debugging */
	{'e', VALUE_NEEDED, EFFECT_KEEP}, /* error mode */
	{'f', VALUE_NEEDED, EFFECT_SENDER},
	{'h', VALUE_NEEDED, EFFECT_KEEP}, /* hop count */
	{'i', VALUE_NONE, EFFECT_DOTS},
	{'m', VALUE_NONE, EFFECT_KEEP}, /* me too */
	{'n', VALUE_NONE, EFFECT_KEEP}, /* no aliases */
	{'o', VALUE_NEEDED, EFFECT_SET},
	{'p', VALUE_NEEDED, EFFECT_KEEP},   /* protocol */
	{'q', VALUE_JOINED, EFFECT_OTHER},  /* queue run */
	{'r', VALUE_NEEDED, EFFECT_SENDER}, /* the old spelling of -f */
	{'s', VALUE_NONE, EFFECT_KEEP},
	{'t', VALUE_NONE, EFFECT_HEADER},
	{'v', VALUE_NONE, EFFECT_KEEP},
	{'x', VALUE_JOINED, EFFECT_KEEP},
};

/* Where the walk through the words stands. */
struct walk {
	const void *context;
	char *const *words;
	size_t count;
	size_t next; /* the word behind the one looked at */
	const char **recipients;
	const char **kept;
	struct sendmail_args *args;
};

static const struct letter *find_letter(char name)
{
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
		if (letters[i].name == name)
			return &letters[i];
	}
	return NULL;
}

static void keep(struct walk *walk, const char *word)
{
	walk->kept[walk->args->kept_count++] = word;
}

/* Keeps an option in the shape in which it was written, apart from the cluster it stood in. */
static void keep_option(struct walk *walk, char name, const char *value, bool is_joined)
{
	keep(walk, mem_printf(walk->context, "-%c%s", name, is_joined ? value : ""));
	if (value != NULL && !is_joined)
		keep(walk, value);
}

/* Exim's -oM family says where a message came from; each takes a word of its own behind it. */
static bool is_exim_history(const char *setting)
{
	static const char *const settings[] = {
		"Ma", "Maa", "Mai", "Mam", "Mas", "Mat", "Mi", "Mm", "Mr", "Ms", "Mt"};

	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		if (strcmp(setting, settings[i]) == 0)
			return true;
	}
	return false;
}

static void apply_setting(struct walk *walk, const char *value, bool is_joined)
{
	if (strcmp(value, "i") == 0) {
		walk->args->ignores_dots = true;
		return;
	}
	keep_option(walk, 'o', value, is_joined);
	if (is_exim_history(value) && walk->next < walk->count)
		keep(walk, walk->words[walk->next++]);
}

static void apply(struct walk *walk, const struct letter *letter, const char *value, bool is_joined)
{
	struct sendmail_args *args = walk->args;

	switch (letter->effect) {
	case EFFECT_KEEP:
		keep_option(walk, letter->name, value, is_joined);
		break;
	case EFFECT_ENVELOPE_ID:
		args->envelope_id = value;
		keep_option(walk, letter->name, value, is_joined);
		break;
	case EFFECT_SENDER:
		args->sender = value;
		break;
	case EFFECT_HEADER:
		args->reads_header = true;
		break;
	case EFFECT_DOTS:
		args->ignores_dots = true;
		break;
	case EFFECT_MODE:
		if (strcmp(value, "m") != 0)
			args->is_submission = false;
		break;
	case EFFECT_SET:
		apply_setting(walk, value, is_joined);
		break;
	case EFFECT_OTHER:
		args->is_submission = false;
		break;
	}
}

/* One word of options, behind its '-'. */
static void read_cluster(struct walk *walk, const char *cluster)
{
	for (const char *c = cluster; *c != '\0'; c++) {
		const struct letter *letter = find_letter(*c);

		if (letter == NULL) {
			keep(walk, mem_printf(walk->context, "-%s", c));
			return;
		}
		if (letter->value == VALUE_NONE) {
			apply(walk, letter, NULL, false);
			continue;
		}
		if (c[1] != '\0' || letter->value == VALUE_JOINED) {
			apply(walk, letter, c + 1, true);
		} else if (walk->next < walk->count) {
			apply(walk, letter, walk->words[walk->next++], false);
		} else {
			walk->args->is_submission = false;
		}
		return;
	}
}

void sendmail_args_parse(
	const void *context, char *const *words, size_t word_count, struct sendmail_args *args_out)
{
	struct walk walk = {
		.context = context,
		.words = words,
		.count = word_count,
		.args = args_out,
		.recipients = mem_new_array(context, const char *, word_count),
	};
	size_t kept_max = word_count;
	bool has_ended = false;

	/* A cluster can give one kept word for each of its letters. */
	for (size_t i = 0; i < word_count; i++)
		kept_max += strlen(words[i]);
	walk.kept = mem_new_array(context, const char *, kept_max);
	memset(args_out, 0, sizeof *args_out);
	args_out->is_submission = true;
	while (walk.next < word_count) {
		const char *word = words[walk.next++];

		if (!has_ended && strcmp(word, "--") == 0)
			has_ended = true;
		else if (!has_ended && word[0] == '-' && word[1] != '\0')
			read_cluster(&walk, word + 1);
		else
			walk.recipients[args_out->recipient_count++] = word;
	}
	args_out->recipients = walk.recipients;
	args_out->kept = walk.kept;
}
