/*
 * check_mta.c: in charge of asking Postfix (postconf(1)) how it calls `backstop deliver`, and of
 * what in that would lose mail. Which addresses it routes to that service is not looked at: that
 * may stand in any of a dozen kinds of table.
 *
 * The reasons stand in the table of what pipe(8) does: a service that bounces a bounce loses it.
 */
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/process.h"
#include "cmd/check_parts.h"

#define OUTPUT_MAX (1024 * 1024) /* bytes of postconf's output */
#define WORDS_MAX 256		 /* of a service in master.cf */
#define DELIMITER '+'		 /* what tags stand behind (base/tag.h) */

/* One service of master.cf. Fields as master(5) names them. */
struct service {
	const char *name;
	const char *words[WORDS_MAX]; /* behind the command: options, attributes */
	size_t count;
	const char *const *argv; /* from argv= on, that prefix taken off; NULL: none */
	size_t argc;
};

/* ---- asking ---- */

static const char *find_program(const void *context, const char *name)
{
	const char *path = getenv("PATH");
	char *folders = mem_printf(context, "%s:/usr/sbin:/usr/bin", path == NULL ? "" : path);
	char *rest = NULL;

	for (char *folder = strtok_r(folders, ":", &rest); folder != NULL;
		folder = strtok_r(NULL, ":", &rest)) {
		const char *program = mem_printf(context, "%s/%s", folder, name);
		if (folder[0] == '/' && access(program, X_OK) == 0)
			return program;
	}
	return NULL;
}

/* Takes out the warnings, which postconf writes among the answers. */
static char *drop_warnings(const void *context, char *output)
{
	char *kept = mem_strdup(context, "");
	char *rest = NULL;

	for (char *line = strtok_r(output, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "postconf: warning:", 18) != 0)
			kept = mem_append(kept, "%s\n", line);
	}
	return kept;
}

/* What postconf answers, lines; NULL, and a fault, when it does not. argument may be NULL. */
static char *ask(
	struct survey *survey, const char *postconf, const char *option, const char *argument)
{
	const char *const argv[] = {postconf, option, argument, NULL};
	const struct process_request request = {.argv = argv, .output_limit = OUTPUT_MAX};
	struct process_result result;
	enum status status = process_run(survey->context, &request, &result);

	if (status != STATUS_OK) {
		check_fault(survey, "postfix: cannot run %s: %s", postconf, status_text(status));
		return NULL;
	}
	if (result.exit_code != 0) {
		check_fault(survey, "postfix: %s %s failed: %s", postconf, option, result.output);
		return NULL;
	}
	return drop_warnings(survey->context, result.output);
}

/* The value of one parameter, references resolved; NULL when it is not known. */
static const char *ask_value(struct survey *survey, const char *postconf, const char *parameter)
{
	char *answer = ask(survey, postconf, "-xh", parameter);

	if (answer != NULL)
		answer[strcspn(answer, "\n")] = '\0';
	return answer;
}

/* ---- master.cf ---- */

/* Takes the next word off *rest: up to a blank, or what stands in braces. NULL: none left. */
static char *next_word(char **rest)
{
	static const char blanks[] = " \t";
	char *word = *rest + strspn(*rest, blanks);
	char *end;

	if (*word == '\0')
		return NULL;
	if (*word == '{' && (end = strchr(word, '}')) != NULL) {
		word += 1 + strspn(word + 1, blanks);
		*rest = end + 1;
		while (end > word && strchr(blanks, end[-1]) != NULL)
			end--;
	} else {
		end = word + strcspn(word, blanks);
		*rest = end + (*end != '\0');
	}
	*end = '\0';
	return word;
}

/* Reads a line of `postconf -M`; false when it is no pipe service with a command. */
static bool read_service(char *line, struct service *service)
{
	enum { COMMAND = 7 }; /* behind name, type, private, unpriv, chroot, wakeup, maxproc */
	char *word;

	memset(service, 0, sizeof(*service));
	service->name = next_word(&line);
	for (int field = 1; field < COMMAND; field++)
		next_word(&line);
	word = next_word(&line);
	if (word == NULL || strcmp(basename(word), "pipe") != 0)
		return false;
	while (service->count < WORDS_MAX && (word = next_word(&line)) != NULL) {
		if (service->argv == NULL && strncmp(word, "argv=", 5) == 0) {
			service->argv = &service->words[service->count];
			word += 5;
		}
		service->words[service->count++] = word;
	}
	if (service->argv == NULL)
		return false;
	service->argc = service->count - (size_t)(service->argv - service->words);
	return true;
}

