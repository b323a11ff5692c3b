/* test_ledger.c: what was sent is found, what was not is not, and how far that can be relied on. */
#include "base/hash.h"
#include "state/ledger.h"

#include "state_place.h"

#define FEED_NOW 5000

static struct state *state;

static void set_up_state(void)
{
	set_up();
	state = open_state(STATE_WRITE);
}

static void reopen(enum state_access access)
{
	state_close(state);
	state = open_state(access);
}

static size_t add(enum ledger_feed feed, const struct ledger_entry *entries, size_t count)
{
	size_t added = 999;

	ck_assert_status(ledger_add(state, feed, FEED_NOW, entries, count, &added), STATUS_OK);
	return added;
}

static struct ledger_answer find(const char *message_id, const char *recipient)
{
	struct ledger_answer answer;

	ck_assert_status(
		ledger_find(state, message_id, &recipient, recipient != NULL ? 1 : 0, &answer),
		STATUS_OK);
	return answer;
}

static const struct ledger_entry sent[] = {
	{1000, "<one@lists.example.org>", "ann@example.net", NULL, NULL},
	{1001, "<one@lists.example.org>", "bob@example.net", NULL, NULL},
	{1002, "<two@lists.example.org>", NULL, NULL, NULL},
	{1003, "three@lists.example.org", NULL, NULL, NULL},
	{1004, "three@lists.example.org", "<Carol@Example.NET>", NULL, NULL},
	{1005, "<four@lists.example.org>", "not an address <", NULL, NULL},
};

static const struct {
	const char *message_id;
	const char *recipient;
	bool has_message;
	bool records_recipients;
	bool has_recipient;
	int64_t sent_s; /* -1: any of the message */
} look_ups[] = {
	{"<one@lists.example.org>", "ann@example.net", true, true, true, 1000},
	{"<one@lists.example.org>", "bob@example.net", true, true, true, 1001},
	{"one@lists.example.org", "BOB@example.net", true, true, true, 1001},
	{" \t<one@lists.example.org>\r\n", "<bob@example.net>", true, true, true, 1001},
	{"<one@lists.example.org>", "eve@example.net", true, true, false, -1},
	{"<one@lists.example.org>", NULL, true, true, false, -1},
	{"<One@lists.example.org>", "ann@example.net", false, false, false, 0},
	{"<one@Lists.Example.ORG>", "ann@example.net", true, true, true, 1000},
	{"<one@lists.example.or>", "ann@example.net", false, false, false, 0},
	{"<two@lists.example.org>", "ann@example.net", true, false, false, 1002},
	{"<two@lists.example.org>", "", true, false, false, 1002},
	{"<three@lists.example.org>", "carol@example.net", true, true, true, 1004},
	{"<three@lists.example.org>", "ann@example.net", true, true, false, 1003},
	{"<four@lists.example.org>", "not an address <", true, false, false, 1005},
	{"<five@lists.example.org>", NULL, false, false, false, 0},
	{"", "ann@example.net", false, false, false, 0},
	{"<>", "ann@example.net", false, false, false, 0},
	{NULL, "ann@example.net", false, false, false, 0},
};

static void check_look_up(int i)
{
	struct ledger_answer got = find(look_ups[i].message_id, look_ups[i].recipient);

	ck_assert_msg(got.has_message == look_ups[i].has_message &&
			      got.records_recipients == look_ups[i].records_recipients &&
			      got.has_recipient == look_ups[i].has_recipient,
		"row %d: got %d %d %d, want %d %d %d", i, got.has_message, got.records_recipients,
		got.has_recipient, look_ups[i].has_message, look_ups[i].records_recipients,
		look_ups[i].has_recipient);
	ck_assert_msg(look_ups[i].sent_s < 0 ? got.sent_s == 1000 || got.sent_s == 1001
					     : got.sent_s == look_ups[i].sent_s,
		"row %d: got time %lld, want %lld", i, (long long)got.sent_s,
		(long long)look_ups[i].sent_s);
}

START_TEST(entries_are_found)
{
	ck_assert_uint_eq(add(LEDGER_FEED_BATCH, sent, ROWS(sent)), ROWS(sent));
	for (int i = 0; i < ROWS(look_ups); i++)
		check_look_up(i);
	reopen(STATE_READ);
	for (int i = 0; i < ROWS(look_ups); i++)
		check_look_up(i);
}
END_TEST

