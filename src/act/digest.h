/*
 * digest.h: one message about many reports, in words. Pure: data in, text out.
 */
#ifndef BACKSTOP_ACT_DIGEST_H
#define BACKSTOP_ACT_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/words.h"

#define DIGEST_ROWS_MAX 50000 /* that are taken; more are counted only */
#define DIGEST_ID_MAX 17

/* What one report says of one address. Strings are lent, and may be foreign. */
struct digest_row {
	const char *address; /* NULL: it names none */
	enum kind kind;
	enum verdict verdict;
	enum reason reason;
	bool is_permanent;
	bool is_storm_alone; /* unproven, and genuine in calm times */
	const char *status;  /* enhanced status code, or NULL */
	int64_t time_s;
	char id[DIGEST_ID_MAX]; /* of the report */
	size_t count;		/* set by digest_text: reports that say the same */
};

struct digest {
	const char *list;	   /* address */
	struct limit_config limit; /* the list's owner-limit; count 0: it has none */
	struct digest_row *rows;   /* put into order by digest_text */
	size_t row_count;
	uint64_t reports; /* all of them */
	uint64_t unread;  /* of these: counted, but without rows */
	uint64_t left;	  /* that a later message will tell of */
	uint64_t kinds[KIND_COUNT];
	uint64_t verdicts[VERDICT_COUNT];
	int64_t from_s, until_s; /* the first and the last report */
	int64_t kept_until_s;	 /* the messages themselves */
};

/* The addresses by what became of them: failed for good first, then what may still work, then what
 * is not shown to be about our mail. Each with reason, status, time, and a report's ID; long lists
 * are cut and say so. Clean UTF-8 lines, LF; on context. */
char *digest_text(const void *context, struct digest *digest);

/* "[LIST] digest: 280 reports, 251 addresses failed for good"; behind digest_text. On context. */
char *digest_subject(const void *context, const struct digest *digest);

#endif
