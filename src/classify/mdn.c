/* mdn.c: in charge of message disposition notifications (RFC 8098): somebody read, deleted or was
 * shown the message. Not a bounce, with one exception: a Sieve filter that refuses a message says
 * so in this form (RFC 5429 section 2.1.1), and the message was not delivered. */
#include "base/memory.h"
#include "base/text.h"
#include "classify/prose.h"
#include "classify/reader.h"
#include "classify/status_part.h"

#define DISPOSITION_MAX 300

static const char *const notification_types[] = {"message/disposition-notification",
	"message/global-disposition-notification", "message/utf-8-disposition-notification", NULL};

/* Deleted by a program that says that it refused the message: Dovecot's subject, and the words of
 * Dovecot and Cyrus. A client that deletes unread mail says nothing of the kind. */
static bool is_refusal(const void *context, const struct mail *mail, const struct headers *group)
{
	const char *disposition = headers_find(group, "Disposition");
	char *subject = header_decode(context, headers_find(&mail->headers, "Subject"));

	if (disposition == NULL || text_find_fold(disposition, "automatic-action") == NULL ||
		text_find_fold(disposition, "deleted") == NULL)
		return false;
	return (subject != NULL && (text_starts_fold(subject, "Rejected:") ||
					   text_find_fold(subject, "automatically rejected"))) ||
	       text_find_fold(prose_read(context, mail), "automatically rejected") != NULL;
}

static void add_recipient(const void *context, const struct headers *group, struct bounce *bounce)
{
	const char *original = headers_find(group, "Original-Recipient");
	const char *final = headers_find(group, "Final-Recipient");
	struct recipient *recipient = mem_new(context, struct recipient);

	recipient->final = status_part_address(context, final);
	recipient->address = status_part_address(context, original);
	if (recipient->address == NULL)
		recipient->address = recipient->final;
	recipient->diagnostic =
		text_clean_string(context, headers_find(group, "Disposition"), DISPOSITION_MAX);
	if (recipient->address == NULL)
		return;
	if (bounce->kind == KIND_FAILED)
		recipient->action = "failed";
	bounce->recipients = recipient;
	bounce->recipient_count = 1;
}

bool mdn_read(const void *context, const struct mail *mail, struct bounce *bounce)
{
	const struct part *part = status_part_find(mail, notification_types);
	struct headers group;
	size_t offset = 0;

	if (part == NULL || !status_part_next_group(context, part->content, &offset, &group))
		return false;
	if (headers_find(&group, "Disposition") == NULL &&
		headers_find(&group, "Reporting-MTA") != NULL)
		return false; /* a delivery report with the wrong label (dsn.c) */
	bounce->kind = is_refusal(context, mail, &group) ? KIND_FAILED : KIND_MDN;
	bounce->dialect = "mdn";
	add_recipient(context, &group, bounce);
	char *id = header_message_id(context, headers_find(&group, "Original-Message-ID"));
	if (id != NULL) {
		bounce->message_ids = mem_new_array(context, char *, 1);
		bounce->message_ids[0] = id;
		bounce->message_id_count = 1;
	}
	return true;
}
