/* budget.h: bounds on what GMime may spend on one message; internal to read/. */
#ifndef BACKSTOP_READ_BUDGET_H
#define BACKSTOP_READ_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#define BUDGET_FIELD_MAX 20000		 /* header fields of a message and all that is in it */
#define BUDGET_BLOCK_MAX 3000		 /* header blocks: places where a part could begin */
#define BUDGET_CONTENT_SIZE (256 * 1024) /* bytes of Content- fields */

/* What a message has cost so far, with all the messages inside it. */
struct budget {
	size_t parts; /* counted by part.c */
	size_t fields, blocks, content_size;
	bool is_exceeded; /* something was left out */
};

/* Prepares a copy of a message for GMime, in place and without a change of length: fields that only
 * header.c reads are renamed, and those in a row made one. Returns how many bytes GMime may see,
 * which is less than size where the budget is exceeded. */
size_t budget_apply(struct budget *budget, unsigned char *data, size_t size);

#endif