/* A record as older versions wrote it: the case of the Message-ID's domain was kept. */
static int put_old(struct state *into, MDB_txn *transaction, void *argument)
{
	unsigned char key[24], hash[HASH_SHA256_SIZE], value[9] = {1, 0, 0, 0, 0, 0, 0, 0x03, 0xE8};
	MDB_val entry = {.mv_size = sizeof key, .mv_data = key};
	MDB_val time = {.mv_size = sizeof value, .mv_data = value};

	hash_sha256(argument, strlen(argument), hash);
	memcpy(key, hash, 16);
	hash_sha256("ann@example.net", strlen("ann@example.net"), hash);
	memcpy(key + 16, hash, 8);
	return mdb_put(transaction, into->dbis[BOX_SENT], &entry, &time, 0);
}

START_TEST(old_entries_are_found)
{
	char id[] = "old@Lists.Example.ORG";
	const struct ledger_entry more = {
		1001, "<old@Lists.Example.ORG>", "bob@example.net", NULL, NULL};

	ck_assert_status(box_write(state, put_old, id), STATUS_OK);
	ck_assert(find("<old@Lists.Example.ORG>", "ann@example.net").has_recipient);
	ck_assert_int_eq(find("<old@Lists.Example.ORG>", "ann@example.net").sent_s, 1000);
	add(LEDGER_FEED_BATCH, &more, 1); /* the same message, to another, after the update */
	ck_assert(find("<old@Lists.Example.ORG>", "ann@example.net").has_recipient);
	ck_assert(find("<old@Lists.Example.ORG>", "bob@example.net").has_recipient);
	ck_assert(find("<old@lists.example.org>", "bob@example.net").has_recipient);
	ck_assert(!find("<old@Lists.Example.ORG>", "eve@example.net").has_recipient);
	ck_assert(find("<old@Lists.Example.ORG>", "eve@example.net").records_recipients);
}
END_TEST

START_TEST(a_message_to_several_is_told_from_one_to_one)
{
	add(LEDGER_FEED_BATCH, sent, ROWS(sent));
	ck_assert(find("one@lists.example.org", "ann@example.net").has_several);
	ck_assert(find("one@lists.example.org", NULL).has_several);
	ck_assert(!find("two@lists.example.org", NULL).has_several);
	ck_assert(!find("three@lists.example.org", "carol@example.net").has_several);
	ck_assert(find("three@lists.example.org", "carol@example.net").has_recipient);
}
END_TEST

START_TEST(any_recipient_of_several_will_do)
{
	static const char *const asked[] = {"eve@example.net", "", "bob@example.net", "x@y"};
	struct ledger_answer answer;

	add(LEDGER_FEED_BATCH, sent, ROWS(sent));
	ck_assert_status(ledger_find(state, "one@lists.example.org", asked, ROWS(asked), &answer),
		STATUS_OK);
	ck_assert(answer.has_recipient);
	ck_assert_int_eq(answer.sent_s, 1001);
	ck_assert_status(ledger_find(state, "one@lists.example.org", asked, 2, &answer), STATUS_OK);
	ck_assert(answer.has_message && answer.records_recipients && !answer.has_recipient);
}
END_TEST

START_TEST(empty_ledger_answers)
{
	struct ledger_answer answer = find("<one@lists.example.org>", "ann@example.net");
	struct ledger_coverage coverage;

	ck_assert(!answer.has_message && !answer.records_recipients && !answer.has_recipient);
	ck_assert_status(ledger_coverage(state, "x.example", &coverage), STATUS_OK);
	ck_assert(!coverage.is_any);
}
END_TEST

START_TEST(entries_keep_their_first_time)
{
	static const struct ledger_entry again[] = {
		{2000, "<one@lists.example.org>", "ann@example.net", NULL, NULL},
		{2000, "<new@lists.example.org>", "ann@example.net", NULL, NULL},
		{1900, "<new@lists.example.org>", "ann@example.net", NULL, NULL},
	};

	add(LEDGER_FEED_BATCH, sent, ROWS(sent));
	ck_assert_uint_eq(add(LEDGER_FEED_BATCH, again, ROWS(again)), 1);
	ck_assert_uint_eq(add(LEDGER_FEED_BATCH, again, ROWS(again)), 0);
	ck_assert_int_eq(find("<one@lists.example.org>", "ann@example.net").sent_s, 1000);
	ck_assert_int_eq(find("<new@lists.example.org>", "ann@example.net").sent_s, 1900);
}
END_TEST

