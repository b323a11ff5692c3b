/* search.h: one search for recipients in the words of a report; internal to dialect.c, search.c and
 * search_list.c. */
#ifndef BACKSTOP_CLASSIFY_SEARCH_H
#define BACKSTOP_CLASSIFY_SEARCH_H

#include "classify/bounce.h"
#include "classify/rule.h"

/* Where in the words the match of a recipient began and ended. */
struct place {
	size_t start, end;
};

/* One search for recipients in the words of a report. */
struct search {
	const void *context;
	const struct mail *mail;
	struct haystack words;		/* up to the returned original */
	const char *author, *addressee; /* as in evidence_text */
	bool is_generic;
	bool is_any;	   /* nothing is said of the addresses that are looked for */
	bool is_self;	   /* somebody who wrote to himself, and failed, may be addressed */
	bool has_waiting;  /* some failed, and others still wait, who are left out */
	bool has_original; /* the two that follow were looked for; NULL: not there */
	const char *original_id, *original_sender;
	struct recipient *recipients;
	struct place *places; /* of each recipient */
	size_t count, room;
};

/* Adds an address, unless it is none, is there already or, in a generic search, that of somebody
 * who has to do with the report without having failed. match says where it stands. */
void search_add_address(struct search *search, const char *text, const struct match *match);

/* Adds what a match in where found: several addresses with commas or blanks between, perhaps. */
void search_add_match(struct search *search, const char *where, const struct match *match);

/* True when the line says, or what stands in front of start, that there is the address of who wrote
 * or can be asked. */
bool search_is_author(const char *text, size_t start);

/* True when the report came to announce-bounces@, announce+...@ or owner-announce@ of announce@. */
bool search_is_list_of(const char *report_to, const char *address);

/* What a generic rule found, with the others of the same list, and without those that a summary of
 * the original names or that the report says were reached, unless that leaves nobody. */
void search_complete(struct search *search);

/* Adds those of the addresses in the words that can have failed, two at most. */
void search_add_any(struct search *search);

/* Of two that were found: all of the list that they are in, or nobody. */
void search_keep_list(struct search *search);

#endif
