/* test_spf.c: SPF through the real child, with the records that RFC 7208 is about; the same with a
 * resolver that fails; and children that are anything but honest. */
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "dns_world.h"
#include "net/spf.h"
#include "suite.h"

static const char zone[] =
	"ip4.example.org. IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
	"ip6.example.org. IN TXT \"v=spf1 ip6:2001:db8::/32 ~all\"\n"
	"neutral.example.org. IN TXT \"v=spf1 ?all\"\n"
	"void.example.org. IN TXT \"v=spf1\"\n"
	"a.example.org. IN TXT \"v=spf1 a -all\"\na.example.org. IN A 192.0.2.1\n"
	"a.example.org. IN AAAA 2001:db8::1\n"
	"a24.example.org. IN TXT \"v=spf1 a:a.example.org/24 -all\"\n"
	"mx.example.org. IN TXT \"v=spf1 mx -all\"\nmx.example.org. IN MX 10 a.example.org.\n"
	"mx.example.org. IN MX 5 www.example.org.\nwww.example.org. IN CNAME a.example.org.\n"
	"ptr.example.org. IN TXT \"v=spf1 ptr -all\"\n"
	"1.2.0.192.in-addr.arpa. IN PTR host.ptr.example.org.\n"
	"host.ptr.example.org. IN A 192.0.2.1\n"
	"2.2.0.192.in-addr.arpa. IN PTR liar.ptr.example.org.\n"
	"liar.ptr.example.org. IN A 192.0.2.99\n"
	"include.example.org. IN TXT \"v=spf1 include:ip4.example.org -all\"\n"
	"badinclude.example.org. IN TXT \"v=spf1 include:nothing.example.org -all\"\n"
	"redirect.example.org. IN TXT \"v=spf1 redirect=ip4.example.org\"\n"
	"exists.example.org. IN TXT \"v=spf1 exists:%{i}.allowed.example.org -all\"\n"
	"192.0.2.1.allowed.example.org. IN A 127.0.0.2\n"
	"macro.example.org. IN TXT \"v=spf1 exists:%{l}.%{d2}.%{ir}.%{v}.m.example.org -all\"\n"
	"ann+x.example.org.1.2.0.192.in-addr.m.example.org. IN A 127.0.0.2\n"
	"helo.example.org. IN TXT \"v=spf1 exists:%{h}.h.example.org -all\"\n"
	"mail.example.net.h.example.org. IN A 127.0.0.2\n"
	"exp.example.org. IN TXT \"v=spf1 -all exp=why.example.org\"\n"
	"why.example.org. IN TXT \"%{i} is not one of ours\"\n"
	"syntax.example.org. IN TXT \"v=spf1 ipv4:192.0.2.1 -all\"\n"
	"two.example.org. IN TXT \"v=spf1 -all\"\ntwo.example.org. IN TXT \"v=spf1 +all\"\n"
	"other.example.org. IN TXT \"not spf at all\"\n"
	"among.example.org. IN TXT \"key=1\"\namong.example.org. IN TXT \"v=spf1 +all\"\n"
	"loop.example.org. IN TXT \"v=spf1 include:loop.example.org -all\"\n"
	"many.example.org. IN TXT \"v=spf1 a:1.example.net a:2.example.net a:3.example.net "
	"a:4.example.net a:5.example.net a:6.example.net a:7.example.net a:8.example.net "
	"a:9.example.net a:10.example.net a:11.example.net a:12.example.net +all\"\n"
	"wide.example.org. IN TXT \"v=spf1 mx:w1.example.org mx:w2.example.org mx:w3.example.org "
	"mx:w4.example.org mx:w5.example.org -all\"\n"
	"servfail.example.org. BEHAVE servfail\n"
	"silent.example.org. BEHAVE silent\n"
	"temp.example.org. IN TXT \"v=spf1 include:servfail.example.org +all\"\n"
	"black.example.org. IN TXT \"v=spf1 include:silent.example.org +all\"\n"
	"huge.example.org. BEHAVE huge-txt\n"
	"long.example.org. IN TXT \"v=spf1 "
	"exists:%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}."
	"%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d}.%{d} -all\"\n"
	"xn--mller-kva.example.org. IN TXT \"v=spf1 +all\"\n";

