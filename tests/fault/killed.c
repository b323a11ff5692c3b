/*
 * killed.c: processes that change a state are killed at random times, KILLS of them (make
 * check-kill).
 *
 *   killed DIR KILLS     prints TAP
 *
 * Each kill strikes one of the works below; after it the state has to open, every record has to
 * decode, and all that the work had acknowledged has to be there.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/box.h"
#include "state/dump.h"
#include "state/ledger.h"
#include "state/prune.h"
#include "state/record.h"

enum {
	EVENTS_MAX = 1 << 20,
	PRUNED_ABOVE = 400, /* events that are there: then the older half may go */
	GROW_ENTRIES = 400, /* in one transaction */
	GROW_MAP = 128 * 1024,
	HALVINGS = 6
};

static const int64_t START_S = INT64_C(1764000000);

/* What the works acknowledge, for who kills them. */
struct shared {
	atomic_uint_fast64_t number;	      /* of the next event */
	atomic_uchar is_recorded[EVENTS_MAX]; /* acknowledged */
	atomic_uint_fast64_t grown;	      /* batches of entries, likewise */
	atomic_uint_fast64_t pruned_below;    /* events that may be gone */
	atomic_uint_fast64_t finished;	      /* works that came to their end */
	atomic_uint_fast64_t failures;
};

static struct shared *shared;
static char place[4096], grow_place[4096 + 16], dump_path[4096 + 16];
static uint64_t kills;

static void die(const char *what)
{
	printf("# %s\n", what);
	fflush(stdout);
	_exit(1);
}

static struct state *open_place(const char *directory, size_t map_bytes)
{
	struct state *state = NULL;
	const char *error = NULL;

	if (box_open(NULL, directory, STATE_WRITE, map_bytes, &state, &error) != STATUS_OK)
		die(error != NULL ? error : "the state does not open");
	return state;
}

static int64_t time_of(uint64_t number)
{
	return START_S + (int64_t)number;
}

/* ---- the works ---- */

static void record(void)
{
	struct state *state = open_place(place, BOX_MAP_INITIAL);

	for (;;) {
		uint64_t number = atomic_fetch_add(&shared->number, 1);
		char id[64], file[64];
		struct event event = {
			.time_s = time_of(number),
			.verdict = VERDICT_BACKSCATTER,
			.action = ACTION_DROP,
			.policy = ACTION_DROP,
			.list = "announce@lists.example.org",
			.reporter = "198.51.100.7",
			.sender = "",
			.message_id = id,
			.size = 1000,
		};

		if (number >= EVENTS_MAX)
			return;
		snprintf(id, sizeof id, "%" PRIu64, number);
		snprintf(file, sizeof file, "%" PRIu64 ".host", number);
		if (record_event(state, &event, file, 0) != STATUS_OK)
			atomic_fetch_add(&shared->failures, 1);
		else
			atomic_store(&shared->is_recorded[number], 1);
	}
}

static void grow(void)
{
	struct state *state = open_place(grow_place, GROW_MAP);

	for (uint64_t batch = 0;; batch++) {
		struct ledger_entry entries[GROW_ENTRIES] = {{0}};
		char ids[GROW_ENTRIES][48];

		for (size_t i = 0; i < GROW_ENTRIES; i++) {
			snprintf(ids[i], sizeof ids[i], "%" PRIu64 ".%zu@lists.example.org", batch,
				i);
			entries[i].message_id = ids[i];
			entries[i].sent_s = START_S;
		}
		if (ledger_add(state, LEDGER_FEED_BATCH, START_S, entries, GROW_ENTRIES, NULL) !=
			STATUS_OK)
			atomic_fetch_add(&shared->failures, 1);
		else
			atomic_store(&shared->grown, batch + 1);
	}
}

static void prune(void)
{
	struct state *state = open_place(place, BOX_MAP_INITIAL);
	struct prune_result result;

	if (state_prune(state, "events", time_of(atomic_load(&shared->pruned_below)), false,
		    &result) != STATUS_OK)
		atomic_fetch_add(&shared->failures, 1);
	atomic_fetch_add(&shared->finished, 1);
}

