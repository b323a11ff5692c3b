/*
 * stress.c: 16 writers and 4 readers on one state at full speed, for SECONDS (make check-stress).
 *
 *   stress STATE SECONDS     prints TAP
 *
 * A writer does what a delivery does to the state: an event, counters, proofs, every other time a
 * kept message, and the few old ones that go with it. A reader walks all that a report walks.
 * Another process prunes events. The clock is the number of the event, so that what expires is the
 * same number of events old whatever the machine's speed: once it goes, the file must not grow.
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
#include "state/prune.h"
#include "state/record.h"
#include "state/state.h"

enum {
	WRITERS = 16,
	READERS = 4,
	LISTS = 50,
	REPORTERS = 200,
	CALIBRATION = 200, /* events that tell how fast this machine is */
	WINDOW_PART = 40,  /* of what one writer alone would write: how many are kept */
	WINDOW_LEAST = 100,
	WAITS_MS_MAX = 20000,  /* the deadline of a delivery */
	START_UP_NS = 2000000, /* less than a delivery takes to start */
	QUARTERS = 4,
	LONG_S = 120 /* from here on the size must have levelled out */
};

static const int64_t START_S = INT64_C(1764000000);

/* Between the processes. */
struct shared {
	atomic_bool is_over;
	atomic_uint_fast64_t number; /* of the next event */
	atomic_uint_fast64_t done, held, swept, pruned, rounds, failures;
	atomic_uint_fast64_t verdicts[VERDICT_COUNT];
	atomic_uint_fast64_t waits[WAITS_MS_MAX + 1]; /* writes by the milliseconds they took */
	int64_t step_s;				      /* of the clock, an event */
	uint64_t window;			      /* events that are kept */
};

static struct shared *shared;
static const char *place;
static unsigned tests;
static bool is_good = true;

