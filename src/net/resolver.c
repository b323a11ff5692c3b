/*
 * resolver.c: DNS questions, one at a time, each waited for.
 *
 * In charge of the budget, of what was answered already (in this process, in the cache that
 * outlives it), and of waiting. Leaves servers, retries, ids, ports and TCP to c-ares, messages to
 * dns_message.c, names to dns_name.c.
 *
 * c-ares is set up with the first question that nobody has answered yet: most deliveries ask none,
 * and reading resolv.conf would be paid for by each.
 */
#include "net/resolver.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "net/dns_message.h"
#include "net/dns_name.h"

enum {
	TABLE_SIZE = 256,
	MEMO_MAX = 4096, /* answers in memory; when there are more, all go */
	MEMO_BYTES_MAX = 4 * 1024 * 1024,
	TTL_LEAST_S = 60,   /* an answer is used this long, whatever its server says... */
	TTL_MOST_S = 86400, /* ...and no longer than this */
	NEGATIVE_MOST_S = 3600,
	EDNS_SIZE = 1232, /* bytes that pass everywhere without fragments; more comes by TCP */
	TRIES = 2,
	TIMEOUT_LEAST_MS = 50,
	PROBE_PART = 4, /* of the time-out: when it is doubted that anybody answers */
	OUTAGE_S = 60,	/* without questions, after no server answered any */
	CLASS_IN = 1,
	PORT = 53
};

/* Where the cache keeps that no server answered: no name in DNS has this spelling. */
static const char outage_name[] = ".";
static const enum dns_type outage_type = DNS_TXT;

/* A question that every resolver answers at once, whoever is down: RFC 6761 section 6.4. */
static const char probe_name[] = "invalid";

/* What was answered: the message, or, without one, the outcome alone. */
struct memo {
	struct memo *next;
	const char *name;
	enum dns_type type;
	const void *data; /* NULL: none */
	size_t size;
	enum dns_outcome outcome;
	const char *why;
	int64_t expires_ms;
	uint64_t message_number; /* failures are tried again with the next message */
};

struct resolver {
	const struct resolver_options *options;
	ares_channel channel; /* NULL: not set up */
	int64_t deadline_ms;  /* of the message */
	uint64_t message_number;
	bool has_heard;		 /* a server answered something, in this message */
	bool has_looked;	 /* for an outage, in the cache */
	int64_t outage_until_ms; /* no server answered before: nothing is asked until then */
	void *memory;		 /* the memos' context */
	struct memo *table[TABLE_SIZE];
	size_t memo_count;
	size_t memo_bytes;
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int close_channel(struct resolver *resolver)
{
	if (resolver->channel != NULL)
		ares_destroy(resolver->channel);
	resolver->channel = NULL;
	return 0;
}

struct resolver *resolver_new(
	const void *context, const struct resolver_options *options, const char **error_out)
{
	struct resolver *resolver = mem_new(context, struct resolver);

	if (error_out != NULL)
		*error_out = NULL;
	resolver->options = options;
	resolver->memory = mem_context(resolver, "answers");
	talloc_set_destructor(resolver, close_channel);
	resolver_begin_message(resolver);
	return resolver;
}

void resolver_begin_message(struct resolver *resolver)
{
	resolver->deadline_ms = monotonic_ms() + resolver->options->budget_ms;
	resolver->message_number++;
	resolver->has_heard = false;
}

int resolver_budget_ms(const struct resolver *resolver)
{
	int64_t left_ms = resolver->deadline_ms - monotonic_ms();

	return left_ms > 0 ? (int)left_ms : 0;
}

/* ---- what is known already ---- */

/* FNV-1a; whoever finds names that collide has a list of 4096 walked, no more. */
static size_t hash_question(const char *name, enum dns_type type)
{
	uint32_t hash = 2166136261u ^ (uint32_t)type;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash % TABLE_SIZE;
}

static struct memo *find_memo(struct resolver *resolver, const char *name, enum dns_type type)
{
	struct memo **at = &resolver->table[hash_question(name, type)];

