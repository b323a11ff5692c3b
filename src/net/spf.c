/*
 * spf.c: an SPF question, answered by a child that runs libspf2 (child/spf_child.c).
 *
 * In charge of the child's life and of the questions that it may ask: so many, of these types,
 * within the resolver's budget. Leaves confinement to the child, which locks itself in before it
 * reads a byte of ours, and the rules of RFC 7208 to libspf2. The child is taken for an enemy from
 * its first byte on: whatever is not exactly what it should say ends it, and the result is
 * SPF_UNAVAILABLE.
 *
 * Where a DNS question failed the result is SPF_TEMPERROR, whatever libspf2 made of it.
 */
#include "net/spf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/dns_name.h"
#include "net/spf_wire.h"

enum {
	QUESTIONS_MAX = 30, /* RFC 7208 section 4.6.4 has 10, and address look-ups below some */
	PHRASE_MAX = 120
};

#define PROGRAM_NAME "backstop-spf"

static const char *chosen_program;

void spf_use_program(const char *path)
{
	chosen_program = path;
}

static const char *const names[] = {
	[SPF_UNAVAILABLE] = "unavailable",
	[SPF_NONE] = "none",
	[SPF_NEUTRAL] = "neutral",
	[SPF_PASS] = "pass",
	[SPF_FAIL] = "fail",
	[SPF_SOFTFAIL] = "softfail",
	[SPF_TEMPERROR] = "temperror",
	[SPF_PERMERROR] = "permerror",
};

/* By libspf2's number (SPF_result_t); 0 is "invalid" there. */
static const enum spf_result results[] = {SPF_UNAVAILABLE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL,
	SPF_SOFTFAIL, SPF_NONE, SPF_TEMPERROR, SPF_PERMERROR};

const char *spf_result_name(enum spf_result result)
{
	return names[result];
}

/* ---- the child ---- */

struct child {
	pid_t pid;
	int socket; /* -1: it was not started */
};

static const char installed_program[] = BACKSTOP_LIBEXEC "/" PROGRAM_NAME;

/* On context; NULL when it is nowhere. */
static const char *find_program(const void *context)
{
	static const char *const places[] = {"", "../libexec/backstop/"};
	char here[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", here, sizeof here - 1);
	const char *path;

	if (chosen_program != NULL)
		return chosen_program;
	if (size > 0) {
		here[size] = '\0';
		*(strrchr(here, '/') + 1) = '\0'; /* the kernel's names are absolute */
		for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
			path = mem_printf(context, "%s%s" PROGRAM_NAME, here, places[i]);
			if (access(path, X_OK) == 0)
				return path;
		}
	}
	path = installed_program;
	return access(path, X_OK) == 0 ? path : NULL;
}

const char *spf_find_program(const void *context, const char **standard_out)
{
	*standard_out = installed_program;
	return find_program(context);
}

/* posix_spawn and not fork: it copies no page tables, and nothing of ours runs between. The child
 * gets the socket as descriptor 0, /dev/null as 1 and 2, "/" as its directory, no environment. */
