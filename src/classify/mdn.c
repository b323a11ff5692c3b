/* mdn.c: in charge of message disposition notifications (RFC 8098): somebody read, deleted or was
 * shown the message. Not a bounce. */
#include "base/memory.h"
#include "base/text.h"
#include "classify/reader.h"
#include "classify/status_part.h"

#define DISPOSITION_MAX 300

static const char *const notification_types[] = {"message/disposition-notification",
	"message/global-disposition-notification", "message/utf-8-disposition-notification", NULL};

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
	bounce->kind = KIND_MDN;
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