/* The place of "deliver" behind our own name in the arguments; 0: it does not run us. */
static size_t find_deliver(const struct service *service)
{
	for (size_t i = 1; i < service->argc; i++) {
		const char *slash = strrchr(service->argv[i - 1], '/');
		const char *program = slash == NULL ? service->argv[i - 1] : slash + 1;
		if (strcmp(program, "backstop") == 0 && strcmp(service->argv[i], "deliver") == 0)
			return i;
	}
	return 0;
}

/* The value of an attribute of pipe(8), or NULL. -o NAME=VALUE is not one. */
static const char *find_attribute(const struct service *service, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < service->count && &service->words[i] != service->argv; i++) {
		if (strcmp(service->words[i], "-o") == 0)
			i++;
		else if (strncmp(service->words[i], name, length) == 0 &&
			 service->words[i][length] == '=')
			return service->words[i] + length + 1;
	}
	return NULL;
}

/* The value of an option of ours: --name=VALUE, or --name VALUE; NULL: not given. */
static const char *find_option(const struct service *service, const char *option)
{
	size_t length = strlen(option);

	for (size_t i = find_deliver(service) + 1; i < service->argc; i++) {
		if (strncmp(service->argv[i], option, length) != 0)
			continue;
		if (service->argv[i][length] == '=')
			return service->argv[i] + length + 1;
		if (service->argv[i][length] == '\0' && i + 1 < service->argc)
			return service->argv[i + 1];
	}
	return NULL;
}

/* ---- what is wrong with a service ---- */

static void check_attributes(struct survey *survey, const struct service *service)
{
	const char *null_sender = find_attribute(service, "null_sender");
	const char *flags = find_attribute(service, "flags");

	if (null_sender == NULL || *null_sender != '\0')
		check_fault(survey,
			"postfix: service %s: want null_sender= with nothing behind it, else a "
			"bounce looks like mail from MAILER-DAEMON",
			service->name);
	if (flags != NULL && strchr(flags, 'u') != NULL)
		check_fault(survey,
			"postfix: service %s: flags=%s: take out u, which changes the address "
			"that the bounce came to",
			service->name, flags);
	if (flags != NULL && strchr(flags, 'D') != NULL)
		check_fault(survey,
			"postfix: service %s: flags=%s: take out D, which bounces what looks like "
			"a loop; a bounce that bounces is lost",
			service->name, flags);
	if (find_attribute(service, "size") != NULL)
		check_fault(survey,
			"postfix: service %s: take out size=, which bounces what is larger; a "
			"bounce that bounces is lost",
			service->name);
}

static void check_arguments(struct survey *survey, const struct service *service)
{
	static const struct {
		const char *option;
		const char *macro;
	} wanted[] = {{"--sender", "sender"}, {"--recipient", "recipient"}};
	const char *program = service->argv[0];
	const char *config = find_option(service, "--config");

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const char *value = find_option(service, wanted[i].option);
		if (value == NULL || strstr(value, wanted[i].macro) == NULL)
			check_fault(survey,
				"postfix: service %s: want %s=${%s} in argv=", service->name,
				wanted[i].option, wanted[i].macro);
	}
	if (program[0] == '/' && access(program, X_OK) != 0)
		check_fault(survey, "postfix: service %s: there is no program %s", service->name,
			program);
	if (config == NULL)
		config = find_option(service, "-c");
	if (strcmp(config == NULL ? CONFIG_DEFAULT_PATH : config, survey->config_path) != 0)
		check_warn(survey, "postfix: service %s reads %s, and not the file checked here",
			service->name, config == NULL ? CONFIG_DEFAULT_PATH : config);
}

/* user=NAME or user=NAME:GROUP, as pipe(8) reads it. False, with a fault, when that is nobody whom
 * Postfix would run a program as. */
static bool check_account(
	struct survey *survey, const struct service *service, struct check_account *account_out)
{
	const char *user = find_attribute(service, "user");
	size_t length = user == NULL ? 0 : strcspn(user, ":");
	const struct passwd *entry;
	const struct group *group;
	char *name;

