/*
 * postfix_log.c: joins the lines of Postfix's log by queue id.
 *
 * In charge of what Postfix writes and of forgetting it again. Leaves to postfix_entry.c how a line
 * begins, and to sent.c where lines come from, whose mail is of interest, and the ledger.
 * Surprising: a deferred or bounced delivery counts as much as a sent one, since the bounce for it,
 * ours or another's, is still to come; and "error" (the transport for destinations that Postfix has
 * given up on for a while) counts as smtp does, since mail to a dead host may never show any other
 * line before it expires.
 *
 * Where a message came from is asked of origins.c as well: a content filter hands it in again from
 * this host. The first origin counts: a post of ours may come back while the last of it are still
 * being handed in.
 */
#include "cmd/postfix_log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/netaddr.h"
#include "cmd/origins.h"
#include "cmd/postfix_entry.h"

#define BUCKET_COUNT 65536 /* a power of two */
#define LINE_LENGTH_MAX (16 * 1024)
#define MESSAGE_ID_MAX 998

/* A message in the queue, in a chain of its bucket and in a list by age. */
struct message {
	struct message *chain;
	struct message *older;
	struct message *newer;
	char queue_id[POSTFIX_QUEUE_ID_MAX + 1];
	char instance[POSTFIX_INSTANCE_MAX + 1];
	const char *message_id;
	const char *sender;
	const char *client, *first_client;
	bool is_known, is_authenticated;
};

struct postfix_log {
	struct postfix_clock clock;
	size_t tracked_max;
	size_t tracked;
	struct message *oldest;
	struct message *newest;
	struct message *buckets[BUCKET_COUNT];
	struct origins *origins;
	void *scratch; /* what the caller was lent */
	char text[LINE_LENGTH_MAX + 1];
};

typedef enum postfix_line entry_reader(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out);

struct postfix_log *postfix_log_new(const void *context, int64_t now, size_t tracked_max)
{
	struct postfix_log *log = mem_new(context, struct postfix_log);

	log->clock.now = now;
	log->tracked_max = tracked_max > 0 ? tracked_max : 1;
	log->scratch = mem_context(log, "postfix_log line");
	log->origins = origins_new(log);
	return log;
}

void postfix_log_set_now(struct postfix_log *log, int64_t now)
{
	log->clock.now = now;
}

size_t postfix_log_tracked(const struct postfix_log *log)
{
	return log->tracked;
}

/* FNV-1a. Queue ids are our own server's: nobody picks them to collide. */
static struct message **find_bucket(struct postfix_log *log, const char *queue_id)
{
	uint32_t hash = 2166136261U;

	for (; *queue_id != '\0'; queue_id++)
		hash = (hash ^ (unsigned char)*queue_id) * 16777619U;
	return &log->buckets[hash % BUCKET_COUNT];
}

/* The message of that queue id, in this instance if there is one: a service may have a syslog_name
 * of its own, so that smtp and qmgr of one instance go by different names. */
static struct message *find_message(struct postfix_log *log, const struct postfix_entry *entry)
{
	struct message *any = NULL;

	for (struct message *at = *find_bucket(log, entry->queue_id); at != NULL; at = at->chain) {
		if (strcmp(at->queue_id, entry->queue_id) != 0)
			continue;
		if (strcmp(at->instance, entry->instance) == 0)
			return at;
		any = at;
	}
	return any;
}

static void forget(struct postfix_log *log, struct message *message)
{
	struct message **link = find_bucket(log, message->queue_id);

	while (*link != message)
		link = &(*link)->chain;
	*link = message->chain;
	*(message->older != NULL ? &message->older->newer : &log->oldest) = message->newer;
	*(message->newer != NULL ? &message->newer->older : &log->newest) = message->older;
	log->tracked--;
	mem_free(message);
}

static struct message *remember(struct postfix_log *log, const struct postfix_entry *entry)
{
	struct message **bucket = find_bucket(log, entry->queue_id);
	struct message *message = mem_new(log, struct message);

