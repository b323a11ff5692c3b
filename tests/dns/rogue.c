/*
 * rogue.c: what backstop-spf could become when libspf2 is taken over: it does what the name that it
 * is started under says. test_spf links its names to it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char block[60000];

static void say(const void *data, size_t size)
{
	if (write(0, data, size) != (ssize_t)size)
		_exit(1);
}

static void hear(void)
{
	static char heard[65536];

	if (read(0, heard, sizeof heard) <= 0)
		_exit(1);
}

static void ask(const char *name, unsigned type)
{
	char message[256] = {'?', (char)(type >> 8), (char)type, 0, (char)strlen(name)};

	memcpy(message + 5, name, strlen(name));
	say(message, 5 + strlen(name));
}

static void be_crash(void)
{
	hear();
	raise(SIGSEGV);
}

static void be_abort(void)
{
	hear();
	abort();
}

static void be_quit(void)
{
	hear();
}

static void be_hang(void)
{
	for (;;)
		pause();
}

static void be_spin(void)
{
	for (;;)
		continue;
}

static void be_flood(void)
{
	for (int i = 0; i < 100000; i++) {
		ask("flood.example.org", 1);
		hear();
	}
}

/* Never takes an answer. */
static void be_deaf(void)
{
	for (int i = 0; i < 100000; i++)
		ask("example.org", 16);
}

static void be_huge(void)
{
	say(block, sizeof block);
	be_hang();
}

static void be_empty(void)
{
	say("", 0);
	be_hang();
}

static void be_short(void)
{
	say("?", 1);
	be_hang();
}

static void be_type(void)
{
	ask("example.org", 255);
	be_hang();
}

static void be_name(void)
{
	say("?\0\1\0\3a\0b", 8);
	be_hang();
}

static void be_result(void)
{
	say("=\11\0\0", 4);
	be_hang();
}

static void be_zero(void)
{
	say("=\0\0\0", 4);
	be_hang();
}

static void be_tail(void)
{
	say("=\2\0\0more", 8);
	be_hang();
}

static void be_unconfined(void)
{
	hear();
	say("U", 1);
}

static void be_noise(void)
{
	say("x", 1);
	be_hang();
}

/* Shows what a child gets: an honest answer if it is what it should be. */
static void be_look(void)
{
	extern char **environ;
	char here[64] = "";
	int count = 0;

	hear();
	for (int i = 0; i < 256; i++)
		count += i > 2 && write(i, "", 0) == 0;
	if (getcwd(here, sizeof here) != NULL && strcmp(here, "/") == 0 && count == 0 &&
		environ[0] == NULL)
		say("=\2\0\0", 4);
	else
		say("=\3\0\0", 4);
}

/* A phrase with an escape in it. */
static void be_phrase(void)
{
	hear();
	say("=\7\0\6a\033[1mb", 10);
}

static const struct {
	const char *name;
	void (*run)(void);
} habits[] = {{"crash", be_crash}, {"abort", be_abort}, {"quit", be_quit}, {"hang", be_hang},
	{"spin", be_spin}, {"flood", be_flood}, {"deaf", be_deaf}, {"huge", be_huge},
	{"empty", be_empty}, {"short", be_short}, {"type", be_type}, {"name", be_name},
	{"result", be_result}, {"zero", be_zero}, {"tail", be_tail}, {"unconfined", be_unconfined},
	{"noise", be_noise}, {"look", be_look}, {"phrase", be_phrase}};

/* The parent gives no name but the path, which is in the kernel's hands. */
int main(void)
{
	static char path[4096];
	ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
	const char *name = size <= 0 ? "" : strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
		if (strcmp(habits[i].name, name) == 0)
			habits[i].run();
	}
	return 0;
}
