/*
 * fuzz_parts.c: the small readers, each by itself, so that a fuzzer reaches the ends of them that a
 * whole message seldom has. The first byte of the input chooses one; the rest is its input. Built
 * and run like fuzz_mail.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/netaddr.h"
#include "base/tag.h"
#include "base/text.h"
#include "classify/status_part.h"
#include "cmd/postfix_log.h"
#include "cmd/sendmail_args.h"
#include "maildir/maildir.h"
#include "read/header.h"
#include "read/mail.h"
#include "read/received.h"
#include "replay.h"

int LLVMFuzzerInitialize(int *count, char ***words)
{
	(void)count;
	(void)words;
	log_open("/dev/null", LOG_LEVEL_ERROR);
	mail_library_open();
	return 0;
}

/* A function that reads text, or bytes. */
typedef void target(const void *context, struct bytes bytes, const char *text);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void read_received(const void *context, struct bytes bytes, const char *text)
{
	struct hop hop;

	(void)bytes;
	received_parse(context, text, &hop);
}

static void read_tag(const void *context, struct bytes bytes, const char *text)
{
	static const struct tag_keys keys = {.path = "keys", .count = 1, .items = {{.id = 1}}};
	struct tag tag;
	char id[TAG_ID_LENGTH + 1];

	(void)bytes;
	tag_parse(context, text, &tag);
	tag_check(&keys, &tag, text, 14 * 86400, 1795461562);
	tag_recipient_id(text, id);
	char *made = tag_make(
		context, &keys, "announce-bounces@lists.example.org", text, 1795461562, NULL);
	if (made != NULL)
		require(tag_parse(context, made, &tag), "tag_make made what tag_parse refuses");
}

static void read_address(const void *context, struct bytes bytes, const char *text)
{
	char *address = address_normalise(context, text);

	(void)bytes;
	if (address != NULL) {
		char *again = address_normalise(context, address);
		require(again != NULL && strcmp(address, again) == 0,
			"address_normalise: its result is not its own normal form");
		address_is_form_of(address, "announce-bounces@lists.example.org");
	}
	address_from_verp(context, text);
	address_is_null_sender(text);
	address_local(context, text);
	status_part_address(context, text);
}

static void read_field(const void *context, struct bytes bytes, const char *text)
{
	size_t count;
	long long seconds;

	(void)bytes;
	header_decode(context, text);
	header_address(context, text);
	header_addresses(context, text, &count);
	header_message_id(context, text);
	header_message_ids(context, text, &count);
	header_date(text, &seconds);
	header_token(context, text);
}

static void read_block(const void *context, struct bytes bytes, const char *text)
{
	struct headers headers;
	size_t offset = 0;
	size_t size;

	(void)text;
	headers_parse(context, bytes, &headers, &size);
	require(size <= bytes.size, "headers_parse read behind the end");
	while (status_part_next_group(context, bytes, &offset, &headers))
		require(offset <= bytes.size, "status_part_next_group read behind the end");
}

static void read_mbox(const void *context, struct bytes bytes, const char *text)
{
	struct mbox_message message;
	size_t offset = 0, before = 0;

	(void)text;
	mbox_is(bytes.data, bytes.size);
	while (mbox_next(bytes.data, bytes.size, &offset, &message)) {
		require(offset > before && offset <= bytes.size, "mbox_next does not move on");
		require(message.data >= bytes.data &&
				message.data + message.size <= bytes.data + bytes.size,
			"mbox_next lends what is not there");
		unsigned char *copy = mem_alloc(context, message.size + 1);
		require(mbox_unquote(message.data, message.size, copy) <= message.size,
			"mbox_unquote grows");
		before = offset;
	}
	require(offset == bytes.size, "mbox_next does not come to the end");
}

static void read_config(const void *context, struct bytes bytes, const char *text)
{
	char path[] = "/tmp/backstop-fuzz-XXXXXX";
	const struct config *config;
	struct config_faults faults;
	int descriptor = mkstemp(path);

	(void)text;
	if (descriptor < 0 || write(descriptor, bytes.data, bytes.size) != (ssize_t)bytes.size)
		abort();
	close(descriptor);
	enum status status = config_read(context, path, &config, &faults);
	require((status == STATUS_OK) == (config != NULL), "config_read: a status without sense");
	unlink(path);
}

static void read_small(const void *context, struct bytes bytes, const char *text)
{
	struct netaddr address;
	struct netblock block;
	int64_t seconds;
	uint64_t size;
	char shown[NETADDR_TEXT_MAX];
	char day[CLOCK_TEXT_MAX];

	if (netaddr_parse(text, &address)) {
		netaddr_format(&address, shown);
		netaddr_is_internal(&address);
	}
	netblock_parse(text, &block);
	if (clock_parse_time(text, 1795461562, &seconds))
		clock_format_rfc5322(seconds, day);
	clock_parse_duration(text, &seconds);
	clock_parse_size(text, &size);
	text_clean(context, bytes, 100);
	text_trim(context, text, strlen(text));
}

static void read_postfix_log(const void *context, struct bytes bytes, const char *text)
{
	struct postfix_log *log = postfix_log_new(context, 1795461562, 4);
	struct postfix_sent sent;

	(void)text;
	while (bytes.size > 0) {
		const unsigned char *end = memchr(bytes.data, '\n', bytes.size);
		size_t size = end == NULL ? bytes.size : (size_t)(end - bytes.data);
		postfix_log_read(log, (struct bytes){bytes.data, size}, &sent);
		size += end != NULL;
		bytes.data += size;
		bytes.size -= size;
	}
	require(postfix_log_tracked(log) <= 4, "postfix_log remembers more than it may");
}

static void read_arguments(const void *context, struct bytes bytes, const char *text)
{
	char *words[20];
	char *rest = mem_strdup(context, text);
	size_t count = 0;
	struct sendmail_args args;

	(void)bytes;
	while (count < 20 && (words[count] = strsep(&rest, " \n")) != NULL)
		count++;
	sendmail_args_parse(context, words, count, &args);
}

static target *const targets[] = {
	read_received,
	read_tag,
	read_address,
	read_field,
	read_block,
	read_mbox,
	read_config,
	read_small,
	read_postfix_log,
	read_arguments,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	void *context = mem_context(NULL, "fuzz");
	struct bytes bytes = {data + 1, size - 1};
	const char *text = mem_strndup(context, (const char *)bytes.data, bytes.size);

	targets[data[0] % (sizeof(targets) / sizeof(targets[0]))](context, bytes, text);
	mem_free(context);
	return 0;
}