	if (length == 0) {
		check_fault(survey, "postfix: service %s: want user=, the user that owns the state",
			service->name);
		return false;
	}
	name = mem_strndup(survey->context, user, length);
	entry = getpwnam(name);
	group = user[length] == ':' ? getgrnam(user + length + 1) : NULL;
	if (entry == NULL || (user[length] == ':' && group == NULL)) {
		check_fault(survey, "postfix: service %s: user=%s: there is no such user or group",
			service->name, user);
		return false;
	}
	*account_out = (struct check_account){.name = name,
		.user = entry->pw_uid,
		.group = group != NULL ? group->gr_gid : entry->pw_gid};
	if (account_out->user != 0 && account_out->group != 0)
		return true;
	check_fault(survey,
		"postfix: service %s: user=%s: Postfix runs nothing as root; want a user of its "
		"own",
		service->name, user);
	return false;
}

static void check_limits(struct survey *survey, const char *postconf, const struct service *service)
{
	const char *name =
		mem_printf(survey->context, "%s_destination_recipient_limit", service->name);
	const char *value = ask_value(survey, postconf, name);
	int64_t seconds;

	if (value != NULL && strcmp(value, "1") != 0)
		check_fault(survey,
			"postfix: %s is %s; run: postconf -e '%s = 1', or one call gets several "
			"bounces' addresses",
			name, *value == '\0' ? "not set" : value, name);
	name = mem_printf(survey->context, "%s_time_limit", service->name);
	value = ask_value(survey, postconf, name);
	if (value != NULL && survey->config != NULL && clock_parse_duration(value, &seconds) &&
		seconds <= survey->config->deadline_s)
		check_fault(survey,
			"postfix: %s is %s, and when it is over Postfix bounces; want it longer "
			"than deadline, %lld s",
			name, value, (long long)survey->config->deadline_s);
}

static void check_delimiter(struct survey *survey, const char *postconf)
{
	const char *value = ask_value(survey, postconf, "recipient_delimiter");
	bool has_tags = false;

	for (size_t i = 0; survey->config != NULL && i < survey->config->domain_count; i++)
		has_tags |= survey->config->domains[i].tag_keys != NULL;
	if (has_tags && value != NULL && strchr(value, DELIMITER) == NULL)
		check_fault(survey,
			"postfix: recipient_delimiter is \"%s\"; signed addresses have a %c, so "
			"run: postconf -e 'recipient_delimiter = %c'",
			value, DELIMITER, DELIMITER);
}

/* Services that run as different users cannot all use one state: then none is the account. */
static void check_services(
	struct survey *survey, const char *postconf, char *table, struct check_account *account_out)
{
	size_t found = 0;
	char *rest = NULL;

	for (char *line = strtok_r(table, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		struct check_account account = {NULL, 0, 0};
		struct service service;

		if (!read_service(line, &service) || find_deliver(&service) == 0)
			continue;
		check_attributes(survey, &service);
		check_arguments(survey, &service);
		check_limits(survey, postconf, &service);
		if (check_account(survey, &service, &account)) {
			if (found > 0 && account_out->name != NULL &&
				account_out->user != account.user)
				check_fault(survey,
					"postfix: service %s runs as %s, another as %s; "
					"want one user for all",
					service.name, account.name, account_out->name);
			*account_out = account;
			check_fact(survey, "postfix: service %s runs backstop deliver as user %s",
				service.name, account.name);
		}
		found++;
	}
	if (found == 0)
		check_fault(survey, "postfix: no pipe service in master.cf runs backstop deliver; "
				    "contrib/postfix/ shows one");
}

void check_mta(struct survey *survey, struct check_account *account_out)
{
	const char *postconf = find_program(survey->context, "postconf");
	char *table;

	*account_out = (struct check_account){NULL, 0, 0};
	if (postconf == NULL) {
		check_fault(survey,
			"postfix: there is no postconf in $PATH, /usr/sbin or /usr/bin; "
			"is Postfix installed?");
		return;
	}
	table = ask(survey, postconf, "-M", NULL);
	if (table == NULL)
		return;
	check_services(survey, postconf, table, account_out);
	check_delimiter(survey, postconf);
}