/* Feedings one behind the other, and the coverage that they leave. */
static const struct {
	const char *name;
	struct {
		enum ledger_feed feed;
		int64_t first_s; /* the batch has entries of these two times; 0: no second, no third
				  */
		int64_t last_s;
	} feedings[3];
	int64_t from_s;
	int64_t until_s;
} coverages[] = {
	{"one batch covers until it is fed", {{LEDGER_FEED_BATCH, 100, 200}}, 100, FEED_NOW},
	{"latest first", {{LEDGER_FEED_BATCH, 200, 100}}, 100, FEED_NOW},
	{"entries of the future", {{LEDGER_FEED_BATCH, 100, 6000}}, 100, 6000},
	{"a later batch", {{LEDGER_FEED_BATCH, 100, 200}, {LEDGER_FEED_BATCH, 250, 300}}, 100,
		FEED_NOW},
	{"an earlier batch", {{LEDGER_FEED_BATCH, 100, 200}, {LEDGER_FEED_BATCH, 10, 20}}, 100,
		FEED_NOW},
	{"continuous", {{LEDGER_FEED_CONTINUOUS, 4990, 4999}}, FEED_NOW, INT64_MAX},
	{"batch, then continuous",
		{{LEDGER_FEED_BATCH, 100, 200}, {LEDGER_FEED_CONTINUOUS, 5000, 5000}}, 100,
		INT64_MAX},
	{"continuous without a gap",
		{{LEDGER_FEED_CONTINUOUS, 4990, 4999}, {LEDGER_FEED_CONTINUOUS, 5000, 5000}},
		FEED_NOW, INT64_MAX},
	{"continuous, then batch",
		{{LEDGER_FEED_CONTINUOUS, 5000, 5000}, {LEDGER_FEED_BATCH, 100, 200}}, FEED_NOW,
		INT64_MAX},
	{"three",
		{{LEDGER_FEED_BATCH, 100, 200}, {LEDGER_FEED_BATCH, 300, 300},
			{LEDGER_FEED_BATCH, 50, 250}},
		100, FEED_NOW},
};

START_TEST(coverage_follows_the_feedings)
{
	struct ledger_coverage got;

	for (int i = 0; i < 3 && coverages[_i].feedings[i].first_s != 0; i++) {
		struct ledger_entry entries[] = {
			{coverages[_i].feedings[i].first_s, "<1@x.example>", "a@x.example", NULL,
				"x.example"},
			{coverages[_i].feedings[i].last_s, "<2@x.example>", "a@x.example", NULL,
				"x.example"},
			{1, "<3@y.example>", "a@x.example", NULL, NULL},
			{1, NULL, "a@x.example", "abcdefghijkl", "x.example"},
		};

		add(coverages[_i].feedings[i].feed, entries, ROWS(entries));
	}
	reopen(STATE_READ);
	ck_assert_status(ledger_coverage(state, "y.example", &got), STATUS_OK);
	ck_assert_msg(!got.is_any, "another domain is covered");
	ck_assert_status(ledger_coverage(state, "x.example", &got), STATUS_OK);
	ck_assert(got.is_any);
	ck_assert_msg(got.from_s == coverages[_i].from_s && got.until_s == coverages[_i].until_s,
		"%s: got %lld to %lld, want %lld to %lld", coverages[_i].name,
		(long long)got.from_s, (long long)got.until_s, (long long)coverages[_i].from_s,
		(long long)coverages[_i].until_s);
}
END_TEST

START_TEST(nothing_is_no_feeding)
{
	uint64_t before = state_transaction_count(state);
	struct ledger_coverage coverage;

	ck_assert_uint_eq(add(LEDGER_FEED_CONTINUOUS, NULL, 0), 0);
	ck_assert_uint_eq(state_transaction_count(state), before);
	ck_assert_status(ledger_coverage(state, "x.example", &coverage), STATUS_OK);
	ck_assert(!coverage.is_any);
}
END_TEST

/* New entries, ids, and a batch in which nothing is new: one transaction each. */
START_TEST(a_batch_is_one_transaction)
{
	static const struct ledger_entry with_id[] = {
		{1, "<i@x.example>", "a@x.example", "abcdefghijkl", NULL},
		{1, "", "b@x.example", "bbbbbbbbbbbb", NULL},
	};
	uint64_t before = state_transaction_count(state);

	add(LEDGER_FEED_BATCH, sent, ROWS(sent));
	ck_assert_uint_eq(state_transaction_count(state), before + 1);
	add(LEDGER_FEED_BATCH, sent, ROWS(sent));
	ck_assert_uint_eq(state_transaction_count(state), before + 1); /* nothing to write */
	ck_assert_uint_eq(add(LEDGER_FEED_CONTINUOUS, with_id, ROWS(with_id)), 1);
	ck_assert_uint_eq(state_transaction_count(state), before + 2);
}
END_TEST

