/*
 * trace.c: in charge of telling the reporter's own Received lines from those below. The topmost
 * line was written by the host that reports. If it names no client, or one inside its own network
 * (content filter, gateway to mailbox server), the line below was written by the same network, and
 * so on down to the first that names an outside address: that is who handed the mail in. What is
 * below, the sender could have written.
 *
 * A line without any address by a host that is not the next line's writer ends the search:
 * nullmailer writes such a line, and the one below it is the spammer's.
 */
#include "weigh/trace.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* True when the line at i may be passed over to the one below it. */
static bool is_inner(const struct hop *hop, const struct hop *below)
{
	if (below == NULL)
		return false;
	if (hop->has_client)
		return netaddr_is_internal(&hop->client);
	if (hop->is_qmail)
		return true;
	return hop->by != NULL && below->by != NULL && strcmp(hop->by, below->by) == 0;
}

/* True when the chain was longer than what is read, or what came back ends within the fields that
 * servers put on top: some return only so many bytes of the headers. */
static bool is_chain_cut(const struct headers *headers, size_t hop_count)
{
	static const char *const names[] = {"From", "Date", "Message-ID", "To", "Subject"};

	if (hop_count == HOP_COUNT_MAX || headers->count >= HEADER_COUNT_MAX)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (headers_find(headers, names[i]) != NULL)
			return false;
	}
	return true;
}

void trace_read(const void *context, const struct original *original, struct trace *trace_out)
{
	size_t count = 0;
	struct hop *hops = received_chain(context, &original->headers, &count);

	*trace_out = (struct trace){
		.hops = hops, .count = count, .is_cut = is_chain_cut(&original->headers, count)};
	if (count == 0) {
		trace_out->why = original->is_returned
					 ? "the returned headers have no Received field"
					 : "no headers of the original came back";
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct hop *below = i + 1 < count ? &hops[i + 1] : NULL;
		if (hops[i].has_client && !netaddr_is_internal(&hops[i].client)) {
			trace_out->entry = &hops[i];
			return;
		}
		if (!is_inner(&hops[i], below)) {
			/* What was handed in on the spot, or inside, did not come from outside. */
			trace_out->why =
				"the reporting host did not record where the mail came from";
			return;
		}
	}
}

/* Fields that a host writes above its own Received line when it delivers. */
static bool is_delivery_field(const char *name)
{
	return text_equal_fold(name, "Delivered-To") || text_equal_fold(name, "X-Original-To") ||
	       text_equal_fold(name, "Envelope-To");
}

size_t trace_recipients(const void *context, const struct original *original,
	const struct trace *trace, const char **addresses_out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < original->headers.count; i++) {
		const struct header *header = &original->headers.items[i];
		if (text_equal_fold(header->name, "Received"))
			break;
		char *address = is_delivery_field(header->name)
					? header_address(context, header->value)
					: NULL;
		if (address != NULL && count < max)
			addresses_out[count++] = address;
	}
	for (size_t i = 0; i < trace->count && trace->entry != NULL; i++) {
		if (trace->hops[i].for_address != NULL && count < max)
			addresses_out[count++] = trace->hops[i].for_address;
		if (&trace->hops[i] == trace->entry)
			break;
	}
	return count;
}

bool trace_is_own_report(const void *context, const struct mail *mail)
{
	size_t count = 0;
	const struct hop *hops = received_chain(context, &mail->headers, &count);

	if (mail->envelope.has_client && !netaddr_is_internal(&mail->envelope.client))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool is_inside = hops[i].has_client ? netaddr_is_internal(&hops[i].client)
						    : hops[i].is_local || hops[i].is_qmail;
		if (!is_inside)
			return false;
	}
	return count > 0;
}
