/*
 * memory.c: talloc's calls with the NULL taken out of their results.
 *
 * In charge of the one way in which running out of memory ends: a fixed line and abort(). Leaves to
 * guard.c what becomes of the abort. talloc itself refuses single blocks above 256 MB; that ends
 * here in the same way, so whoever takes a size from a stranger caps it far below.
 */
#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* write() and not stdio, which may want memory for its buffer. */
static _Noreturn void die_out_of_memory(void)
{
	static const char line[] = "backstop: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);

	(void)ignored;
	abort();
}

static void *or_die(void *block)
{
	if (block == NULL)
		die_out_of_memory();
	return block;
}

void *mem_context(const void *parent, const char *name)
{
	return or_die(talloc_named(parent, 0, "%s", name));
}

void *mem_pool(const void *parent, const char *name, size_t size)
{
	void *pool = or_die(talloc_pool(parent, size));

	talloc_set_name(pool, "%s", name);
	return pool;
}

void *mem_alloc(const void *context, size_t size)
{
	return or_die(talloc_zero_size(context, size));
}

void *mem_realloc(const void *context, void *old, size_t size)
{
	/* talloc takes size 0 as a request to free, and returns NULL. */
	return or_die(talloc_realloc_size(context, old, size > 0 ? size : 1));
}

char *mem_strdup(const void *context, const char *text)
{
	assert(text != NULL);
	return or_die(talloc_strdup(context, text));
}

char *mem_strndup(const void *context, const char *text, size_t size)
{
	assert(text != NULL || size == 0);
	return or_die(talloc_strndup(context, text != NULL ? text : "", size));
}

void *mem_memdup(const void *context, const void *data, size_t size)
{
	void *copy = or_die(talloc_size(context, size));

	assert(data != NULL || size == 0);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *mem_printf(const void *context, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = talloc_vasprintf(context, format, arguments);
	va_end(arguments);
	return or_die(text);
}

char *mem_append(char *text, const char *format, ...)
{
	va_list arguments;

	assert(text != NULL);
	va_start(arguments, format);
	text = talloc_vasprintf_append(text, format, arguments);
	va_end(arguments);
	return or_die(text);
}

void mem_free(void *object)
{
	/* talloc_free reports NULL as an error; the result says nothing else that we could use. */
	if (object != NULL)
		talloc_free(object);
}