	for (; *at != NULL; at = &(*at)->next) {
		struct memo *memo = *at;

		if (memo->type != type || strcmp(memo->name, name) != 0)
			continue;
		if (memo->expires_ms > monotonic_ms() &&
			(memo->outcome != DNS_FAILED ||
				memo->message_number == resolver->message_number))
			return memo;
		*at = memo->next;
		resolver->memo_count--;
		resolver->memo_bytes -= memo->size;
		mem_free(memo);
		return NULL;
	}
	return NULL;
}

static void forget_all(struct resolver *resolver)
{
	mem_free(resolver->memory);
	resolver->memory = mem_context(resolver, "answers");
	memset(resolver->table, 0, sizeof resolver->table);
	resolver->memo_count = 0;
	resolver->memo_bytes = 0;
}

/* How long an answer may be used. */
static int64_t bound_ttl(const struct dns_answer *answer)
{
	int64_t most_s = answer->outcome == DNS_FOUND ? TTL_MOST_S : NEGATIVE_MOST_S;

	if (answer->ttl_s < TTL_LEAST_S)
		return TTL_LEAST_S;
	return answer->ttl_s < most_s ? answer->ttl_s : most_s;
}

/* data: the message that answer was read from, or NULL. */
static void remember(struct resolver *resolver, const char *name, enum dns_type type,
	const struct dns_answer *answer, struct bytes message)
{
	struct memo **slot = &resolver->table[hash_question(name, type)];
	struct memo *memo;

	if (resolver->memo_count >= MEMO_MAX ||
		resolver->memo_bytes + message.size > MEMO_BYTES_MAX)
		forget_all(resolver);
	memo = mem_new(resolver->memory, struct memo);
	memo->name = mem_strdup(memo, name);
	memo->type = type;
	if (answer->outcome != DNS_FAILED && message.size > 0) {
		memo->data = mem_memdup(memo, message.data, message.size);
		memo->size = message.size;
	}
	memo->outcome = answer->outcome;
	memo->why = answer->why;
	memo->expires_ms = monotonic_ms() + bound_ttl(answer) * 1000;
	memo->message_number = resolver->message_number;
	memo->next = *slot;
	*slot = memo;
	resolver->memo_count++;
	resolver->memo_bytes += memo->size;
}

/* From memory, or from the cache that outlives the process. */
static bool recall(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer)
{
	const struct resolver_cache *cache = &resolver->options->cache;
	const struct memo *memo = find_memo(resolver, name, type);
	struct bytes kept = {NULL, 0};
	const void *data = NULL;

	if (memo != NULL && memo->data != NULL)
		return dns_message_read(context, memo->data, memo->size, name, type, answer);
	if (memo != NULL) {
		*answer = (struct dns_answer){.outcome = memo->outcome, .why = memo->why};
		return true;
	}
	if (cache->find == NULL ||
		!cache->find(cache->argument, context, name, type, &data, &kept.size))
		return false;
	kept.data = data;
	/* What does not answer the question, for whatever reason, is as good as nothing. */
	if (!dns_message_read(context, data, kept.size, name, type, answer))
		return false;
	remember(resolver, name, type, answer, kept);
	return true;
}

/* ---- asking ---- */

/* "ADDRESS", "ADDRESS:PORT", "[IPV6]:PORT". */
static bool parse_server(const void *context, const char *text, struct ares_addr_port_node *node)
{
	const char *colon = strrchr(text, ':');
	struct netaddr address;
	static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	char *host;
	bool is_right;

	node->udp_port = node->tcp_port = PORT;
	is_right = netaddr_parse(text, &address);
	if (!is_right && colon != NULL) {
		host = mem_strndup(context, text, (size_t)(colon - text));
		is_right = netaddr_parse(host, &address);
		mem_free(host);
		node->udp_port = node->tcp_port = atoi(colon + 1);
	}
	if (!is_right)
		return false;
	if (memcmp(address.bytes, mapped, sizeof mapped) == 0) {
		node->family = AF_INET;
		memcpy(&node->addr.addr4, address.bytes + sizeof mapped, sizeof node->addr.addr4);
	} else {
		node->family = AF_INET6;
		memcpy(&node->addr.addr6, address.bytes, sizeof node->addr.addr6);
	}
	return true;
}

static bool set_servers(struct resolver *resolver)
{
	const struct resolver_options *options = resolver->options;
	void *scratch = mem_context(resolver, "servers");
	struct ares_addr_port_node *nodes =
		mem_new_array(scratch, struct ares_addr_port_node, options->server_count);
	bool is_right = true;

	for (size_t i = 0; i < options->server_count; i++) {
		is_right = parse_server(scratch, options->servers[i], &nodes[i]) && is_right;
		nodes[i].next = i + 1 < options->server_count ? &nodes[i + 1] : NULL;
	}
	if (is_right && options->server_count > 0)
		is_right = ares_set_servers_ports(resolver->channel, nodes) == ARES_SUCCESS;
	mem_free(scratch);
	return is_right;
}

/* c-ares waits twice as long at its second try, so a third of the time-out for the first makes the
 * whole of it for one server. */
static bool open_channel(struct resolver *resolver)
{
	int first_ms = resolver->options->timeout_ms / 3;
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = first_ms > TIMEOUT_LEAST_MS ? first_ms : TIMEOUT_LEAST_MS,
		.tries = TRIES,
		.ednspsz = EDNS_SIZE,
		.lookups = (char[]){"b"},
		.resolvconf_path = (char[]){"/dev/null"},
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
		   ARES_OPT_LOOKUPS;

	if (resolver->channel != NULL)
		return true;
	if (resolver->options->server_count > 0)
		mask |= ARES_OPT_RESOLVCONF; /* that of the host is not asked for */
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
		ares_init_options(&resolver->channel, &options, mask) != ARES_SUCCESS) {
		resolver->channel = NULL;
		return false;
	}
	if (set_servers(resolver))
		return true;
	close_channel(resolver);
	return false;
}

