/*
 * log_position.c: in charge of the file's form: lines of words with tabs between, the first a word
 * that says what follows. A word has no byte below '!', no '%' and no DEL: they are written as %XX;
 * "-" stands for none, "%" for an empty one.
 *
 * Not in LMDB: a hundred thousand messages may be in a queue, and rewriting them there with each
 * step would be a large transaction for what may be lost.
 */
#include "cmd/log_position.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"

#define HEAD_LINE "backstop-log-position 1"
#define WORDS_MAX 8
#define NAME_HASH_SIZE 8

char *log_position_name(const void *context, const char *directory, const char *log_path)
{
	char *real = realpath(log_path, NULL);
	const char *path = real != NULL ? real : log_path;
	unsigned char hash[HASH_SHA256_SIZE];
	char hex[2 * NAME_HASH_SIZE + 1];
	char *name;

	hash_sha256(path, strlen(path), hash);
	for (size_t i = 0; i < NAME_HASH_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	name = mem_printf(context, "%s/log-%s.position", directory, hex);
	free(real);
	return name;
}

/* ---- writing ---- */

static void write_word(FILE *file, const char *word)
{
	fputc('\t', file);
	if (word == NULL)
		fputc('-', file);
	else if (*word == '\0')
		fputc('%', file);
	else if (strcmp(word, "-") == 0)
		fputs("%2d", file);
	else
		for (; *word != '\0'; word++) {
			unsigned char c = (unsigned char)*word;

			if (c <= ' ' || c == '%' || c == 0x7F)
				fprintf(file, "%%%02x", c);
			else
				fputc(c, file);
		}
}

static void write_open(void *argument, const struct postfix_open *open)
{
	FILE *file = argument;
	char flags[3] = {open->is_known ? 'k' : 'u', open->is_authenticated ? 'a' : 'n', '\0'};

	fputs("open", file);
	write_word(file, open->queue_id);
	write_word(file, open->instance);
	write_word(file, flags);
	write_word(file, open->message_id);
	write_word(file, open->sender);
	write_word(file, open->client);
	if (open->first_client != NULL)
		write_word(file, open->first_client);
	fputc('\n', file);
}

static void write_place(FILE *file, const struct log_place *place)
{
	fprintf(file, "place\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t", place->device,
		place->inode, place->offset, place->head_size);
	for (size_t i = 0; i < LOG_HASH_SIZE; i++)
		fprintf(file, "%02x", place->head_hash[i]);
	fputc('\n', file);
}

/* All of it, to the disk. */
static bool write_file(FILE *file, const struct log_place *place, const struct postfix_log *log,
	const struct feed *feed)
{
	bool is_done;

	fputs(HEAD_LINE "\n", file);
	write_place(file, place);
	for (size_t i = 0; i < feed->domain_count; i++) {
		if (!feed->domains[i].is_vouched)
			continue;
		fputs("domain", file);
		write_word(file, feed->domains[i].name);
		fputc('\n', file);
	}
	postfix_log_walk(log, write_open, file);
	fputs("end\n", file);
	is_done = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
	return fclose(file) == 0 && is_done;
}

enum status log_position_write(const char *name, const struct log_place *place,
	const struct postfix_log *log, const struct feed *feed)
{
	char *temporary = mem_printf(NULL, "%s.new", name);
	int descriptor =
		open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0660);
	FILE *file = descriptor == -1 ? NULL : fdopen(descriptor, "w");
	bool is_done =
		file != NULL && write_file(file, place, log, feed) && rename(temporary, name) == 0;
	int error = errno;

	if (!is_done && descriptor != -1)
		unlink(temporary);
	mem_free(temporary);
	errno = error;
	return is_done ? STATUS_OK : status_from_errno(error);
}

/* ---- reading ---- */

/* Decodes in place; NULL for "-". */
static char *read_word(char *word)
{
	char *to = word;

	if (strcmp(word, "-") == 0)
		return NULL;
	for (const char *from = word; *from != '\0'; from++) {
		unsigned code;

		if (*from == '%' && sscanf(from + 1, "%2x", &code) == 1 && code != 0) {
			*to++ = (char)code;
			from += 2;
		} else if (*from != '%') {
			*to++ = *from;
		}
	}
	*to = '\0';
	return word;
}

static bool read_place(char *const *words, size_t count, struct log_place *place)
{
	if (count != 6 || strlen(words[5]) != 2 * LOG_HASH_SIZE)
		return false;
	place->device = strtoull(words[1], NULL, 10);
	place->inode = strtoull(words[2], NULL, 10);
	place->offset = strtoull(words[3], NULL, 10);
	place->head_size = (uint32_t)strtoul(words[4], NULL, 10);
	for (size_t i = 0; i < LOG_HASH_SIZE; i++) {
		unsigned byte;

		if (sscanf(words[5] + 2 * i, "%2x", &byte) != 1)
			return false;
		place->head_hash[i] = (unsigned char)byte;
	}
	return true;
}

/* Older versions had no first client, and most messages have none. */
static void read_open(char *const *words, size_t count, struct postfix_log *log)
{
	const struct postfix_open open = {
		.queue_id = read_word(words[1]),
		.instance = read_word(words[2]),
		.is_known = words[3][0] == 'k',
		.is_authenticated = words[3][0] != '\0' && words[3][1] == 'a',
		.message_id = read_word(words[4]),
		.sender = read_word(words[5]),
		.client = read_word(words[6]),
		.first_client = count > 7 ? read_word(words[7]) : NULL,
	};

	if (open.queue_id != NULL && open.instance != NULL)
		postfix_log_restore(log, &open);
}

/* What has been read so far. */
struct reading {
	struct log_place *place;
	struct postfix_log *log;
	struct feed *feed;
	bool has_place, has_end;
};

static void read_row(struct reading *reading, char *text)
{
	char *words[WORDS_MAX] = {NULL};
	char *rest = text;
	size_t count = 0;

	while (count < WORDS_MAX && rest != NULL)
		words[count++] = strsep(&rest, "\t");
	if (count == 0)
		return;
	if (strcmp(words[0], "place") == 0)
		reading->has_place = read_place(words, count, reading->place);
	else if (strcmp(words[0], "domain") == 0 && count == 2 && read_word(words[1]) != NULL) {
		struct fed_domain *domain = feed_find_domain(reading->feed, words[1]);

		if (domain != NULL)
			domain->is_vouched = true;
	} else if (strcmp(words[0], "open") == 0 && (count == 7 || count == 8))
		read_open(words, count, reading->log);
	else if (strcmp(words[0], "end") == 0)
		reading->has_end = true;
}

enum status log_position_read(const void *context, const char *name, struct log_place *place_out,
	struct postfix_log *log, struct feed *feed)
{
	struct reading reading = {.place = place_out, .log = log, .feed = feed};
	struct lines *lines = NULL;
	enum status status = lines_open(context, name, &lines);
	struct line line;

	if (status == STATUS_NO_INPUT)
		return STATUS_NOT_FOUND;
	if (status != STATUS_OK)
		return status;
	while (lines_next(lines, &line) == STATUS_OK) {
		char *text = mem_strndup(NULL, (const char *)line.text.data, line.text.size);

		if (line.number == 1 && strcmp(text, HEAD_LINE) != 0) {
			mem_free(text);
			break;
		}
		read_row(&reading, text);
		mem_free(text);
	}
	lines_close(lines);
	return reading.has_place && reading.has_end ? STATUS_OK : STATUS_DATA;
}
