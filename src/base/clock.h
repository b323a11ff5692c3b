/* clock.h: the time, and times and durations as text. */
#ifndef BACKSTOP_BASE_CLOCK_H
#define BACKSTOP_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT_MAX 32

/* Seconds since 1970, UTC; what --now fixed, else the system's. */
int64_t clock_now(void);
/* Fixes the clock for this process (--now, tests). */
void clock_fix(int64_t now);

/* Full days since 1970-01-01, UTC. */
int64_t clock_day(int64_t seconds);

/* "@1795461562", "1795461562", "2026-11-23", "2026-11-23T19:19:22Z", "2026-11-23 19:19:22" (UTC),
 * or an age before now: "90m", "36h", "7d", "2w". False when it is none of these. */
bool clock_parse_time(const char *text, int64_t now, int64_t *seconds_out);
/* "20s", "5m", "36h", "7d", "2w"; a bare number is an error, since a unit was forgotten. */
bool clock_parse_duration(const char *text, int64_t *seconds_out);
/* "512", "64K", "20M", "1G" (powers of 1024) in bytes. */
bool clock_parse_size(const char *text, uint64_t *bytes_out);

/* "2026-11-23T19:19:22Z" and "2026-11-23". text_out has CLOCK_TEXT_MAX bytes. */
void clock_format_iso(int64_t seconds, char *text_out);
void clock_format_day(int64_t seconds, char *text_out);
/* "Mon, 23 Nov 2026 19:19:22 +0000" (RFC 5322 section 3.3). */
void clock_format_rfc5322(int64_t seconds, char *text_out);

#endif
