/*
 * daemon.c: in charge of bounces that no other reader knows the form of: the envelope or the author
 * says that a mail system wrote them, and a message came back or was to come. They are `failed`
 * without recipients, so that they are weighed and kept; the recipients that Exim's
 * X-Failed-Recipients field names are taken, since it is a field.
 *
 * An author alone proves nothing: mail systems write of quotas, quarantines and mailing lists, and
 * postmasters of DNS. Where no words say that mail was refused (generic.rules) and nothing came
 * back, the mail is ordinary, and is handed on.
 */
#include <string.h>

#include "base/memory.h"
#include "classify/author.h"
#include "classify/evidence.h"
#include "classify/original.h"
#include "classify/reader.h"
#include "classify/reason.h"

#define SEARCH_MAX (64 * 1024) /* bytes in which the fields of a broken report are looked for */

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

/* True when something of the original came back, or the fields of a report. */
static bool has_evidence(const void *context, const struct mail *mail)
{
	struct original original = {0};

	size_t size = mail->raw.size < SEARCH_MAX ? mail->raw.size : SEARCH_MAX;

	/* A report whose parts are broken still has its fields somewhere. */
	if (size > 0 && memmem(mail->raw.data, size, "\nFinal-Recipient:", 17) != NULL)
		return true;
	original_find(context, mail, &original);
	return original.is_returned;
}

/* True for a report in parts that returns our message, whoever wrote it: the null sender, and no
 * part that says more. */
static bool is_bare_report(const void *context, const struct mail *mail)
{
	struct original original = {0};

	if (!author_has_null_sender(mail) || author_is_distributed(mail) ||
		strcmp(mail->root->type, "multipart/report") != 0)
		return false;
	original_find(context, mail, &original);
	return original.is_part;
}

/* A report that was cut off, or lost its parts, is no automatic reply, though Exchange marks its
 * reports as such. */
bool declared_read(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	const struct part *report = part_find(text->mail->root, "multipart/report");
	const char *type = text->mail->root->report_type;

	if (type == NULL && report != NULL)
		type = report->report_type;
	if (type == NULL || strcmp(type, "delivery-status") != 0 || !evidence_is_asked(text))
		return false;
	if (!generic_read(context, text, bounce))
		bounce->kind = KIND_FAILED;
	return true;
}

bool daemon_read(const void *context, const struct mail *mail, struct bounce *bounce)
{
	bool has_null_sender = author_has_null_sender(mail);
	bool is_daemon = author_is_daemon(mail);
	bool has_failed = headers_find(&mail->headers, "X-Failed-Recipients") != NULL;

	/* A daemon that writes with a sender of its own (XMail) counts only where no envelope says
	 * otherwise; postmaster is a person unless the null sender says no. */
	bool is_system = (is_daemon && (has_null_sender || !mail->envelope.has_sender)) ||
			 (has_null_sender && author_is_postmaster(mail));
	if (!has_failed && !is_bare_report(context, mail) &&
		!(is_system && has_evidence(context, mail)))
		return false;
	bounce->kind = KIND_FAILED;
	if (has_failed)
		add_failed_recipients(context, mail, bounce);
	return true;
}
