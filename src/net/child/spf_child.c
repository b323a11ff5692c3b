/*
 * spf_child.c: backstop-spf, the program that runs libspf2, for spf.c alone.
 *
 * In charge of locking itself in before it reads a byte that a stranger wrote: afterwards it can
 * read and write its one socket, ask for memory, and end. It holds no message, no key, no open
 * file, no environment. Whatever becomes of it, its parent takes for "could not be found out".
 *
 * Why all this: libspf2 parses text that whoever owns a domain publishes. The changelog of
 * Debian's 1.2.10-7.2 says that it has the fixes for CVE-2021-20314 and for the two macro overflows
 * CVE-2021-33912 and -33913, and names none for the integer underflow of 2023 (CVE-2023-42118);
 * that was read, not tried. And it dies on some ptr records.
 */
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spf2/spf.h>

#include "net/spf_wire.h"

enum {
	PARENT = 0, /* the socket */
	MEMORY_MAX = 64 * 1024 * 1024,
	CPU_SECONDS = 2,
	OUTCOME_FOUND = 0, /* as in resolver.h */
	OUTCOME_NO_DATA,
	OUTCOME_NO_DOMAIN
};

static struct spf_wire wire;

_Noreturn static void give_up(void)
{
	_exit(1);
}

/* ---- locking in ---- */

static bool limit(int resource, rlim_t most)
{
	const struct rlimit both = {most, most};

	return setrlimit((__rlimit_resource_t)resource, &both) == 0;
}

static bool limit_all(void)
{
	return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0) &&
	       limit(RLIMIT_NOFILE, 0) && limit(RLIMIT_CPU, CPU_SECONDS) &&
	       limit(RLIMIT_AS, MEMORY_MAX);
}

static bool allow(scmp_filter_ctx filter, int call)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
}

/* Reading and writing the one socket; memory that cannot be executed; the end. */
static bool allow_all(scmp_filter_ctx filter)
{
	static const int calls[] = {SCMP_SYS(exit_group), SCMP_SYS(exit), SCMP_SYS(brk),
		SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time)};
	const struct scmp_arg_cmp is_parent = {
		.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = PARENT};
	const struct scmp_arg_cmp is_data = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
	bool is_done = true;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		is_done = allow(filter, calls[i]) && is_done;
	return is_done &&
	       seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(read), 1, &is_parent) == 0 &&
	       seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, &is_parent) ==
		       0 &&
	       seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &is_data) == 0;
}

static bool confine(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool is_done;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	is_done = filter != NULL && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && limit_all() &&
		  allow_all(filter) && seccomp_load(filter) == 0;
	if (filter != NULL)
		seccomp_release(filter);
	return is_done;
}

/* ---- the socket ---- */

static void send_wire(void)
{
	if (wire.is_bad || write(PARENT, wire.data, wire.size) != (ssize_t)wire.size)
		give_up();
}

static void receive_wire(enum spf_wire_kind want)
{
	ssize_t got = read(PARENT, wire.data, sizeof wire.data);

	if (got <= 0)
		give_up();
	wire.size = (size_t)got;
	if (spf_wire_open(&wire) != (unsigned)want)
		give_up();
}

/* ---- libspf2's questions ---- */

/* One record into libspf2's form. A NUL in a text would hide the rest of it from libspf2: the byte
 * in its place makes the record wrong, which it is. */
static void fill_record(SPF_dns_rr_t *set, int index, ns_type type)
{
	size_t size;
	const unsigned char *data = spf_wire_get_block(&wire, &size);
	char *text;

	if (data == NULL || size > SPF_WIRE_RECORD_MAX ||
		SPF_dns_rr_buf_realloc(set, index, size + 1) != SPF_E_SUCCESS)
		give_up();
	if (type == ns_t_a || type == ns_t_aaaa) {
		if (size != (type == ns_t_a ? 4u : 16u))
			give_up();
		memcpy(set->rr[index], data, size);
		return;
	}
	text = set->rr[index]->txt;
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < size; i++)
		text[i] = text[i] == '\0' ? '\1' : text[i];
}

static SPF_dns_stat_t find_error(unsigned outcome)
{
	switch (outcome) {
	case OUTCOME_FOUND:
		return NETDB_SUCCESS;
	case OUTCOME_NO_DATA:
		return NO_DATA;
	case OUTCOME_NO_DOMAIN:
		return HOST_NOT_FOUND;
	}
	return TRY_AGAIN;
}

static SPF_dns_rr_t *new_set(
	SPF_dns_server_t *server, const char *name, ns_type type, SPF_dns_stat_t error)
{
	SPF_dns_rr_t *set = SPF_dns_rr_new_init(server, name, type, 0, error);

	if (set == NULL)
		give_up();
	return set;
}

