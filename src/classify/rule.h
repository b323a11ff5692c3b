/* clang-format off */
/*
 * rule.h: the rules of rules/ that say how mail software writes: dialects, kinds, reasons and
 * details. Text, in one syntax that a postmaster can read and extend (README, "Adding a rule").
 *
 *   dialect NAME                  a family of mail servers
 *   kind WORD [NAME]              what marks an automatic reply, a challenge...
 *   reason WORD NAME              what says why a recipient failed
 *   detail NAME                   where a text names server and codes, whichever family wrote it
 *   	literal   "WORDS" | "..."  one of them must be there, before anything dearer is tried
 *   	body      PATTERN          further conditions, each must hold; "not body" must not
 *   	opening   PATTERN          the same in the first words (RULE_OPENING_MAX bytes) of the body,
 *   	                           lines left out that quote with one > in front, up to the original
 *   	subject   PATTERN
 *   	from      PATTERN
 *   	header    NAME[|NAME] PATTERN  one field of one of these names fits
 *   	returned  NAME[|NAME] PATTERN  the same in the header of a message that came back
 *   	part      PATTERN          the MIME type of one of its parts, outside of what came back
 *   	sender    null             the envelope sender is known and null
 *   	author    daemon           From is a mailer daemon; or: author postmaster, author person
 *   	answer                     a null sender, In-Reply-To or References: it answers a message
 *   	distributed                a list handed it round (List-Id, List-Post, List-Unsubscribe...)
 *   	early                      a kind that is asked before the dialects, which it may quote
 *   	off                        of a rules-dir, alone: the rule of this name is not asked
 *   	address   /(?<address>..)/ where the recipients stand; the first line that finds one wins
 *   	original  PATTERN          the line that announces the returned original
 *   	delayed   PATTERN          it is only a delay; "not delayed": it is none, whatever else
 *   	                           says so
 *   	sample                     the lines below it, further to the right: what this rule must win
 *   	expect    failed ann@example.net userunknown
 *   	sample                     ... and so on; each has an expect of its own
 *
 * Each rule has a literal: its literal line, quoted words, a regex of which each alternative has
 * three plain bytes in a row or a letter beyond ASCII, or the name of a header field that not every
 * message has. So what costs more is tried only where it can fit (rule_fault.h).
 *
 * In a dialect or a detail, what is said of one recipient is searched for:
 *   	diagnostic /(?<diagnostic>..)/   what the refusing server said; else all of it
 *   	remote    /(?<remote>..)/        the server that refused
 *   	status    /(?<status>..)/        its enhanced status code; else the first that stands there
 *   	reply     /(?<reply>..)/         its reply code; else likewise
 * One pattern may have several of these groups; the line's own must be among them.
 *
 * A reason is asked about one recipient. Of its body lines one must fit, not each: they are one
 * list of phrases. A reply of several lines is one text, with its code in front only; hosts' names
 * in "host mx.example.net[192.0.2.25]" and the recipient's address are left out (reply_text.h). Its
 * literal, body and dialect lines, and these, are all that it has:
 *   	report    PATTERN          what the report says around the diagnostic
 *   	status, reply, remote PATTERN   the codes and the refusing server, as they were found
 *   	dialect   PATTERN          the family that wrote the report
 * Its sample is a diagnostic; lines in it that begin with "Status:", "Reply:", "Remote:", "Dialect:"
 * or "Report:" give the rest. "expect userunknown permanent": or temporary, or unknown.
 *
 * PATTERN is "words" (found anywhere, case folded) or /regex/ (PCRE2: caseless, multi-line, UTF, letters of any script are \w),
 * or several with | between, of which one must fit. A regex is compiled when it is first needed.
 * Any condition can have "not" in front. A group "address" in the pattern of a header, returned,
 * subject or from line names a recipient too. A group "local" is one without a domain: the author's
 * is his. Of the kinds, two are exceptions: where "kind ordinary" fits, the message is ordinary and
 * nobody else is asked; where "kind failed" fits, the rules of generic.rules are asked before the
 * kinds below it.
 */
/* clang-format on */
#ifndef BACKSTOP_CLASSIFY_RULE_H
#define BACKSTOP_CLASSIFY_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/words.h"
#include "classify/haystack.h"

#define RULE_LINES_MAX 16	 /* conditions, addresses... of one rule */
#define RULE_ALTERNATIVES_MAX 64 /* patterns of one line */
#define RULE_OPENING_MAX 600	 /* bytes of the body that are its opening */

enum rule_type { RULE_DIALECT = 0, RULE_KIND, RULE_REASON, RULE_DETAIL, RULE_TYPE_COUNT };

