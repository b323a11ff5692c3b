/* db_print.c: in charge of how the figures of the state look. Every key of the JSON is always
 * there. */
#include "cmd/db_print.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

enum { MIB = 1024 * 1024, DIRECTORY_SHOWN = 1024 };

static char *clean(const char *directory)
{
	return text_clean_string(NULL, directory, DIRECTORY_SHOWN);
}

/* jansson fails only when memory is out: then as in memory.h. */
static void set(json_t *object, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(object, key, value) != 0)
		abort();
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
	set(object, key, json_integer((json_int_t)value));
}

static json_t *new_object(const char *directory)
{
	json_t *object = json_object();
	char *shown = clean(directory);

	set(object, "state", json_string(shown));
	mem_free(shown);
	return object;
}

static enum status print_object(json_t *object, FILE *out)
{
	int result = json_dumpf(object, out, JSON_COMPACT);

	json_decref(object);
	return result == 0 && fputc('\n', out) != EOF ? STATUS_OK : STATUS_IO;
}

static json_t *make_database(const struct state_database *database)
{
	json_t *object = json_object();

	set(object, "name", json_string(database->name));
	set(object, "exists", json_boolean(database->is_there));
	set_number(object, "records", database->records);
	return object;
}

static enum status print_figures_json(const struct db_figures *figures, FILE *out)
{
	json_t *object = new_object(figures->directory);
	json_t *array = json_array();

	set_number(object, "file_bytes", figures->size.file_bytes);
	set_number(object, "used_bytes", figures->size.used_bytes);
	set_number(object, "map_bytes", figures->size.map_bytes);
	set_number(object, "transactions", figures->size.transactions);
	set_number(object, "readers", figures->size.readers);
	for (size_t i = 0; i < state_database_count(); i++) {
		json_t *database = make_database(&figures->databases[i]);

		set_number(database, "bytes", figures->databases[i].bytes);
		if (json_array_append_new(array, database) != 0)
			abort();
	}
	set(object, "databases", array);
	return print_object(object, out);
}

static double mib(uint64_t bytes)
{
	return (double)bytes / MIB;
}

enum status db_print_figures(const struct db_figures *figures, bool is_json, FILE *out)
{
	const struct state_size *size = &figures->size;
	char *shown;

	if (is_json)
		return print_figures_json(figures, out);
	shown = clean(figures->directory);
	fprintf(out,
		"%s: %.1f MiB, of which %.1f MiB are in use and the rest is free for what comes\n"
		"%" PRIu64 " write transactions, %u process%s reading\n\n%-12s %12s %10s\n",
		shown, mib(size->file_bytes), mib(size->used_bytes), size->transactions,
		size->readers, size->readers == 1 ? "" : "es", "database", "records", "MiB");
	mem_free(shown);
	for (size_t i = 0; i < state_database_count(); i++) {
		const struct state_database *database = &figures->databases[i];

		if (database->is_there)
			fprintf(out, "%-12s %12" PRIu64 " %10.1f\n", database->name,
				database->records, mib(database->bytes));
		else
			fprintf(out, "%-12s %12s\n", database->name, "not there yet");
	}
	return STATUS_OK;
}

static enum status print_verdict_json(const struct db_verdict *verdict, FILE *out)
{
	json_t *object = new_object(verdict->directory);
	json_t *array = json_array();

	set_number(object, "faults", verdict->faults);
	set_number(object, "unreadable", verdict->unreadable);
	for (size_t i = 0; i < state_database_count(); i++) {
		json_t *database = make_database(&verdict->databases[i]);

		set_number(database, "faults", verdict->databases[i].faults);
		set(database, "readable", json_boolean(verdict->results[i] == STATUS_OK));
		if (json_array_append_new(array, database) != 0)
			abort();
	}
	set(object, "databases", array);
	return print_object(object, out);
}

enum status db_print_verdict(const struct db_verdict *verdict, bool is_json, FILE *out)
{
	uint64_t records = 0;
	char *shown;

	if (is_json)
		return print_verdict_json(verdict, out);
	shown = clean(verdict->directory);
	for (size_t i = 0; i < state_database_count(); i++) {
		const struct state_database *database = &verdict->databases[i];

		records += database->records;
		if (verdict->results[i] != STATUS_OK)
			fprintf(out, "%s: damaged behind %" PRIu64 " records: %s\n", database->name,
				database->records, status_text(verdict->results[i]));
		if (database->faults > 0)
			fprintf(out,
				"%s: %" PRIu64 " of %" PRIu64 " records cannot be understood\n",
				database->name, database->faults, database->records);
	}
	if (verdict->faults == 0 && verdict->unreadable == 0)
		fprintf(out, "%s: %" PRIu64 " records, all of them good\n", shown, records);
	else
		fputs("What is good can be saved: 'backstop db dump >FILE', then 'backstop db load "
		      "--replace FILE'; or load\nan older dump. Mail goes on meanwhile.\n",
			out);
	mem_free(shown);
	return STATUS_OK;
}
