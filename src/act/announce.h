/*
 * announce.h: what a list's owners are told of a storm, in words. Pure: data in, text out.
 */
#ifndef BACKSTOP_ACT_ANNOUNCE_H
#define BACKSTOP_ACT_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum announcement { ANNOUNCE_BEGAN, ANNOUNCE_LASTS, ANNOUNCE_ENDED, ANNOUNCE_COUNT };

struct storm_facts {
	const char *list; /* address */
	enum announcement what;
	int64_t began_s, ended_s;
	/* Reports an hour that are not proven genuine; peak by the busiest minute, which may lie
	 * just before it began. */
	double usual, peak;
	uint64_t total; /* reports since it began, that one included, and of these: */
	uint64_t genuine, unproven, backscatter, held;
	bool is_collecting; /* genuine ones are kept for the owners */
	bool is_holding;    /* unproven ones are held */
};

/* Several lines, LF. On context. */
char *announce_text(const void *context, const struct storm_facts *facts);
/* "[LIST] storm of reports since 2026-11-24 10:02". On context. */
char *announce_subject(const void *context, const struct storm_facts *facts);

#endif
