/*
 * envelope.c: in charge of finding out who handed a message over where nobody told us: offline,
 * from the trace fields that our own server put on top. They are only as true as that server is
 * ours, so deliver, which is told, never comes here for what it knows.
 */
#include "read/envelope.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "read/received.h"

static void complete_sender(const void *context, const struct headers *headers,
	const char *from_line_sender, struct envelope *envelope)
{
	const char *value = headers_find(headers, "Return-Path");

	if (value == NULL)
		value = from_line_sender;
	if (value == NULL)
		return;
	envelope->has_sender = true;
	if (address_is_null_sender(value)) {
		envelope->sender = "";
		return;
	}
	char *sender = header_address(context, value);
	envelope->sender = sender == NULL ? mem_strdup(context, value) : sender;
}

static void complete_client(
	const void *context, const struct headers *headers, struct envelope *envelope)
{
	struct hop hop;
	const char *value = headers_find(headers, "Received");

	if (value == NULL || !received_parse(context, value, &hop) || !hop.has_client)
		return;
	envelope->has_client = true;
	envelope->client = hop.client;
	envelope->client_helo = hop.helo;
	if (hop.client_name != NULL && strcmp(hop.client_name, "unknown") != 0)
		envelope->client_name = hop.client_name;
	if (envelope->recipient == NULL)
		envelope->recipient = hop.for_address;
}

void envelope_complete(const void *context, const struct headers *headers,
	const char *from_line_sender, struct envelope *envelope)
{
	envelope->is_recipient_told = envelope->recipient != NULL;
	if (!envelope->has_sender)
		complete_sender(context, headers, from_line_sender, envelope);
	if (envelope->original_recipient == NULL) {
		envelope->original_recipient =
			header_address(context, headers_find(headers, "X-Original-To"));
		envelope->is_original_hearsay =
			envelope->original_recipient != NULL && envelope->recipient != NULL;
	}
	if (envelope->recipient == NULL)
		envelope->recipient =
			header_address(context, headers_find(headers, "Delivered-To"));
	if (!envelope->has_client)
		complete_client(context, headers, envelope);
}

const char *envelope_address(const struct envelope *envelope)
{
	if (envelope->original_recipient != NULL && *envelope->original_recipient != '\0' &&
		!envelope->is_original_hearsay)
		return envelope->original_recipient;
	return envelope->recipient;
}