	strcpy(message->queue_id, entry->queue_id);
	strcpy(message->instance, entry->instance);
	message->chain = *bucket;
	*bucket = message;
	message->older = log->newest;
	*(log->newest != NULL ? &log->newest->newer : &log->oldest) = message;
	log->newest = message;
	if (++log->tracked > log->tracked_max)
		forget(log, log->oldest);
	return message;
}
/* Behind "key=<": the address up to '>', which is overwritten; *text moves behind it. A '>' in
 * quotes belongs to the address. NULL when it does not end. */
static char *read_address(char **text)
{
	char *start = *text;
	bool is_quoted = false;

	for (char *c = start; *c != '\0'; c++) {
		if (*c == '\\' && is_quoted && c[1] != '\0')
			c++;
		else if (*c == '"')
			is_quoted = !is_quoted;
		else if (*c == '>' && !is_quoted) {
			*c = '\0';
			*text = c + 1;
			return start;
		}
	}
	return NULL;
}

/* True, and the text moves behind it, when it starts with word. */
static bool skip_word(char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

/* Queue ids come back, the short ones within seconds: what this instance had under the id is over.
 */
static struct message *begin_message(struct postfix_log *log, const struct postfix_entry *entry)
{
	struct message *old = find_message(log, entry);

	if (old != NULL && strcmp(old->instance, entry->instance) == 0)
		forget(log, old);
	return remember(log, entry);
}

/* The address in "host[192.0.2.1], ..." */
static char *read_client(const void *context, const char *text)
{
	const char *limit = text + strcspn(text, " ,");
	const char *start = memrchr(text, '[', (size_t)(limit - text));
	const char *end = start == NULL ? NULL : memchr(start, ']', (size_t)(limit - start));

	return end == NULL ? mem_strdup(context, "unknown")
			   : mem_strndup(context, start + 1, (size_t)(end - start) - 1);
}

/* Behind the last ", key=", or NULL. */
static const char *find_field(const char *text, const char *key)
{
	const char *found = NULL;

	for (const char *at = strstr(text, key); at != NULL; at = strstr(at, key))
		found = at += strlen(key);
	return found;
}

/* ", orig_queue_id=3F2A91C0DE, orig_client=host[198.51.100.9]": a filter hands the message back in,
 * and tells by XFORWARD, which Postfix takes from hosts that it trusts, what it was before. */
static void read_forwarded(struct postfix_log *log, struct message *message, const char *text)
{
	const char *id = find_field(text, ", orig_queue_id=");
	const char *client = find_field(text, ", orig_client=");
	struct postfix_entry entry = {.time_s = 0};
	const struct message *before = NULL;

	strcpy(entry.instance, message->instance);
	if (id != NULL && strcspn(id, ",") <= POSTFIX_QUEUE_ID_MAX) {
		memcpy(entry.queue_id, id, strcspn(id, ","));
		before = find_message(log, &entry);
	}
	if (before != NULL && before != message && before->is_known) {
		message->is_authenticated |= before->is_authenticated;
		client = before->first_client != NULL ? before->first_client : before->client;
		message->first_client = before->is_authenticated || client == NULL
						? NULL
						: mem_strdup(message, client);
	} else if (client != NULL) {
		message->first_client = read_client(message, client);
	}
}

/* "client=host[192.0.2.1], sasl_method=PLAIN, sasl_username=ann" */
static enum postfix_line read_smtpd(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out)
{
	char *text = entry->text;
	struct message *message;

	(void)sent_out;
	if (!skip_word(&text, "client="))
		return POSTFIX_LINE_OTHER;
	message = begin_message(log, entry);
	message->is_known = true;
	message->is_authenticated = strstr(text, ", sasl_username=") != NULL;
	message->client = read_client(message, text);
	read_forwarded(log, message, text);
	return POSTFIX_LINE_OTHER;
}

/* "uid=0 from=<root>": made on this host. */
static enum postfix_line read_pickup(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out)
{
	char *text = entry->text;

	(void)sent_out;
	if (skip_word(&text, "uid="))
		begin_message(log, entry)->is_known = true;
	return POSTFIX_LINE_OTHER;
}

static enum postfix_line read_cleanup(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out)
{
	char *text = entry->text;
	struct message *message;
	size_t length;

	(void)sent_out;
	if (!skip_word(&text, "message-id="))
		return POSTFIX_LINE_OTHER;
	/* Begun by smtpd or pickup, or else without them, as a forwarded message is. */
	message = find_message(log, entry);
	if (message == NULL || message->message_id != NULL || message->sender != NULL)
		message = begin_message(log, entry);
	text += strspn(text, " ");
	length = strlen(text);
	while (length > 0 && text[length - 1] == ' ')
		length--;
	if (length > 0 && length <= MESSAGE_ID_MAX && !(length == 2 && strncmp(text, "<>", 2) == 0))
		message->message_id = mem_strndup(message, text, length);
	return POSTFIX_LINE_OTHER;
}

static void set_sender(struct message *message, const char *sender)
{
	mem_free((void *)message->sender);
	message->sender = address_is_null_sender(sender) ? mem_strdup(message, "")
							 : address_normalise(message, sender);
}

/* Looks up where the message came from first, or notes where it comes from. */
static void trace_origin(struct postfix_log *log, struct message *message)
{
	const char *client =
		message->first_client != NULL ? message->first_client : message->client;
	struct origin own = {.is_here = message->is_authenticated || client == NULL};
	bool is_known = message->is_known && (own.is_here || netaddr_parse(client, &own.client));
	const struct origin *first;
	char text[NETADDR_TEXT_MAX];

	if (message->message_id == NULL || message->sender == NULL || *message->sender == '\0')
		return;
	first = origins_find_or_note(
		log->origins, message->message_id, message->sender, is_known ? &own : NULL);
	if (first == NULL || first->is_here || message->first_client != NULL)
		return;
	netaddr_format(&first->client, text);
	message->first_client = mem_strdup(message, text);
}

static enum postfix_line read_queue(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out)
{
	struct message *message = find_message(log, entry);
	char *text = entry->text;
	const char *sender;

	(void)sent_out;
	if (message != NULL && strcmp(text, "removed") == 0)
		forget(log, message);
	else if (message != NULL && skip_word(&text, "from=<") &&
		 (sender = read_address(&text)) != NULL) {
		set_sender(message, sender);
		trace_origin(log, message);
	}
	return POSTFIX_LINE_OTHER;
}

/* Address probes have other words here (deliverable, undeliverable): nothing was sent. A line that
 * was cut in front of it may be about anything. */
static enum postfix_line find_kind(const char *text)
{
	static const char *const words[] = {"sent ", "deferred ", "bounced ", "SOFTBOUNCE "};
	const char *status = strstr(text, ", status=");

	if (status == NULL)
		return POSTFIX_LINE_UNJOINED;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strncmp(status + strlen(", status="), words[i], strlen(words[i])) == 0)
			return POSTFIX_LINE_SENT;
	}
	return POSTFIX_LINE_OTHER;
}