static const struct {
	const char *client, *helo, *sender;
	enum spf_result want;
} rows[] = {
	{"192.0.2.1", "mail.example.net", "ann@ip4.example.org", SPF_PASS},
	{"::ffff:192.0.2.1", "mail.example.net", "ann@ip4.example.org", SPF_PASS},
	{"198.51.100.1", "mail.example.net", "ann@ip4.example.org", SPF_FAIL},
	{"2001:db8::1", "mail.example.net", "ann@ip4.example.org", SPF_FAIL},
	{"2001:db8::1", "mail.example.net", "ann@ip6.example.org", SPF_PASS},
	{"192.0.2.1", "mail.example.net", "ann@ip6.example.org", SPF_SOFTFAIL},
	{"192.0.2.1", "mail.example.net", "ann@neutral.example.org", SPF_NEUTRAL},
	{"192.0.2.1", "mail.example.net", "ann@void.example.org", SPF_NEUTRAL},
	{"192.0.2.1", "mail.example.net", "ann@nothing.example.org", SPF_NONE},
	{"192.0.2.1", "mail.example.net", "ann@other.example.org", SPF_NONE},
	{"192.0.2.1", "mail.example.net", "ann@among.example.org", SPF_PASS},
	{"192.0.2.1", "mail.example.net", "ann@a.example.org", SPF_PASS},
	{"2001:db8::1", "mail.example.net", "ann@a.example.org", SPF_PASS},
	{"192.0.2.2", "mail.example.net", "ann@a.example.org", SPF_FAIL},
	{"192.0.2.77", "mail.example.net", "ann@a24.example.org", SPF_PASS},
	{"192.0.2.1", "mail.example.net", "ann@mx.example.org", SPF_PASS},
	{"2001:db8::1", "mail.example.net", "ann@mx.example.org", SPF_PASS},
	{"192.0.2.2", "mail.example.net", "ann@mx.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@ptr.example.org", SPF_PASS},
	{"192.0.2.2", "mail.example.net", "ann@ptr.example.org", SPF_FAIL},
	{"192.0.2.3", "mail.example.net", "ann@ptr.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@include.example.org", SPF_PASS},
	{"198.51.100.1", "mail.example.net", "ann@include.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@badinclude.example.org", SPF_PERMERROR},
	{"192.0.2.1", "mail.example.net", "ann@redirect.example.org", SPF_PASS},
	{"198.51.100.1", "mail.example.net", "ann@redirect.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@exists.example.org", SPF_PASS},
	{"192.0.2.2", "mail.example.net", "ann@exists.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann+x@macro.example.org", SPF_PASS},
	{"192.0.2.1", "mail.example.net", "bob@macro.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@helo.example.org", SPF_PASS},
	{"192.0.2.1", "other.example.net", "ann@helo.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@exp.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@syntax.example.org", SPF_PERMERROR},
	{"192.0.2.1", "mail.example.net", "ann@two.example.org", SPF_PERMERROR},
	{"192.0.2.1", "mail.example.net", "ann@loop.example.org", SPF_PERMERROR},
	{"192.0.2.1", "mail.example.net", "ann@many.example.org", SPF_PERMERROR},
	{"192.0.2.1", "mail.example.net", "ann@temp.example.org", SPF_TEMPERROR},
	{"192.0.2.1", "mail.example.net", "ann@servfail.example.org", SPF_TEMPERROR},
	{"192.0.2.1", "mail.example.net", "ann@huge.example.org", SPF_NONE},
	{"192.0.2.1", "mail.example.net", "ann@long.example.org", SPF_FAIL},
	{"192.0.2.1", "mail.example.net", "ann@m\xc3\xbcller.example.org", SPF_PASS},
	/* null senders, bare domains, and what is about no domain */
	{"192.0.2.1", "ip4.example.org", "", SPF_PASS},
	{"198.51.100.1", "ip4.example.org", NULL, SPF_FAIL},
	{"192.0.2.1", NULL, "ip4.example.org", SPF_PASS},
	{"192.0.2.1", "[192.0.2.1]", "", SPF_NONE},
	{"192.0.2.1", "192.0.2.1", "", SPF_NONE},
	{"192.0.2.1", "localhost", "", SPF_NONE},
	{"192.0.2.1", NULL, NULL, SPF_NONE},
	{"192.0.2.1", "mail.example.net", "ann@", SPF_NONE},
	{"192.0.2.1", "mail.example.net", "ann@a..example.org", SPF_NONE},
	{"192.0.2.1", "mail.example.net", "\"a b\"@ip4.example.org", SPF_PASS},
	{"192.0.2.1", "mail\nexample.net", "@ip4.example.org", SPF_PASS},
};

