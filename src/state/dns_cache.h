/*
 * dns_cache.h: answers of DNS that outlive the process: a storm asks for the same names again and
 * again, from a process of its own each time.
 *
 * What is kept is the message as the server sent it, until it expires. Whoever reads one takes it
 * apart with the same care as a new one.
 */
#ifndef BACKSTOP_STATE_DNS_CACHE_H
#define BACKSTOP_STATE_DNS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/state.h"

#define DNS_CACHE_ENTRIES_MAX 20000 /* above it, those that expire first go */
#define DNS_CACHE_MESSAGE_MAX 4096  /* larger ones are not kept */
#define DNS_CACHE_NEW_MAX 64	    /* between two events; more are not kept */
#define DNS_CACHE_TTL_MAX 86400	    /* seconds; later expiries are cut to that */

/* True when there is an answer for name and type that has not expired; *data_out lives on context.
 * State that cannot be read has none. */
bool dns_cache_find(struct state *state, const void *context, const char *name, unsigned type,
	int64_t now_s, const void **data_out, size_t *size_out);

/* Keeps a copy of an answer in memory: the next event (record.h) writes it in its own transaction.
 * Without one it is gone with the state. */
void dns_cache_add(struct state *state, const char *name, unsigned type, const void *data,
	size_t size, int64_t expires_s);

#endif
