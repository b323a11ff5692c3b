/*
 * config_rows.c: every setting as a row: name, type, default, check.
 *
 * In charge of what a single value may be and what it becomes. Leaves the file's syntax to
 * config_read.c and whatever needs two values at once to config.c. Checks do not complain: they say
 * no, and the complaint is made from the row, so that every refusal also says what would be right.
 * Defaults go through the same checks, as the text that a file would have.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/config_private.h"
#include "base/memory.h"
#include "base/rules.h"
#include "base/tag.h"
#include "base/text.h"

#define DAY_S (24 * 60 * 60)
#define SENT_LIFETIME_MIN (15 * DAY_S)
#define WEIGHT_MAX 15	    /* decibans; a DNS list alone decides nothing (DESIGN.md section 5) */
#define DOMAIN_NAME_MAX 253 /* RFC 1035 section 2.3.4, without the final dot */
#define PORT_MAX 65535
#define LIMIT_COUNT_MAX 1000000
#define STORM_FACTOR_MAX 1000
#define WEIGHT_WORD_MAX 32 /* bytes of the name of a check or a result */
#define EVIDENCE_WEIGHT_MAX 60

const struct config_kind_row config_kinds[CONFIG_KIND_COUNT] = {
	[CONFIG_TOP] = {.name = "root"}, /* libconfuse's name for it */
	[CONFIG_DNS] = {.name = "dns"},
	[CONFIG_STORM] = {.name = "storm"},
	[CONFIG_BLOCKLIST] = {.name = "blocklist", .has_title = true},
	[CONFIG_DOMAIN] = {.name = "domain", .has_title = true},
	[CONFIG_LIST] = {.name = "list", .has_title = true},
};

static const struct config_word modes[] = {
	{"observe", MODE_OBSERVE}, {"enforce", MODE_ENFORCE}, {NULL, 0}};
static const struct config_word shares[] = {
	{"all", SHARE_ALL}, {"some", SHARE_SOME}, {"none", SHARE_NONE}, {NULL, 0}};
static const struct config_word sent_logs[] = {{"complete", SENT_LOG_COMPLETE},
	{"partial", SENT_LOG_PARTIAL}, {"none", SENT_LOG_NONE}, {NULL, 0}};
static const struct config_word privacies[] = {
	{"full", PRIVACY_FULL}, {"hash", PRIVACY_HASH}, {"none", PRIVACY_NONE}, {NULL, 0}};
static const struct config_word negations[] = {{"yes", false}, {"no", true}, {NULL, 0}};
static const struct config_word tag_forms[] = {
	{"recipient", TAG_FORM_RECIPIENT}, {"sender", TAG_FORM_SENDER}, {NULL, 0}};
static const struct config_word envelope_ids[] = {{"none", 0}, {"message-id", 1}, {NULL, 0}};
static const struct config_word owner_views[] = {
	{"summary", OWNER_SEES_SUMMARY}, {"original", OWNER_SEES_ORIGINAL}, {NULL, 0}};

/* Check functions store words through an int. */
_Static_assert(
	sizeof(enum mode) == sizeof(int) && sizeof(enum share) == sizeof(int) &&
		sizeof(enum sent_log) == sizeof(int) && sizeof(enum tag_form) == sizeof(int) &&
		sizeof(enum privacy) == sizeof(int) && sizeof(enum owner_sees) == sizeof(int),
	"an enum is as large as an int");

static bool check_word(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	(void)context;
	for (const struct config_word *word = row->words; word->name != NULL; word++) {
		if (!text_equal_fold(word->name, text))
			continue;
		if (slot != NULL)
			memcpy(slot, &word->value, sizeof word->value);
		return true;
	}
	return false;
}

static void store_text(const void *context, const char *text, void *slot)
{
	if (slot != NULL)
		*(const char **)slot = mem_strdup(context, text);
}

static bool check_path(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	(void)row;
	if (text[0] != '/')
		return false;
	store_text(context, text, slot);
	return true;
}

