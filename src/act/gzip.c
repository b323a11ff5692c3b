/*
 * gzip.c: in charge of zlib. Leaves files and their names to hold.c.
 *
 * A bounce of 50 MB must not take 100 MB of memory: compressing gives pieces, and unpacking asks
 * the end of the file how much room it takes, so that nothing is copied while it grows.
 */
#include "act/gzip.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

#define PIECE_SIZE (32 * 1024)
#define LARGE_SIZE (1024 * 1024) /* from there on time counts for more than room */

enum { WINDOW_BITS = 15, GZIP_FORMAT = 16, MEMORY_LEVEL = 8, LENGTH_SIZE = 4 };

/* What deflate can do at best. A damaged file must not claim more, and get the memory for it. */
enum { RATIO_MAX = 1032 };

struct gzip_packer {
	z_stream stream;
	struct bytes original;
	size_t taken; /* of the original, given to zlib */
	bool is_done;
	unsigned char piece[PIECE_SIZE];
};

static int release_packer(struct gzip_packer *packer)
{
	deflateEnd(&packer->stream);
	return 0;
}

struct gzip_packer *gzip_pack(const void *context, struct bytes original)
{
	struct gzip_packer *packer = mem_new(context, struct gzip_packer);
	int level = original.size >= LARGE_SIZE ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION;

	packer->original = original;
	if (deflateInit2(&packer->stream, level, Z_DEFLATED, WINDOW_BITS + GZIP_FORMAT,
		    MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		mem_free(packer);
		return NULL;
	}
	talloc_set_destructor(packer, release_packer);
	return packer;
}

void gzip_rewind(struct gzip_packer *packer)
{
	deflateReset(&packer->stream);
	packer->stream.avail_in = 0;
	packer->taken = 0;
	packer->is_done = false;
}

/* zlib counts in int. */
static void give_input(struct gzip_packer *packer)
{
	size_t left = packer->original.size - packer->taken;

	if (packer->stream.avail_in > 0 || left == 0)
		return;
	if (left > PIECE_SIZE)
		left = PIECE_SIZE;
	packer->stream.next_in = (z_const Bytef *)packer->original.data + packer->taken;
	packer->stream.avail_in = (uInt)left;
	packer->taken += left;
}

struct bytes gzip_next(struct gzip_packer *packer)
{
	packer->stream.next_out = packer->piece;
	packer->stream.avail_out = PIECE_SIZE;
	while (!packer->is_done && packer->stream.avail_out > 0) {
		give_input(packer);
		/* With input and room deflate cannot fail. */
		packer->is_done = deflate(&packer->stream, packer->taken < packer->original.size
								   ? Z_NO_FLUSH
								   : Z_FINISH) == Z_STREAM_END;
	}
	return (struct bytes){packer->piece, PIECE_SIZE - packer->stream.avail_out};
}

/* EBADMSG: the file ends before that. */
static int read_at(int file, unsigned char *data, size_t size, off_t at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(file, data + done, size - done, at + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EBADMSG;
		done += (size_t)got;
	}
	return 0;
}

int gzip_ask(int file, bool *is_gzip_out)
{
	unsigned char magic[2];
	int error = read_at(file, magic, sizeof magic, 0);

	*is_gzip_out = error == 0 && magic[0] == 0x1F && magic[1] == 0x8B;
	return error == EBADMSG ? 0 : error;
}

/* How long the message is, in bytes, from the end of the file. */
static int find_length(int file, size_t *length_out)
{
	unsigned char bytes[LENGTH_SIZE];
	off_t end = lseek(file, 0, SEEK_END);
	int error = end < 0 || lseek(file, 0, SEEK_SET) != 0 ? errno : 0;

	if (error == 0)
		error = end < LENGTH_SIZE ? EBADMSG
					  : read_at(file, bytes, sizeof bytes, end - LENGTH_SIZE);
	if (error != 0)
		return error;
	*length_out =
		bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
	return *length_out > (size_t)end * RATIO_MAX ? EBADMSG : 0;
}

/* To the end of the stream. avail_out is one more than it should fill: a longer message would not
 * go unnoticed. */
static int inflate_file(z_stream *stream, int file)
{
	unsigned char piece[PIECE_SIZE];
	int code = Z_OK;

	while (code == Z_OK && stream->avail_out > 0) {
		ssize_t got = read(file, piece, sizeof piece);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			return EBADMSG;
		stream->next_in = piece;
		stream->avail_in = (uInt)got;
		code = inflate(stream, Z_NO_FLUSH);
	}
	if (code == Z_MEM_ERROR)
		return ENOMEM;
	return code == Z_STREAM_END ? 0 : EBADMSG;
}

int gzip_unpack(const void *context, int file, struct bytes *bytes_out)
{
	z_stream stream = {.next_in = NULL};
	unsigned char *data = NULL;
	size_t length = 0;
	int error = find_length(file, &length);

	if (error != 0)
		return error;
	if (inflateInit2(&stream, WINDOW_BITS + GZIP_FORMAT) != Z_OK)
		return ENOMEM;
	data = mem_realloc(context, NULL, length + 1);
	stream.next_out = data;
	stream.avail_out = (uInt)(length + 1);
	error = inflate_file(&stream, file);
	if (error == 0 && stream.avail_out != 1)
		error = EBADMSG;
	inflateEnd(&stream);
	if (error != 0) {
		mem_free(data);
		return error;
	}
	*bytes_out = (struct bytes){data, length};
	return 0;
}