static bool spawn(const char *program, int socket, pid_t *pid_out)
{
	char *const arguments[] = {(char[]){PROGRAM_NAME}, NULL};
	char *const environment[] = {NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int error;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	error = posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(
			&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	if (error == 0)
		error = posix_spawn_file_actions_addchdir_np(&files, "/");
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (error == 0)
		error = posix_spawn(pid_out, program, &files, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error == 0;
}

static bool start(struct child *child, const char *program)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
		return false;
	/* The child's own end waits; O_NONBLOCK is each end's. */
	if (fcntl(ends[1], F_SETFL, 0) == 0 && spawn(program, ends[1], &child->pid))
		child->socket = ends[0];
	else
		close(ends[0]);
	close(ends[1]);
	return child->socket != -1;
}

static void stop(struct child *child)
{
	if (child->socket == -1)
		return;
	close(child->socket);
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

/* ---- one conversation ---- */

struct conversation {
	struct resolver *resolver;
	const void *context;
	struct child child;
	struct spf_wire wire;
	unsigned questions;
	const char *dns_problem; /* why a DNS question failed, or NULL */
	const char *why;
	enum spf_result result;
};

static bool fail(struct conversation *talk, const char *why)
{
	talk->result = SPF_UNAVAILABLE;
	talk->why = why;
	return false;
}

static bool send_wire(struct conversation *talk)
{
	const struct spf_wire *wire = &talk->wire;

	if (!wire->is_bad && send(talk->child.socket, wire->data, wire->size, MSG_NOSIGNAL) ==
				     (ssize_t)wire->size)
		return true;
	return fail(talk, "the SPF process does not listen");
}

static bool receive_wire(struct conversation *talk)
{
	struct pollfd poll_one = {.fd = talk->child.socket, .events = POLLIN};
	ssize_t got;
	int left_ms;

	do {
		left_ms = resolver_budget_ms(talk->resolver);
		if (left_ms == 0)
			return fail(talk, "SPF took longer than the time for DNS");
	} while (poll(&poll_one, 1, left_ms) != 1);
	got = recv(talk->child.socket, talk->wire.data, sizeof talk->wire.data, MSG_TRUNC);
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return fail(talk, "the SPF process ended without an answer");
	if (got < 0 || got > SPF_WIRE_UP_MAX)
		return fail(talk, "the SPF process said what it should not");
	talk->wire.size = (size_t)got;
	return true;
}

/* Of texts, SPF records alone: the child need not see what else a domain publishes. */
static bool is_wanted(enum dns_type type, const struct dns_record *record)
{
	return type != DNS_TXT || text_starts_fold(record->text, "v=spf1");
}

static void put_record(struct spf_wire *wire, enum dns_type type, const struct dns_record *record)
{
	const uint8_t *bytes = record->address.bytes;

	switch (type) {
	case DNS_A:
		spf_wire_put_block(wire, bytes + 12, 4);
		return;
	case DNS_AAAA:
		spf_wire_put_block(wire, bytes, 16);
		return;
	case DNS_MX:
	case DNS_PTR:
	case DNS_TXT:
		if (record->size > SPF_WIRE_RECORD_MAX)
			wire->is_bad = true;
		spf_wire_put_block(wire, record->text, record->size);
		return;
	}
}

/* What does not fit is a failure, not a shorter answer: that could turn a fail into a pass. */
static void put_answer(struct conversation *talk, enum dns_type type, struct dns_answer *answer)
{
	struct spf_wire *wire = &talk->wire;
	unsigned count = 0;

	for (size_t i = 0; i < answer->count; i++)
		count += is_wanted(type, &answer->records[i]);
	spf_wire_begin(wire, SPF_WIRE_ANSWER);
	spf_wire_put8(
		wire, answer->outcome == DNS_FOUND && count == 0 ? DNS_NO_DATA : answer->outcome);
	spf_wire_put8(wire, count);
	for (size_t i = 0; i < answer->count; i++) {
		if (is_wanted(type, &answer->records[i]))
			put_record(wire, type, &answer->records[i]);
	}
	if (wire->is_bad) {
		*answer = (struct dns_answer){
			.outcome = DNS_FAILED, .why = "an answer is larger than SPF has use for"};
		spf_wire_begin(wire, SPF_WIRE_ANSWER);
		spf_wire_put8(wire, DNS_FAILED);
		spf_wire_put8(wire, 0);
	}
	if (answer->outcome == DNS_FAILED)
		talk->dns_problem = answer->why;
}

static bool find_type(unsigned number, enum dns_type *type_out)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_PTR, DNS_TXT};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		*type_out = types[i];
		if (number == (unsigned)types[i])
			return true;
	}
	return false;
}

static bool answer_child(struct conversation *talk)
{
	void *scratch = mem_context(talk->context, "question");
	char name[SPF_WIRE_TEXT_MAX + 1];
	struct dns_answer answer;
	enum dns_type type;
	bool is_right = find_type(spf_wire_get16(&talk->wire), &type);

	spf_wire_get_text(&talk->wire, name);
	if (!is_right || !spf_wire_is_whole(&talk->wire)) {
		mem_free(scratch);
		return fail(talk, "the SPF process said what it should not");
	}
	if (++talk->questions > QUESTIONS_MAX) {
		mem_free(scratch);
		return fail(talk, "the domain's SPF record takes too many DNS questions");
	}
	resolver_ask(talk->resolver, scratch, name, type, &answer);
	put_answer(talk, type, &answer);
	mem_free(scratch);
	return send_wire(talk);
}

static void take_result(struct conversation *talk)
{
	unsigned number = spf_wire_get8(&talk->wire);
	char phrase[SPF_WIRE_TEXT_MAX + 1];

	spf_wire_get_text(&talk->wire, phrase);
	if (!spf_wire_is_whole(&talk->wire) || number == 0 ||
		number >= sizeof results / sizeof results[0]) {
		fail(talk, "the SPF process said what it should not");
		return;
	}
	talk->result = results[number];
	if (talk->dns_problem != NULL)
		talk->result = SPF_TEMPERROR;
	if (talk->dns_problem != NULL)
		talk->why = talk->dns_problem;
	else if (talk->result == SPF_TEMPERROR || talk->result == SPF_PERMERROR)
		talk->why = text_clean_string(talk->context, phrase, PHRASE_MAX);
}

