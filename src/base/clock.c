/*
 * clock.c: the time, and its spellings.
 *
 * strptime and strftime are not used: they follow the locale, and strptime takes 2026-02-30. All is
 * UTC and within the years 0 to 9999, the ones that have four digits: a time outside them is
 * refused when read and shown as the nearest of them when written.
 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define FIRST_SECOND INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST_SECOND INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */
#define DAY INT64_C(86400)

static struct {
	bool is_fixed;
	int64_t now;
} fixed;

int64_t clock_now(void)
{
	return fixed.is_fixed ? fixed.now : (int64_t)time(NULL);
}

void clock_fix(int64_t now)
{
	fixed.is_fixed = true;
	fixed.now = now;
}

int64_t clock_day(int64_t seconds)
{
	int64_t day = seconds / DAY;

	return seconds % DAY < 0 ? day - 1 : day;
}

struct unit {
	char letter, other_letter;
	int64_t factor;
};

static const struct unit time_units[] = {
	{'s', 's', 1},
	{'m', 'm', 60},
	{'h', 'h', 3600},
	{'d', 'd', DAY},
	{'w', 'w', 7 * DAY},
};

static const struct unit size_units[] = {
	{'\0', '\0', 1},
	{'K', 'k', INT64_C(1) << 10},
	{'M', 'm', INT64_C(1) << 20},
	{'G', 'g', INT64_C(1) << 30},
};

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* Digits, at least one. Where they end, or NULL. */
static const char *parse_number(const char *text, int64_t *number_out)
{
	int64_t number = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, *text - '0', &number))
			return NULL;
	}
	*number_out = number;
	return text;
}

/* Digits and one unit, and nothing else. */
static bool parse_quantity(
	const char *text, const struct unit *units, size_t count, int64_t *quantity_out)
{
	int64_t number;
	const char *end = text != NULL ? parse_number(text, &number) : NULL;

	if (end == NULL || (*end != '\0' && end[1] != '\0'))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (*end == units[i].letter || *end == units[i].other_letter)
			return !__builtin_mul_overflow(number, units[i].factor, quantity_out);
	}
	return false;
}

bool clock_parse_duration(const char *text, int64_t *seconds_out)
{
	int64_t seconds;

	if (!parse_quantity(text, time_units, LENGTH(time_units), &seconds))
		return false;
	*seconds_out = seconds;
	return true;
}

bool clock_parse_size(const char *text, uint64_t *bytes_out)
{
	int64_t bytes;

	if (!parse_quantity(text, size_units, LENGTH(size_units), &bytes))
		return false;
	*bytes_out = (uint64_t)bytes;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/* True when text looks like shape, in which '0' stands for any digit and 'T' for T or a space. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++) {
		bool fits = *shape == '0'   ? *text >= '0' && *text <= '9'
			    : *shape == 'T' ? *text == 'T' || *text == ' '
					    : *text == *shape;

		if (!fits)
			return false;
	}
	return *text == '\0';
}

static int digits_at(const char *text, size_t count)
{
	int value = 0;

	while (count-- > 0)
		value = value * 10 + (*text++ - '0');
	return value;
}

static bool parse_date(const char *text, int64_t *seconds_out)
{
	struct tm tm = {0};
	bool has_time =
		has_shape(text, "0000-00-00T00:00:00Z") || has_shape(text, "0000-00-00T00:00:00");
	int year, month;

	if (!has_time && !has_shape(text, "0000-00-00"))
		return false;
	year = digits_at(text, 4);
	month = digits_at(text + 5, 2);
	tm.tm_mday = digits_at(text + 8, 2);
	if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > days_in_month(year, month))
		return false;
	if (has_time) {
		tm.tm_hour = digits_at(text + 11, 2);
		tm.tm_min = digits_at(text + 14, 2);
		tm.tm_sec = digits_at(text + 17, 2);
	}
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	*seconds_out = (int64_t)timegm(&tm);
	return true;
}

bool clock_parse_time(const char *text, int64_t now, int64_t *seconds_out)
{
	int64_t seconds;
	const char *end;

	if (text == NULL)
		return false;
	if (parse_date(text, seconds_out))
		return true;
	if (clock_parse_duration(text, &seconds)) {
		if (__builtin_sub_overflow(now, seconds, &seconds) || seconds < FIRST_SECOND)
			return false;
		*seconds_out = seconds;
		return true;
	}
	end = parse_number(*text == '@' ? text + 1 : text, &seconds);
	if (end == NULL || *end != '\0' || seconds > LAST_SECOND)
		return false;
	*seconds_out = seconds;
	return true;
}

/* value as it is; the division tells the compiler how many digits it can have at most. */
static unsigned below(int value, unsigned limit)
{
	return (unsigned)value % limit;
}

static struct tm broken_down(int64_t seconds)
{
	time_t at = (time_t)(seconds < FIRST_SECOND  ? FIRST_SECOND
			     : seconds > LAST_SECOND ? LAST_SECOND
						     : seconds);
	struct tm tm = {0};

	gmtime_r(&at, &tm);
	return tm;
}

void clock_format_day(int64_t seconds, char *text_out)
{
	struct tm tm = broken_down(seconds);

	snprintf(text_out, CLOCK_TEXT_MAX, "%04u-%02u-%02u", below(tm.tm_year + 1900, 10000),
		below(tm.tm_mon + 1, 100), below(tm.tm_mday, 100));
}

void clock_format_iso(int64_t seconds, char *text_out)
{
	struct tm tm = broken_down(seconds);

	snprintf(text_out, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		below(tm.tm_year + 1900, 10000), below(tm.tm_mon + 1, 100), below(tm.tm_mday, 100),
		below(tm.tm_hour, 100), below(tm.tm_min, 100), below(tm.tm_sec, 100));
}

void clock_format_rfc5322(int64_t seconds, char *text_out)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm = broken_down(seconds);

	snprintf(text_out, CLOCK_TEXT_MAX, "%s, %02u %s %04u %02u:%02u:%02u +0000",
		days[below(tm.tm_wday, 7)], below(tm.tm_mday, 100), months[below(tm.tm_mon, 12)],
		below(tm.tm_year + 1900, 10000), below(tm.tm_hour, 100), below(tm.tm_min, 100),
		below(tm.tm_sec, 100));
}