/* What c-ares reports, through note_reply. */
struct reply {
	const void *context;
	bool is_done;
	int status;
	int timeouts;	  /* servers, or tries, that did not answer before */
	const void *data; /* a copy on context */
	size_t size;
};

/* ares_callback; also called while the channel is cancelled or destroyed. */
static void note_reply(void *argument, int status, int timeouts, unsigned char *data, int size)
{
	struct reply *reply = argument;

	reply->is_done = true;
	reply->timeouts = timeouts;
	reply->status = status;
	if (data == NULL || size <= 0)
		return;
	reply->data = mem_memdup(reply->context, data, (size_t)size);
	reply->size = (size_t)size;
}

/* Waits until something can be read or written, or c-ares or the budget wants its turn. */
static void wait_once(struct resolver *resolver)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	struct pollfd polls[ARES_GETSOCK_MAXNUM];
	int left_ms = resolver_budget_ms(resolver);
	struct timeval most = {left_ms / 1000, left_ms % 1000 * 1000}, space;
	const struct timeval *wait = ares_timeout(resolver->channel, &most, &space);
	int bits = ares_getsock(resolver->channel, sockets, ARES_GETSOCK_MAXNUM);
	nfds_t count = 0;

	/* Not the last: c-ares' macro for it shifts into the sign. There are at most two a server.
	 */
	for (int i = 0; i < ARES_GETSOCK_MAXNUM - 1; i++) {
		short events = 0;

		if (ARES_GETSOCK_READABLE(bits, i))
			events |= POLLIN;
		if (ARES_GETSOCK_WRITABLE(bits, i))
			events |= POLLOUT;
		if (events != 0)
			polls[count++] = (struct pollfd){.fd = sockets[i], .events = events};
	}
	/* Rounded up: c-ares does nothing before its time has come. */
	if (poll(polls, count, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000) + 1) < 0 &&
		errno != EINTR)
		return;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* time-outs */
	for (nfds_t i = 0; i < count; i++) {
		bool is_broken = (polls[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;

		if (polls[i].revents == 0)
			continue;
		ares_process_fd(resolver->channel,
			polls[i].revents & POLLIN || is_broken ? polls[i].fd : ARES_SOCKET_BAD,
			polls[i].revents & POLLOUT ? polls[i].fd : ARES_SOCKET_BAD);
	}
}

static const struct {
	int status;
	const char *why;
} failures[] = {
	{ARES_ETIMEOUT, "no DNS server answered in time"},
	{ARES_ECONNREFUSED, "no DNS server could be reached, or each failed"},
	{ARES_ECANCELLED, "no DNS server answered before the time for DNS was spent"},
	{ARES_ESERVFAIL, "the DNS server failed"},
	{ARES_EREFUSED, "the DNS server refused the question"},
	{ARES_ENOTIMP, "the DNS server does not know this kind of question"},
	{ARES_EFORMERR, "the DNS server did not understand the question"},
	{ARES_EBADRESP, "the answer of the DNS server makes no sense"},
};

static const char *find_failure(int status)
{
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		if (failures[i].status == status)
			return failures[i].why;
	}
	return "the DNS question could not be sent";
}

/* No server answers: each delivery would wait for its whole budget, and the mail server's queue
 * would grow. So nothing is asked for a while, here and in the processes to come. */
static void note_outage(struct resolver *resolver)
{
	const struct resolver_cache *cache = &resolver->options->cache;

	resolver->outage_until_ms = monotonic_ms() + OUTAGE_S * 1000;
	if (cache->store != NULL)
		cache->store(cache->argument, outage_name, outage_type, "", 1, OUTAGE_S);
}