/* Answers the child's questions until it has a result, or will not have one. */
static void converse(struct conversation *talk)
{
	while (receive_wire(talk)) {
		switch (spf_wire_open(&talk->wire)) {
		case SPF_WIRE_ASK:
			if (!answer_child(talk))
				return;
			break;
		case SPF_WIRE_RESULT:
			take_result(talk);
			return;
		case SPF_WIRE_UNCONFINED:
			fail(talk, "confinement (seccomp) is not available");
			return;
		default:
			fail(talk, "the SPF process said what it should not");
			return;
		}
	}
}

/* ---- the question ---- */

static bool is_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7F)
			return false;
	}
	return size > 0 && size <= DNS_NAME_MAX;
}

/* A domain that can have an SPF record (RFC 7208 section 4.3): several labels, and no address. */
static const char *find_domain(const void *context, const char *text)
{
	const char *domain = dns_name_canonical(context, text);
	const char *last = domain == NULL ? NULL : strrchr(domain, '.');

	if (last == NULL || strspn(last + 1, "0123456789") == strlen(last + 1) ||
		strpbrk(domain, "[]:@/") != NULL)
		return NULL;
	return domain;
}

/* HELO and sender as libspf2 gets them. Returns the domain whose record counts, on the talk's
 * context; NULL when the question is about none. */
static const char *put_question(struct conversation *talk, const struct spf_question *question)
{
	const char *helo = find_domain(talk->context, question->helo);
	const char *sender = question->sender == NULL ? "" : question->sender;
	const char *at = strrchr(sender, '@');
	const char *domain =
		sender[0] == '\0' ? helo : find_domain(talk->context, at == NULL ? sender : at + 1);
	/* RFC 7208 section 4.3: without a local part it is postmaster. */
	const char *local = "postmaster";

	if (domain == NULL)
		return NULL;
	if (at != NULL && is_printable(sender, (size_t)(at - sender)))
		local = mem_strndup(talk->context, sender, (size_t)(at - sender));
	sender = mem_printf(talk->context, "%s@%s", local, domain);
	helo = helo == NULL ? "unknown" : helo;
	spf_wire_begin(&talk->wire, SPF_WIRE_QUESTION);
	spf_wire_put_bytes(&talk->wire, question->client.bytes, sizeof question->client.bytes);
	spf_wire_put_block(&talk->wire, helo, strlen(helo));
	if (strlen(sender) > SPF_WIRE_TEXT_MAX)
		sender = mem_printf(talk->context, "postmaster@%s", domain);
	spf_wire_put_block(&talk->wire, sender, strlen(sender));
	return domain;
}

/* Whether there is a record to interpret: to start a process for nothing takes longer than all
 * else that a delivery does. The child's question for it is answered from memory then. */
static bool has_record(struct conversation *talk, const char *domain)
{
	struct dns_answer answer;
	bool is_there = false;

	resolver_ask(talk->resolver, talk->context, domain, DNS_TXT, &answer);
	for (size_t i = 0; i < answer.count; i++)
		is_there = is_there || is_wanted(DNS_TXT, &answer.records[i]);
	if (answer.outcome == DNS_FAILED) {
		talk->result = SPF_TEMPERROR;
		talk->why = answer.why;
	}
	return is_there;
}

static void ask_child(struct conversation *talk)
{
	const char *program = find_program(talk->context);

	if (resolver_budget_ms(talk->resolver) == 0)
		fail(talk, "the time for DNS questions is spent");
	else if (program == NULL)
		fail(talk, PROGRAM_NAME " is not installed");
	else if (!start(&talk->child, program))
		fail(talk, PROGRAM_NAME " could not be started");
	else if (send_wire(talk))
		converse(talk);
	stop(&talk->child);
}

enum spf_result spf_check(struct resolver *resolver, const void *context,
	const struct spf_question *question, const char **why_out)
{
	void *scratch = mem_context(NULL, "spf");
	struct conversation *talk = mem_new(scratch, struct conversation);
	enum spf_result result;
	const char *domain;

	talk->resolver = resolver;
	talk->context = scratch;
	talk->child.socket = -1;
	talk->result = SPF_NONE;
	domain = put_question(talk, question);
	if (domain != NULL && has_record(talk, domain))
		ask_child(talk);
	result = talk->result;
	*why_out = talk->why == NULL ? NULL : mem_strdup(context, talk->why);
	mem_free(scratch);
	return result;
}
