/*
 * memory.h: talloc, with one rule added: an allocation never returns NULL. When memory is out the
 * process aborts, as GLib does, and guard.h turns that into exit 75: the mail server keeps the
 * message. So callers do not test for NULL.
 *
 * A context is a `void *` from mem_context() or any other result of this file; what hangs on it is
 * freed with it (talloc_free). One context a message holds everything that is derived from it.
 */
#ifndef BACKSTOP_BASE_MEMORY_H
#define BACKSTOP_BASE_MEMORY_H

#include <stddef.h>
#include <talloc.h>

/* A new context below parent (NULL: at the top). Free with mem_free. */
void *mem_context(const void *parent, const char *name);

/* The same with room for about size bytes allocated at once: for a context that gets many small
 * things, such as a message's. More than size is fine, and slower. */
void *mem_pool(const void *parent, const char *name, size_t size);

/* size zeroed bytes. */
void *mem_alloc(const void *context, size_t size);

/* Grows or shrinks; old may be NULL. New bytes are not zeroed. */
void *mem_realloc(const void *context, void *old, size_t size);

char *mem_strdup(const void *context, const char *text);
char *mem_strndup(const void *context, const char *text, size_t size);
void *mem_memdup(const void *context, const void *data, size_t size);
char *mem_printf(const void *context, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends to a string that mem_* returned; use the result in place of text. */
char *mem_append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees the object and all that hangs on it; NULL is fine. */
void mem_free(void *object);

#define mem_new(context, type) ((type *)mem_alloc((context), sizeof(type)))
#define mem_new_array(context, type, count)                                                        \
	((type *)mem_alloc((context), sizeof(type) * ((count) ? (count) : 1)))

#endif