/* A recipient that cannot be read is none, and what was sent counts: else a bounce of it would be
 * of a message that we never sent. */
static enum postfix_line read_delivery(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out)
{
	char *text = entry->text;
	const char *recipient, *original = NULL;
	const struct message *message;
	enum postfix_line kind;

	if (!skip_word(&text, "to=<"))
		return POSTFIX_LINE_OTHER;
	recipient = read_address(&text);
	if (recipient != NULL && skip_word(&text, ", orig_to=<"))
		original = read_address(&text);
	kind = find_kind(text);
	if (kind != POSTFIX_LINE_SENT)
		return kind;
	message = find_message(log, entry);
	if (message == NULL || message->sender == NULL)
		return POSTFIX_LINE_UNJOINED;
	*sent_out = (struct postfix_sent){
		.time_s = sent_out->time_s,
		.message_id = message->message_id,
		.sender = message->sender,
		.recipient = address_normalise(log->scratch, recipient),
		.original_recipient = address_normalise(log->scratch, original),
		.client = message->client,
		.is_known = message->is_known,
		.is_authenticated = message->is_authenticated,
		.first_client = message->first_client,
	};
	return POSTFIX_LINE_SENT;
}

static enum postfix_line read_local(
	struct postfix_log *log, const struct postfix_entry *entry, struct postfix_sent *sent_out)
{
	enum postfix_line kind = read_delivery(log, entry, sent_out);