/* True within OUTAGE_S of an outage that this process or another one saw. */
static bool is_outage(struct resolver *resolver, const void *context)
{
	const struct resolver_cache *cache = &resolver->options->cache;
	const void *data;
	size_t size;

	if (!resolver->has_looked && cache->find != NULL &&
		cache->find(cache->argument, context, outage_name, outage_type, &data, &size))
		resolver->outage_until_ms = monotonic_ms() + OUTAGE_S * 1000;
	resolver->has_looked = true;
	return resolver->outage_until_ms > monotonic_ms();
}

/* A stranger chooses most names, and can choose one whose servers are dead: so that his silence is
 * not taken for our resolver's, that is asked a second thing when the first takes long. */
static void ask_servers(
	struct resolver *resolver, struct reply *reply, const char *name, enum dns_type type)
{
	struct reply probe = {.context = reply->context};
	bool has_probed = false;
	int begin_ms = resolver_budget_ms(resolver);

	ares_query(resolver->channel, name, CLASS_IN, (int)type, note_reply, reply);
	while ((!reply->is_done || (has_probed && !probe.is_done)) &&
		resolver_budget_ms(resolver) > 0) {
		wait_once(resolver);
		if (reply->is_done &&
			(reply->data != NULL || (!has_probed && reply->status != ARES_ETIMEOUT)))
			break; /* heard, or refused at once, which costs no time */
		if (has_probed || resolver->has_heard ||
			begin_ms - resolver_budget_ms(resolver) <
				resolver->options->timeout_ms / PROBE_PART)
			continue;
		has_probed = true;
		ares_query(resolver->channel, probe_name, CLASS_IN, DNS_A, note_reply, &probe);
	}
	if (!reply->is_done || (has_probed && !probe.is_done))
		ares_cancel(resolver->channel);
	resolver->has_heard |= reply->data != NULL || probe.data != NULL;
	if (has_probed && !resolver->has_heard)
		note_outage(resolver);
}

/* c-ares begins each question with the first server. When that is silent and another answers, the
 * budget would go to waiting for it: so it becomes the last. */
static void prefer_next_server(struct resolver *resolver)
{
	struct ares_addr_port_node *first = NULL, *last;

	if (ares_get_servers_ports(resolver->channel, &first) != ARES_SUCCESS)
		return;
	if (first != NULL && first->next != NULL) {
		for (last = first; last->next != NULL;)
			last = last->next;
		last->next = first;
		first = first->next;
		last->next->next = NULL;
		ares_set_servers_ports(resolver->channel, first);
	}
	ares_free_data(first);
}

/* Asks the servers, and keeps what they say. */
static void ask_anew(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer)
{
	const struct resolver_cache *cache = &resolver->options->cache;
	struct reply reply = {.context = context};

	if (!open_channel(resolver)) {
		*answer = (struct dns_answer){
			.outcome = DNS_FAILED, .why = "the DNS library could not be set up"};
		return;
	}
	ask_servers(resolver, &reply, name, type);
	if (reply.data != NULL && reply.timeouts > 0)
		prefer_next_server(resolver);
	if (reply.data == NULL && (reply.status == ARES_ENOTFOUND || reply.status == ARES_EBADNAME))
		*answer = (struct dns_answer){.outcome = DNS_NO_DOMAIN}; /* c-ares' own decision */
	else if (reply.data == NULL ||
		 (reply.status != ARES_SUCCESS && reply.status != ARES_ENODATA &&
			 reply.status != ARES_ENOTFOUND))
		*answer = (struct dns_answer){
			.outcome = DNS_FAILED, .why = find_failure(reply.status)};
	else if (dns_message_read(context, reply.data, reply.size, name, type, answer) &&
		 cache->store != NULL)
		cache->store(
			cache->argument, name, type, reply.data, reply.size, bound_ttl(answer));
	remember(resolver, name, type, answer, (struct bytes){reply.data, reply.size});
}

void resolver_ask(struct resolver *resolver, const void *context, const char *name,
	enum dns_type type, struct dns_answer *answer_out)
{
	void *scratch = mem_context(NULL, "question");
	char *canonical = dns_name_canonical(scratch, name);

	memset(answer_out, 0, sizeof *answer_out);
	if (canonical == NULL)
		answer_out->outcome = DNS_NO_DOMAIN;
	else if (recall(resolver, context, canonical, type, answer_out))
		;
	else if (is_outage(resolver, scratch))
		*answer_out = (struct dns_answer){
			.outcome = DNS_FAILED, .why = "DNS did not answer a moment ago"};
	else if (resolver_budget_ms(resolver) > 0)
		ask_anew(resolver, context, canonical, type, answer_out);
	else
		*answer_out = (struct dns_answer){
			.outcome = DNS_FAILED, .why = "the time for DNS questions is spent"};
	mem_free(scratch);
}
