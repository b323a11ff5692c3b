/* arf.c: in charge of complaints in the Abuse Reporting Format (RFC 5965). They arrive from <> or
 * from a real sender and are no bounces: they must reach the list's owner whatever the evidence
 * says. */
#include "base/memory.h"
#include "classify/reader.h"
#include "classify/status_part.h"

static const char *const report_types[] = {"message/feedback-report", NULL};

/* The recipient fields of RFC 5965 and what is in use beside them, best first. */
static const char *const recipient_fields[] = {
	"Original-Rcpt-To", "Removal-Recipient", "Delivered-To"};

bool arf_read(const void *context, const struct mail *mail, struct bounce *bounce)
{
	const struct part *part = status_part_find(mail, report_types);
	struct headers group;
	size_t offset = 0;

	if (part == NULL || !status_part_next_group(context, part->content, &offset, &group))
		return false;
	bounce->kind = KIND_FEEDBACK;
	bounce->dialect = "arf";
	for (size_t i = 0; i < sizeof(recipient_fields) / sizeof(recipient_fields[0]); i++) {
		char *address =
			status_part_address(context, headers_find(&group, recipient_fields[i]));
		if (address == NULL)
			continue;
		struct recipient *recipient = mem_new(context, struct recipient);
		recipient->address = address;
		recipient->reason = REASON_FEEDBACK;
		bounce->recipients = recipient;
		bounce->recipient_count = 1;
		break;
	}
	return true;
}
