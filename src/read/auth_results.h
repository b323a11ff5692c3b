/*
 * auth_results.h: what our own mail server found out about the client: Authentication-Results (RFC
 * 8601) and Received-SPF (RFC 7208 section 9.1).
 *
 * A stranger can write such fields himself. One counts only if it names a server that the
 * configuration trusts (authserv-id) and stands above the Received field below the one by which the
 * message came in. That the server removes those that came with its own name is its duty (RFC 8601
 * section 5); where it does not, what its own field says of a method still counts alone, for it
 * stands above them.
 */
#ifndef BACKSTOP_READ_AUTH_RESULTS_H
#define BACKSTOP_READ_AUTH_RESULTS_H

#include <stddef.h>

#include "read/header.h"

#define AUTH_RESULTS_MAX 32 /* of one message */

/* All lower case, on the context. */
struct auth_result {
	const char *method;   /* "spf", "dkim", "dmarc" */
	const char *result;   /* "pass", "fail" */
	const char *property; /* "smtp.helo", "smtp.mailfrom", "header.d"; or "" */
	const char *value;    /* of the property: a domain, or an address; or "" */
};

/* Reads the fields of the servers named in ids. At most AUTH_RESULTS_MAX into results_out; returns
 * how many. A method with several properties is one result for each. */
size_t auth_results_read(const void *context, const struct headers *headers, const char *const *ids,
	size_t id_count, struct auth_result *results_out);

#endif