static void report(bool is_ok, const char *text)
{
	printf("%sok %u - %s\n", is_ok ? "" : "not ", ++tests, text);
	fflush(stdout);
	is_good = is_good && is_ok;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct state *open_state(enum state_access access)
{
	struct state *state = NULL;
	const char *error = NULL;

	/* Events are the pruner's; the numbers of their hours go by themselves. */
	const struct record_policy policy = {.rollups_s = PROOF_KEPT_S};

	if (state_open(NULL, place, access, &state, &error) == STATUS_OK) {
		record_set_policy(state, &policy);
		return state;
	}
	fprintf(stderr, "# %s\n", error != NULL ? error : "the state does not open");
	exit(1);
}

static void write_one(struct state *state)
{
	uint64_t number = atomic_fetch_add(&shared->number, 1);
	bool is_held = number % 2 == 0;
	char list[64], reporter[64], id[64], file[64];
	struct proof_use proofs = {.report = number, .count = 1};
	struct event event = {
		.time_s = START_S + (int64_t)number * shared->step_s,
		.verdict = (enum verdict)(number % VERDICT_COUNT),
		.action = is_held ? ACTION_DROP : ACTION_FORWARD,
		.policy = is_held ? ACTION_DROP : ACTION_FORWARD,
		.list = list,
		.reporter = reporter,
		.sender = "",
		.recipient = "announce-bounces@lists.example.org",
		.failed = "ann@example.net",
		.message_id = id,
		.evidence = "tag:absent+0 sent:absent-40 hop:foreign-25",
		.size = 2000 + number % 1000,
		.proofs = &proofs,
	};
	struct sweep sweep = {.limit_bytes = 0};
	double begin = now_s();
	size_t wait_ms;

	memcpy(proofs.keys[0], &number, sizeof number);
	snprintf(list, sizeof list, "list%" PRIu64 "@lists.example.org", number % LISTS);
	snprintf(reporter, sizeof reporter, "198.51.100.%" PRIu64, number % REPORTERS);
	snprintf(id, sizeof id, "<%" PRIu64 "@lists.example.org>", number);
	snprintf(file, sizeof file, "%" PRIu64 ".host", number);
	if (record_event_and_sweep(state, &event, is_held ? file : NULL,
		    event.time_s + PROOF_KEPT_S, &sweep) != STATUS_OK) {
		atomic_fetch_add(&shared->failures, 1);
		return;
	}
	wait_ms = (size_t)((now_s() - begin) * 1000);
	atomic_fetch_add(&shared->waits[wait_ms < WAITS_MS_MAX ? wait_ms : WAITS_MS_MAX], 1);
	atomic_fetch_add(&shared->held, is_held);
	atomic_fetch_add(&shared->swept, sweep.count);
	atomic_fetch_add(&shared->verdicts[event.verdict], 1);
	atomic_fetch_add(&shared->done, 1);
}

/* LMDB's lock is not fair: who lets it go and wants it again at once gets it before those that
 * wait. A delivery is a process that writes once, so the next one comes a little later. */
static void run_writer(struct state *state)
{
	const struct timespec pause = {.tv_nsec = START_UP_NS};

	while (!atomic_load(&shared->is_over)) {
		write_one(state);
		nanosleep(&pause, NULL);
	}
}

struct reading {
	uint64_t events, held, last_id, total;
};

static enum status see_event(void *argument, const struct event *event)
{
	struct reading *reading = argument;

	if (event->id <= reading->last_id || event->message_id == NULL)
		return STATUS_DATA;
	reading->last_id = event->id;
	reading->events++;
	return STATUS_OK;
}

static enum status see_counter(void *argument, const struct counter *counter)
{
	struct reading *reading = argument;

	reading->total += counter->total;
	return STATUS_OK;
}

static enum status see_held(void *argument, const struct held *held)
{
	struct reading *reading = argument;

	reading->held += held->file != NULL;
	return STATUS_OK;
}

/* What a report reads. */
static enum status read_all(struct state *state, struct reading *reading)
{
	struct state_size size;
	enum status status = record_walk_events(state, 0, INT64_MAX, see_event, reading);

	if (status == STATUS_OK)
		status = record_walk_counters(state, COUNTER_LIST, see_counter, reading);
	if (status == STATUS_OK)
		status = record_walk_held(state, see_held, reading);
	return status == STATUS_OK ? state_measure(state, &size) : status;
}

static void run_reader(struct state *state)
{
	uint64_t least = 0;

	while (!atomic_load(&shared->is_over)) {
		struct reading reading = {0};

		least = atomic_load(&shared->done);
		/* What was written before must be seen. */
		if (read_all(state, &reading) != STATUS_OK || reading.total < least)
			atomic_fetch_add(&shared->failures, 1);
		atomic_fetch_add(&shared->rounds, 1);
	}
}

static void run_pruner(struct state *state)
{
	const struct timespec pause = {.tv_nsec = 100000000};

	while (!atomic_load(&shared->is_over)) {
		int64_t now = START_S + (int64_t)atomic_load(&shared->number) * shared->step_s;
		struct prune_result result;

		if (state_prune(state, "events", now - PROOF_KEPT_S, false, &result) != STATUS_OK)
			atomic_fetch_add(&shared->failures, 1);
		atomic_fetch_add(&shared->pruned, result.removed);
		nanosleep(&pause, NULL);
	}
}

static void start(void (*work)(struct state *), enum state_access access)
{
	pid_t child = fork();

	if (child < 0) {
		perror("# fork");
		exit(1);
	}
	if (child > 0)
		return;
	struct state *state = open_state(access);

	work(state);
	state_close(state);
	_exit(0);
}

/* Finds the step of the clock: what is kept is a fixed part of what this machine will write. */
static void calibrate(double seconds)
{
	struct state *state = open_state(STATE_WRITE);
	double begin = now_s(), window;

	for (size_t i = 0; i < CALIBRATION; i++)
		write_one(state);
	state_close(state);
	window = CALIBRATION / (now_s() - begin) * seconds / WINDOW_PART;
	if (window < WINDOW_LEAST)
		window = WINDOW_LEAST;
	/* The numbers go on from here, so the clock must not go back. */
	shared->window = (uint64_t)window;
	shared->step_s = PROOF_KEPT_S / (int64_t)window + 1;
	printf("# %.0f events a second by one writer; %.0f are kept\n",
		CALIBRATION / (now_s() - begin), window);
}

static off_t file_size(void)
{
	char path[4096];
	struct stat info = {0};

	snprintf(path, sizeof path, "%s/data.mdb", place);
	return stat(path, &info) == 0 ? info.st_size : -1;
}

static void wait_until(double end_s)
{
	const struct timespec step = {.tv_nsec = 20000000};

	while (now_s() < end_s)
		nanosleep(&step, NULL);
}

static void print_waits(void)
{
	static const double parts[] = {0.5, 0.99, 0.999, 1.0};
	uint64_t total = atomic_load(&shared->done);

	printf("# a write took, at most, in ms:");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		uint64_t seen = 0;
		size_t wait_ms = 0;

		while (wait_ms < WAITS_MS_MAX &&
			(double)(seen += shared->waits[wait_ms]) < parts[i] * (double)total)
			wait_ms++;
		printf(" %zu (%.1f %%)", wait_ms + 1, parts[i] * 100);
	}
	printf("\n");
}