static bool check_log(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	if (strcmp(text, "syslog") != 0 && strcmp(text, "stderr") != 0)
		return check_path(context, row, text, slot);
	store_text(context, text, slot);
	return true;
}

/* What may stand in front of a tag; a file has it as text of one character. */
static bool check_delimiter(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	(void)context;
	(void)row;
	if (strlen(text) != 1 || strchr(TAG_DELIMITERS, *text) == NULL)
		return false;
	if (slot != NULL)
		*(char *)slot = *text;
	return true;
}

static bool check_duration(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	int64_t seconds;

	(void)context;
	if (!clock_parse_duration(text, &seconds) || seconds < row->low || seconds > row->high)
		return false;
	if (slot != NULL)
		*(int64_t *)slot = seconds;
	return true;
}

static bool check_size(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	uint64_t size;

	(void)context;
	(void)row;
	if (!clock_parse_size(text, &size))
		return false;
	if (slot != NULL)
		*(uint64_t *)slot = size;
	return true;
}

/* Digits with an optional '-', nothing else: strtol alone takes white space and "+". */
static bool parse_number(const char *text, int64_t low, int64_t high)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t count = strspn(digits, "0123456789");
	long long number;

	if (count == 0 || count > 9 || digits[count] != '\0')
		return false;
	number = strtoll(text, NULL, 10);
	return number >= low && number <= high;
}

/* yes and no into a member that says that it is off. */
static bool check_off(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	int value = 0;

	if (!check_word(context, row, text, &value))
		return false;
	if (slot != NULL)
		*(bool *)slot = value != 0;
	return true;
}

static bool check_number(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	(void)context;
	if (!parse_number(text, row->low, row->high))
		return false;
	if (slot != NULL)
		*(int *)slot = (int)strtol(text, NULL, 10);
	return true;
}

static bool check_address(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	char *address = address_normalise(context, text);

	(void)row;
	if (address == NULL || strpbrk(address, " \t") != NULL ||
		!config_is_domain_name(address_domain(address))) {
		mem_free(address);
		return false;
	}
	if (slot != NULL)
		*(const char **)slot = address;
	else
		mem_free(address);
	return true;
}

static bool check_netblock(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	struct netblock block;

	(void)context;
	(void)row;
	if (!netblock_parse(text, &block))
		return false;
	if (slot != NULL)
		*(struct netblock *)slot = block;
	return true;
}

static bool check_host(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	(void)row;
	if (!config_is_domain_name(text))
		return false;
	if (slot != NULL)
		*(const char **)slot = text_lower(context, text);
	return true;
}

/* The weight that rules/weights.rules gives to a result of a check; false when it has none. */
static bool find_rule_weight(const char *check, const char *result, int *weight_out)
{
	for (const char *line = rules_find("weights.rules"); line != NULL && *line != '\0';
		line += strcspn(line, "\n"), line += *line == '\n') {
		char row[2 * WEIGHT_WORD_MAX], name[WEIGHT_WORD_MAX], word[WEIGHT_WORD_MAX];
		snprintf(row, sizeof row, "%.*s", (int)strcspn(line, "\n"), line);
		if (*row != '#' && sscanf(row, "%31s %31s %d", name, word, weight_out) == 3 &&
			strcmp(name, check) == 0 && strcmp(word, result) == 0)
			return true;
	}
	return false;
}

/* "CHECK:RESULT=WEIGHT", as the log spells them. What speaks for a bounce cannot be made to speak
 * against it, nor the other way round; 0 takes it out. */
