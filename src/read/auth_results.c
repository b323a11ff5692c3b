/*
 * auth_results.c: in charge of taking our own server's findings out of a message's header. Comments
 * and quoted words are put aside first; what then remains is words with '=' between.
 */
#include "read/auth_results.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "read/received.h"

#define FIELD_MAX 4000 /* bytes that are looked at */

struct reading {
	const void *context;
	struct auth_result *results;
	size_t count;
	size_t earlier; /* of count, those of the fields above */
};

/* Our server writes its field above whatever the message brought along: what one below it says of
 * the same method, a stranger may have written. */
static bool is_said(const struct reading *reading, const char *method)
{
	for (size_t i = 0; i < reading->earlier; i++) {
		if (strcmp(reading->results[i].method, method) == 0)
			return true;
	}
	return false;
}

static void add(struct reading *reading, struct auth_result result)
{
	if (reading->count < AUTH_RESULTS_MAX && !is_said(reading, result.method))
		reading->results[reading->count++] = result;
}

/* A lower-case copy without comments (RFC 5322 section 3.2.2); what is quoted keeps its words, less
 * the marks, and loses what would part them. */
static char *strip(const void *context, const char *value)
{
	char *text = text_lower(context, value);
	char *out = text;
	int depth = 0;
	bool is_quoted = false;

	/* Up to a space: half a word could be another's name. */
	if (strlen(text) > FIELD_MAX) {
		size_t size = FIELD_MAX;

		while (size > 0 && strchr("; \t", text[size]) == NULL)
			size--;
		text[size] = '\0';
	}
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\\' && c[1] != '\0' && (depth > 0 || is_quoted)) {
			c++;
			continue;
		}
		if (*c == '"' && depth == 0) {
			is_quoted = !is_quoted;
			continue;
		}
		if (!is_quoted && (*c == '(' || (*c == ')' && depth > 0))) {
			depth += *c == '(' ? 1 : -1;
			continue;
		}
		if (depth == 0 && !(is_quoted && strchr("; =\t", *c) != NULL))
			*out++ = *c;
	}
	*out = '\0';
	return text;
}

static bool is_trusted(const char *id, const char *const *ids, size_t id_count)
{
	for (size_t i = 0; i < id_count; i++) {
		if (text_equal_fold(ids[i], id))
			return true;
	}
	return false;
}

/* "spf=pass smtp.helo=mx.b.example": one part between two ';'. */
static void read_method(struct reading *reading, char *part)
{
	struct auth_result result = {.property = "", .value = ""};
	bool has_property = false;
	char *word;

	while ((word = strsep(&part, " \t")) != NULL) {
		char *equals = strchr(word, '=');
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (result.method == NULL) {
			word[strcspn(word, "/")] = '\0'; /* a version */
			result.method = word;
			result.result = equals + 1;
		} else if (strchr(word, '.') != NULL) {
			result.property = word;
			result.value = equals + 1;
			add(reading, result);
			has_property = true;
		}
	}
	if (result.method != NULL && !has_property)
		add(reading, result);
}

static void read_results(
	struct reading *reading, const char *value, const char *const *ids, size_t id_count)
{
	char *rest = strip(reading->context, value);
	char *id = strsep(&rest, ";");

	id += strspn(id, " \t");
	id[strcspn(id, " \t")] = '\0'; /* a version may follow */
	while (is_trusted(id, ids, id_count) && rest != NULL)
		read_method(reading, strsep(&rest, ";"));
}

/* "pass (comment) client-ip=...; envelope-from=...; helo=...; receiver=...; identity=helo" */
static void read_received_spf(
	struct reading *reading, const char *value, const char *const *ids, size_t id_count)
{
	char *rest = strip(reading->context, value);
	char *word, *result = NULL;
	const char *receiver = "", *helo = NULL, *from = NULL, *identity = "";

	while ((word = strsep(&rest, "; \t")) != NULL) {
		char *equals = strchr(word, '=');
		if (result == NULL && *word != '\0')
			result = word;
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (strcmp(word, "receiver") == 0)
			receiver = equals + 1;
		else if (strcmp(word, "helo") == 0)
			helo = equals + 1;
		else if (strcmp(word, "envelope-from") == 0)
			from = equals + 1;
		else if (strcmp(word, "identity") == 0)
			identity = equals + 1;
	}
	if (result == NULL || !is_trusted(receiver, ids, id_count))
		return;
	if (helo != NULL && (strcmp(identity, "helo") == 0 || from == NULL || *from == '\0' ||
				    strcmp(from, "<>") == 0))
		add(reading, (struct auth_result){"spf", result, "smtp.helo", helo});
	else if (from != NULL)
		add(reading, (struct auth_result){"spf", result, "smtp.mailfrom", from});
}

size_t auth_results_read(const void *context, const struct headers *headers, const char *const *ids,
	size_t id_count, struct auth_result *results_out)
{
	struct reading reading = {.context = context, .results = results_out};
	bool has_come_in = false;

	for (size_t i = 0; i < headers->count && id_count > 0; i++) {
		const struct header *header = &headers->items[i];
		struct hop hop;

		reading.earlier = reading.count;
		if (text_equal_fold(header->name, "Received")) {
			if (has_come_in)
				break;
			has_come_in = !received_parse(context, header->value, &hop) ||
				      (hop.has_client && !netaddr_is_internal(&hop.client));
		} else if (text_equal_fold(header->name, "Authentication-Results")) {
			read_results(&reading, header->value, ids, id_count);
		} else if (text_equal_fold(header->name, "Received-SPF")) {
			read_received_spf(&reading, header->value, ids, id_count);
		}
	}
	return reading.count;
}
