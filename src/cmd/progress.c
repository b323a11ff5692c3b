/* progress.c: in charge of the progress line. It is written to standard error, so that redirected
 * output stays clean, and appears only after a moment: short work needs none. */
#include "cmd/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_MS 100
#define BAR_WIDTH 30

bool progress_is_wanted(void)
{
	const char *terminal = getenv("TERM");

	return isatty(STDERR_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static long measure_ms(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1000 + (to->tv_nsec - from->tv_nsec) / 1000000;
}

void progress_begin(struct progress *progress, uint64_t total)
{
	memset(progress, 0, sizeof(*progress));
	progress->total = total;
	progress->is_active = progress_is_wanted();
	clock_gettime(CLOCK_MONOTONIC, &progress->shown);
}

void progress_show(struct progress *progress, uint64_t done, size_t messages)
{
	struct timespec now;
	char bar[BAR_WIDTH + 1];

	if (!progress->is_active)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (measure_ms(&progress->shown, &now) < INTERVAL_MS)
		return;
	progress->shown = now;
	if (done > progress->total)
		done = progress->total;
	size_t filled = progress->total == 0 ? 0 : (size_t)(done * BAR_WIDTH / progress->total);
	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', filled);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3u %%  %zu messages", bar,
		progress->total == 0 ? 0 : (unsigned)(done * 100 / progress->total), messages);
	fflush(stderr);
	progress->is_visible = true;
}

void progress_clear(struct progress *progress)
{
	if (!progress->is_visible)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->is_visible = false;
}
