/* reply_text.h: replies of several lines (RFC 5321 section 4.2.1), "550-5.7.1 One\n550 5.7.1 two",
 * as one text: the codes that the later lines repeat stand in the middle of sentences. */
#ifndef BACKSTOP_CLASSIFY_REPLY_TEXT_H
#define BACKSTOP_CLASSIFY_REPLY_TEXT_H

/* A copy of text in which a reply of several lines has its codes, and the "<<<" of a transcript,
 * only in front of its first line; text itself where there is no such reply. NULL gives NULL. */
const char *reply_text_join(const void *context, const char *text);

/* A diagnostic that is the first line of such a reply (sendmail's field has no more), with the
 * lines that follow it in around, which has been joined; else the diagnostic itself. */
const char *reply_text_complete(const void *context, const char *diagnostic, const char *around);

/* The text without names that are no words of it: the hosts that a reporter names ("host
 * antispam.example.net[192.0.2.25] said"), and the recipient's address (NULL: none). */
const char *reply_text_hide_names(const void *context, const char *text, const char *address);

#endif
