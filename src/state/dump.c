/*
 * dump.c: every record as a line of text.
 *
 * In charge of the form of a line, both ways (dump_form.h). Leaves the way back to load.c. The one
 * place with a long read transaction: a dump whose records do not fit each other would restore
 * counters that do not add up to the events.
 */
#include "state/dump.h"

#include <string.h>

#include "base/text.h"
#include "state/dump_form.h"
#include "state/parts.h"

static void put_bytes(FILE *out, const MDB_val *bytes)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *data = bytes->mv_data;

	if (bytes->mv_size == 0)
		fputs(DUMP_EMPTY, out);
	for (size_t i = 0; i < bytes->mv_size; i++) {
		if (data[i] > ' ' && data[i] < 0x7f && data[i] != DUMP_ESCAPE) {
			putc_unlocked(data[i], out);
		} else {
			putc_unlocked(DUMP_ESCAPE, out);
			putc_unlocked(digits[data[i] >> 4], out);
			putc_unlocked(digits[data[i] & 15], out);
		}
	}
}

struct dumping {
	FILE *out;
	struct dump_result result;
};

static void dump_record(
	struct dumping *dumping, record_check *check, const MDB_val *key, const MDB_val *value)
{
	if (!check(key, value)) {
		dumping->result.left_out++;
		return;
	}
	putc_unlocked(DUMP_RECORD, dumping->out);
	put_bytes(dumping->out, key);
	putc_unlocked(' ', dumping->out);
	put_bytes(dumping->out, value);
	putc_unlocked('\n', dumping->out);
	dumping->result.records++;
}

static int dump_database(
	struct state *state, MDB_txn *transaction, enum box_db database, struct dumping *dumping)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value, last = {.mv_size = 0};
	int code = mdb_cursor_open(transaction, state->dbis[database], &cursor);

	if (code != MDB_SUCCESS)
		return code;
	fprintf(dumping->out, "%s%s\n", DUMP_DATABASE, box_name(database));
	while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
		if (value.mv_data == NULL || box_compare_keys(&key, &last) <= 0) {
			/* A damaged page. */
			code = MDB_CORRUPTED;
			break;
		}
		last = key;
		dump_record(dumping, box_check(database), &key, &value);
		if (ferror(dumping->out))
			break;
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? MDB_SUCCESS : code;
}

/* A database with a damaged page costs what lies behind it, not the others. */
static int dump_all(struct state *state, MDB_txn *transaction, void *argument)
{
	struct dumping *dumping = argument;

	for (size_t i = 0; i < BOX_DB_COUNT && !ferror(dumping->out); i++) {
		if (box_has(state, (enum box_db)i) &&
			dump_database(state, transaction, (enum box_db)i, dumping) != MDB_SUCCESS)
			dumping->result.unreadable++;
	}
	return MDB_SUCCESS;
}

enum status state_dump(struct state *state, FILE *out, struct dump_result *result_out)
{
	struct dumping dumping = {.out = out};
	enum status status;

	fprintf(out, "%s\n", DUMP_HEAD);
	status = box_read(state, dump_all, &dumping);
	if (status == STATUS_OK)
		fprintf(out, "%s%llu\n", DUMP_END, (unsigned long long)dumping.result.records);
	if (status == STATUS_OK && (fflush(out) != 0 || ferror(out)))
		status = STATUS_IO;
	*result_out = dumping.result;
	return status;
}

/* One field, in place: it gets shorter. False when it is malformed. */
static bool parse_field(char *text, size_t length, MDB_val *bytes_out)
{
	size_t size = 0;

	*bytes_out = (MDB_val){.mv_data = text, .mv_size = 0};
	if (length == strlen(DUMP_EMPTY) && memcmp(text, DUMP_EMPTY, length) == 0)
		return true;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte;

		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
		if (text[i] != DUMP_ESCAPE) {
			text[size++] = text[i];
			continue;
		}
		if (length - i < 3 || !text_hex_decode(text + i + 1, 2, &byte))
			return false;
		text[size++] = (char)byte;
		i += 2;
	}
	bytes_out->mv_size = size;
	return length > 0;
}

bool dump_parse_record(char *line, size_t length, MDB_val *key_out, MDB_val *value_out)
{
	char *space = length > 1 && line[0] == DUMP_RECORD ? memchr(line, ' ', length) : NULL;

	if (space == NULL)
		return false;
	return parse_field(line + 1, (size_t)(space - line - 1), key_out) &&
	       parse_field(space + 1, length - (size_t)(space - line) - 1, value_out);
}