static void load(void)
{
	FILE *in = fopen(dump_path, "re");
	struct load_result result;
	const char *error = NULL;
	void *context = mem_context(NULL, "load");

	if (in == NULL)
		die("no dump");
	if (state_load(context, place, in, true, &result, &error) != STATUS_OK) {
		printf("# load: %s\n", error);
		atomic_fetch_add(&shared->failures, 1);
	}
	atomic_fetch_add(&shared->finished, 1);
}

/* ---- what has to be true then ---- */

struct sighting {
	unsigned char *is_there;
	uint64_t events;
};

static enum status see_event(void *argument, const struct event *event)
{
	struct sighting *sighting = argument;
	uint64_t number = strtoull(event->message_id, NULL, 10);

	if (number >= EVENTS_MAX || sighting->is_there[number])
		return STATUS_DATA;
	sighting->is_there[number] = 1;
	sighting->events++;
	return STATUS_OK;
}

static enum status see_held(void *argument, const struct held *held)
{
	struct sighting *sighting = argument;
	uint64_t number = strtoull(held->event.message_id, NULL, 10);

	if (number >= EVENTS_MAX || held->file == NULL)
		return STATUS_DATA;
	sighting->is_there[number] = 1;
	sighting->events++;
	return STATUS_OK;
}

static void check_acknowledged(const struct sighting *sighting, uint64_t from, const char *what)
{
	uint64_t end = atomic_load(&shared->number);

	for (uint64_t i = from; i < end && i < EVENTS_MAX; i++) {
		if (atomic_load(&shared->is_recorded[i]) && !sighting->is_there[i])
			die(what);
	}
}

/* Counters add up to the events that were ever written: those acknowledged, and at most one a kill
 * that was not. */
static void check_counter(struct state *state, const void *context, uint64_t acknowledged)
{
	struct counter *host = NULL;

	if (acknowledged == 0)
		return;
	if (record_find_counter(state, context, COUNTER_HOST, "", &host) != STATUS_OK ||
		host->total < acknowledged || host->total > acknowledged + kills)
		die("the host's counter does not fit the events");
}

static void check_decodes(struct state *state)
{
	uint64_t records, faults = 1;

	if (state_verify(state, &records, &faults) != STATUS_OK || faults > 0)
		die("a record does not decode");
}

static uint64_t count_acknowledged(void)
{
	uint64_t end = atomic_load(&shared->number), count = 0;

	for (uint64_t i = 0; i < end && i < EVENTS_MAX; i++)
		count += atomic_load(&shared->is_recorded[i]);
	return count;
}

/* Then the next dump is made, and the next pruning planned. */
static void check_place(void)
{
	void *context = mem_context(NULL, "check");
	struct state *state = open_place(place, BOX_MAP_INITIAL);
	struct sighting events = {.is_there = mem_alloc(context, EVENTS_MAX)};
	struct sighting held = {.is_there = mem_alloc(context, EVENTS_MAX)};
	struct dump_result result;
	FILE *out;

	memset(events.is_there, 0, EVENTS_MAX);
	memset(held.is_there, 0, EVENTS_MAX);
	check_decodes(state);
	if (record_walk_events(state, 0, INT64_MAX, see_event, &events) != STATUS_OK ||
		record_walk_held(state, see_held, &held) != STATUS_OK)
		die("the events cannot be walked");
	check_acknowledged(&events, atomic_load(&shared->pruned_below), "an event is missing");
	check_acknowledged(&held, 0, "a kept message is missing");
	check_counter(state, context, count_acknowledged());
	if (events.events > PRUNED_ABOVE)
		atomic_store(
			&shared->pruned_below, atomic_load(&shared->number) - events.events / 2);
	out = fopen(dump_path, "we");
	if (out == NULL || state_dump(state, out, &result) != STATUS_OK || fclose(out) != 0)
		die("no dump");
	state_close(state);
	mem_free(context);
}