static void use_real_child(void)
{
	spf_use_program(dns_world_program("BACKSTOP_SPF", "build/backstop-spf"));
}

static enum spf_result check(struct resolver *resolver, const void *context, const char *client,
	const char *helo, const char *sender, const char **why_out)
{
	struct spf_question question = {.helo = helo, .sender = sender};

	ck_assert(netaddr_parse(client, &question.client));
	return spf_check(resolver, context, &question, why_out);
}

START_TEST(test_rows)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver;
	const char *why;
	enum spf_result got;

	use_real_child();
	dns_world_start(&world, zone, NULL);
	resolver = resolver_new(context, &world.options, NULL);
	got = check(resolver, context, rows[_i].client, rows[_i].helo, rows[_i].sender, &why);
	ck_assert_msg(got == rows[_i].want, "%s %s %s: got %s (%s), want %s", rows[_i].client,
		rows[_i].helo, rows[_i].sender, spf_result_name(got), why,
		spf_result_name(rows[_i].want));
	ck_assert_msg((why != NULL) == (got == SPF_UNAVAILABLE || got == SPF_TEMPERROR ||
					       got == SPF_PERMERROR),
		"%s: why is %s", rows[_i].sender, why);
	/* Explanations are not fetched. */
	ck_assert_int_eq(dns_world_count(&world, "why.example.org"), 0);
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

/* Where there is no record no process is started. */
START_TEST(test_no_record)
{
	static const struct {
		const char *domain;
		enum spf_result want;
	} needless[] = {
		{"nothing.example.org", SPF_NONE},
		{"other.example.org", SPF_NONE},
		{"servfail.example.org", SPF_TEMPERROR},
		{"ip4.example.org", SPF_UNAVAILABLE},
	};
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver;
	const char *why;

	spf_use_program("/nonexistent/backstop-spf");
	dns_world_start(&world, zone, NULL);
	resolver = resolver_new(context, &world.options, NULL);
	for (size_t i = 0; i < sizeof needless / sizeof needless[0]; i++) {
		enum spf_result got =
			check(resolver, context, "192.0.2.1", NULL, needless[i].domain, &why);

		ck_assert_msg(got == needless[i].want, "%s: got %s, want %s", needless[i].domain,
			spf_result_name(got), spf_result_name(needless[i].want));
	}
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* Answers that SPF shares with others are asked for once. */
START_TEST(test_shared)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver;
	const char *why;

	use_real_child();
	dns_world_start(&world, zone, NULL);
	resolver = resolver_new(context, &world.options, NULL);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			check(resolver, context, "192.0.2.1", NULL, "include.example.org", &why),
			SPF_PASS);
	ck_assert_int_eq(dns_world_count(&world, "include.example.org"), 1);
	ck_assert_int_eq(dns_world_count(&world, "ip4.example.org"), 1);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* A resolver that is dead, for the whole or in the middle: never a verdict, and never late. */
