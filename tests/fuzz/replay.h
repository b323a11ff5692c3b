/*
 * replay.h: a main() for a fuzz target without a fuzzer: each argument is a file that is handed to
 * the target once. So a finding can be looked at with any compiler and any debugger.
 *
 *   cc -DFUZZ_REPLAY ...: this main; clang -fsanitize=fuzzer: libFuzzer's.
 */
#ifndef BACKSTOP_TESTS_FUZZ_REPLAY_H
#define BACKSTOP_TESTS_FUZZ_REPLAY_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef FUZZ_REPLAY
#include <stdio.h>
#include <stdlib.h>

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size = 0, room = 64 * 1024;
	unsigned char *data = malloc(room);

	if (file == NULL || data == NULL) {
		perror(path);
		return 1;
	}
	for (size_t got; (got = fread(data + size, 1, room - size, file)) > 0;) {
		size += got;
		if (size == room && (data = realloc(data, room *= 2)) == NULL)
			abort();
	}
	fclose(file);
	/* A copy of the exact size, so that a read behind the end is seen. */
	unsigned char *exact = malloc(size + (size == 0));
	if (exact == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		exact[i] = data[i];
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int count, char **words)
{
	int failures = 0;

	LLVMFuzzerInitialize(&count, &words);
	for (int i = 1; i < count; i++)
		failures += replay_file(words[i]);
	printf("%d files replayed\n", count - 1);
	return failures != 0;
}
#endif

#endif