enum rule_part {
	RULE_LITERAL = 0,
	RULE_BODY,
	RULE_SUBJECT,
	RULE_FROM,
	RULE_HEADER,
	RULE_ADDRESS,
	RULE_ORIGINAL,
	RULE_DELAYED,
	RULE_REPORT, /* RULE_REASON: what the report says of the recipient */
	RULE_STATUS,
	RULE_REPLY,
	RULE_REMOTE, /* the server that refused */
	RULE_DIAGNOSTIC,
	RULE_WRITER, /* the dialect in which the report is written */
	RULE_OPENING,
	RULE_RETURNED,
	RULE_MIME_TYPE,
	RULE_SENDER_NULL, /* this and the following: facts, without a pattern */
	RULE_AUTHOR_DAEMON,
	RULE_AUTHOR_POSTMASTER,
	RULE_AUTHOR_PERSON,
	RULE_ANSWER,
	RULE_DISTRIBUTED,
	RULE_EARLY,
	RULE_PART_COUNT
};

struct pattern; /* a literal or a regex */

/* One line of a rule. */
struct rule_line {
	enum rule_part part;
	bool is_not;
	unsigned short below;	    /* lines below the one where the rule begins */
	const char *const *headers; /* RULE_HEADER, RULE_RETURNED: names, NULL at the end */
	struct pattern *patterns;
	size_t pattern_count;
};

struct rule {
	enum rule_type type;
	const char *name; /* its own; of a kind without one, the kind's word */
	enum kind kind;	  /* RULE_KIND; RULE_DIALECT: KIND_FAILED */
	enum reason reason;
	const char *file;
	int line; /* where it begins */
	struct rule_line lines[RULE_LINES_MAX];
	size_t line_count;
	bool is_off; /* the rule of its name is not to be asked */
	const char
		*samples; /* a slice of the file that has them, and what is expected; NULL: none */
	size_t samples_size;
	int samples_line; /* where it begins */
};

/* A text that a rule must win. */
struct rule_sample {
	const char *text;   /* without the white space in front of its lines */
	const char *expect; /* NULL: not said */
	int line;
};

struct rules {
	const struct rule *items;
	size_t count;
};

/* Parses one file's text, which must live as long as the rules. error_out: "FILE:LINE: what is
 * wrong; what would be right", on context. */
enum status rules_parse(const void *context, const char *file, const char *text,
	struct rules *rules_out, const char **error_out);

/* "dialect", "kind", "reason", "detail"; "literal", "body"... Static. */
const char *rule_type_name(enum rule_type type);
const char *rule_part_name(enum rule_part part);

/* The first line of that part from line *index on, which moves behind it; NULL when there is none.
 */
const struct rule_line *rule_next_line(const struct rule *rule, enum rule_part part, size_t *index);

/* The samples, on context; returns their number. */
size_t rule_read_samples(
	const void *context, const struct rule *rule, struct rule_sample **samples_out);

/* Pattern number index of a line: its text, or NULL when it is a regex. */
const char *rule_line_words(const struct rule_line *line, size_t index);

/* What a rule can take out of the text of a recipient. */
enum rule_group { GROUP_DIAGNOSTIC = 0, GROUP_REMOTE, GROUP_STATUS, GROUP_REPLY, GROUP_COUNT };

/* A piece of text and where it lies in what was searched. */
struct match {
	size_t start, end; /* of the whole match */
	size_t address_start,
		address_end; /* of the group "address"; equal when it did not take part */
	bool is_local;	     /* it was the group "local": a user without a domain */
	struct {
		size_t start, end; /* equal when it did not take part */
	} groups[GROUP_COUNT];
};

/* Finds the first pattern of the line from offset on. */
bool rule_line_find(const struct rule_line *line, const struct haystack *haystack, size_t offset,
	struct match *match_out);

/* True when a pattern of the line is in the haystack. */
bool rule_line_fits(const struct rule_line *line, const struct haystack *haystack);

/* True when a regex of the line went on too long in some search of this process, which then counted
 * as one that finds nothing. */
bool rule_line_has_given_up(const struct rule_line *line);

/* What a diagnostic, remote, status or reply line of a dialect or a detail is for. */
enum rule_group rule_line_group(const struct rule_line *line);

/* True when one of the patterns is a regex that does not compile; or lacks the group that the line
 * takes out of the text: that of an address line, and, with is_taking, of those of rule_line_group.
 * error_out says which, on context. */
bool rule_line_is_broken(
	const void *context, const struct rule_line *line, bool is_taking, const char **error_out);

#endif