/* Begins anew each time: creation is a part of growth. */
static void check_grown(void)
{
	struct state *state = open_place(grow_place, GROW_MAP);
	uint64_t grown = atomic_load(&shared->grown);
	char path[sizeof grow_place + 16];

	check_decodes(state);
	for (uint64_t i = 0; i < grown * GROW_ENTRIES; i += 37) {
		struct ledger_answer answer;
		char id[48];

		snprintf(id, sizeof id, "%" PRIu64 ".%" PRIu64 "@lists.example.org",
			i / GROW_ENTRIES, i % GROW_ENTRIES);
		if (ledger_find(state, id, NULL, 0, &answer) != STATUS_OK || !answer.has_message)
			die("an entry of the ledger is missing");
	}
	state_close(state);
	atomic_store(&shared->grown, 0);
	snprintf(path, sizeof path, "%s/data.mdb", grow_place);
	unlink(path);
	snprintf(path, sizeof path, "%s/lock.mdb", grow_place);
	unlink(path);
	rmdir(grow_place);
}

static const struct {
	const char *name;
	void (*work)(void);
	void (*check)(void);
	long delay_us_max; /* until the kill */
} works[] = {
	{"delivery", record, check_place, 20000},
	{"growth", grow, check_grown, 50000},
	{"pruning", prune, check_place, 20000},
	{"loading", load, check_place, 200000},
};
enum { WORKS = sizeof works / sizeof works[0] };

static uint64_t set_asides; /* files that a load kept, removed as they come */

static void remove_set_asides(void)
{
	for (int number = 1;; number++) {
		char path[sizeof place + 64];

		snprintf(path, sizeof path, "%s/data.mdb.replaced-%d", place, number);
		if (unlink(path) != 0)
			return;
		set_asides++;
	}
}

/* The exit code of the work or the signal that ended it. */
static int run_and_kill(void (*work)(void), long delay_us)
{
	const struct timespec delay = {.tv_nsec = delay_us * 1000};
	pid_t child = fork();
	int status = 0;

	if (child < 0)
		die("cannot fork");
	if (child == 0) {
		work();
		_exit(0);
	}
	nanosleep(&delay, NULL);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		die("a work failed");
	return status;
}

/* The check runs in a process of its own: the next one inherits no state. */
static bool check(void (*work)(void))
{
	pid_t child;
	int status = 1;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		work();
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Short and long ones alike, whatever the machine's speed. */
static long choose_delay(long max_us)
{
	return (random() % max_us) >> (random() % HALVINGS);
}

/* In turn, so that each finds what the others left. False when something is not as it must be. */
static bool strike_all(uint64_t count, unsigned *killed)
{
	for (uint64_t i = 0; i < count; i++) {
		size_t work = i % WORKS;

		killed[work] += WIFSIGNALED(
			run_and_kill(works[work].work, choose_delay(works[work].delay_us_max)));
		kills++;
		if (!check(works[work].check)) {
			printf("# after %s, kill %" PRIu64 "\n", works[work].name, kills);
			return false;
		}
		remove_set_asides();
	}
	return true;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[2]) : 0;
	unsigned killed[WORKS] = {0};
	bool is_good;

	if (count <= 0) {
		fprintf(stderr, "usage: killed DIR KILLS\n");
		return 2;
	}
	snprintf(place, sizeof place, "%s/state", argv[1]);
	snprintf(grow_place, sizeof grow_place, "%s/grown", argv[1]);
	snprintf(dump_path, sizeof dump_path, "%s/dump", argv[1]);
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("# mmap");
		return 1;
	}
	srandom((unsigned)time(NULL));
	if (!check(check_place))
		return 1;
	is_good = strike_all((uint64_t)count, killed);
	printf("%sok 1 - after each kill the state opens, and has all that was acknowledged\n",
		is_good ? "" : "not ");
	for (size_t i = 0; i < WORKS; i++) {
		printf("# %s: killed %u times at work\n", works[i].name, killed[i]);
		is_good = is_good && (killed[i] > 0 || count < 80);
	}
	is_good = is_good && atomic_load(&shared->failures) == 0;
	printf("%sok 2 - each was at work, and nothing failed otherwise\n", is_good ? "" : "not ");
	printf("# %" PRIu64 " events acknowledged; %" PRIu64
	       " prunings and loads came to their end, %" PRIu64 " files were put in place\n1..2\n",
		count_acknowledged(), atomic_load(&shared->finished), set_asides);
	return is_good ? 0 : 1;
}
