/*
 * daemon.c: in charge of bounces that no other reader knows the form of: the envelope or the author
 * says that a mail system wrote them. They are `failed` without recipients, so that they are
 * weighed and kept; the recipients that Exim's X-Failed-Recipients field names are taken, since it
 * is a field.
 */
#include "base/memory.h"
#include "classify/author.h"
#include "classify/reader.h"
#include "classify/reason.h"

static void add_failed_recipients(
	const void *context, const struct mail *mail, struct bounce *bounce)
{
	size_t index = 0, total = 0;
	struct recipient *recipients = NULL;
	const struct header *header;

	while ((header = headers_next(&mail->headers, "X-Failed-Recipients", &index)) != NULL) {
		size_t count;
		char **addresses = header_addresses(context, header->value, &count);
		for (size_t i = 0; i < count && total < RECIPIENT_COUNT_MAX; i++) {
			recipients =
				mem_realloc(context, recipients, (total + 1) * sizeof(*recipients));
			recipients[total++] =
				(struct recipient){.address = addresses[i], .action = "failed"};
		}
	}
	bounce->recipients = recipients;
	bounce->recipient_count = total;
}

bool daemon_read(const void *context, const struct mail *mail, struct bounce *bounce)
{
	bool has_null_sender = author_has_null_sender(mail);
	bool is_daemon = author_is_daemon(mail);
	bool has_failed = headers_find(&mail->headers, "X-Failed-Recipients") != NULL;

	/* A daemon that writes with a sender of its own (XMail) counts only where no envelope says
	 * otherwise; postmaster is a person unless the null sender says no. */
	if (!has_failed && !(is_daemon && (has_null_sender || !mail->envelope.has_sender)) &&
		!(has_null_sender && author_is_postmaster(mail)))
		return false;
	bounce->kind = KIND_FAILED;
	if (has_failed)
		add_failed_recipients(context, mail, bounce);
	return true;
}
