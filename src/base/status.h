/*
 * status.h: what a fallible function can return, and what each value means to a person and to a
 * shell. One table (status.c) holds the text and the exit code.
 */
#ifndef BACKSTOP_BASE_STATUS_H
#define BACKSTOP_BASE_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_USAGE,	   /* the command line is wrong */
	STATUS_CONFIG,	   /* the configuration is wrong */
	STATUS_NO_INPUT,   /* a named file is not there or cannot be read */
	STATUS_DATA,	   /* input was read but is not what it should be */
	STATUS_NOT_FOUND,  /* no such record */
	STATUS_PERMISSION, /* a file's owner or mode is wrong */
	STATUS_NO_SPACE,   /* disk, quota or map full */
	STATUS_IO,	   /* reading or writing failed */
	STATUS_STATE,	   /* the state cannot be opened, read or written */
	STATUS_CHILD,	   /* a program that we ran failed */
	STATUS_TIMEOUT,	   /* a deadline passed */
	STATUS_DIFFERENT,  /* scan --expect: at least one message differs */
	STATUS_COUNT
};

/* A short lower-case phrase such as "no space left"; never NULL; static. */
const char *status_text(enum status status);

/* The sysexits(3) code for the command-line tools. deliver does not use it: see guard.h. */
int status_exit_code(enum status status);

/* The status for an errno of a failed file operation: ENOSPC, EDQUOT and EFBIG are
 * STATUS_NO_SPACE, EACCES, EPERM and EROFS STATUS_PERMISSION, ENOENT STATUS_NO_INPUT, all else
 * STATUS_IO. */
enum status status_from_errno(int error);

#endif
