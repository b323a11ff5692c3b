/*
 * tag.h: signed bounce addresses (DESIGN.md section 5, "Tags are ours").
 *
 *   MAILBOX "+" TOKEN [ "=" PAYLOAD ] "@" DOMAIN
 *   TOKEN   = FORM KEY DAY MAC, 22 characters of lower-case base32
 *   FORM    = "s" for the sender alone, "r" recipient in the payload as user=domain,
 *             "i" recipient by its opaque id in the payload
 *   KEY     = one character, the key's number 0 to 31
 *   DAY     = four characters, the full day number (days since 1970-01-01) of signing
 *   MAC     = 16 characters: the first 80 bits of HMAC-SHA-256(key,
 *             FORM KEY DAY "\0" mailbox@domain [ "\0" recipient ])
 *
 * All in lower case before signing, so that a host that folds case breaks nothing. The mailbox is
 * what stands in front of the last "+TOKEN". Other delimiters are read as well, whichever is
 * configured for making: a site may change its own, and some write '-' for it. The local part never
 * exceeds 64 octets (RFC 5321 section 4.5.3.1.1).
 */
#ifndef BACKSTOP_BASE_TAG_H
#define BACKSTOP_BASE_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define TAG_DELIMITERS "+-=_.#" /* what stands in front of a tag, at one site or another */
#define TAG_KEY_SIZE 32
#define TAG_KEYS_MAX 32
#define TAG_ID_LENGTH 12 /* base32 characters of an opaque recipient id: 60 bits */

struct tag_key {
	unsigned id; /* 0 to 31 */
	int64_t created_s;
	unsigned char secret[TAG_KEY_SIZE];
};

struct tag_keys {
	const char *path;
	char delimiter;	   /* for tag_make; 0 is '+' */
	int64_t changed_s; /* the file, by another hand than tag_keys_add; 0: not known */
	size_t count;
	struct tag_key items[TAG_KEYS_MAX];
};

enum tag_result {
	TAG_ABSENT = 0, /* the address has no tag of our form */
	TAG_VALID,
	TAG_EXPIRED,   /* the signature is right, the day too long ago, or after tomorrow */
	TAG_BAD,       /* the form is ours, the signature is not */
	TAG_NO_KEY,    /* signed with a key that the file does not have, or not any more: also when
			  the day of signing is not after that on which the key of this number was
			  made, or the file changed, for then it may be another's that had this
			  number */
	TAG_UNRESOLVED /* opaque id, and nobody said which recipient it stands for */
};

/* What an address says; found without any key. Strings on the context given to tag_parse. */
struct tag {
	bool is_present;
	char form; /* 's', 'r', 'i' */
	unsigned key;
	int64_t day;	       /* of signing */
	const char *mailbox;   /* the untagged address, mailbox@domain, lower case */
	const char *recipient; /* form 'r': the address in the payload; else NULL */
	const char *id;	       /* form 'i': the opaque id; else NULL */
	const char *mac;
};

/* Reads a key file: one key a line, "ID CREATED SECRET" (number, ISO day, 64 hex digits), '#'
 * comments. Refuses with STATUS_PERMISSION a file that others may read (mode & 077 other than group
 * read), a symbolic link, and, unless we are root, the file of another user than us or root.
 * STATUS_DATA names the line. error_out: a sentence for the user, on context, that shows no secret;
 * NULL when all is well. */
enum status tag_keys_read(
	const void *context, const char *path, struct tag_keys **keys_out, const char **error_out);

/* What tag_keys_add did. */
struct tag_keys_change {
	int64_t lifetime_s; /* in: how long tags live; 0: not known, then all keys stay */
	unsigned id;	    /* out: the number of the new key */
	size_t removed;	    /* out: keys that went, because all their tags have expired */
};

/* Adds a new random key to the file, creating it with mode 0640 (atomic replace). The others stay,
 * and every byte, the owner, the mode and the time of the last change as they were; but a key whose
 * tags have all expired, a week ago or more, goes: tags are signed with the newest, so a key's last
 * day is that of its successor. A file that is made anew begins at a random number. STATUS_NO_SPACE
 * when all 32 numbers are taken. */
enum status tag_keys_add(const void *context, const char *path, int64_t now,
	struct tag_keys_change *change, const char **error_out);

/* The tagged form of mailbox (normalised), signed with the newest key. recipient NULL: sender form.
 * Falls back from the recipient in the payload to its opaque id where 64 octets do not suffice, or
 * the recipient has characters that some mailer minds; then *id_out (may be NULL) is that id, which
 * the ledger must remember, else NULL. NULL when not even that fits (a mailbox of more than 28
 * octets, 41 for the sender form), when an address is none, or there is no key. */
char *tag_make(const void *context, const struct tag_keys *keys, const char *mailbox,
	const char *recipient, int64_t now, const char **id_out);

/* Takes an address apart. False, and is_present false, when no tag of our form is in it. */
bool tag_parse(const void *context, const char *address, struct tag *tag_out);

/* Checks a parsed tag. resolved: the address behind an opaque id, from the ledger, or NULL. Valid
 * on the day of signing, for lifetime_s in full days after it, and one day before it (a signing
 * host whose clock is ahead). keys NULL: none. */
enum tag_result tag_check(const struct tag_keys *keys, const struct tag *tag, const char *resolved,
	int64_t lifetime_s, int64_t now);

/* The opaque id of a recipient: TAG_ID_LENGTH characters and a NUL. */
void tag_recipient_id(const char *recipient, char *id_out);

const char *tag_result_name(enum tag_result result);

#endif
