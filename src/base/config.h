/*
 * config.h: the configuration file (DESIGN.md section 4), read once, immutable after.
 *
 * Every setting is a row in config_rows.c: name, type, default, check. Addresses and domains are
 * normalised here, once; times are seconds, sizes bytes.
 */
#ifndef BACKSTOP_BASE_CONFIG_H
#define BACKSTOP_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/netaddr.h"
#include "base/privacy.h"
#include "base/status.h"
#include "base/words.h"

#define CONFIG_DEFAULT_PATH "/etc/backstop/backstop.conf"

enum mode {
	MODE_OBSERVE = 0, /* nothing is dropped or held; the report says what would have been */
	MODE_ENFORCE
};

/* How much of a domain's mail has a property (tagged, signed). */
enum share { SHARE_NONE = 0, SHARE_SOME, SHARE_ALL };

/* How much of a domain's mail is in the ledger. */
enum sent_log { SENT_LOG_NONE = 0, SENT_LOG_PARTIAL, SENT_LOG_COMPLETE };

enum tag_form { TAG_FORM_RECIPIENT = 0, TAG_FORM_SENDER };

enum owner_sees { OWNER_SEES_SUMMARY = 0, OWNER_SEES_ORIGINAL };

/* What a list does with one verdict: an action and, for FILE and PIPE, its Maildir or command. */
struct target {
	enum action action;
	const char *argument; /* Maildir path or shell command; NULL for other actions */
};

/* A weight in place of the one that rules/weights.rules gives. */
struct weight_config {
	const char *check, *result;
	int decibans;
};

/* Where public keys of DKIM signatures are: "s1=/PATH", "s1@example.org=/PATH", "dns",
 * "dns@example.org". */
struct dkim_key_config {
	const char *selector; /* lower case; NULL: all of the domain's, in DNS */
	const char *domain;   /* that signs (d=), lower case; NULL: the section's own */
	const char *path;     /* NULL: DNS */
};

struct domain_config {
	const char *name; /* lower case */
	int line;
	const struct netblock *senders;
	size_t sender_count;
	const char *tag_keys;	 /* path, or NULL */
	const char *prvs_keys;	 /* path, or NULL */
	int64_t prvs_lifetime_s; /* prvs-lifetime, default 7d */
	char delimiter;		 /* in front of a tag; default '+' */
	enum share tagged;
	enum tag_form tag_form; /* tag-form = recipient | sender */
	int64_t tag_lifetime_s; /* tag-lifetime, default 14d */
	const struct dkim_key_config *dkim_keys;
	size_t dkim_key_count;
	enum share dkim_signed; /* signed = all | some | none */
	enum sent_log sent_log;
};

/* "20/hour". */
struct limit_config {
	int count; /* 0: there is no limit */
	int64_t period_s;
};

struct list_config {
	const char *address; /* normalised; the list's posting address */
	int line;
	const char *const *owners;
	size_t owner_count;
	const char *const *bounces; /* default: NAME-bounces@DOMAIN */
	size_t bounce_count;
	struct target genuine;	   /* default forward */
	struct target unproven;	   /* default forward */
	struct target backscatter; /* default drop */
	struct target autoreplies; /* genuine ones; default drop */
	struct target ordinary;	   /* what is no bounce at all, and complaints; default forward */
	struct limit_config owner_limit; /* owner-limit: reports sent one by one; default none */
	enum owner_sees owner_sees;
	const char *roster; /* path of the file of members, or NULL */
};

/* Section dns. */
struct dns_config {
	int line;		    /* 0: there is no section */
	bool is_off;		    /* use = no: nobody is asked, what needs DNS is unavailable */
	const char *const *servers; /* "ADDRESS", "ADDRESS:PORT"; none: those of the host */
	size_t server_count;
	int64_t timeout_s; /* of one question to one server; default 3s */
	int64_t budget_s;  /* of all questions of a message together; default 8s. At most half of
			      the deadline: what is done with the message takes time, too */
};

/* Section storm. */
struct storm_config {
	int line;		     /* 0: there is no section */
	bool is_off;		     /* use = no */
	int factor;		     /* above that many times what is usual; default 10 */
	struct limit_config minimum; /* what is usual at least; default 60/hour */
};

struct blocklist_config {
	const char *name; /* the zone, lower case */
	int line;
	int weight; /* decibans, -15 to 15; default 0 */
};