static bool check_weight(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	char check[WEIGHT_WORD_MAX], result[WEIGHT_WORD_MAX];
	int weight, standard, end = 0;

	if (sscanf(text, "%31[a-z]:%31[a-z0-9-]=%n", check, result, &end) != 2 || end == 0 ||
		!parse_number(text + end, row->low, row->high) ||
		!find_rule_weight(check, result, &standard))
		return false;
	weight = atoi(text + end);
	if ((weight < 0 && standard > 0) || (weight > 0 && standard < 0))
		return false;
	if (slot != NULL)
		*(struct weight_config *)slot = (struct weight_config){
			mem_strdup(context, check), mem_strdup(context, result), weight};
	return true;
}

/* "192.0.2.53", "192.0.2.53:53", "2001:db8::53", "[2001:db8::53]:53". */
static bool check_server(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	const char *colon = strrchr(text, ':');
	struct netaddr address;
	char *host;
	bool is_right = netaddr_parse(text, &address);

	(void)row;
	if (!is_right && colon != NULL && parse_number(colon + 1, 1, PORT_MAX)) {
		host = mem_strndup(context, text, (size_t)(colon - text));
		is_right = netaddr_parse(host, &address);
		mem_free(host);
	}
	if (is_right)
		store_text(context, text, slot);
	return is_right;
}

/* "dns" or "SELECTOR=/PATH", each with "@DOMAIN" behind the first word where another domain signs.
 */
static bool check_dkim_key(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	const char *equals = strchr(text, '=');
	size_t size = equals == NULL ? strlen(text) : (size_t)(equals - text);
	const char *at = memchr(text, '@', size);
	size_t name_size = at == NULL ? size : (size_t)(at - text);
	char *name = mem_strndup(context, text, name_size);
	char *domain = at == NULL ? NULL : mem_strndup(context, at + 1, size - name_size - 1);
	bool is_right = config_is_domain_name(name) &&
			(domain == NULL || config_is_domain_name(domain)) &&
			(equals == NULL ? strcmp(name, "dns") == 0 : equals[1] == '/');

	(void)row;
	if (is_right && slot != NULL)
		*(struct dkim_key_config *)slot = (struct dkim_key_config){
			.selector = equals == NULL ? NULL : text_lower(context, name),
			.domain = domain == NULL ? NULL : text_lower(context, domain),
			.path = equals == NULL ? NULL : mem_strdup(context, equals + 1)};
	mem_free(name);
	mem_free(domain);
	return is_right;
}

/* "20/hour". */
static bool check_limit(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	static const struct config_word units[] = {
		{"minute", 60}, {"hour", 60 * 60}, {"day", DAY_S}, {NULL, 0}};
	const struct config_word *unit = units;
	const char *slash = strchr(text, '/');
	char *count;
	bool is_right;

	(void)row;
	if (slash == NULL)
		return false;
	count = mem_strndup(context, text, (size_t)(slash - text));
	while (unit->name != NULL && strcmp(slash + 1, unit->name) != 0)
		unit++;
	is_right = unit->name != NULL && parse_number(count, 1, LIMIT_COUNT_MAX);
	if (is_right && slot != NULL)
		*(struct limit_config *)slot = (struct limit_config){atoi(count), unit->value};
	mem_free(count);
	return is_right;
}

/* How the file spells an action, and what its argument must begin with (NULL: it has none). */
struct target_form {
	enum action action;
	const char *prefix;
	const char *argument_start;
	const char *shown;
};

static const struct target_form target_forms[] = {
	{ACTION_FORWARD, "forward", NULL, "forward"},
	{ACTION_FILE, "maildir:", "/", "maildir:/PATH"},
	{ACTION_PIPE, "pipe:", "", "pipe:COMMAND"},
	{ACTION_PASS, "pass", NULL, "pass"},
	{ACTION_HOLD, "hold", NULL, "hold"},
	{ACTION_DROP, "drop", NULL, "drop"},
};
static const size_t target_form_count = sizeof target_forms / sizeof target_forms[0];

static bool is_target(const struct target_form *form, const char *text)
{
	if (form->argument_start == NULL)
		return text_equal_fold(text, form->prefix);
	text += strlen(form->prefix);
	return *text != '\0' && strspn(text, " \t") != strlen(text) &&
	       strncmp(text, form->argument_start, strlen(form->argument_start)) == 0;
}

