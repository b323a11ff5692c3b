/*
 * rule_sample.c: in charge of the samples of a rule. Their lines stand further to the right than
 * the word "sample", by a tab or by blanks, as far as the first of them; blank ones may be shorter,
 * as editors trim them.
 */
#include <string.h>

#include "base/memory.h"
#include "classify/rule_private.h"

#define SAMPLES_MAX 64

struct indent rule_sample_indent(const char *line, const char *text)
{
	size_t indent = strspn(line, " \t"), deeper;

	while (*text != '\0' && text[strspn(text, " \t")] == '\n')
		text += strspn(text, " \t") + 1;
	if (strncmp(text, line, indent) != 0)
		return (struct indent){text, 0};
	deeper = text[indent] == '\t' ? 1 : strspn(text + indent, " ");
	return (struct indent){text, deeper == 0 ? 0 : indent + deeper};
}

bool rule_sample_has(const char *text, const struct indent *indent)
{
	return *text != '\0' && (strncmp(text, indent->text, indent->size) == 0 ||
					text[strspn(text, " \t")] == '\n');
}

/* True when the line begins with the word. */
static bool has_word(const char *line, const char *word)
{
	const char *first = line + strspn(line, " \t");
	size_t size = strlen(word);

	return strncmp(first, word, size) == 0 && strchr(" \t\n", first[size]) != NULL;
}

/* The sample that begins at text, without what stands in front of its lines. Moves *text and *line
 * behind it. */
static char *take_sample(
	const void *context, const char **text, int *line, const struct indent *indent)
{
	char *sample = mem_alloc(context, strlen(*text) + 1), *out = sample;

	for (; rule_sample_has(*text, indent); (*line)++) {
		size_t length = strcspn(*text, "\n"), blanks = strspn(*text, " \t");
		size_t skip = blanks < indent->size ? blanks : indent->size;
		length += (*text)[length] == '\n';
		memcpy(out, *text + skip, length - skip);
		out += length - skip;
		*text += length;
	}
	*out = '\0';
	return sample;
}

size_t rule_read_samples(
	const void *context, const struct rule *rule, struct rule_sample **samples_out)
{
	const char *text = rule->samples == NULL
				   ? ""
				   : mem_strndup(context, rule->samples, rule->samples_size);
	struct rule_sample *samples = mem_new_array(context, struct rule_sample, SAMPLES_MAX);
	size_t count = 0;

	for (int line = rule->samples_line; *text != '\0' && count < SAMPLES_MAX;) {
		const char *start = text;
		size_t length = strcspn(text, "\n");
		text += length + (text[length] == '\n');
		line++;
		if (has_word(start, "sample")) {
			struct indent indent = rule_sample_indent(start, text);
			samples[count].line = line - 1;
			samples[count++].text = take_sample(context, &text, &line, &indent);
		} else if (has_word(start, "expect") && count > 0 &&
			   samples[count - 1].expect == NULL) {
			const char *words = strstr(start, "expect") + strlen("expect");
			words += strspn(words, " \t");
			samples[count - 1].expect =
				mem_strndup(context, words, strcspn(words, "\n"));
		}
	}
	*samples_out = samples;
	return count;
}
