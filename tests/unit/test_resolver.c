/* test_resolver.c: DNS questions to tests/dns/server, well-behaved and not; the budget; what is
 * asked for once. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "dns_world.h"
#include "net/dns_message.h"
#include "net/dns_name.h"
#include "net/resolver.h"
#include "suite.h"

static const char zone[] =
	"example.org. IN MX 10 MX1.Example.ORG.\n"
	"example.org. IN MX 20 mx2.example.org.\n"
	"example.org. IN TXT \"v=spf1 \" \"-all\"\n"
	"example.org. 5 IN A 192.0.2.1\n"
	"example.org. IN AAAA 2001:db8::1\n"
	"null.example.org. IN MX 0 .\n"
	"1.2.0.192.in-addr.arpa. IN PTR host.example.org.\n"
	"www.example.org. IN CNAME web.example.org.\n"
	"web.example.org. IN CNAME real.example.org.\n"
	"real.example.org. IN A 192.0.2.7\n"
	"dangling.example.org. IN CNAME nowhere.example.net.\n"
	"a+b=c.example.org. IN TXT local\n"
	"m\xc3\xbcller.example.org. IN TXT never\n"
	"xn--mller-kva.example.org. IN TXT idn\n"
	"silent.example.org. BEHAVE silent\n"
	"slow.example.org. IN A 192.0.2.9\nslow.example.org. BEHAVE slow\n"
	"servfail.example.org. BEHAVE servfail\n"
	"refused.example.org. BEHAVE refused\n"
	"truncated.example.org. IN TXT whole\ntruncated.example.org. BEHAVE truncated\n"
	"dead.example.org. IN TXT whole\ndead.example.org. BEHAVE truncated-dead\n"
	"garbage.example.org. BEHAVE garbage\n"
	"short.example.org. IN A 192.0.2.9\nshort.example.org. BEHAVE short\n"
	"lying-id.example.org. IN A 192.0.2.9\nlying-id.example.org. BEHAVE lying-id\n"
	"wrong-question.example.org. IN A 192.0.2.9\nwrong-question.example.org. BEHAVE "
	"wrong-question\n"
	"wrong-name.example.org. BEHAVE wrong-name\n"
	"wrong-type.example.org. BEHAVE wrong-type\n"
	"name-loop.example.org. BEHAVE name-loop\n"
	"alias-loop.example.org. BEHAVE alias-loop\n"
	"alias-chain.example.org. BEHAVE alias-chain\n"
	"many.example.org. BEHAVE many\n"
	"huge-txt.example.org. BEHAVE huge-txt\n";

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static const struct {
	const char *name;
	enum dns_type type;
	enum dns_outcome outcome;
	size_t count;
	const char *first; /* text, or address; NULL: not compared */
} questions[] = {
	{"example.org", DNS_MX, DNS_FOUND, 2, "mx1.example.org"},
	{"EXAMPLE.org.", DNS_TXT, DNS_FOUND, 1, "v=spf1 -all"},
	{"example.org", DNS_A, DNS_FOUND, 1, "192.0.2.1"},
	{"example.org", DNS_AAAA, DNS_FOUND, 1, "2001:db8::1"},
	{"example.org", DNS_PTR, DNS_NO_DATA, 0, NULL},
	{"null.example.org", DNS_MX, DNS_FOUND, 1, ""},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, DNS_FOUND, 1, "host.example.org"},
	{"www.example.org", DNS_A, DNS_FOUND, 1, "192.0.2.7"},
	{"www.example.org", DNS_MX, DNS_NO_DATA, 0, NULL},
	{"dangling.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"nowhere.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"in-addr.arpa", DNS_A, DNS_NO_DATA, 0, NULL}, /* only names below it */
	{"a+b=c.example.org", DNS_TXT, DNS_FOUND, 1, "local"},
	{"M\xc3\xbcller.example.org", DNS_TXT, DNS_FOUND, 1, "idn"},
	{"silent.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"slow.example.org", DNS_A, DNS_FOUND, 1, "192.0.2.9"},
	{"servfail.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"refused.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"truncated.example.org", DNS_TXT, DNS_FOUND, 1, "whole"},
	{"dead.example.org", DNS_TXT, DNS_FAILED, 0, NULL},
	{"garbage.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"short.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"lying-id.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"wrong-question.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"wrong-name.example.org", DNS_A, DNS_NO_DATA, 0, NULL},
	{"wrong-type.example.org", DNS_A, DNS_NO_DATA, 0, NULL},
	{"name-loop.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"alias-loop.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"alias-chain.example.org", DNS_A, DNS_FAILED, 0, NULL},
	{"many.example.org", DNS_A, DNS_FOUND, DNS_RECORDS_MAX, "10.0.0.0"},
	{"huge-txt.example.org", DNS_TXT, DNS_FOUND, 1, NULL},
	/* not asked for at all */
	{"", DNS_A, DNS_NO_DOMAIN, 0, NULL}, {".", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{NULL, DNS_A, DNS_NO_DOMAIN, 0, NULL}, {".example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"a..example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"example.org..", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"a b.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"a\nb.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"a\\.b.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"\xff\xfe.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{LABEL_63 "l.example.org", DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, DNS_A, DNS_NO_DOMAIN, 0, NULL},
	{"hidden.onion", DNS_A, DNS_NO_DOMAIN, 0, NULL}, /* RFC 7686 section 2 */
};

static void show_first(const struct dns_answer *answer, char *text_out)
{
	text_out[0] = '\0';
	if (answer->count > 0 && answer->records[0].text != NULL)
		snprintf(text_out, 300, "%s", answer->records[0].text);
	else if (answer->count > 0)
		netaddr_format(&answer->records[0].address, text_out);
}

/* With room for the question to fail by time and the test still to be quick. */
static struct resolver *start(struct dns_world *world, const void *context)
{
	dns_world_start(world, zone, NULL);
	return resolver_new(context, &world->options, NULL);
}

START_TEST(test_question)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver = start(&world, context);
	struct dns_answer answer;
	char first[300];

	resolver_ask(resolver, context, questions[_i].name, questions[_i].type, &answer);
	show_first(&answer, first);
	ck_assert_msg(
		answer.outcome == questions[_i].outcome && answer.count == questions[_i].count &&
			(questions[_i].first == NULL || strcmp(first, questions[_i].first) == 0),
		"%s: got %d, %zu records, '%s', want %d, %zu, '%s'", questions[_i].name,
		answer.outcome, answer.count, first, questions[_i].outcome, questions[_i].count,
		questions[_i].first);
	ck_assert_msg((answer.why != NULL) == (answer.outcome == DNS_FAILED), "%s: why is '%s'",
		questions[_i].name, answer.why);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

START_TEST(test_facts)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver = start(&world, context);
	struct dns_answer answer;

	resolver_ask(resolver, context, "example.org", DNS_MX, &answer);
	ck_assert_uint_eq(answer.records[0].preference, 10);
	ck_assert_uint_eq(answer.records[1].preference, 20);
	ck_assert_int_eq(answer.ttl_s, 300);
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.ttl_s, 5);
	resolver_ask(resolver, context, "huge-txt.example.org", DNS_TXT, &answer);
	ck_assert_uint_eq(answer.records[0].size, 60000 / 250 * 249);
	resolver_ask(resolver, context, "nowhere.example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.ttl_s, 300); /* the SOA's minimum */
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* One name and type, one question: found, not found, failed. Failures are tried again with the next
 * message. */
START_TEST(test_once)
{
	static const struct {
		const char *name;
		int first, next;
	} rows[] = {{"example.org", 1, 1}, {"nowhere.example.org", 1, 1},
		{"servfail.example.org", 2, 4}};
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver = start(&world, context);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct dns_answer answer, again;

		resolver_ask(resolver, context, rows[i].name, DNS_TXT, &answer);
		resolver_ask(resolver, context, rows[i].name, DNS_TXT, &again);
		ck_assert_int_eq(again.outcome, answer.outcome);
		ck_assert_uint_eq(again.count, answer.count);
		ck_assert_msg(dns_world_count(&world, rows[i].name) == rows[i].first,
			"%s: asked %d times, want %d", rows[i].name,
			dns_world_count(&world, rows[i].name), rows[i].first);
		resolver_begin_message(resolver);
		resolver_ask(resolver, context, rows[i].name, DNS_TXT, &again);
		ck_assert_int_eq(dns_world_count(&world, rows[i].name), rows[i].next);
	}
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A black hole costs the budget once, however many names are asked for; then a new message has all
 * of it again, and what is known is still known. */
START_TEST(test_budget)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver = start(&world, context);
	struct dns_answer answer;
	int64_t start_ms;

	world.options.timeout_ms = 300;
	world.options.budget_ms = 500;
	resolver_begin_message(resolver);
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	resolver_begin_message(resolver);
	start_ms = now_ms();
	resolver_ask(resolver, context, "silent.example.org", DNS_A, &answer);
	ck_assert_msg(now_ms() - start_ms < 450, "one question took %d ms of 300",
		(int)(now_ms() - start_ms));
	for (int i = 0; i < 20; i++) {
		char name[64];

		resolver_ask(resolver, context, "silent.example.org",
			(enum dns_type)(DNS_MX + i % 2), &answer);
		ck_assert_int_eq(answer.outcome, DNS_FAILED);
		snprintf(name, sizeof name, "name%d.example.net", i);
		if (resolver_budget_ms(resolver) == 0) {
			resolver_ask(resolver, context, name, DNS_A, &answer);
			ck_assert_int_eq(answer.outcome, DNS_FAILED);
			ck_assert_int_eq(dns_world_count(&world, name), 0);
		}
	}
	ck_assert_msg(now_ms() - start_ms < 1000, "21 questions took %d ms of 500",
		(int)(now_ms() - start_ms));
	ck_assert_int_eq(resolver_budget_ms(resolver), 0);
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	resolver_begin_message(resolver);
	resolver_ask(resolver, context, "real.example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

static const char *const no_servers[] = {
	"127.0.0.1:1", "nonsense", "127.0.0.1:1x", "[::1]:1", "[::1"};

START_TEST(test_no_server)
{
	void *context = mem_context(NULL, "test");
	struct resolver_options options = {
		.servers = &no_servers[_i], .server_count = 1, .timeout_ms = 300, .budget_ms = 600};
	struct resolver *resolver = resolver_new(context, &options, NULL);
	struct dns_answer answer;

	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FAILED);
	ck_assert_ptr_nonnull(answer.why);
	mem_free(context);
}
END_TEST

/* The second server answers where the first does not. */
START_TEST(test_second_server)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver = start(&world, context);
	const char *servers[] = {"127.0.0.1:1", world.address};
	struct dns_answer answer;

	world.options.servers = servers;
	world.options.server_count = 2;
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* A first server that is silent is waited for once, not for each question. */
START_TEST(test_silent_first_server)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver = start(&world, context);
	struct sockaddr_in place = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof place;
	int silent = socket(AF_INET, SOCK_DGRAM, 0);
	char address[32];
	const char *servers[] = {address, world.address};
	struct dns_answer answer;
	int64_t start_ms, first_ms;

	ck_assert_int_eq(bind(silent, (struct sockaddr *)&place, sizeof place), 0);
	ck_assert_int_eq(getsockname(silent, (struct sockaddr *)&place, &size), 0);
	snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(place.sin_port));
	world.options.servers = servers;
	world.options.server_count = 2;
	world.options.timeout_ms = 1500;
	world.options.budget_ms = 10000;
	resolver_begin_message(resolver);
	start_ms = now_ms();
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	first_ms = now_ms() - start_ms;
	ck_assert_msg(first_ms >= 450, "the silent one was waited for %d ms of 500", (int)first_ms);
	for (int i = 0; i < 6; i++) {
		char name[64];

		snprintf(name, sizeof name, "name%d.example.net", i);
		resolver_ask(resolver, context, name, DNS_A, &answer);
		ck_assert_int_eq(answer.outcome, DNS_NO_DOMAIN);
	}
	ck_assert_msg(now_ms() - start_ms - first_ms < 1000, "six more questions took %d ms",
		(int)(now_ms() - start_ms - first_ms));
	close(silent);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* ---- the cache that outlives the process ---- */

struct keeper {
	void *context;
	char name[64];
	enum dns_type type;
	void *data;
	size_t size;
	int64_t ttl_s;
	int stored, found;
};

static bool keeper_find(void *argument, const void *context, const char *name, enum dns_type type,
	const void **data_out, size_t *size_out)
{
	struct keeper *keeper = argument;

	if (keeper->data == NULL || keeper->type != type || strcmp(keeper->name, name) != 0)
		return false;
	keeper->found++;
	*data_out = mem_memdup(context, keeper->data, keeper->size);
	*size_out = keeper->size;
	return true;
}

static void keeper_store(void *argument, const char *name, enum dns_type type, const void *data,
	size_t size, int64_t ttl_s)
{
	struct keeper *keeper = argument;

	keeper->stored++;
	snprintf(keeper->name, sizeof keeper->name, "%s", name);
	keeper->type = type;
	keeper->data = mem_memdup(keeper->context, data, size);
	keeper->size = size;
	keeper->ttl_s = ttl_s;
}

START_TEST(test_cache)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct keeper keeper = {.context = context};
	struct resolver *resolver = start(&world, context);
	struct dns_answer answer;

	world.options.cache = (struct resolver_cache){keeper_find, keeper_store, &keeper};
	resolver_ask(resolver, context, "servfail.example.org", DNS_A, &answer);
	resolver_ask(resolver, context, "garbage.example.org", DNS_A, &answer);
	ck_assert_int_eq(keeper.stored, 0);
	resolver_ask(resolver, context, "Example.org", DNS_A, &answer);
	ck_assert_int_eq(keeper.stored, 1);
	ck_assert_str_eq(keeper.name, "example.org");
	ck_assert_int_eq(keeper.ttl_s, 60); /* the record says 5 */
	mem_free(resolver);
	resolver = resolver_new(context, &world.options, NULL);
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	ck_assert_int_eq(keeper.found, 1);
	ck_assert_int_eq(dns_world_count(&world, "example.org"), 1);
	/* Damaged: asked anew. */
	mem_free(resolver);
	resolver = resolver_new(context, &world.options, NULL);
	keeper.size = 20;
	resolver_ask(resolver, context, "example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	ck_assert_int_eq(dns_world_count(&world, "example.org"), 2);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* ---- no server answers ---- */

/* Asked of a server that never answers, alone or beside one that is not there; then by another
 * process. */
START_TEST(test_outage)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct keeper keeper = {.context = context};
	struct resolver *resolver;
	struct dns_answer answer;

	dns_world_start(&world, zone, "silent");
	const char *servers[] = {world.address, "127.0.0.1:1"};
	world.options.servers = servers;
	world.options.server_count = (size_t)_i + 1;
	world.options.cache = (struct resolver_cache){keeper_find, keeper_store, &keeper};
	resolver = resolver_new(context, &world.options, NULL);
	resolver_ask(resolver, context, "a.example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FAILED);
	ck_assert_int_eq(keeper.stored, 1);
	ck_assert_int_eq(keeper.ttl_s, 60);
	for (int i = 0; i < 2; i++) {
		resolver_begin_message(resolver);
		resolver_ask(resolver, context, "b.example.org", DNS_A, &answer);
		ck_assert_int_eq(answer.outcome, DNS_FAILED);
		ck_assert_str_eq(answer.why, "DNS did not answer a moment ago");
		mem_free(resolver);
		resolver = resolver_new(context, &world.options, NULL);
	}
	ck_assert_int_eq(dns_world_count(&world, "b.example.org"), 0);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* A name whose servers are dead or at odds is a stranger's choice, and no outage. */
START_TEST(test_no_outage)
{
	static const char *const names[] = {
		"silent.example.org", "servfail.example.org", "lying-id.example.org"};
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct keeper keeper = {.context = context};
	struct resolver *resolver = start(&world, context);
	struct dns_answer answer;

	world.options.cache = (struct resolver_cache){keeper_find, keeper_store, &keeper};
	resolver_ask(resolver, context, names[_i], DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FAILED);
	ck_assert_int_eq(keeper.stored, 0);
	resolver_begin_message(resolver);
	resolver_ask(resolver, context, "real.example.org", DNS_A, &answer);
	ck_assert_int_eq(answer.outcome, DNS_FOUND);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* ---- messages cut and spoiled at every byte ---- */

START_TEST(test_spoiled)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct keeper keeper = {.context = context};
	struct resolver *resolver = start(&world, context);
	struct dns_answer answer;
	unsigned char *data;

	world.options.cache = (struct resolver_cache){keeper_find, keeper_store, &keeper};
	resolver_ask(resolver, context, "www.example.org", DNS_A, &answer);
	ck_assert_int_eq(keeper.stored, 1);
	for (size_t size = 0; size < keeper.size; size++) {
		/* A block of its own, so that a checker sees the first byte too much. */
		data = mem_memdup(context, keeper.data, size);
		dns_message_read(context, data, size, "www.example.org", DNS_A, &answer);
		ck_assert_msg(answer.outcome == DNS_FAILED, "cut at %zu of %zu: got %d", size,
			keeper.size, answer.outcome);
		mem_free(data);
	}
	for (size_t at = 0; at < keeper.size; at++) {
		for (unsigned value = 0; value < 256; value += 5) {
			void *scratch = mem_context(context, "spoiled");

			data = mem_memdup(scratch, keeper.data, keeper.size);
			data[at] = (unsigned char)value;
			dns_message_read(
				scratch, data, keeper.size, "www.example.org", DNS_A, &answer);
			ck_assert(answer.count <= DNS_RECORDS_MAX);
			mem_free(scratch);
		}
	}
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

static const struct {
	const char *canonical, *expanded;
	bool is_equal;
} spellings[] = {
	{"example.org", "EXAMPLE.org", true},
	{"a@b.example.org", "a\\@b.example.org", true},
	{"a.b.example.org", "a\\.b.example.org", false},
	{"example.org", "example.org.uk", false},
	{"example.org.uk", "example.org", false},
	{"example.org", "", false},
	{"example.org", "example.org\\", false},
	{"\x01.example.org", "\\001.example.org", false},
};

START_TEST(test_spelling)
{
	ck_assert_msg(dns_name_equal(spellings[_i].canonical, spellings[_i].expanded) ==
			      spellings[_i].is_equal,
		"'%s' and '%s'", spellings[_i].canonical, spellings[_i].expanded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolver");
	TCase *tcase = tcase_create("resolver");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_question, 0, ROWS(questions));
	tcase_add_test(tcase, test_facts);
	tcase_add_test(tcase, test_once);
	tcase_add_test(tcase, test_budget);
	tcase_add_loop_test(tcase, test_no_server, 0, ROWS(no_servers));
	tcase_add_test(tcase, test_second_server);
	tcase_add_test(tcase, test_silent_first_server);
	tcase_add_test(tcase, test_cache);
	tcase_add_loop_test(tcase, test_outage, 0, 2);
	tcase_add_loop_test(tcase, test_no_outage, 0, 3);
	tcase_add_test(tcase, test_spoiled);
	tcase_add_loop_test(tcase, test_spelling, 0, ROWS(spellings));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