static bool check_target(
	const void *context, const struct config_row *row, const char *text, void *slot)
{
	for (size_t i = 0; i < target_form_count; i++) {
		const struct target_form *form = &target_forms[i];
		struct target *target = slot;

		if (!text_starts_fold(text, form->prefix) || !is_target(form, text))
			continue;
		if ((row->actions & 1u << form->action) == 0)
			return false;
		if (target != NULL) {
			target->action = form->action;
			if (form->argument_start != NULL)
				target->argument = mem_strdup(context, text + strlen(form->prefix));
		}
		return true;
	}
	return false;
}

#define DURATION(from, to) .check = check_duration, .low = (from), .high = (to)
#define WORDS(table) .check = check_word, .words = (table)
#define AT(type, member) .offset = offsetof(struct type, member)
#define EACH_AT(type, member, counter)                                                             \
	.is_list = true, AT(type, member), .count_offset = offsetof(struct type, counter),         \
	.element_size = sizeof(*((struct type *)0)->member)
#define WANT_PATH "want a path that begins with /"
#define WANT_LIMIT "want NUMBER/minute, NUMBER/hour or NUMBER/day, such as 20/hour"
#define WANT_ADDRESS "want an address, such as alice@example.org"

/* What every target may be. In a pipe: command within double quotes, libconfuse replaces ${NAME} by
 * the environment variable of whoever reads the file, which under a mail server is empty; a '$'
 * without a brace stays. Single quotes prevent it: genuine = 'pipe:handle "${LIST}"'. */
#define ALWAYS (1u << ACTION_FORWARD | 1u << ACTION_FILE | 1u << ACTION_PIPE | 1u << ACTION_PASS)
#define HOLD (1u << ACTION_HOLD)
#define DROP (1u << ACTION_DROP)
#define TARGET(set) .check = check_target, .actions = (set)