static const struct {
	const char *id;
	const char *want; /* NULL: not there */
} ids[] = {
	{"abcdefghijkl", "ann@example.net"},
	{"bbbbbbbbbbbb", "bob@example.net"}, /* though its message had no Message-ID */
	{"cccccccccccc", NULL},
	{"abcdefghijk", NULL},
	{"", NULL},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		NULL},
};

START_TEST(ids_are_found)
{
	static const struct ledger_entry with_ids[] = {
		{90000, "<1@x.example>", "Ann@example.net", "abcdefghijkl", NULL},
		{90000, NULL, "bob@example.net", "bbbbbbbbbbbb", NULL},
		{90000, "<2@x.example>", NULL, "cccccccccccc", NULL},
		{90000, "<3@x.example>", "d@example.net", "", NULL},
		{90000, "<4@x.example>", "d@example.net",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aa"
			"aaaaaaaa",
			NULL},
		{90001, "<5@x.example>", "ann@example.net", "abcdefghijkl", NULL},
		{900000, "<6@x.example>", "ann@example.net", "abcdefghijkl", NULL},
	};
	char *got = NULL;

	add(LEDGER_FEED_CONTINUOUS, with_ids, ROWS(with_ids));
	reopen(STATE_READ);
	ck_assert_status(ledger_find_id(state, context, ids[_i].id, &got),
		ids[_i].want != NULL ? STATUS_OK : STATUS_NOT_FOUND);
	if (ids[_i].want == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, ids[_i].want);
}
END_TEST

START_TEST(many_entries_are_found)
{
	enum { COUNT = 20000 };
	struct ledger_entry *entries = mem_new_array(context, struct ledger_entry, COUNT);
	struct state_size size;
	uint64_t records;
	uint64_t faults;

	for (int i = 0; i < COUNT; i++) {
		entries[i].sent_s = i;
		entries[i].message_id = mem_printf(context, "<%d@x.example>", i / 4);
		entries[i].recipient = mem_printf(context, "user%d@x.example", i % 4);
	}
	ck_assert_uint_eq(add(LEDGER_FEED_BATCH, entries, COUNT), COUNT);
	for (int i = 0; i < COUNT; i += 97) {
		struct ledger_answer answer = find(entries[i].message_id, entries[i].recipient);

		ck_assert(answer.has_recipient);
		ck_assert_int_eq(answer.sent_s, i);
	}
	ck_assert_status(state_measure(state, &size), STATUS_OK);
	ck_assert_uint_eq(size.sent_entries, COUNT);
	ck_assert_msg(size.used_bytes < (uint64_t)COUNT * 100, "got %llu bytes, want 100 an entry",
		(unsigned long long)size.used_bytes);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(records, COUNT);
	ck_assert_uint_eq(faults, 0);
}
END_TEST

/* A long feeding: batches of several transactions, each behind, between and among what is there. */
#define BATCH_ENTRIES 40000
#define BATCHES 5
#define ENTRY_BYTES_MAX 100 /* of the file (DESIGN.md section 9) */

static void fill_batch(struct ledger_batch *batch, int number)
{
	for (int i = 0; i < BATCH_ENTRIES; i++) {
		char id[64];

		snprintf(id, sizeof id, "<%d.%d@lists.example.org>", number, i);
		ck_assert_status(ledger_batch_add(batch, 1000 + i, id,
					 i % 2 == 0 ? "ann@example.net" : NULL),
			STATUS_OK);
	}
}

