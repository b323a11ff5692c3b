/* progress.h: a line on the terminal that says how far long work has come; nothing elsewhere. */
#ifndef BACKSTOP_CMD_PROGRESS_H
#define BACKSTOP_CMD_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct progress {
	uint64_t total; /* bytes; 0 when not known */
	struct timespec shown;
	bool is_active, is_visible;
};

/* True when standard error is a terminal that can rewrite a line. */
bool progress_is_wanted(void);

void progress_begin(struct progress *progress, uint64_t total);
/* Shows it, ten times a second at most. */
void progress_show(struct progress *progress, uint64_t done, size_t messages);
/* Takes the line away, before anything else is printed and at the end. */
void progress_clear(struct progress *progress);

#endif
