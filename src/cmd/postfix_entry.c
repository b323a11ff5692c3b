/*
 * postfix_entry.c: takes one line of Postfix's log apart: time, instance, program, queue id.
 *
 * In charge of the forms that a line begins with. Leaves what stands behind the queue id, and what
 * it says of a message, to postfix_log.c. Surprising: a syslog time that equals the last one is not
 * converted again, since mktime(3) is slow.
 */
#include "cmd/postfix_entry.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

#define DAY (24 * 60 * 60)

/* "Nov 23 19:19:22", in local time, in the latest year that does not make it later than now. A
 * day's grace is for a log in another time zone than ours, which must not become a year old. */
static bool find_year(int64_t now, const struct tm *parts, int64_t *seconds_out)
{
	time_t latest = (time_t)now + DAY;
	struct tm limit;

	localtime_r(&latest, &limit);
	/* Eight years reach back to a 29 February across 1900, 2100 and so on. */
	for (int back = 0; back <= 8; back++) {
		struct tm tried = *parts;

		tried.tm_year = limit.tm_year - back;
		tried.tm_isdst = -1;
		time_t seconds = mktime(&tried);

		if (tried.tm_mday != parts->tm_mday || seconds > latest)
			continue;
		*seconds_out = (int64_t)seconds;
		return true;
	}
	return false;
}

/* The number in two digits; the first may be a space. -1 when it is none. */
static int read_pair(const char *text)
{
	bool is_padded = text[0] == ' ';

	if ((!is_padded && (text[0] < '0' || text[0] > '9')) || text[1] < '0' || text[1] > '9')
		return -1;
	return (is_padded ? 0 : (text[0] - '0') * 10) + text[1] - '0';
}

static bool read_syslog_time(struct postfix_clock *clock, char **text, int64_t *seconds_out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *stamp = *text;
	const size_t length = sizeof clock->stamp - 1;

	if (strnlen(stamp, length + 1) <= length || stamp[length] != ' ')
		return false;
	if (strncmp(stamp, clock->stamp, length) == 0) {
		*text += length + 1;
		*seconds_out = clock->stamp_s;
		return true;
	}

	const char name[] = {stamp[0], stamp[1], stamp[2], '\0'};
	const char *month = strstr(months, name);
	struct tm parts = {
		.tm_mday = read_pair(stamp + 4),
		.tm_hour = read_pair(stamp + 7),
		.tm_min = read_pair(stamp + 10),
		.tm_sec = read_pair(stamp + 13),
	};

	if (month == NULL || (month - months) % 3 != 0 || stamp[3] != ' ' || stamp[6] != ' ' ||
		stamp[9] != ':' || stamp[12] != ':' || parts.tm_mday < 1 || parts.tm_mday > 31 ||
		parts.tm_hour < 0 || parts.tm_hour > 23 || parts.tm_min < 0 || parts.tm_min > 59 ||
		parts.tm_sec < 0 || parts.tm_sec > 60)
		return false;
	parts.tm_mon = (int)((month - months) / 3);
	if (!find_year(clock->now, &parts, seconds_out))
		return false;
	memcpy(clock->stamp, stamp, length);
	clock->stamp_s = *seconds_out;
	*text += length + 1;
	return true;
}

/* "Z", "+01:00", "-0500" in seconds; the text moves behind it. */
static bool read_offset(const char **text, int64_t *offset_out)
{
	const char *at = *text;
	int hours, minutes;

	*offset_out = 0;
	if (*at == 'Z') {
		*text = at + 1;
		return true;
	}
	if ((*at != '+' && *at != '-') || strnlen(at, 5) < 5)
		return false;
	hours = read_pair(at + 1);
	bool has_colon = at[3] == ':';
	minutes = read_pair(at + (has_colon ? 4 : 3));
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*offset_out = (int64_t)(hours * 60 + minutes) * (*at == '-' ? -60 : 60);
	*text = at + (has_colon ? 6 : 5);
	return true;
}

/* "2026-11-23T19:19:22.123456+01:00" */
static bool read_iso_time(char **text, int64_t now, int64_t *seconds_out)
{
	char seconds_text[20];
	const char *at = *text;
	int64_t offset;

	if (strnlen(at, 20) < 20 || at[4] != '-' || at[10] != 'T')
		return false;
	memcpy(seconds_text, at, 19);
	seconds_text[10] = ' ';
	seconds_text[19] = '\0';
	if (!clock_parse_time(seconds_text, now, seconds_out))
		return false;
	at += 19;
	if (*at == '.' || *at == ',')
		at += 1 + strspn(at + 1, "0123456789");
	if (!read_offset(&at, &offset) || *at != ' ')
		return false;
	*seconds_out -= offset;
	*text += at + 1 - *text;
	return true;
}

bool postfix_entry_copy_name(char *name_out, const char *start, const char *end)
{
	size_t size = (size_t)(end - start);

	if (size == 0 || size > POSTFIX_INSTANCE_MAX)
		return false;
	memcpy(name_out, start, size);
	name_out[size] = '\0';
	return true;
}

/* "postfix-out/smtp[123]: ", "postfix/relay/smtp[123]: ": the first part is the instance, the last
 * the program. */
static bool read_program(char **text, struct postfix_entry *entry)
{
	char *end = *text + strcspn(*text, " ");
	char *pid = memchr(*text, '[', (size_t)(end - *text));
	char *first = memchr(*text, '/', (size_t)(end - *text));

	if (pid == NULL || first == NULL || first > pid || *end != ' ' || end[-1] != ':' ||
		end[-2] != ']')
		return false;

	const char *last = memrchr(*text, '/', (size_t)(pid - *text));

	if (!postfix_entry_copy_name(entry->instance, *text, first) ||
		!postfix_entry_copy_name(entry->service, last + 1, pid))
		return false;
	*text = end + 1;
	return true;
}

/* "3F2A91C0: " or "4gXbKz1234zQ5: " */
static void read_queue_id(char **text, struct postfix_entry *entry)
{
	size_t length =
		strspn(*text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	if (length < POSTFIX_QUEUE_ID_MIN || length > POSTFIX_QUEUE_ID_MAX ||
		(*text)[length] != ':' || (*text)[length + 1] != ' ')
		return;
	/* What smtpd has not queued, or hands to a proxy, has no id. */
	if (strncmp(*text, "NOQUEUE", length) != 0)
		memcpy(entry->queue_id, *text, length);
	*text += length + 2;
}

bool postfix_entry_read(struct postfix_clock *clock, char *text, struct postfix_entry *entry_out)
{
	if (!read_syslog_time(clock, &text, &entry_out->time_s) &&
		!read_iso_time(&text, clock->now, &entry_out->time_s))
		return false;
	text += strcspn(text, " "); /* the host */
	if (*text != ' ')
		return false;
	text++;
	if (!read_program(&text, entry_out))
		return false;
	read_queue_id(&text, entry_out);
	entry_out->text = text;
	return true;
}
