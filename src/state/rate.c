/*
 * rate.c: the arithmetic of rates, and "rates", those of the names that strangers choose.
 *
 * Key: one byte for what the name is of, 15 of its SHA-256. A record goes when what it counted in a
 * day has faded below a sixteenth: four days after the last report of one that came once. A sweep
 * looks at two records for each one written. Where there are too many all the same, names that
 * were seen once go first, and in the end whatever the sweep comes by: invented names cost the
 * memory of rare ones, and no more room. The rates of lists and of the host are part of their place
 * (place.h), which nobody sweeps.
 */
#include "state/rate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/parts.h"
#include "state/place.h"

enum {
	RATE_VERSION = 1,
	KEY_SIZE = 16,
	CLOCK_SLACK_S = 300, /* the longest deadline: who waited for the lock is not older */
	SWEEP_LEAST = 4,
	HOUR_S = 3600
};

#define LN2 0.69314718055994530942
#define FORGET_BELOW (1.0 / 16)
#define RARE_BELOW 1.5

static const double half_lives_s[RATE_WINDOW_COUNT] = {
	[RATE_MINUTE] = 60, [RATE_HOUR] = HOUR_S, [RATE_DAY] = 24 * HOUR_S};

double rate_elapse(int64_t *time_s, int64_t now)
{
	double elapsed = (double)now - (double)*time_s;

	if (elapsed >= 0 || elapsed < -CLOCK_SLACK_S)
		*time_s = now;
	return elapsed > 0 ? elapsed : 0;
}

double rate_faded(double count, double elapsed_s, double half_life_s)
{
	return count * exp2(-elapsed_s / half_life_s);
}

void rate_decay(struct rate *rate, int64_t now)
{
	double elapsed_s = rate_elapse(&rate->time_s, now);

	for (int window = 0; window < RATE_WINDOW_COUNT && elapsed_s > 0; window++) {
		double factor = rate_faded(1, elapsed_s, half_lives_s[window]);
		for (int class = 0; class < RATE_CLASS_COUNT; class ++)
			rate->counts[class][window] *= factor;
	}
}

void rate_add(struct rate *rate, enum rate_class class, int64_t now)
{
	rate_decay(rate, now);
	for (int window = 0; window < RATE_WINDOW_COUNT; window++)
		rate->counts[class][window] += 1;
}

static double sum(const struct rate *rate, unsigned classes, enum rate_window window)
{
	double count = 0;

	for (int class = 0; class < RATE_CLASS_COUNT; class ++) {
		if (classes & 1u << class)
			count += rate->counts[class][window];
	}
	return count;
}

double rate_to_hourly(double count, double half_life_s)
{
	/* At an even rate the counter comes to rest where as much fades as comes in. */
	return count * LN2 * HOUR_S / half_life_s;
}

double rate_per_hour(const struct rate *rate, unsigned classes, enum rate_window window)
{
	return rate_to_hourly(sum(rate, classes, window), half_lives_s[window]);
}

void rate_network_format(const struct netaddr *address, char *text_out)
{
	static const struct netaddr mapped = {.bytes = {[10] = 0xff, [11] = 0xff}};
	bool is_v4 = memcmp(address->bytes, mapped.bytes, 12) == 0;
	struct netaddr network = *address;
	char text[NETADDR_TEXT_MAX];

	memset(network.bytes + (is_v4 ? 15 : 8), 0, is_v4 ? 1 : 8);
	netaddr_format(&network, text);
	snprintf(text_out, RATE_NETWORK_MAX, "%s/%d", text, is_v4 ? 24 : 64);
}

/* ---- as bytes ---- */

static uint32_t float_bits(double number)
{
	float single = (float)number;
	uint32_t bits;

	memcpy(&bits, &single, sizeof bits);
	return bits;
}

/* IEEE single precision: an error of a 16-millionth at each writing. */
void rate_put_number(struct codec_writer *writer, double number)
{
	codec_put_u32(writer, float_bits(number));
}