	if (kind == POSTFIX_LINE_SENT)
		sent_out->is_local = true;
	/* Most of it comes from elsewhere: that one cannot be joined says nothing of what we sent.
	 */
	return kind == POSTFIX_LINE_UNJOINED ? POSTFIX_LINE_OTHER : kind;
}

static const struct {
	const char *service;
	entry_reader *reader;
} readers[] = {
	{"smtpd", read_smtpd},
	{"pickup", read_pickup},
	{"cleanup", read_cleanup},
	{"qmgr", read_queue},
	{"postsuper", read_queue},
	{"smtp", read_delivery},
	{"lmtp", read_delivery},
	{"relay", read_delivery},
	{"error", read_delivery},
	{"local", read_local},
	{"virtual", read_local},
	{"pipe", read_local},
};

enum postfix_line postfix_log_read(
	struct postfix_log *log, struct bytes line, struct postfix_sent *sent_out)
{
	size_t size = line.size < LINE_LENGTH_MAX ? line.size : LINE_LENGTH_MAX;
	struct postfix_entry entry = {.time_s = 0};

	talloc_free_children(log->scratch);
	for (size_t i = 0; i < size; i++)
		log->text[i] = line.data[i] == '\0' ? '?' : (char)line.data[i];
	log->text[size] = '\0';
	if (!postfix_entry_read(&log->clock, log->text, &entry))
		return POSTFIX_LINE_FOREIGN;
	*sent_out = (struct postfix_sent){
		.time_s = entry.time_s < log->clock.now ? entry.time_s : log->clock.now};
	for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
		if (strcmp(entry.service, readers[i].service) == 0)
			return entry.queue_id[0] != '\0' ? readers[i].reader(log, &entry, sent_out)
							 : POSTFIX_LINE_OTHER;
	}
	return strncmp(entry.instance, "postfix", strlen("postfix")) == 0 ? POSTFIX_LINE_OTHER
									  : POSTFIX_LINE_FOREIGN;
}

void postfix_log_walk(const struct postfix_log *log, postfix_open_visitor *visitor, void *argument)
{
	for (const struct message *at = log->oldest; at != NULL; at = at->newer) {
		const struct postfix_open open = {
			.queue_id = at->queue_id,
			.instance = at->instance,
			.message_id = at->message_id,
			.sender = at->sender,
			.client = at->client,
			.first_client = at->first_client,
			.is_known = at->is_known,
			.is_authenticated = at->is_authenticated,
		};

		visitor(argument, &open);
	}
}

static const char *copy_text(const void *context, const char *text)
{
	return text == NULL || strlen(text) > MESSAGE_ID_MAX ? NULL : mem_strdup(context, text);
}

void postfix_log_restore(struct postfix_log *log, const struct postfix_open *open)
{
	struct postfix_entry entry = {.time_s = 0};
	struct message *message;

	if (!postfix_entry_copy_name(
		    entry.instance, open->instance, open->instance + strlen(open->instance)) ||
		strlen(open->queue_id) < POSTFIX_QUEUE_ID_MIN ||
		strlen(open->queue_id) > POSTFIX_QUEUE_ID_MAX)
		return;
	strcpy(entry.queue_id, open->queue_id);
	message = begin_message(log, &entry);
	message->message_id = copy_text(message, open->message_id);
	message->sender = copy_text(message, open->sender);
	message->client = copy_text(message, open->client);
	message->first_client = copy_text(message, open->first_client);
	message->is_known = open->is_known;
	message->is_authenticated = open->is_authenticated;
	trace_origin(log, message);
}
