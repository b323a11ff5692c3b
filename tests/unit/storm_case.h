/* storm_case.h: for the tests of state/storm.h: the limits, the list and the time of day that they
 * are about. */
#ifndef TESTS_STORM_CASE_H
#define TESTS_STORM_CASE_H

#include "state/storm.h"
#include "state_place.h"

#define NOON 1795521600
#define HOUR 3600
#define DAY 86400
#define LIST "announce@lists.example.org"

static const struct storm_limits standard = {.factor = 10, .minimum_per_hour = 60};

static inline TCase *make_case(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 30);
	return tcase;
}

#endif