double rate_get_number(struct codec_reader *reader)
{
	uint32_t bits = codec_get_u32(reader);
	float single;

	memcpy(&single, &bits, sizeof single);
	if (isfinite(single) && single >= 0)
		return (double)single;
	reader->is_bad = true;
	return 0;
}

void rate_encode(struct codec_writer *writer, const struct rate *rate)
{
	codec_put_i64(writer, rate->time_s);
	for (int class = 0; class < RATE_CLASS_COUNT; class ++) {
		for (int window = 0; window < RATE_WINDOW_COUNT; window++)
			rate_put_number(writer, rate->counts[class][window]);
	}
}

void rate_decode(struct codec_reader *reader, struct rate *rate_out)
{
	rate_out->time_s = codec_get_i64(reader);
	for (int class = 0; class < RATE_CLASS_COUNT; class ++) {
		for (int window = 0; window < RATE_WINDOW_COUNT; window++)
			rate_out->counts[class][window] = rate_get_number(reader);
	}
}

static bool decode(const MDB_val *value, struct rate *rate_out)
{
	struct codec_reader reader;

	*rate_out = (struct rate){0};
	codec_reader_init(&reader, value->mv_data, value->mv_size);
	if (codec_get_u8(&reader) != RATE_VERSION)
		return false;
	rate_decode(&reader, rate_out);
	return codec_is_complete(&reader);
}

bool rate_decode_last(const MDB_val *value, int64_t *last_s_out)
{
	struct rate rate;
	bool is_good = decode(value, &rate);

	*last_s_out = rate.time_s;
	return is_good;
}

bool rate_check(const MDB_val *key, const MDB_val *value)
{
	struct rate rate;

	return key->mv_size == KEY_SIZE && decode(value, &rate);
}

/* ---- the database ---- */

static void make_key(enum rate_of of, const char *name, unsigned char *bytes)
{
	unsigned char hash[HASH_SHA256_SIZE];

	hash_sha256(name, strlen(name), hash);
	bytes[0] = (unsigned char)of;
	memcpy(bytes + 1, hash, KEY_SIZE - 1);
}

static int get(struct state *state, MDB_txn *transaction, MDB_val *key, struct rate *rate_out)
{
	MDB_val value;
	int code = mdb_get(transaction, state->dbis[BOX_RATES], key, &value);

	*rate_out = (struct rate){0};
	/* One that does not decode begins anew. */
	if (code == MDB_SUCCESS && !decode(&value, rate_out))
		*rate_out = (struct rate){0};
	return code;
}

struct counting {
	struct state *state;
	MDB_txn *transaction;
	enum rate_class class;
	int64_t now;
	struct codec_writer writer;
	size_t written;
};

static int count_name(struct counting *counting, enum rate_of of, const char *name)
{
	unsigned char bytes[KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes}, value;
	struct rate rate;
	int code;

	if (name == NULL || *name == '\0')
		return MDB_SUCCESS;
	make_key(of, name, bytes);
	code = get(counting->state, counting->transaction, &key, &rate);
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		return code;
	rate_add(&rate, counting->class, counting->now);
	codec_writer_reset(&counting->writer);
	codec_put_u8(&counting->writer, RATE_VERSION);
	rate_encode(&counting->writer, &rate);
	value = (MDB_val){.mv_size = counting->writer.size, .mv_data = counting->writer.data};
	counting->written++;
	return mdb_put(counting->transaction, counting->state->dbis[BOX_RATES], &key, &value, 0);
}

