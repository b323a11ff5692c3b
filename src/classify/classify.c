/*
 * classify.c: in charge of the order in which the readers are asked, and of what holds for every
 * kind: who brought the message, what came back of the original. A new form is a new reader and a
 * row here; what rules can say needs none.
 */
#include "classify/classify.h"

#include "base/address.h"
#include "base/memory.h"
#include "classify/author.h"
#include "classify/dialect.h"
#include "classify/original.h"
#include "classify/reader.h"
#include "classify/reason.h"
#include "classify/relay.h"

/* What a list manager or a gateway passed on, read as if it had come by itself. *mail becomes the
 * bounce inside. */
static bool read_relayed(
	const struct mail **mail, struct evidence_text *text, struct bounce *bounce);

/* Reports with a structure first; then what only looks like something. ARF and MDN stand before
 * DSN: their parts are theirs alone, while some MDN writers put a delivery-status beside them. */
static const struct {
	reader *form;	    /* or NULL and */
	rule_reader *rules; /* or NULL, for what is passed on */
} readers[] = {
	{arf_read, NULL},
	{mdn_read, NULL},
	{dsn_read, NULL},
	{NULL, NULL},
	{NULL, kinds_read_early},
	{NULL, dialect_read},
	{NULL, declared_read},
	{NULL, kinds_read},
	{NULL, generic_read},
	{daemon_read, NULL},
};

/* Asks the readers until one recognises the message. */
static void ask_readers(const struct mail **mail, bool is_inside, struct bounce *bounce)
{
	struct evidence_text text;

	evidence_text_open(bounce, *mail, &text);
	text.is_inside = is_inside;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (readers[i].form != NULL	   ? readers[i].form(bounce, *mail, bounce)
			: readers[i].rules != NULL ? readers[i].rules(bounce, &text, bounce)
						   : read_relayed(mail, &text, bounce))
			return;
	}
}

/* True when the message went to one who failed: lists tell their subscribers of bounces so. */
static bool is_told_himself(const struct evidence_text *text, const struct bounce *found)
{
	const struct envelope *envelope = &text->mail->envelope;
	const char *others[] = {text->addressee, envelope->recipient, envelope->original_recipient};

	for (size_t i = 0; i < found->recipient_count; i++) {
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
			if (others[k] != NULL &&
				address_equal(others[k], found->recipients[i].address))
				return true;
		}
	}
	return false;
}

/* True when the message answers the bounce by itself, or somebody has written above it, which is no
 * passing on. */
static bool is_answered(struct evidence_text *text)
{
	struct bounce *answer = mem_new(text->context, struct bounce);

	if (kinds_read_early(answer, text, answer))
		return answer->kind == KIND_AUTOREPLY || answer->kind == KIND_ORDINARY;
	return kinds_read(answer, text, answer) && answer->kind == KIND_AUTOREPLY;
}

static bool read_relayed(
	const struct mail **mail, struct evidence_text *text, struct bounce *bounce)
{
	const struct mail *inner = text->is_inside ? NULL : relay_find(bounce, text);
	struct bounce *found;

	if (inner == NULL)
		return false;
	found = mem_new(bounce, struct bounce);
	ask_readers(&inner, true, found);
	if ((found->kind != KIND_FAILED && found->kind != KIND_DELAYED) ||
		found->recipient_count == 0 || is_answered(text))
		return false;
	if (author_is_distributed(*mail) && is_told_himself(text, found)) {
		bounce->kind = KIND_AUTOREPLY;
		bounce->dialect = "list-tells-subscriber";
		return true;
	}
	*mail = inner;
	*bounce = *found;
	return true;
}

static void fill_reporter(const void *context, const struct mail *mail, struct reporter *reporter)
{
	const struct envelope *envelope = &mail->envelope;

	if (envelope->has_client) {
		char *text = mem_alloc(context, NETADDR_TEXT_MAX);
		netaddr_format(&envelope->client, text);
		reporter->address = text;
	}
	reporter->helo = envelope->client_helo;
	reporter->name = envelope->client_name;
}

/* What the report itself says of the original, where the original did not come back. */
static void fill_original(const void *context, const struct mail *mail, struct bounce *bounce)
{
	original_find(context, mail, &bounce->original);
	if (bounce->original.message_id == NULL && bounce->message_id_count > 0)
		bounce->original.message_id = bounce->message_ids[0];
	if (bounce->original.return_path == NULL)
		bounce->original.return_path = bounce->original_sender;
}

struct bounce *classify_mail(const void *context, const struct mail *mail)
{
	struct bounce *bounce = mem_new(context, struct bounce);
	const struct mail *outer = mail;

	ask_readers(&mail, false, bounce);
	if ((bounce->kind == KIND_FAILED || bounce->kind == KIND_DELAYED) &&
		bounce->recipient_count == 0)
		dialect_add_recipients(bounce, mail, bounce);
	reason_settle(bounce, mail, bounce);
	fill_reporter(bounce, outer, &bounce->reporter);
	if (bounce->kind != KIND_ORDINARY)
		fill_original(bounce, mail, bounce);
	return bounce;
}