const struct config_row config_rows[] = {
	{CONFIG_TOP, "mode", WORDS(modes), .standard = "observe", AT(config, mode)},
	{CONFIG_TOP, "state", check_path, "/var/lib/backstop", WANT_PATH, AT(config, state)},
	{CONFIG_TOP, "keep-dropped", DURATION(0, 3650 * DAY_S), .standard = "7d",
		.want = "want a time with its unit, such as 7d; at most 3650d",
		AT(config, keep_dropped_s)},
	{CONFIG_TOP, "keep-dropped-size", check_size, "1G", "want a size, such as 512M or 1G",
		AT(config, keep_dropped_size)},
	{CONFIG_TOP, "deadline", DURATION(1, 300), .standard = "20s",
		.want = "want a time with its unit, 1s to 300s: a mail server does not wait longer",
		AT(config, deadline_s)},
	{CONFIG_TOP, "sent-lifetime", DURATION(SENT_LIFETIME_MIN, 3650 * DAY_S), .standard = "60d",
		.want = "want a time with its unit, 15d to 3650d, such as 60d: a message may wait "
			"in queues for ten days",
		AT(config, sent_lifetime_s)},
	{CONFIG_TOP, "privacy", WORDS(privacies), .standard = "full", AT(config, privacy)},
	{CONFIG_TOP, "events-lifetime", DURATION(DAY_S, 3650 * DAY_S), .standard = "30d",
		.want = "want a time with its unit, 1d to 3650d, such as 30d",
		AT(config, events_lifetime_s)},
	{CONFIG_TOP, "rollups-lifetime", DURATION(DAY_S, 3650 * DAY_S), .standard = "730d",
		.want = "want a time with its unit, 1d to 3650d, such as 730d",
		AT(config, rollups_lifetime_s)},
	{CONFIG_TOP, "envelope-id", WORDS(envelope_ids), .standard = "none",
		AT(config, has_envelope_ids)},
	{CONFIG_TOP, "sendmail", check_path, "/usr/sbin/sendmail", WANT_PATH, AT(config, sendmail)},
	{CONFIG_TOP, "rules-dir", check_path, NULL, WANT_PATH, AT(config, rules_dir)},
	{CONFIG_TOP, "log", check_log, "syslog", "want syslog, stderr or a path that begins with /",
		AT(config, log)},
	{CONFIG_TOP, "authserv-id", check_host,
		.want = "want the authserv-id of your mail server, such as mx.example.org",
		EACH_AT(config, authserv_ids, authserv_id_count)},
	{CONFIG_TOP, "weights", check_weight, .low = -EVIDENCE_WEIGHT_MAX,
		.high = EVIDENCE_WEIGHT_MAX,
		.want = "want CHECK:RESULT=WEIGHT, such as hop:foreign=-20, of the same sign as "
			"in 'backstop rules show weights'; at most 60",
		EACH_AT(config, weights, weight_count)},

	{CONFIG_DNS, "use", check_off, .words = negations, .standard = "yes",
		AT(dns_config, is_off)},
	{CONFIG_DNS, "servers", check_server,
		.want = "want an IP address, or one with a port, such as 127.0.0.1:53 or [::1]:53",
		EACH_AT(dns_config, servers, server_count)},
	{CONFIG_DNS, "timeout", DURATION(1, 60), .standard = "3s",
		.want = "want a time with its unit, 1s to 60s, such as 3s",
		AT(dns_config, timeout_s)},
	{CONFIG_DNS, "budget", DURATION(1, 120), .standard = "8s",
		.want = "want a time with its unit, 1s to 120s, such as 8s",
		AT(dns_config, budget_s)},

	{CONFIG_STORM, "use", check_off, .words = negations, .standard = "yes",
		AT(storm_config, is_off)},
	{CONFIG_STORM, "factor", check_number, .standard = "10", .low = 2, .high = STORM_FACTOR_MAX,
		.want = "want a whole number from 2 to 1000", AT(storm_config, factor)},
	{CONFIG_STORM, "minimum", check_limit, .standard = "60/hour", .want = WANT_LIMIT,
		AT(storm_config, minimum)},

	{CONFIG_BLOCKLIST, "weight", check_number, .standard = "0", .low = -WEIGHT_MAX,
		.high = WEIGHT_MAX, .want = "want a whole number from -15 to 15",
		AT(blocklist_config, weight)},

	{CONFIG_DOMAIN, "senders", check_netblock,
		.want = "want an IP address or block, such as 192.0.2.10 or 2001:db8::/48, "
			"without bits behind the prefix",
		EACH_AT(domain_config, senders, sender_count)},
	{CONFIG_DOMAIN, "tag-keys", check_path, .want = WANT_PATH, AT(domain_config, tag_keys)},
	{CONFIG_DOMAIN, "delimiter", check_delimiter, .standard = "+",
		.want = "want one of + - = _ . #, as the mail server's recipient_delimiter",
		AT(domain_config, delimiter)},
	{CONFIG_DOMAIN, "prvs-keys", check_path, .want = WANT_PATH, AT(domain_config, prvs_keys)},
	{CONFIG_DOMAIN, "prvs-lifetime", DURATION(DAY_S, 300 * DAY_S), .standard = "7d",
		.want = "want a time with its unit, 1d to 300d, such as 7d",
		AT(domain_config, prvs_lifetime_s)},
	{CONFIG_DOMAIN, "tagged", WORDS(shares), .standard = "none", AT(domain_config, tagged)},
	{CONFIG_DOMAIN, "tag-form", WORDS(tag_forms), .standard = "recipient",
		AT(domain_config, tag_form)},
	{CONFIG_DOMAIN, "tag-lifetime", DURATION(DAY_S, 3650 * DAY_S), .standard = "14d",
		.want = "want a time with its unit, 1d to 3650d, such as 14d",
		AT(domain_config, tag_lifetime_s)},
	{CONFIG_DOMAIN, "dkim-keys", check_dkim_key,
		.want = "want dns or SELECTOR=/PATH, such as s1=/etc/backstop/s1.pub",
		EACH_AT(domain_config, dkim_keys, dkim_key_count)},
	{CONFIG_DOMAIN, "signed", WORDS(shares), .standard = "none",
		AT(domain_config, dkim_signed)},
	{CONFIG_DOMAIN, "sent-log", WORDS(sent_logs), .standard = "none",
		AT(domain_config, sent_log)},

	{CONFIG_LIST, "owners", check_address, .want = WANT_ADDRESS,
		EACH_AT(list_config, owners, owner_count)},
	{CONFIG_LIST, "bounces", check_address, .want = WANT_ADDRESS,
		EACH_AT(list_config, bounces, bounce_count)},
	{CONFIG_LIST, "roster", check_path, .want = WANT_PATH, AT(list_config, roster)},
	{CONFIG_LIST, "genuine", TARGET(ALWAYS), .standard = "forward",
		.no_drop = "a genuine bounce is never dropped; use maildir:/PATH",
		AT(list_config, genuine)},
	{CONFIG_LIST, "unproven", TARGET(ALWAYS | HOLD), .standard = "forward",
		.no_drop = "a bounce is dropped only on proof; use hold",
		AT(list_config, unproven)},
	{CONFIG_LIST, "backscatter", TARGET(ALWAYS | HOLD | DROP), .standard = "drop",
		AT(list_config, backscatter)},
	{CONFIG_LIST, "autoreplies", TARGET(ALWAYS | HOLD | DROP), .standard = "drop",
		AT(list_config, autoreplies)},
	{CONFIG_LIST, "ordinary", TARGET(ALWAYS | HOLD), .standard = "forward",
		.no_drop = "what is no bounce is never dropped; use hold",
		AT(list_config, ordinary)},
	{CONFIG_LIST, "owner-limit", check_limit, .want = WANT_LIMIT, AT(list_config, owner_limit)},
	{CONFIG_LIST, "owner-sees", WORDS(owner_views), .standard = "summary",
		AT(list_config, owner_sees)},
};
const size_t config_row_count = sizeof config_rows / sizeof config_rows[0];