struct config {
	const char *path; /* NULL from config_none */
	enum mode mode;
	const char *state;	    /* directory; default /var/lib/backstop */
	int64_t keep_dropped_s;	    /* default 7d */
	uint64_t keep_dropped_size; /* default 1G */
	int64_t deadline_s;	    /* default 20s */
	int64_t sent_lifetime_s;    /* sent-lifetime, default 60d */
	enum privacy privacy;	    /* privacy = full | hash | none; default full */
	int64_t events_lifetime_s;  /* events-lifetime, default 30d */
	int64_t rollups_lifetime_s; /* rollups-lifetime, default 730d; never less than the events'
				     */
	int has_envelope_ids;	    /* envelope-id = message-id: 1 */
	const char *sendmail;	    /* default /usr/sbin/sendmail */
	const char *rules_dir;	    /* directory of further rules, or NULL */
	const char *log;	    /* syslog | stderr | absolute path; default syslog */
	const char *const *authserv_ids; /* of our own mail servers: their findings are believed */
	size_t authserv_id_count;
	const struct weight_config *weights;
	size_t weight_count;
	const struct domain_config *domains;
	size_t domain_count;
	const struct list_config *lists;
	size_t list_count;
	struct dns_config dns;
	struct storm_config storm;
	const struct blocklist_config *blocklists;
	size_t blocklist_count;
	const struct config_index *index; /* for config_find_domain and config_find_list */
};

/* One complaint about the file, ready to print: "PATH:LINE: what is wrong; what would be right". */
struct config_fault {
	int line;	 /* 0 when no line is known */
	bool is_warning; /* the file can be used all the same */
	const char *text;
};

struct config_faults {
	struct config_fault *items;
	size_t count;
};

#define CONFIG_SIZE_MAX (1024 * 1024) /* bytes of a file */
#define CONFIG_FAULTS_MAX 200	      /* faults that are told; more say the same */

/* Reads path. All faults are collected in faults_out, on context, in the order of their lines, not
 * only the first; a syntax error ends the reading, and what stands before it is still checked.
 * STATUS_OK when no fault is worse than a warning; config_out lives on context. STATUS_NO_INPUT
 * when the file cannot be read, STATUS_CONFIG when it is wrong; then *config_out is NULL. Not
 * thread-safe (libconfuse keeps its state in globals). */
enum status config_read(const void *context, const char *path, const struct config **config_out,
	struct config_faults *faults_out);

/* A section of the file, so that two readings of it can be compared: one setting a line, in the
 * order of the program's own table, without comments, layout and what is not set. */
struct config_text {
	const char *kind; /* "list", "domain"...; "settings" for those in front of the sections */
	const char *name; /* its title; "" without one */
	const char *text;
};

struct config_texts {
	struct config_text *items;
	size_t count;
	uid_t owner;	   /* of the file */
	int64_t written_s; /* its mtime */
};

/* Reads the file once more, for its text. items on context. STATUS_NO_INPUT, or STATUS_CONFIG when
 * it cannot be taken apart. */
enum status config_read_texts(
	const void *context, const char *path, struct config_texts *texts_out);

/* What holds where no file is: defaults, no domains, no lists. Observe mode. */
const struct config *config_none(const void *context);

/* The path to read: explicit (may be NULL), else $BACKSTOP_CONF, else CONFIG_DEFAULT_PATH. */
const char *config_path(const char *explicit_path);

/* The domain section for a domain name (case folded), or NULL. */
const struct domain_config *config_find_domain(const struct config *config, const char *name);

/* The domain section of an address, by its domain, else by that of what is wrapped in it (an SRS
 * address at another host); or NULL. */
const struct domain_config *config_find_domain_of(const struct config *config, const char *address);

/* The list that an address belongs to: its own address, one of its bounce addresses, or a tagged or
 * VERP form of either; also NAME-bounces, NAME-owner, NAME-request, NAME-admin, owner-NAME and
 * forms of these; each also with a tag of ours behind any delimiter, and inside what another
 * program wraps around it (base/wrapped.h). What is written in the file wins over a name made from
 * a list's, the whole address over a form, and of two forms the one with the longer base. NULL if
 * none. */
const struct list_config *config_find_list(const struct config *config, const char *address);

#endif
