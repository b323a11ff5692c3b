/*
 * maildir.h: durable delivery into a Maildir, and reading of Maildirs and mbox files.
 *
 * A library of its own: bytes only, no knowledge of mail formats, no dependency but libc. Functions
 * return 0, or an errno value (ENOSPC, EACCES, ...); nothing is printed. No function keeps state
 * but the counter in the names, so threads and forked processes may deliver at the same time.
 */
#ifndef MAILDIR_MAILDIR_H
#define MAILDIR_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>

#define MAILDIR_NAME_MAX 256

struct maildir_piece {
	const void *data; /* may be NULL when size is 0 */
	size_t size;
};

/* Delivers one message, made of count pieces one behind the other: created if missing (path and its
 * tmp, new, cur, mode 0700), written under tmp/, fsync, close (checked), linked into new/, tmp/
 * unlinked, new/ synced. When it returns 0 the message is on disk under new/NAME, and name_out (of
 * MAILDIR_NAME_MAX bytes) has NAME; may be NULL. On an error nothing is left behind, in tmp/ or
 * new/ (as far as the disk still lets us remove files), and name_out is as it was. A process killed
 * half-way leaves at most a file in tmp/ and the complete message in new/. Names follow the Maildir
 * convention: seconds.MmicrosecondsPpidQcounter.host, with '/' and ':' in the host escaped; unique
 * across processes and hosts. An existing file is never overwritten. Errors: ENOENT when the folder
 * that path stands in is missing, for only path itself is created (a volume that is not mounted
 * must not be filled below its mount point); ENOTDIR when path, tmp, new or cur is no folder, or
 * one of the latter a symbolic link; EFBIG above RLIMIT_FSIZE, if the caller ignores SIGXFSZ;
 * EEXIST when a hundred names in a row were taken; else what the system said. */
int maildir_deliver(
	const char *path, const struct maildir_piece *pieces, size_t count, char *name_out);

/* Gives the next piece of a message, lent until the next call; size 0: there was no more. With
 * piece_out NULL it begins at the start: before the first piece, and again where a name was taken.
 * 0, or an errno value, which ends the delivery and is its result. */
typedef int maildir_source(void *argument, struct maildir_piece *piece_out);

/* maildir_deliver for a message that is made while it is written, under a name that ends in suffix
 * (".gz"; at most 16 bytes; NULL: none). EINVAL when the suffix is longer or has a '/' or ':'. */
int maildir_deliver_from(const char *path, const char *suffix, maildir_source *source,
	void *argument, char *name_out);

/* Creates path with tmp/, new/, cur/ if any is missing, and syncs that. Errors as above. */
int maildir_create(const char *path);

/* True when path has cur/ and new/. */
bool maildir_is(const char *path);

/* Removes new/NAME or cur/NAME[:flags]; ENOENT when neither is there, EINVAL when name is no name
 * of a message (a '/', a leading '.'). Flags at the end of name are ignored if others took their
 * place meanwhile. The removal is not synced: after a power cut the file may be back. */
int maildir_remove(const char *path, const char *name);

/* The whole file new/NAME (or cur/NAME[:flags]), malloc'ed; free() it. ENOENT and EINVAL as above;
 * EFBIG above 1 GiB; ELOOP or EINVAL when it is no plain file; EAGAIN when it grows under us. */
int maildir_read(const char *path, const char *name, unsigned char **data_out, size_t *size_out);

/* The same file, open for reading at its start; close() it. */
int maildir_open(const char *path, const char *name, int *file_out);

/* Called for each message in new/ and cur/, in order of file name. full_path and name (flags
 * included) are lent for the call. A value other than 0 ends the walk and is returned by it. */
typedef int maildir_visitor(void *argument, const char *full_path, const char *name);

/* Visits what new/ and cur/ had when it began. Files whose name begins with a dot and what is
 * neither a file nor a symbolic link are passed over. A message may be gone when the visitor opens
 * it, and one that is moved from new/ to cur/ meanwhile may be shown under both names, but none is
 * missed for it. ENOENT when new/ or cur/ is missing, EOVERFLOW above 10 million messages. */
int maildir_walk(const char *path, maildir_visitor *visitor, void *argument);

/* One message of an mbox, lent from the buffer. */
struct mbox_message {
	const unsigned char *from_line; /* the "From " line, without its end; NULL when none */
	size_t from_line_size;
	const unsigned char *data; /* behind the From line, without the blank line that ends it */
	size_t size;
};

/* True when the bytes begin as an mbox does: "From ", and a line that has the look of one: an
 * envelope sender (which may be empty, "-", quoted, or "ann at example.org") and a date (asctime
 * form; seconds optional, time zone before or behind the year, "remote from HOST" at the end). */
bool mbox_is(const unsigned char *data, size_t size);

/* Finds the message that begins at *offset and moves *offset behind it; false at the end. A message
 * begins at the start of the file, or at a line behind an empty line for which mbox_is() is true;
 * other "From " lines are text. The one exception is "From " at the start of the file: that line is
 * stripped whatever follows, as it cannot be a header field. LF and CRLF. One blank line before the
 * next From line, or at the end of a message that had one, belongs to no message; further ones
 * belong to the message before. The bytes are as they stand, quoting included. */
bool mbox_next(
	const unsigned char *data, size_t size, size_t *offset, struct mbox_message *message_out);

/* Undoes mboxrd quoting: one '>' off each line of the form ">+From ". Returns the new size;
 * data_out must have room for size bytes and may be data itself. */
size_t mbox_unquote(const unsigned char *data, size_t size, unsigned char *data_out);

#endif