const struct config_row *config_rows_find(enum config_kind kind, const char *name)
{
	for (size_t i = 0; i < config_row_count; i++) {
		if (config_rows[i].kind == kind && strcmp(config_rows[i].name, name) == 0)
			return &config_rows[i];
	}
	return NULL;
}

/* "want a, b or c". */
static char *join_names(const void *context, const char *const *names, size_t count)
{
	char *text = mem_strdup(context, "want ");

	for (size_t i = 0; i < count; i++) {
		const char *glue = i + 1 == count ? "" : i + 2 == count ? " or " : ", ";

		text = mem_append(text, "%s%s", names[i], glue);
	}
	return text;
}

const char *config_rows_want(const void *context, const struct config_row *row)
{
	const char *names[sizeof target_forms / sizeof target_forms[0]];
	size_t count = 0;

	if (row->want != NULL)
		return row->want;
	if (row->words != NULL) {
		for (; row->words[count].name != NULL; count++)
			names[count] = row->words[count].name;
		return join_names(context, names, count);
	}
	for (size_t i = 0; i < target_form_count; i++) {
		if (row->actions & 1u << target_forms[i].action)
			names[count++] = target_forms[i].shown;
	}
	return join_names(context, names, count);
}

bool config_is_domain_name(const char *text)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"-_.";
	size_t length = text == NULL ? 0 : strlen(text);

	if (length == 0 || length > DOMAIN_NAME_MAX || text[0] == '.' || text[length - 1] == '.' ||
		strstr(text, "..") != NULL)
		return false;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x80 && strchr(allowed, *text) == NULL)
			return false;
	}
	return true;
}
