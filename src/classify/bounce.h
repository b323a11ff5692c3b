/*
 * bounce.h: what a message says: its kind, whom it concerns, who reports, what comes back of the
 * original. The result of classify.h; the input of weigh/.
 */
#ifndef BACKSTOP_CLASSIFY_BOUNCE_H
#define BACKSTOP_CLASSIFY_BOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/words.h"
#include "read/mail.h"

#define RECIPIENT_COUNT_MAX 1000

/* Whether trying again can help; unknown is for what is neither said nor implied. */
enum permanence { PERMANENCE_UNKNOWN = 0, PERMANENCE_TEMPORARY, PERMANENCE_PERMANENT };

/* One recipient of a report. Strings are clean UTF-8; NULL when not given. */
struct recipient {
	const char *address;	/* the one that was mailed: Original-Recipient if there is one */
	const char *final;	/* the one that failed in the end */
	const char *action;	/* "failed", "delayed", "delivered", "relayed", "expanded" */
	const char *status;	/* enhanced status code, RFC 3463 */
	const char *reply;	/* SMTP reply code, three digits */
	const char *remote_mta; /* the server that refused, by name or address */
	const char *diagnostic;
	const char *said; /* all that the report says of him, of which diagnostic is a part; NULL:
			     that is all */
	enum reason reason;
	const char *reason_by; /* the rule that gave it, or the code of the row; NULL: neither */
	const char *detail_by; /* the rule of details.rules that took something last, or NULL */
	enum permanence permanence;
};

struct reporter {
	const char *mta;     /* Reporting-MTA */
	const char *address; /* the client that brought the report, as text */
	const char *helo;
	const char *name; /* its name by reverse DNS */
};

/* What came back of the original message. */
struct original {
	bool is_returned;
	struct headers headers; /* empty when nothing came back */
	bool is_part;		/* they came as a part of their own, not quoted in a text */
	const char
		*message_id; /* with brackets; also from the report part where no header has it */
	const char *from;    /* normalised address */
	const char *return_path; /* "" is null */
	const char *to;
	const char *subject;
	const char *date;
};

struct rule;

struct bounce {
	enum kind kind;
	const char *dialect;	 /* "rfc3464", "arf", "mdn", the name of a rule, or NULL */
	const struct rule *rule; /* the dialect or kind of rules/ that won; NULL: none did */
	bool has_status_part;	 /* it was read from a delivery-status part */
	const struct recipient *recipients;
	size_t recipient_count;
	struct recipient
		nameless; /* what a report part says of one whose address it does not give */
	struct reporter reporter;
	struct original original;
	const char *words;	     /* of the report, up to the original; NULL: not read */
	const char *envelope_id;     /* Original-Envelope-Id */
	const char *original_sender; /* X-Postfix-Sender */
	char **message_ids;	     /* that the report gives for the original outside the returned
					headers: X-Original-Message-ID, In-Reply-To, References */
	size_t message_id_count;
};

#endif
