/*
 * status_part.h: the groups of fields of a delivery-status part (RFC 3464 section 2.1), and of the
 * parts that are written like it (feedback-report, disposition-notification).
 */
#ifndef BACKSTOP_CLASSIFY_STATUS_PART_H
#define BACKSTOP_CLASSIFY_STATUS_PART_H

#include "read/mail.h"

/* The first part of one of the types (NULL-terminated list) that is not inside a returned message,
 * or NULL. */
const struct part *status_part_find(const struct mail *mail, const char *const *types);

/* The next group of fields at *offset of a part's content, which moves behind it; false at the end.
 * Empty lines and lines that are no fields are passed over. */
bool status_part_next_group(
	const void *context, struct bytes content, size_t *offset, struct headers *group_out);

/* The address of an address-type field, "rfc822; ann@example.net", normalised: the type may be
 * missing, utf-8 addresses (RFC 6533 section 3) are decoded; NULL when it is none that mail can be
 * sent to. */
char *status_part_address(const void *context, const char *value);

/* The same of Original-Recipient: a '+' or '=' that is still encoded as it was in the SMTP command
 * (RFC 3461 section 4, "+2B" and "+3D") is decoded. */
char *status_part_original(const void *context, const char *value);

/* Content as its writer had it: without the blanks or '>' in front of each field, and without a
 * quoted-printable encoding that no header declares ("ann=40example.net"). On context, or content
 * itself. */
struct bytes status_part_tidy(const void *context, struct bytes content);

/* What stands behind "type;" of a typed field (Reporting-MTA, Diagnostic-Code), clean, at most
 * limit bytes; NULL for NULL or nothing. */
char *status_part_typed(const void *context, const char *value, size_t limit);

#endif