/* SPF_dns_lookup_t. */
static SPF_dns_rr_t *ask_parent(
	SPF_dns_server_t *server, const char *name, ns_type type, int should_cache)
{
	SPF_dns_rr_t *set;
	unsigned outcome, count;

	(void)should_cache;
	if (type != ns_t_a && type != ns_t_aaaa && type != ns_t_mx && type != ns_t_txt &&
		type != ns_t_ptr)
		return new_set(server, name, type, NO_DATA);
	/* Macros can make longer names than DNS has. */
	if (strlen(name) > SPF_WIRE_TEXT_MAX)
		return new_set(server, name, type, HOST_NOT_FOUND);
	spf_wire_begin(&wire, SPF_WIRE_ASK);
	spf_wire_put16(&wire, (unsigned)type);
	spf_wire_put_block(&wire, name, strlen(name));
	send_wire();
	receive_wire(SPF_WIRE_ANSWER);
	outcome = spf_wire_get8(&wire);
	count = spf_wire_get8(&wire);
	set = new_set(server, name, type, find_error(outcome));
	for (unsigned i = 0; i < count; i++)
		fill_record(set, (int)i, type);
	set->num_rr = (int)count;
	if (!spf_wire_is_whole(&wire))
		give_up();
	return set;
}

/* SPF_dns_get_exp_t: nobody reads explanations, and making one is a question more and macros
 * more. */
static SPF_errcode_t get_no_explanation(
	SPF_server_t *server, const char *domain, char **text, size_t *size)
{
	(void)server;
	(void)domain;
	(void)text;
	(void)size;
	return SPF_E_NOT_SPF;
}

/* ---- what libspf2 says ---- */

__attribute__((noreturn)) static void on_error(const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	(void)text;
	give_up();
}

static void on_message(const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	(void)text;
}

static void silence_library(void)
{
	SPF_error_handler = on_error;
	SPF_warning_handler = on_message;
	SPF_info_handler = on_message;
	SPF_debug_handler = on_message;
}

/* ---- one question ---- */

static void set_client(SPF_request_t *request, const unsigned char *address)
{
	static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	struct in_addr v4;
	struct in6_addr v6;

	if (memcmp(address, mapped, sizeof mapped) == 0) {
		memcpy(&v4, address + sizeof mapped, sizeof v4);
		SPF_request_set_ipv4(request, v4);
	} else {
		memcpy(&v6, address, sizeof v6);
		SPF_request_set_ipv6(request, v6);
	}
}

static SPF_request_t *read_question(SPF_server_t *server)
{
	SPF_request_t *request = SPF_request_new(server);
	const unsigned char *address;
	char helo[SPF_WIRE_TEXT_MAX + 1], sender[SPF_WIRE_TEXT_MAX + 1];

	receive_wire(SPF_WIRE_QUESTION);
	address = spf_wire_get_bytes(&wire, 16);
	spf_wire_get_text(&wire, helo);
	spf_wire_get_text(&wire, sender);
	if (request == NULL || address == NULL || !spf_wire_is_whole(&wire))
		give_up();
	set_client(request, address);
	if (SPF_request_set_helo_dom(request, helo) != 0 ||
		SPF_request_set_env_from(request, sender) != 0)
		give_up();
	return request;
}

/* libspf2 leaves "invalid" where it could not make anything of a record or did not get one. */
static SPF_result_t find_result(SPF_response_t *response, SPF_errcode_t code)
{
	if (SPF_response_result(response) != SPF_RESULT_INVALID)
		return SPF_response_result(response);
	switch (code) {
	case SPF_E_DNS_ERROR:
		return SPF_RESULT_TEMPERROR;
	case SPF_E_SUCCESS:
	case SPF_E_NO_MEMORY:
	case SPF_E_INTERNAL_ERROR:
	case SPF_E_UNINIT_VAR:
	case SPF_E_NOT_CONFIG:
		give_up();
	default:
		return SPF_RESULT_PERMERROR;
	}
}

static void send_result(SPF_response_t *response, SPF_errcode_t code)
{
	const char *phrase = SPF_strerror(code);
	size_t size = phrase == NULL ? 0 : strlen(phrase);

	spf_wire_begin(&wire, SPF_WIRE_RESULT);
	spf_wire_put8(&wire, (unsigned)find_result(response, code));
	spf_wire_put_block(&wire, phrase, size < SPF_WIRE_TEXT_MAX ? size : SPF_WIRE_TEXT_MAX);
	send_wire();
}

int main(void)
{
	static SPF_dns_server_t resolver = {
		.lookup = ask_parent, .get_exp = get_no_explanation, .name = "parent"};
	SPF_server_t *server;
	SPF_request_t *request;
	SPF_response_t *response = NULL;
	SPF_errcode_t code;

	silence_library();
	server = SPF_server_new_dns(&resolver, 0);
	if (server == NULL)
		give_up();
	SPF_server_set_rec_dom(server, "localhost");
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (!confine()) {
		/* Taken and not looked at: what is left unread would reset the socket. */
		if (read(PARENT, wire.data, sizeof wire.data) < 0)
			give_up();
		spf_wire_begin(&wire, SPF_WIRE_UNCONFINED);
		send_wire();
		return 1;
	}
	request = read_question(server);
	code = SPF_request_query_mailfrom(request, &response);
	if (response == NULL)
		give_up();
	send_result(response, code != SPF_E_SUCCESS ? code : SPF_response_errcode(response));
	_exit(0);
}
