/*
 * spf.h: SPF (RFC 7208) by libspf2, in a child process that has neither the message nor the
 * network: it runs under seccomp, rlimits and a deadline, and asks its DNS questions of us. Killed,
 * crashed or aborted, it is SPF_UNAVAILABLE.
 */
#ifndef BACKSTOP_NET_SPF_H
#define BACKSTOP_NET_SPF_H

#include "base/netaddr.h"
#include "net/resolver.h"

enum spf_result {
	SPF_UNAVAILABLE = 0, /* it could not be found out: resolver or child failed */
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR
};

struct spf_question {
	struct netaddr client;
	const char *helo;   /* or NULL */
	const char *sender; /* MAIL FROM, or a bare domain; NULL or "": postmaster@HELO (RFC 7208
			       section 2.4) */
};

/* Waits at most for what is left of the resolver's budget. why_out: a phrase for people, on
 * context, of SPF_UNAVAILABLE, TEMPERROR and PERMERROR; else NULL. */
enum spf_result spf_check(struct resolver *resolver, const void *context,
	const struct spf_question *question, const char **why_out);

/* The program to run (absolute), for tests; NULL: backstop-spf beside this program, in
 * ../libexec/backstop, or where `make install` put it. Lent until changed. */
void spf_use_program(const char *path);

/* The program that would be run, on context, or NULL when it is nowhere or may not be run.
 * standard_out: where `make install` puts it; static. */
const char *spf_find_program(const void *context, const char **standard_out);

/* "pass", "fail"...; static. */
const char *spf_result_name(enum spf_result result);

#endif
