/*
 * shape.c: in charge of what is odd about a report as a message. Each oddity is a row of
 * rules/weights.rules; they are added up to one small weight, which never makes a report
 * backscatter that is none without it (weigh_add_up).
 *
 * Left out, since genuine and forged reports of real servers have them equally often (5 of 94 and 4
 * of 94): a sender that is not null, From that is no daemon, no Auto-Submitted.
 */
#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "read/received.h"
#include "weigh/weigh.h"

#define DAY_S 86400
#define SUM_MIN -6		/* of all oddities */
#define DATE_FAR_S (10 * DAY_S) /* twice a mail queue's life */

/* What an oddity is told from; prepared once. */
struct shape {
	const void *context;
	const struct weigh_input *input;
	char **recipients; /* of To */
	size_t recipient_count;
	const struct hop *hops; /* of the report itself */
	size_t hop_count;
	bool has_date, has_original_date;
	long long date, original_date;
	bool is_foreign; /* the client that brought it is known, and is none of our hosts */
};

static bool is_in_domain(const struct shape *shape, const char *host)
{
	const char *domain = shape->input->domain->name;
	size_t size = host == NULL ? 0 : strlen(host), domain_size = strlen(domain);

	return size >= domain_size && text_equal_fold(host + size - domain_size, domain) &&
	       (size == domain_size || host[size - domain_size - 1] == '.');
}

static bool has_several_recipients(const struct shape *shape)
{
	return shape->recipient_count > 1;
}

/* The field names others than the one that it was handed over for. */
static bool has_other_recipient(const struct shape *shape)
{
	const struct weigh_input *input = shape->input;
	const char *address = envelope_address(&input->mail->envelope);

	if (address == NULL || shape->recipient_count == 0)
		return false;
	for (size_t i = 0; i < shape->recipient_count; i++) {
		const struct list_config *list =
			input->config == NULL
				? NULL
				: config_find_list(input->config, shape->recipients[i]);
		if (address_equal(shape->recipients[i], address) ||
			(list != NULL && list == input->list))
			return false;
	}
	return true;
}

static bool has_no_trace(const struct shape *shape)
{
	return shape->hop_count == 0;
}

/* A day's difference may be the clocks'. */
static bool is_before_original(const struct shape *shape)
{
	return shape->has_date && shape->has_original_date &&
	       shape->date + DAY_S < shape->original_date;
}

static bool is_far_from_arrival(const struct shape *shape)
{
	long long arrival = shape->hop_count == 0 ? 0 : shape->hops[0].time_s;

	return shape->has_date && arrival != 0 &&
	       (shape->date < arrival - DATE_FAR_S || shape->date > arrival + DATE_FAR_S);
}

static bool is_in_our_name(const struct shape *shape)
{
	return shape->is_foreign && is_in_domain(shape, shape->input->bounce->reporter.mta);
}

static bool has_our_message_id(const struct shape *shape)
{
	const char *value = headers_find(&shape->input->mail->headers, "Message-ID");
	char *id = value == NULL ? NULL : header_message_id(shape->context, value);
	char *end = id == NULL ? NULL : strchr(id, '>');

	if (end != NULL)
		*end = '\0';
	return shape->is_foreign && id != NULL && is_in_domain(shape, address_domain(id));
}

static bool has_list_as_failed(const struct shape *shape)
{
	const struct bounce *bounce = shape->input->bounce;

	for (size_t i = 0; shape->input->list != NULL && i < bounce->recipient_count; i++) {
		if (address_equal(bounce->recipients[i].address, shape->input->list->address))
			return true;
	}
	return false;
}

static const struct {
	const char *name; /* in rules/weights.rules */
	bool (*is_odd)(const struct shape *shape);
	const char *what;
} oddities[] = {
	{"several-recipients", has_several_recipients, "To: names several"},
	{"other-recipient", has_other_recipient, "To: names others than it came for"},
	{"no-trace", has_no_trace, "it has no Received field"},
	{"before-original", is_before_original, "it is older than the mail it is about"},
	{"far-date", is_far_from_arrival, "its date is far from its arrival"},
	{"our-name", is_in_our_name, "the reporting host has our name, the client not our address"},
	{"our-message-id", has_our_message_id, "its Message-ID is of our domain, the client not"},
	{"list-failed", has_list_as_failed, "the failed recipient is the list itself"},
};

static void prepare(const void *context, const struct weigh_input *input, struct shape *shape_out)
{
	const struct mail *mail = input->mail;
	const struct domain_config *domain = input->domain;
	struct shape *shape = shape_out;

	*shape = (struct shape){.context = context, .input = input};
	shape->recipients = header_addresses(
		context, headers_find(&mail->headers, "To"), &shape->recipient_count);
	shape->hops = received_chain(context, &mail->headers, &shape->hop_count);
	shape->has_date = header_date(headers_find(&mail->headers, "Date"), &shape->date);
	shape->has_original_date = header_date(
		headers_find(&input->bounce->original.headers, "Date"), &shape->original_date);
	shape->is_foreign = mail->envelope.has_client && domain->sender_count > 0;
	for (size_t i = 0; i < domain->sender_count; i++) {
		if (netblock_contains(&domain->senders[i], &mail->envelope.client))
			shape->is_foreign = false;
	}
}

void shape_weigh(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	struct shape shape;
	char *detail = NULL;

	evidence_out->result = "unavailable";
	if (input->domain == NULL || !kind_is_delivery_report(input->bounce->kind)) {
		evidence_out->detail = input->domain == NULL
					       ? "the report came to no domain of ours"
					       : "this is no report on delivery";
		return;
	}
	prepare(context, input, &shape);
	evidence_out->result = "plain";
	evidence_out->has_weight = true;
	evidence_out->is_supporting = true;
	for (size_t i = 0; i < sizeof(oddities) / sizeof(oddities[0]); i++) {
		int weight = 0;
		if (!oddities[i].is_odd(&shape))
			continue;
		weigh_find_weight(input->config, "shape", oddities[i].name, &weight);
		evidence_out->weight += weight;
		detail = detail == NULL ? mem_strdup(context, oddities[i].what)
					: mem_append(detail, ", %s", oddities[i].what);
	}
	if (evidence_out->weight < SUM_MIN)
		evidence_out->weight = SUM_MIN;
	if (detail != NULL)
		evidence_out->result = "odd";
	evidence_out->detail = detail == NULL ? "nothing about the report is odd" : detail;
}
