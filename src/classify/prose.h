/*
 * prose.h: what a report says in words: the text of a message as a person would read it, without
 * the returned original. Most bounces that are not RFC 3464 are nothing else.
 */
#ifndef BACKSTOP_CLASSIFY_PROSE_H
#define BACKSTOP_CLASSIFY_PROSE_H

#include "read/mail.h"

#define PROSE_MAX (64 * 1024) /* bytes of it that are read */

/* The text parts outside of messages that came back, one behind the other, up to the first of
 * those: plain text where there is any that says something, else HTML without its tags; no footer
 * that stands in a part of its own. Valid UTF-8, LF line ends, no NUL or other controls, runs of
 * blanks as one, none at the end of a line; never NULL. On context. */
char *prose_read(const void *context, const struct mail *mail);

/* Where in the prose a run of header fields begins as only a returned original has it: several in a
 * row, a trace field among them. 0 when there is none behind some words. */
size_t prose_find_fields(const char *prose, size_t size);

/* The same for the header of a bounce that was passed on: a daemon's From or a null Return-Path. */
size_t prose_find_bounce(const char *prose, size_t size);

#endif
