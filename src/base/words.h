/*
 * words.h: the values that other programs read (DESIGN.md section 2): kinds, verdicts, actions,
 * reasons, and their spellings. The spellings never change; new values go before _COUNT.
 */
#ifndef BACKSTOP_BASE_WORDS_H
#define BACKSTOP_BASE_WORDS_H

#include <stdbool.h>

enum kind {
	KIND_ORDINARY = 0,
	KIND_FAILED,
	KIND_DELAYED,
	KIND_DELIVERED,
	KIND_AUTOREPLY,
	KIND_CHALLENGE,
	KIND_FEEDBACK,
	KIND_MDN,
	KIND_VIRUSNOTICE,
	KIND_COUNT
};

enum verdict {
	VERDICT_UNPROVEN = 0,
	VERDICT_GENUINE,
	VERDICT_BACKSCATTER,
	VERDICT_NONE, /* "-": feedback and ordinary mail are not judged */
	VERDICT_COUNT
};

enum action {
	ACTION_FORWARD = 0,
	ACTION_FILE,
	ACTION_PIPE,
	ACTION_DROP,
	ACTION_HOLD,
	ACTION_PASS,
	ACTION_COUNT
};

/* Why a recipient failed, in the names that bounce software has in common. */
enum reason {
	REASON_UNDEFINED = 0,
	REASON_USERUNKNOWN,
	REASON_HOSTUNKNOWN,
	REASON_MAILBOXFULL,
	REASON_EXPIRED,
	REASON_FILTERED,
	REASON_REJECTED,
	REASON_BLOCKED,
	REASON_SPAMDETECTED,
	REASON_VIRUSDETECTED,
	REASON_POLICYVIOLATION,
	REASON_AUTHFAILURE,
	REASON_BADREPUTATION,
	REASON_REQUIREPTR,
	REASON_MESGTOOBIG,
	REASON_EXCEEDLIMIT,
	REASON_NETWORKERROR,
	REASON_NORELAYING,
	REASON_NOTACCEPT,
	REASON_NOTCOMPLIANTRFC,
	REASON_ONHOLD,
	REASON_SECURITYERROR,
	REASON_SPEEDING,
	REASON_SUSPEND,
	REASON_SYNTAXERROR,
	REASON_SYSTEMERROR,
	REASON_SYSTEMFULL,
	REASON_TOOMANYCONN,
	REASON_CONTENTERROR,
	REASON_MAILERERROR,
	REASON_HASMOVED,
	REASON_FEEDBACK,
	REASON_VACATION,
	REASON_DELIVERED,
	REASON_COUNT
};

/* The spelling of a value; static, never NULL. */
const char *kind_name(enum kind kind);
const char *verdict_name(enum verdict verdict);
const char *action_name(enum action action);
const char *reason_name(enum reason reason);

/* The value of a spelling, case folded; false when it is none. */
bool kind_parse(const char *name, enum kind *kind_out);
bool verdict_parse(const char *name, enum verdict *verdict_out);
bool action_parse(const char *name, enum action *action_out);
bool reason_parse(const char *name, enum reason *reason_out);

/* True for reports on delivery: failed, delayed, delivered. */
bool kind_is_delivery_report(enum kind kind);

/* True for the kinds that get a verdict: every automatic answer, so all but feedback and
 * ordinary (DESIGN.md section 2). */
bool kind_is_judged(enum kind kind);

#endif