static void check_counts(void)
{
	struct state *state = open_state(STATE_READ);
	void *context = mem_context(NULL, "stress");
	struct counter *host = NULL;
	struct reading reading = {0};
	uint64_t records, faults = 1, done = atomic_load(&shared->done);
	bool is_equal = true;

	report(record_find_counter(state, context, COUNTER_HOST, "", &host) == STATUS_OK &&
			host->total == done,
		"the host's counter has every event that was acknowledged");
	for (size_t i = 0; i < VERDICT_COUNT && host != NULL; i++)
		is_equal = is_equal && host->verdicts[i] == shared->verdicts[i];
	report(is_equal, "by verdict, too");
	report(read_all(state, &reading) == STATUS_OK && reading.total == done,
		"so have the lists' counters");
	report(reading.events + atomic_load(&shared->pruned) == done,
		"events: what is there and what was pruned add up");
	report(reading.held + atomic_load(&shared->swept) == atomic_load(&shared->held),
		"kept messages: what is there and what expired add up");
	report(state_verify(state, &records, &faults) == STATUS_OK && faults == 0,
		"every record decodes");
	printf("# %" PRIu64 " events of %" PRIu64 " there, %" PRIu64 " of %" PRIu64
	       " kept messages, %" PRIu64 " rounds of reading\n",
		reading.events, done, reading.held, atomic_load(&shared->held),
		atomic_load(&shared->rounds));
	mem_free(context);
	state_close(state);
}

/* Pages that are replaced while a reader is held up by the machine cannot be used again, so the
 * longest such time of all so far decides the size: it takes minutes to level out. */
static void check_growth(double seconds, uint64_t written, const off_t *sizes)
{
	off_t grown = sizes[QUARTERS - 1] - sizes[QUARTERS - 2];

	if (written < 2 * shared->window) {
		printf("ok %u # SKIP only %" PRIu64
		       " events by half time: too few for any to expire\n",
			++tests, written);
		return;
	}
	report(grown <= sizes[QUARTERS - 2] / (seconds >= LONG_S ? 10 : 2),
		"the file stopped growing when expiry balanced arrivals");
}

static void run(double seconds)
{
	double begin = now_s();
	uint64_t written = 0;
	off_t sizes[QUARTERS];
	int status = 0, failed = 0;

	for (size_t i = 0; i < WRITERS; i++)
		start(run_writer, STATE_WRITE);
	for (size_t i = 0; i < READERS; i++)
		start(run_reader, STATE_READ);
	start(run_pruner, STATE_WRITE);
	for (int i = 0; i < QUARTERS; i++) {
		wait_until(begin + seconds * (i + 1) / QUARTERS);
		sizes[i] = file_size();
		if (i == QUARTERS / 2 - 1)
			written = atomic_load(&shared->done);
	}
	atomic_store(&shared->is_over, true);
	while (wait(&status) > 0)
		failed += status != 0;
	printf("# %.0f events a second by %d writers beside %d readers; MB of file at each "
	       "quarter:",
		(double)atomic_load(&shared->done) / seconds, WRITERS, READERS);
	for (int i = 0; i < QUARTERS; i++)
		printf(" %.1f", (double)sizes[i] / 1e6);
	printf("\n");
	print_waits();
	report(failed == 0 && atomic_load(&shared->failures) == 0, "nobody failed");
	report(atomic_load(&shared->rounds) >= READERS, "the readers read");
	report(shared->waits[WAITS_MS_MAX] == 0, "no write took as long as a delivery may");
	check_growth(seconds, written, sizes);
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? atof(argv[2]) : 0;

	if (seconds <= 0) {
		fprintf(stderr, "usage: stress STATE SECONDS\n");
		return 2;
	}
	place = argv[1];
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("# mmap");
		return 1;
	}
	calibrate(seconds);
	run(seconds);
	check_counts();
	printf("1..%u\n", tests);
	return is_good ? 0 : 1;
}
