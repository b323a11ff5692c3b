/* charset.h: which charset bytes are in that do not say it, or say it wrongly; internal to read/.
 */
#ifndef BACKSTOP_READ_CHARSET_H
#define BACKSTOP_READ_CHARSET_H

#include <stdbool.h>

#include "base/bytes.h"

/* A name that iconv knows, or NULL when the text is ASCII or UTF-8, or nothing fits it. */
const char *charset_guess(struct bytes text);

#endif
