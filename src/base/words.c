/*
 * words.c: the spellings of kinds, verdicts, actions and reasons, one table each.
 *
 * The compiler checks that each table ends with its enum's last value; test_words checks that no
 * row between is missing. A value outside its enum, which only a damaged record can hold, is
 * spelled "invalid" and is parsed by nobody.
 */
#include "base/words.h"

#include <stddef.h>

#include "base/text.h"

static const char *const kinds[] = {
	[KIND_ORDINARY] = "ordinary",
	[KIND_FAILED] = "failed",
	[KIND_DELAYED] = "delayed",
	[KIND_DELIVERED] = "delivered",
	[KIND_AUTOREPLY] = "autoreply",
	[KIND_CHALLENGE] = "challenge",
	[KIND_FEEDBACK] = "feedback",
	[KIND_MDN] = "mdn",
	[KIND_VIRUSNOTICE] = "virusnotice",
};

static const char *const verdicts[] = {
	[VERDICT_UNPROVEN] = "unproven",
	[VERDICT_GENUINE] = "genuine",
	[VERDICT_BACKSCATTER] = "backscatter",
	[VERDICT_NONE] = "-",
};

static const char *const actions[] = {
	[ACTION_FORWARD] = "forward",
	[ACTION_FILE] = "file",
	[ACTION_PIPE] = "pipe",
	[ACTION_DROP] = "drop",
	[ACTION_HOLD] = "hold",
	[ACTION_PASS] = "pass",
};

static const char *const reasons[] = {
	[REASON_UNDEFINED] = "undefined",
	[REASON_USERUNKNOWN] = "userunknown",
	[REASON_HOSTUNKNOWN] = "hostunknown",
	[REASON_MAILBOXFULL] = "mailboxfull",
	[REASON_EXPIRED] = "expired",
	[REASON_FILTERED] = "filtered",
	[REASON_REJECTED] = "rejected",
	[REASON_BLOCKED] = "blocked",
	[REASON_SPAMDETECTED] = "spamdetected",
	[REASON_VIRUSDETECTED] = "virusdetected",
	[REASON_POLICYVIOLATION] = "policyviolation",
	[REASON_AUTHFAILURE] = "authfailure",
	[REASON_BADREPUTATION] = "badreputation",
	[REASON_REQUIREPTR] = "requireptr",
	[REASON_MESGTOOBIG] = "mesgtoobig",
	[REASON_EXCEEDLIMIT] = "exceedlimit",
	[REASON_NETWORKERROR] = "networkerror",
	[REASON_NORELAYING] = "norelaying",
	[REASON_NOTACCEPT] = "notaccept",
	[REASON_NOTCOMPLIANTRFC] = "notcompliantrfc",
	[REASON_ONHOLD] = "onhold",
	[REASON_SECURITYERROR] = "securityerror",
	[REASON_SPEEDING] = "speeding",
	[REASON_SUSPEND] = "suspend",
	[REASON_SYNTAXERROR] = "syntaxerror",
	[REASON_SYSTEMERROR] = "systemerror",
	[REASON_SYSTEMFULL] = "systemfull",
	[REASON_TOOMANYCONN] = "toomanyconn",
	[REASON_CONTENTERROR] = "contenterror",
	[REASON_MAILERERROR] = "mailererror",
	[REASON_HASMOVED] = "hasmoved",
	[REASON_FEEDBACK] = "feedback",
	[REASON_VACATION] = "vacation",
	[REASON_DELIVERED] = "delivered",
};

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

_Static_assert(LENGTH(kinds) == KIND_COUNT, "a kind has no spelling");
_Static_assert(LENGTH(verdicts) == VERDICT_COUNT, "a verdict has no spelling");
_Static_assert(LENGTH(actions) == ACTION_COUNT, "an action has no spelling");
_Static_assert(LENGTH(reasons) == REASON_COUNT, "a reason has no spelling");

static const char *spell(const char *const *table, size_t count, size_t value)
{
	return value < count ? table[value] : "invalid";
}

/* The row of name, or count. */
static size_t look_up(const char *const *table, size_t count, const char *name)
{
	size_t row = 0;

	while (row < count && !text_equal_fold(table[row], name))
		row++;
	return row;
}

const char *kind_name(enum kind kind)
{
	return spell(kinds, KIND_COUNT, (size_t)kind);
}

const char *verdict_name(enum verdict verdict)
{
	return spell(verdicts, VERDICT_COUNT, (size_t)verdict);
}

const char *action_name(enum action action)
{
	return spell(actions, ACTION_COUNT, (size_t)action);
}

const char *reason_name(enum reason reason)
{
	return spell(reasons, REASON_COUNT, (size_t)reason);
}

bool kind_parse(const char *name, enum kind *kind_out)
{
	size_t row = look_up(kinds, KIND_COUNT, name);

	if (row == KIND_COUNT)
		return false;
	*kind_out = (enum kind)row;
	return true;
}

bool verdict_parse(const char *name, enum verdict *verdict_out)
{
	size_t row = look_up(verdicts, VERDICT_COUNT, name);

	if (row == VERDICT_COUNT)
		return false;
	*verdict_out = (enum verdict)row;
	return true;
}

bool action_parse(const char *name, enum action *action_out)
{
	size_t row = look_up(actions, ACTION_COUNT, name);

	if (row == ACTION_COUNT)
		return false;
	*action_out = (enum action)row;
	return true;
}

bool reason_parse(const char *name, enum reason *reason_out)
{
	size_t row = look_up(reasons, REASON_COUNT, name);

	if (row == REASON_COUNT)
		return false;
	*reason_out = (enum reason)row;
	return true;
}

bool kind_is_judged(enum kind kind)
{
	return kind != KIND_FEEDBACK && kind != KIND_ORDINARY;
}

bool kind_is_delivery_report(enum kind kind)
{
	return kind == KIND_FAILED || kind == KIND_DELAYED || kind == KIND_DELIVERED;
}
