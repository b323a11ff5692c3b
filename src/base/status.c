/*
 * status.c: the one table from status to words and to exit code.
 *
 * Leaves to guard.c the two codes that deliver and filter may end with: these here are for the
 * command-line tools, where 1 means a plain "no" (nothing found, something differs), as in grep.
 */
#include "base/status.h"

#include <errno.h>
#include <stddef.h>
#include <sysexits.h>

enum { EXIT_NO = 1 };

struct row {
	const char *text;
	int exit_code;
};

static const struct row rows[] = {
	[STATUS_OK] = {"success", EX_OK},
	[STATUS_USAGE] = {"wrong usage", EX_USAGE},
	[STATUS_CONFIG] = {"wrong configuration", EX_CONFIG},
	[STATUS_NO_INPUT] = {"no such file, or not readable", EX_NOINPUT},
	[STATUS_DATA] = {"wrong data", EX_DATAERR},
	[STATUS_NOT_FOUND] = {"not found", EXIT_NO},
	[STATUS_PERMISSION] = {"permission denied", EX_NOPERM},
	[STATUS_NO_SPACE] = {"no space left", EX_CANTCREAT},
	[STATUS_IO] = {"input or output error", EX_IOERR},
	[STATUS_STATE] = {"state not usable", EX_IOERR},
	[STATUS_CHILD] = {"another program failed", EX_OSERR},
	[STATUS_TIMEOUT] = {"deadline passed", EX_TEMPFAIL},
	[STATUS_DIFFERENT] = {"results differ", EXIT_NO},
};

_Static_assert(sizeof rows / sizeof rows[0] == STATUS_COUNT, "a status has no row");

const char *status_text(enum status status)
{
	return (size_t)status < STATUS_COUNT ? rows[status].text : "invalid status";
}

int status_exit_code(enum status status)
{
	return (size_t)status < STATUS_COUNT ? rows[status].exit_code : EX_SOFTWARE;
}

enum status status_from_errno(int error)
{
	static const struct {
		int error;
		enum status status;
	} known[] = {
		{ENOSPC, STATUS_NO_SPACE},
		{EDQUOT, STATUS_NO_SPACE},
		{EFBIG, STATUS_NO_SPACE},
		{EACCES, STATUS_PERMISSION},
		{EPERM, STATUS_PERMISSION},
		{EROFS, STATUS_PERMISSION},
		{ENOENT, STATUS_NO_INPUT},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].error == error)
			return known[i].status;
	}
	return STATUS_IO;
}