START_TEST(long_feedings_are_found)
{
	struct ledger_batch *batch = ledger_batch_new(context);
	struct stat file;
	size_t added = 1;

	ck_assert_status(ledger_batch_write(state, batch, FEED_NOW, &added), STATUS_OK);
	ck_assert_uint_eq(added, 0);
	for (int number = 0; number < BATCHES; number++) {
		fill_batch(batch, number);
		if (number > 0)
			fill_batch(batch, number - 1);
		ck_assert_status(ledger_batch_add(batch, 1, "<>", NULL), STATUS_OK);
		ck_assert_uint_eq(ledger_batch_count(batch), (number > 0 ? 2 : 1) * BATCH_ENTRIES);
		ck_assert_status(ledger_batch_write(state, batch, FEED_NOW, &added), STATUS_OK);
		ck_assert_uint_eq(added, BATCH_ENTRIES);
		ck_assert_uint_eq(ledger_batch_count(batch), 0);
	}
	for (int i = 0; i < BATCHES * BATCH_ENTRIES; i += 997) {
		struct ledger_answer answer;
		char id[64];

		snprintf(id, sizeof id, "%d.%d@lists.example.org", i / BATCH_ENTRIES,
			i % BATCH_ENTRIES);
		answer = find(id, "ann@example.net");
		ck_assert_msg(answer.has_message, "%s is missing", id);
		ck_assert_int_eq(answer.has_recipient, i % BATCH_ENTRIES % 2 == 0);
		ck_assert_int_eq(answer.sent_s, 1000 + i % BATCH_ENTRIES);
	}
	ck_assert_int_eq(stat(data_file, &file), 0);
	ck_assert_msg(file.st_size <= (off_t)BATCHES * BATCH_ENTRIES * ENTRY_BYTES_MAX,
		"%lld bytes for %d entries", (long long)file.st_size, BATCHES * BATCH_ENTRIES);
}
END_TEST

/* What a stranger brought and what we sent, in one batch or one after the other. */
static const struct {
	const char *recipient;
	bool is_passed_on;
	int number; /* of the batch */
} passages[] = {
	{"ann@example.net", true, 0}, /* only passed on */
	{"bob@example.net", true, 0}, /* passed on, sent later */
	{"bob@example.net", false, 1},
	{"eve@example.net", false, 0}, /* sent, passed on later */
	{"eve@example.net", true, 1},
	{"joe@example.net", true, 1}, /* both at once */
	{"joe@example.net", false, 1},
};

static void feed_passage(struct ledger_batch *batch, int i, const char *message_id)
{
	enum status status =
		passages[i].is_passed_on
			? ledger_batch_add_passed_on(batch, 1000, message_id, passages[i].recipient)
			: ledger_batch_add(batch, 2000, message_id, passages[i].recipient);

	ck_assert_status(status, STATUS_OK);
}

START_TEST(passed_on_is_not_sent)
{
	struct ledger_batch *batch = ledger_batch_new(context);
	const char *both[] = {"ann@example.net", "bob@example.net"};
	struct ledger_coverage coverage;
	struct ledger_answer answer;
	size_t added;

	for (int number = 0; number < 2; number++) {
		for (int i = 0; i < ROWS(passages); i++) {
			if (passages[i].number == number)
				feed_passage(batch, i, "<mixed@x.example>");
		}
		if (number == 0)
			feed_passage(batch, 0, "<forged@x.example>");
		ck_assert_status(ledger_batch_write(state, batch, FEED_NOW, &added), STATUS_OK);
		ck_assert_uint_eq(added, number == 0 ? 4 : 2); /* bob's takes the place of one */
	}
	answer = find("<forged@x.example>", "ann@example.net");
	ck_assert(answer.is_passed_on && answer.is_recipient_passed_on && !answer.has_message &&
		  !answer.has_recipient && !answer.records_recipients);
	answer = find("<forged@x.example>", "bob@example.net");
	ck_assert(answer.is_passed_on && !answer.is_recipient_passed_on && !answer.has_message);
	answer = find("<mixed@x.example>", "ann@example.net");
	ck_assert(answer.has_message && answer.records_recipients && answer.has_several &&
		  !answer.has_recipient && answer.is_recipient_passed_on);
	for (int i = 1; i < ROWS(passages); i++) {
		answer = find("<mixed@x.example>", passages[i].recipient);
		ck_assert_msg(answer.has_recipient && !answer.is_recipient_passed_on &&
				      answer.sent_s == 2000,
			"%s: got %d %d", passages[i].recipient, answer.has_recipient,
			answer.is_recipient_passed_on);
	}
	ck_assert_status(ledger_find(state, "<mixed@x.example>", both, 2, &answer), STATUS_OK);
	ck_assert_msg(answer.has_recipient, "what was sent comes before what was passed on");
	ck_assert_status(ledger_coverage(state, "x.example", &coverage), STATUS_OK);
	ck_assert(!coverage.is_any);
}
END_TEST

