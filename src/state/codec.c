/*
 * codec.c: values to bytes and back.
 *
 * In charge of bounds. Leaves to each module what its value holds, in which order, and what version
 * it begins with. The reader fails once and for all: callers read a whole value without a test
 * between fields, and ask codec_is_complete() at the end.
 */
#include "state/codec.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

enum {
	FIRST_CAPACITY = 256, /* an ordinary event fits */
	STRING_NULL = 0xffff,
	UTF8_TAIL_MAX = 3 /* continuation bytes behind the first byte of a character */
};

void codec_writer_init(struct codec_writer *writer, void *context)
{
	*writer = (struct codec_writer){.context = context};
}

void codec_writer_reset(struct codec_writer *writer)
{
	writer->size = 0;
}

static unsigned char *extend(struct codec_writer *writer, size_t size)
{
	size_t needed = writer->size + size;

	if (needed > writer->capacity || writer->data == NULL) {
		size_t capacity = writer->capacity > 0 ? writer->capacity : FIRST_CAPACITY;

		while (capacity < needed)
			capacity *= 2;
		writer->data = mem_realloc(writer->context, writer->data, capacity);
		writer->capacity = capacity;
	}
	writer->size = needed;
	return writer->data + needed - size;
}

static void store(unsigned char *bytes, uint64_t value, size_t size)
{
	for (size_t i = size; i > 0; i--) {
		bytes[i - 1] = (unsigned char)(value & 0xff);
		value >>= 8;
	}
}

static uint64_t load(const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

void codec_put_u8(struct codec_writer *writer, uint8_t value)
{
	*extend(writer, 1) = value;
}

void codec_put_u32(struct codec_writer *writer, uint32_t value)
{
	store(extend(writer, 4), value, 4);
}

void codec_put_u64(struct codec_writer *writer, uint64_t value)
{
	store(extend(writer, 8), value, 8);
}

void codec_put_i64(struct codec_writer *writer, int64_t value)
{
	codec_put_u64(writer, (uint64_t)value);
}

void codec_put_bytes(struct codec_writer *writer, const void *data, size_t size)
{
	if (size > 0)
		memcpy(extend(writer, size), data, size);
}

/* Where to cut text, which is longer than cap: not inside a character, if these are characters. */
static size_t cut_at(const char *text, size_t cap)
{
	size_t size = cap;

	while (size > 0 && cap - size < UTF8_TAIL_MAX && (text[size] & 0xc0) == 0x80)
		size--;
	return (text[size] & 0xc0) == 0x80 ? cap : size;
}

void codec_put_string(struct codec_writer *writer, const char *text, size_t cap)
{
	size_t size;

	assert(cap <= CODEC_STRING_MAX);
	if (text == NULL) {
		store(extend(writer, 2), STRING_NULL, 2);
		return;
	}
	size = strnlen(text, cap + 1);
	if (size > cap)
		size = cut_at(text, cap);
	store(extend(writer, 2), size, 2);
	codec_put_bytes(writer, text, size);
}

void codec_reader_init(struct codec_reader *reader, const void *data, size_t size)
{
	*reader = (struct codec_reader){.data = data, .size = size};
}

static const unsigned char *take(struct codec_reader *reader, size_t size)
{
	const unsigned char *bytes;

	if (reader->is_bad || reader->size - reader->offset < size) {
		reader->is_bad = true;
		return NULL;
	}
	bytes = reader->data + reader->offset;
	reader->offset += size;
	return bytes;
}

static uint64_t take_number(struct codec_reader *reader, size_t size)
{
	const unsigned char *bytes = take(reader, size);

	return bytes != NULL ? load(bytes, size) : 0;
}

uint8_t codec_get_u8(struct codec_reader *reader)
{
	return (uint8_t)take_number(reader, 1);
}

uint32_t codec_get_u32(struct codec_reader *reader)
{
	return (uint32_t)take_number(reader, 4);
}

uint64_t codec_get_u64(struct codec_reader *reader)
{
	return take_number(reader, 8);
}

int64_t codec_get_i64(struct codec_reader *reader)
{
	return (int64_t)take_number(reader, 8);
}

uint8_t codec_get_below(struct codec_reader *reader, unsigned limit)
{
	uint8_t value = codec_get_u8(reader);

	if (value < limit)
		return value;
	reader->is_bad = true;
	return 0;
}

char *codec_get_string(struct codec_reader *reader, const void *context)
{
	size_t size = (size_t)take_number(reader, 2);
	const unsigned char *bytes;

	if (reader->is_bad || size == STRING_NULL)
		return NULL;
	bytes = take(reader, size);
	if (bytes == NULL)
		return NULL;
	/* What we write has no NUL in it; one that is there would hide what follows it. */
	if (size > 0 && memchr(bytes, '\0', size) != NULL) {
		reader->is_bad = true;
		return NULL;
	}
	return mem_strndup(context, (const char *)bytes, size);
}

bool codec_is_complete(const struct codec_reader *reader)
{
	return !reader->is_bad && reader->offset == reader->size;
}

void codec_store_u64(unsigned char *bytes_out, uint64_t value)
{
	store(bytes_out, value, CODEC_U64_SIZE);
}

uint64_t codec_load_u64(const unsigned char *bytes)
{
	return load(bytes, CODEC_U64_SIZE);
}