/* When a record may go. */
static bool find_end(const MDB_val *value, double below, int64_t *end_s_out)
{
	struct rate rate;
	double count;

	if (!decode(value, &rate)) {
		*end_s_out = INT64_MIN;
		return true;
	}
	count = sum(&rate, RATE_ALL, RATE_DAY);
	*end_s_out = INT64_MIN;
	/* A time that no clock shows is damage. */
	if (count > below && rate.time_s < INT64_MAX / 2)
		*end_s_out = rate.time_s + (int64_t)(log2(count / below) * half_lives_s[RATE_DAY]);
	return true;
}

static bool find_faded(const MDB_val *value, int64_t *end_s_out)
{
	return find_end(value, FORGET_BELOW, end_s_out);
}

static bool find_rare(const MDB_val *value, int64_t *end_s_out)
{
	return find_end(value, RARE_BELOW, end_s_out);
}

static bool find_any(const MDB_val *value, int64_t *end_s_out)
{
	(void)value;
	*end_s_out = INT64_MIN;
	return true;
}

/* How many records there are decides what may go. */
static int sweep(struct state *state, MDB_txn *transaction, size_t written, int64_t now)
{
	struct sweep_plan plan = {.database = BOX_RATES,
		.position_name = META_SWEEP_RATES,
		.decode_time = find_faded,
		.limit_s = now,
		.budget = 2 * written > SWEEP_LEAST ? 2 * written : SWEEP_LEAST};
	MDB_stat figures;
	int code = mdb_stat(transaction, state->dbis[BOX_RATES], &figures);

	if (code != MDB_SUCCESS)
		return code;
	if (figures.ms_entries > 2 * (size_t)RATE_NAMES_MAX)
		plan.decode_time = find_any;
	else if (figures.ms_entries > RATE_NAMES_MAX)
		plan.decode_time = find_rare;
	return sweep_run(state, transaction, &plan);
}

int rate_count(struct state *state, MDB_txn *transaction, const struct rate_use *use, int64_t now)
{
	struct counting counting = {
		.state = state, .transaction = transaction, .class = use->class, .now = now};
	void *context = mem_context(NULL, "rates");
	int code;

	codec_writer_init(&counting.writer, context);
	code = count_name(&counting, RATE_NETWORK, use->network);
	if (code == MDB_SUCCESS)
		code = count_name(&counting, RATE_HELO, use->helo);
	for (size_t i = 0; i < use->recipient_count && i < RATE_RECIPIENTS_MAX; i++) {
		if (code == MDB_SUCCESS)
			code = count_name(&counting, RATE_RECIPIENT, use->recipients[i]);
	}
	if (code == MDB_SUCCESS)
		code = sweep(state, transaction, counting.written, now);
	mem_free(context);
	return code;
}

struct rate_search {
	enum rate_of of;
	const char *name;
	struct rate *rate;
};

static int find_in_place(struct state *state, MDB_txn *transaction, struct rate_search *search)
{
	void *context = mem_context(NULL, "rate");
	struct place place;
	int code = place_get(
		state, transaction, context, search->of == RATE_HOST ? "" : search->name, &place);

	*search->rate = place.rate;
	mem_free(context);
	return code;
}

static int find_rate(struct state *state, MDB_txn *transaction, void *argument)
{
	struct rate_search *search = argument;
	unsigned char bytes[KEY_SIZE];
	MDB_val key = {.mv_size = sizeof bytes, .mv_data = bytes};

	if (search->of == RATE_HOST || search->of == RATE_LIST)
		return find_in_place(state, transaction, search);
	make_key(search->of, search->name, bytes);
	return get(state, transaction, &key, search->rate);
}

enum status rate_find(
	struct state *state, enum rate_of of, const char *name, int64_t now, struct rate *rate_out)
{
	struct rate_search search = {of, name, rate_out};
	enum status status;

	*rate_out = (struct rate){.time_s = now};
	if (!box_has(state, of == RATE_HOST || of == RATE_LIST ? BOX_STORMS : BOX_RATES))
		return STATUS_NOT_FOUND;
	status = box_read(state, find_rate, &search);
	rate_decay(rate_out, now);
	return status;
}