/* However many a stranger brings it to, one look-up is short and finds whom it was sent to. */
START_TEST(many_passages_hide_nobody)
{
	struct ledger_batch *batch = ledger_batch_new(context);
	struct ledger_answer answer;
	size_t added;

	for (int i = 0; i < 5000; i++) {
		char recipient[64];

		snprintf(recipient, sizeof recipient, "u%d@example.net", i);
		ck_assert_status(ledger_batch_add_passed_on(batch, 1, "<1@x.example>", recipient),
			STATUS_OK);
	}
	ck_assert_status(ledger_batch_add(batch, 1, "<1@x.example>", "ann@example.net"), STATUS_OK);
	ck_assert_status(ledger_batch_write(state, batch, FEED_NOW, &added), STATUS_OK);
	answer = find("<1@x.example>", "ann@example.net");
	ck_assert(answer.has_recipient && answer.has_message && answer.has_several);
	answer = find("<1@x.example>", "nobody@example.net");
	ck_assert(answer.is_passed_on && !answer.has_recipient);
}
END_TEST

START_TEST(reader_may_not_add)
{
	reopen(STATE_READ);
	ck_assert_status(
		ledger_add(state, LEDGER_FEED_BATCH, 1, sent, ROWS(sent), NULL), STATUS_PERMISSION);
	ck_assert(!find("<one@lists.example.org>", NULL).has_message);
}
END_TEST

/* A value that does not decode: absence is still not claimed, and the rest says so. */
static int spoil(struct state *box, MDB_txn *transaction, void *argument)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value = {.mv_size = 2, .mv_data = (void *)"\x7fz"};
	MDB_val old;
	int code = mdb_cursor_open(transaction, box->dbis[*(enum box_db *)argument], &cursor);

	if (code == MDB_SUCCESS)
		code = mdb_cursor_get(cursor, &key, &old, MDB_FIRST);
	while (code == MDB_SUCCESS) {
		code = mdb_cursor_put(cursor, &key, &value, MDB_CURRENT);
		if (code == MDB_SUCCESS)
			code = mdb_cursor_get(cursor, &key, &old, MDB_NEXT);
	}
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

START_TEST(spoilt_values_are_survived)
{
	static const struct ledger_entry entry[] = {
		{1000, "<1@x.example>", "ann@example.net", "abcdefghijkl", "x.example"}};
	enum box_db databases[] = {BOX_SENT, BOX_IDS, BOX_META};
	struct ledger_coverage coverage;
	struct ledger_answer answer;
	uint64_t records;
	uint64_t faults;
	char *recipient;

	add(LEDGER_FEED_BATCH, entry, 1);
	for (int i = 0; i < ROWS(databases); i++)
		ck_assert_status(box_write(state, spoil, &databases[i]), STATUS_OK);
	answer = find("<1@x.example>", "ann@example.net");
	ck_assert(answer.has_message && answer.has_recipient);
	ck_assert_int_eq(answer.sent_s, 0);
	ck_assert_status(ledger_find_id(state, context, "abcdefghijkl", &recipient), STATUS_STATE);
	ck_assert_ptr_null(recipient);
	ck_assert_status(ledger_coverage(state, "x.example", &coverage), STATUS_STATE);
	ck_assert(!coverage.is_any);
	ck_assert_status(state_verify(state, &records, &faults), STATUS_OK);
	ck_assert_uint_eq(records, 3);
	ck_assert_uint_eq(faults, 3);
	add(LEDGER_FEED_CONTINUOUS, entry, 1);
	ck_assert_status(ledger_coverage(state, "x.example", &coverage), STATUS_OK);
	ck_assert_int_eq(coverage.from_s, FEED_NOW);
	ck_assert_status(ledger_find_id(state, context, "abcdefghijkl", &recipient), STATUS_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tests = tcase_create("ledger");

	tcase_add_checked_fixture(tests, set_up_state, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, entries_are_found);
	tcase_add_test(tests, old_entries_are_found);
	tcase_add_test(tests, a_message_to_several_is_told_from_one_to_one);
	tcase_add_test(tests, any_recipient_of_several_will_do);
	tcase_add_test(tests, empty_ledger_answers);
	tcase_add_test(tests, entries_keep_their_first_time);
	tcase_add_loop_test(tests, coverage_follows_the_feedings, 0, ROWS(coverages));
	tcase_add_test(tests, nothing_is_no_feeding);
	tcase_add_test(tests, a_batch_is_one_transaction);
	tcase_add_loop_test(tests, ids_are_found, 0, ROWS(ids));
	tcase_add_test(tests, many_entries_are_found);
	tcase_add_test(tests, long_feedings_are_found);
	tcase_add_test(tests, passed_on_is_not_sent);
	tcase_add_test(tests, many_passages_hide_nobody);
	tcase_add_test(tests, reader_may_not_add);
	tcase_add_test(tests, spoilt_values_are_survived);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