START_TEST(test_dead_resolver)
{
	static const char *const senders[] = {"silent.example.org", "black.example.org"};
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver;
	const char *why;
	int64_t start_ms;
	enum spf_result got;

	use_real_child();
	dns_world_start(&world, zone, NULL);
	world.options.timeout_ms = 300;
	world.options.budget_ms = 400;
	resolver = resolver_new(context, &world.options, NULL);
	for (size_t i = 0; i < 2; i++) {
		resolver_begin_message(resolver);
		start_ms = now_ms();
		got = check(resolver, context, "192.0.2.1", NULL, senders[i], &why);
		ck_assert_msg(got == SPF_TEMPERROR || got == SPF_UNAVAILABLE, "%s: got %s",
			senders[i], spf_result_name(got));
		ck_assert_ptr_nonnull(why);
		ck_assert_msg(now_ms() - start_ms < 800, "%s: took %d ms of 400", senders[i],
			(int)(now_ms() - start_ms));
	}
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

static const struct {
	const char *name;
	enum spf_result want;
} rogues[] = {
	{"crash", SPF_UNAVAILABLE},
	{"abort", SPF_UNAVAILABLE},
	{"quit", SPF_UNAVAILABLE},
	{"hang", SPF_UNAVAILABLE},
	{"spin", SPF_UNAVAILABLE},
	{"flood", SPF_UNAVAILABLE},
	{"deaf", SPF_UNAVAILABLE},
	{"huge", SPF_UNAVAILABLE},
	{"empty", SPF_UNAVAILABLE},
	{"short", SPF_UNAVAILABLE},
	{"type", SPF_UNAVAILABLE},
	{"name", SPF_UNAVAILABLE},
	{"result", SPF_UNAVAILABLE},
	{"zero", SPF_UNAVAILABLE},
	{"tail", SPF_UNAVAILABLE},
	{"unconfined", SPF_UNAVAILABLE},
	{"noise", SPF_UNAVAILABLE},
	{"no-such-program", SPF_UNAVAILABLE},
	{"look", SPF_PASS},
	{"phrase", SPF_PERMERROR},
};

START_TEST(test_rogue)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	const char *program = dns_world_program("BACKSTOP_SPF_ROGUE", "build/tests/dns/rogue");
	struct resolver *resolver;
	const char *why;
	char path[128];
	enum spf_result got;
	int64_t start_ms;

	dns_world_start(&world, zone, NULL);
	snprintf(path, sizeof path, "%s/%s", world.folder, rogues[_i].name);
	/* The kernel resolves a symbolic link, so it is a copy. */
	if (strcmp(rogues[_i].name, "no-such-program") != 0) {
		const char *command = mem_printf(context, "cp '%s' '%s'", program, path);

		ck_assert_int_eq(system(command), 0);
	}
	spf_use_program(path);
	world.options.budget_ms = 1000;
	resolver = resolver_new(context, &world.options, NULL);
	start_ms = now_ms();
	got = check(resolver, context, "192.0.2.1", NULL, "ip4.example.org", &why);
	unlink(path);
	ck_assert_msg(got == rogues[_i].want, "%s: got %s (%s), want %s", rogues[_i].name,
		spf_result_name(got), why, spf_result_name(rogues[_i].want));
	ck_assert_msg(now_ms() - start_ms < 1500, "%s: took %d ms", rogues[_i].name,
		(int)(now_ms() - start_ms));
	if (got != SPF_PASS)
		ck_assert_ptr_nonnull(why);
	if (why != NULL)
		ck_assert_msg(strchr(why, '\033') == NULL, "why is not clean");
	/* No child is left, dead or alive. */
	close(world.lifeline);
	waitpid(world.server, NULL, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	if (strcmp(rogues[_i].name, "flood") == 0)
		ck_assert_int_le(dns_world_count(&world, "flood.example.org"), 30);
	dns_world_end(&world);
	mem_free(context);
}
END_TEST

/* ---- confinement ---- */

/* The line of a file in /proc that begins with name; "" when there is none. */
static void find_line(pid_t pid, const char *file, const char *name, char *line_out, int size)
{
	char path[64];
	FILE *stream;

	line_out[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	stream = fopen(path, "r");
	while (stream != NULL && fgets(line_out, size, stream) != NULL) {
		if (strncmp(line_out, name, strlen(name)) == 0)
			break;
		line_out[0] = '\0';
	}
	if (stream != NULL)
		fclose(stream);
}

static bool is_confined(pid_t pid)
{
	char seccomp[128], privileges[128], files[128], environment[128];

	find_line(pid, "status", "Seccomp:", seccomp, sizeof seccomp);
	find_line(pid, "status", "NoNewPrivs:", privileges, sizeof privileges);
	find_line(pid, "limits", "Max open files", files, sizeof files);
	find_line(pid, "environ", "", environment, sizeof environment);
	return strcmp(seccomp, "Seccomp:\t2\n") == 0 &&
	       strcmp(privileges, "NoNewPrivs:\t1\n") == 0 && environment[0] == '\0' &&
	       strstr(files, " 0 ") != NULL;
}

/* Watches for the child of a process while it waits for DNS; its exit code is 0 when the child is
 * locked in. */
static void watch(pid_t parent)
{
	for (int i = 0; i < 100; i++) {
		const struct timespec wait = {.tv_nsec = 10 * 1000 * 1000};
		char path[64];
		FILE *children;
		int child = 0;

		nanosleep(&wait, NULL);
		snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
		children = fopen(path, "r");
		while (children != NULL && fscanf(children, "%d", &child) == 1) {
			char name[64];

			find_line(child, "comm", "", name, sizeof name);
			if (strcmp(name, "backstop-spf\n") == 0 && is_confined(child))
				_exit(0);
		}
		if (children != NULL)
			fclose(children);
	}
	_exit(1);
}

START_TEST(test_confined)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	pid_t self = getpid(), watcher;
	struct resolver *resolver;
	const char *why;
	int status;

	use_real_child();
	dns_world_start(&world, zone, NULL);
	world.options.budget_ms = 1000;
	resolver = resolver_new(context, &world.options, NULL);
	watcher = fork();
	if (watcher == 0)
		watch(self);
	check(resolver, context, "192.0.2.1", NULL, "black.example.org", &why);
	ck_assert_int_eq(waitpid(watcher, &status, 0), watcher);
	ck_assert_int_eq(status, 0);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

/* Takes seccomp away from what is started from here on. */
static bool forbid_seccomp(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_seccomp, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(test_no_seccomp)
{
	struct dns_world world;
	void *context = mem_context(NULL, "test");
	struct resolver *resolver;
	const char *why;
	enum spf_result got;

	use_real_child();
	dns_world_start(&world, zone, NULL);
	resolver = resolver_new(context, &world.options, NULL);
	ck_assert(forbid_seccomp());
	got = check(resolver, context, "192.0.2.1", NULL, "include.example.org", &why);
	ck_assert_int_eq(got, SPF_UNAVAILABLE);
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, "seccomp") != NULL, "why: %s", why);
	ck_assert_int_eq(dns_world_count(&world, "ip4.example.org"), 0);
	mem_free(context);
	dns_world_end(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spf");
	TCase *tcase = tcase_create("spf");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_rows, 0, ROWS(rows));
	tcase_add_test(tcase, test_shared);
	tcase_add_test(tcase, test_no_record);
	tcase_add_test(tcase, test_dead_resolver);
	tcase_add_test(tcase, test_confined);
	tcase_add_test(tcase, test_no_seccomp);
	tcase_add_loop_test(tcase, test_rogue, 0, ROWS(rogues));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
