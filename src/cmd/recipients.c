/*
 * recipients.c: the recipients of a submission.
 *
 * In charge of deciding whether they can be taken one at a time. Leaves the reading of address
 * lists to read/. Surprising: with -t it says no whenever an address might be missed or misspelt,
 * as for local names without a domain, comments with an '@' and overlong fields: the real sendmail
 * then reads the header itself, and only the finer form of tag is lost, never a recipient.
 */
#include "cmd/recipients.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"

static const struct field {
	const char *name;
	bool is_resent;
	bool is_secret;
} fields[] = {
	{"To", false, false},
	{"Cc", false, false},
	{"Bcc", false, true},
	{"Resent-To", true, false},
	{"Resent-Cc", true, false},
	{"Resent-Bcc", true, true},
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

bool recipients_is_secret(const char *field_name)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].is_secret && text_equal_fold(fields[i].name, field_name))
			return true;
	}
	return false;
}

static void add_item(
	struct addressees *to, const void *context, const char *word, const char *address)
{
	to->items = mem_realloc(context, to->items, (to->count + 1) * sizeof *to->items);
	to->items[to->count++] = (struct addressee){.word = word, .address = address};
}

static void add_address(struct addressees *to, const void *context, const char *address)
{
	to->addresses = mem_realloc(
		context, to->addresses, (to->address_count + 1) * sizeof *to->addresses);
	to->addresses[to->address_count++] = address;
}

/* Words that are no single address, such as "a@x, b@y", have each address in them recorded. */
static void collect_words(
	const void *context, const struct sendmail_args *args, struct addressees *to)
{
	for (size_t i = 0; i < args->recipient_count; i++) {
		const char *word = args->recipients[i];
		const char *address = address_normalise(context, word);
		size_t count = 0;
		char **found = NULL;

		add_item(to, context, word, address);
		if (address != NULL)
			add_address(to, context, address);
		else
			found = header_addresses(context, word, &count);
		for (size_t k = 0; k < count; k++)
			add_address(to, context, found[k]);
	}
}

/* How many entries a list has, going by the commas outside quotes and comments, and how many '@'
 * anywhere. */
static void count_entries(const char *value, size_t *entries_out, size_t *ats_out)
{
	bool is_quoted = false, has_text = false;
	int depth = 0;

	*entries_out = *ats_out = 0;
	for (const char *c = value; *c != '\0'; c++) {
		bool is_plain = !is_quoted && depth == 0;

		*ats_out += *c == '@';
		if (*c == '\\' && !is_plain && c[1] != '\0')
			c++;
		else if (*c == '"' && depth == 0)
			is_quoted = !is_quoted;
		else if (*c == '(' && !is_quoted)
			depth++;
		else if (*c == ')' && !is_quoted && depth > 0)
			depth--;
		if (is_plain && (*c == ',' || *c == ';')) {
			*entries_out += has_text;
			has_text = false;
		} else if (*c != ' ' && *c != '\t') {
			has_text = true;
		}
	}
	*entries_out += has_text;
}

/* Adds each address as it is spelt in the field, since the case of a local part is its host's
 * affair. False when the field holds more than these addresses, or other spellings. */
static bool add_spelt(const void *context, const char *value, char *const *found, size_t count,
	struct addressees *to)
{
	size_t entries, ats;

	count_entries(value, &entries, &ats);
	if (entries != count || ats != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *place = text_find_fold(value, found[i]);
		size_t length = strlen(found[i]);

		if (place == NULL)
			return false;
		add_item(to, context, mem_strndup(context, place, length), found[i]);
		value = place + length;
	}
	return true;
}

/* False when the field was not understood to its end. */
static bool collect_field(const void *context, const struct header *header, struct addressees *to)
{
	size_t count;
	char **found = header_addresses(context, header->value, &count);

	for (size_t i = 0; i < count; i++)
		add_address(to, context, found[i]);
	return header->raw.size <= HEADER_VALUE_MAX &&
	       add_spelt(context, header->value, found, count, to);
}

/* With any Resent field of the three, only these count (RFC 5322 section 3.6.6; Postfix, sendmail
 * and Exim agree). */
static bool is_resent(const struct headers *headers)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].is_resent && headers_find(headers, fields[i].name) != NULL)
			return true;
	}
	return false;
}

static bool collect_header(
	const void *context, const struct headers *headers, struct addressees *to)
{
	bool resent = is_resent(headers);
	bool is_understood = headers->count < HEADER_COUNT_MAX;

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const struct header *header;
		size_t index = 0;

		if (fields[i].is_resent != resent)
			continue;
		while ((header = headers_next(headers, fields[i].name, &index)) != NULL)
			is_understood = collect_field(context, header, to) && is_understood;
	}
	return is_understood;
}

/* By address, then by place, so that the first of several equal ones comes first. */
static int compare_items(const void *a, const void *b)
{
	const struct addressee *const *left = a;
	const struct addressee *const *right = b;
	int order = strcmp((*left)->address, (*right)->address);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Leaves the first of each address: one address in To and Cc gets one copy, as sendmail has it. */
static void drop_repeated(const void *context, struct addressees *to)
{
	struct addressee **sorted = mem_new_array(context, struct addressee *, to->count);
	size_t known = 0, kept = 0;

	for (size_t i = 0; i < to->count; i++) {
		if (to->items[i].address != NULL)
			sorted[known++] = &to->items[i];
	}
	if (known > 1)
		qsort(sorted, known, sizeof *sorted, compare_items);
	for (size_t i = known; i-- > 1;) {
		if (strcmp(sorted[i]->address, sorted[i - 1]->address) == 0)
			sorted[i]->word = NULL;
	}
	for (size_t i = 0; i < to->count; i++) {
		if (to->items[i].word != NULL)
			to->items[kept++] = to->items[i];
	}
	to->count = kept;
	mem_free(sorted);
}

void recipients_collect(const void *context, const struct sendmail_args *args,
	const struct headers *headers, bool is_header_whole, struct addressees *recipients_out)
{
	memset(recipients_out, 0, sizeof *recipients_out);
	collect_words(context, args, recipients_out);
	recipients_out->can_split = true;
	if (args->reads_header) {
		/* Whether arguments add to the header's recipients (Postfix) or are taken from them
		 * (Exim) only the real one knows. */
		recipients_out->can_split = collect_header(context, headers, recipients_out) &&
					    is_header_whole && args->recipient_count == 0;
	}
	if (recipients_out->can_split)
		drop_repeated(context, recipients_out);
}
