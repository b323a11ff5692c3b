/*
 * ledger.c: a ledger of any size for make bench-ledger: the table that `backstop sent --tsv` is
 * fed, and the time of a look-up in what came of it.
 *
 *   ledger tsv ENTRIES PER-MESSAGE          prints it
 *   ledger find STATE ENTRIES PER-MESSAGE   prints nanoseconds a look-up, the median of rounds
 *
 * PER-MESSAGE: how many recipients, one after another, have a Message-ID in common. With 1 each
 * entry falls on a page of its own, which is the worst that a feeding can be.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "state/ledger.h"
#include "state/state.h"

enum { LOOK_UPS = 20000, ROUNDS = 9, TEXT_MAX = 128 };

static const int64_t FIRST_S = INT64_C(1764000000);

/* Numbers that have no order: splitmix64. */
static uint64_t mix(uint64_t number)
{
	number += UINT64_C(0x9e3779b97f4a7c15);
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static void name_entry(uint64_t number, uint64_t per_message, char *message_id, char *recipient)
{
	snprintf(message_id, TEXT_MAX, "<%" PRIx64 ".%" PRIu64 "@lists.example.org>",
		mix(number / per_message), number / per_message);
	snprintf(recipient, TEXT_MAX, "user%" PRIu64 ".%" PRIu64 "@example%" PRIu64 ".net",
		mix(number) % 100000, number % per_message, number % 977);
}

static int print_table(uint64_t entries, uint64_t per_message)
{
	char message_id[TEXT_MAX], recipient[TEXT_MAX];

	for (uint64_t i = 0; i < entries; i++) {
		name_entry(i, per_message, message_id, recipient);
		printf("%" PRId64 "\t%s\tannounce-bounces@lists.example.org\t%s\n",
			FIRST_S + (int64_t)(i / 100), message_id, recipient);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Half of the look-ups are for what is there. */
static double time_round(struct state *state, uint64_t entries, uint64_t per_message, uint64_t seed)
{
	struct timespec begin, end;
	size_t found = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (uint64_t i = 0; i < LOOK_UPS; i++) {
		char message_id[TEXT_MAX], recipient[TEXT_MAX];
		const char *recipients[] = {recipient};
		struct ledger_answer answer;
		uint64_t number = mix(seed * LOOK_UPS + i) % entries + (i % 2) * entries * 1000;

		name_entry(number, per_message, message_id, recipient);
		if (ledger_find(state, message_id, recipients, 1, &answer) != STATUS_OK)
			return -1;
		found += answer.has_recipient;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (found != LOOK_UPS / 2)
		return -1;
	return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
	       LOOK_UPS;
}

static int time_look_ups(const char *directory, uint64_t entries, uint64_t per_message)
{
	void *context = mem_context(NULL, "bench");
	double rounds[ROUNDS];
	struct state *state;
	const char *error = NULL;
	int result = 1;

	if (state_open(context, directory, STATE_READ, &state, &error) != STATUS_OK) {
		fprintf(stderr, "%s: %s\n", directory, error);
		return 1;
	}
	time_round(state, entries, per_message, ROUNDS); /* warms up */
	for (size_t i = 0; i < ROUNDS; i++) {
		rounds[i] = time_round(state, entries, per_message, i);
		if (rounds[i] < 0) {
			fprintf(stderr,
				"%s: an entry is missing, or one is there that was not fed\n",
				directory);
			goto out;
		}
	}
	qsort(rounds, ROUNDS, sizeof *rounds, compare_doubles);
	printf("%.0f\n", rounds[ROUNDS / 2]);
	result = 0;
out:
	state_close(state);
	mem_free(context);
	return result;
}

int main(int argc, char **argv)
{
	uint64_t entries = argc > 2 ? strtoull(argv[argc - 2], NULL, 10) : 0;
	uint64_t per_message = argc > 2 ? strtoull(argv[argc - 1], NULL, 10) : 0;

	if (argc == 4 && strcmp(argv[1], "tsv") == 0 && entries > 0 && per_message > 0)
		return print_table(entries, per_message);
	if (argc == 5 && strcmp(argv[1], "find") == 0 && entries > 0 && per_message > 0)
		return time_look_ups(argv[2], entries, per_message);
	fprintf(stderr,
		"usage: ledger tsv ENTRIES PER-MESSAGE | ledger find STATE ENTRIES PER-MESSAGE\n");
	return 2;
}
