/*
 * codec.h: the bytes of a value: a buffer that grows, and a reader that cannot leave its bounds.
 *
 * Numbers are big-endian, so a dump reads the same on every machine. A string is its length in two
 * bytes and its bytes; the length 0xffff stands for NULL. Inside src/state/ only.
 */
#ifndef BACKSTOP_STATE_CODEC_H
#define BACKSTOP_STATE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_STRING_MAX 65534 /* no cap can be higher: two bytes, less the one value for NULL */

struct codec_writer {
	void *context; /* data lives here */
	unsigned char *data;
	size_t size;
	size_t capacity;
};

/* An empty buffer; its memory hangs on context, which must outlive it. */
void codec_writer_init(struct codec_writer *writer, void *context);
/* Empties the buffer and keeps its memory. */
void codec_writer_reset(struct codec_writer *writer);

void codec_put_u8(struct codec_writer *writer, uint8_t value);
void codec_put_u32(struct codec_writer *writer, uint32_t value);
void codec_put_u64(struct codec_writer *writer, uint64_t value);
void codec_put_i64(struct codec_writer *writer, int64_t value);
void codec_put_bytes(struct codec_writer *writer, const void *data, size_t size);
/* At most cap bytes of text, cut at a UTF-8 character where there is one. NULL stays NULL. */
void codec_put_string(struct codec_writer *writer, const char *text, size_t cap);

struct codec_reader {
	const unsigned char *data;
	size_t size;
	size_t offset;
	bool is_bad; /* something was asked for that is not there; all later results are 0 and NULL
		      */
};

/* Lends data, which may be NULL when size is 0. */
void codec_reader_init(struct codec_reader *reader, const void *data, size_t size);

uint8_t codec_get_u8(struct codec_reader *reader);
uint32_t codec_get_u32(struct codec_reader *reader);
uint64_t codec_get_u64(struct codec_reader *reader);
int64_t codec_get_i64(struct codec_reader *reader);
/* One byte that must be below limit: an enum value. 0, and bad, when it is not. */
uint8_t codec_get_below(struct codec_reader *reader, unsigned limit);
/* A copy on context, or NULL: the string was NULL, or the reader is bad. */
char *codec_get_string(struct codec_reader *reader, const void *context);
/* True when nothing was missing and nothing is left over. */
bool codec_is_complete(const struct codec_reader *reader);

/* Keys of a fixed size: eight bytes, big-endian. */
#define CODEC_U64_SIZE 8
void codec_store_u64(unsigned char *bytes_out, uint64_t value);
uint64_t codec_load_u64(const unsigned char *bytes);

#endif
