/*
 * classify.c: in charge of the order in which the readers are asked, and of what holds for every
 * kind: who brought the message, what came back of the original. A new form is a new reader and a
 * row here; the rules for dialects that are not RFC 3464 will be one reader more.
 */
#include "classify/classify.h"

#include "base/memory.h"
#include "classify/original.h"
#include "classify/reader.h"

/* Reports with a structure first; then what only looks like something. ARF and MDN stand before
 * DSN: their parts are theirs alone, while some MDN writers put a delivery-status beside them. */
static reader *const readers[] = {
	arf_read,
	mdn_read,
	dsn_read,
	autoreply_read,
	daemon_read,
};

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

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (readers[i](bounce, mail, bounce))
			break;
	}
	fill_reporter(bounce, mail, &bounce->reporter);
	if (bounce->kind != KIND_ORDINARY)
		fill_original(bounce, mail, bounce);
	return bounce;
}
