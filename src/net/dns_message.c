/*
 * dns_message.c: records out of a message from a stranger.
 *
 * In charge of what c-ares' own parsers (1.18) leave out: the time to live of MX, TXT and PTR
 * records, whose records they are, and how many. Leaves names to c-ares (ares_expand_name), which
 * bounds their length and their compression; all else is read through a reader that cannot leave
 * the message.
 */
#include "net/dns_message.h"

#include <ares.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/dns_name.h"

enum {
	HEADER_SIZE = 12,
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	RCODE_OK = 0,
	RCODE_NO_DOMAIN = 3,
	TTL_MAX = 7 * 24 * 60 * 60
};

struct reader {
	const unsigned char *data;
	size_t size;
	size_t at;
	bool is_bad; /* something was asked for that is not there */
};

/* One record, its data not yet looked into. */
struct raw_record {
	char *owner; /* from c-ares */
	unsigned type;
	unsigned class;
	int64_t ttl_s;
	size_t start; /* of its data in the message */
	size_t size;
};

static unsigned take16(struct reader *reader)
{
	unsigned value;

	if (reader->size - reader->at < 2) {
		reader->is_bad = true;
		reader->at = reader->size;
		return 0;
	}
	value = (unsigned)reader->data[reader->at] << 8 | reader->data[reader->at + 1];
	reader->at += 2;
	return value;
}

static int64_t take_ttl(struct reader *reader)
{
	int64_t ttl_s = (int64_t)take16(reader) << 16;

	ttl_s |= take16(reader);
	/* RFC 2181 section 8: a set top bit is zero. */
	if (ttl_s > INT32_MAX)
		return 0;
	return ttl_s < TTL_MAX ? ttl_s : TTL_MAX;
}

/* Freed by ares_free_string; NULL when it is none. */
static char *take_name(struct reader *reader)
{
	char *name = NULL;
	long used = 0;

	if (reader->is_bad || reader->at >= reader->size ||
		ares_expand_name(reader->data + reader->at, reader->data, (int)reader->size, &name,
			&used) != ARES_SUCCESS ||
		used < 0 || (size_t)used > reader->size - reader->at) {
		ares_free_string(name);
		reader->is_bad = true;
		return NULL;
	}
	reader->at += (size_t)used;
	return name;
}

static bool take_record(struct reader *reader, struct raw_record *record_out)
{
	struct raw_record record = {.owner = take_name(reader)};

	record.type = take16(reader);
	record.class = take16(reader);
	record.ttl_s = take_ttl(reader);
	record.size = take16(reader);
	record.start = reader->at;
	if (record.size > reader->size - reader->at)
		reader->is_bad = true;
	if (reader->is_bad) {
		ares_free_string(record.owner);
		return false;
	}
	reader->at += record.size;
	*record_out = record;
	return true;
}

/* A name within a record's data, which must hold all of it. */
static char *record_name(const void *context, const struct reader *message,
	const struct raw_record *record, size_t offset)
{
	/* Compression points backwards, so what lies behind the record is not needed. */
	struct reader reader = {message->data, record->start + record->size, record->start + offset,
		offset > record->size};
	char *name = take_name(&reader);
	char *copy = name == NULL ? NULL : text_lower(context, name);

	ares_free_string(name);
	return copy;
}

/* The strings of a TXT record, joined without anything between them. */
static bool read_txt(
	const void *context, const unsigned char *data, size_t size, struct dns_record *record_out)
{
	char *text = mem_alloc(context, size + 1);
	size_t at = 0, length = 0;

	for (; at < size; at += 1u + data[at]) {
		if (data[at] > size - at - 1) {
			mem_free(text);
			return false;
		}
		memcpy(text + length, data + at + 1, data[at]);
		length += data[at];
	}
	text[length] = '\0';
	record_out->text = text;
	record_out->size = length;
	return true;
}

static bool read_name(const void *context, const struct reader *message,
	const struct raw_record *record, size_t offset, struct dns_record *record_out)
{
	record_out->text = record_name(context, message, record, offset);
	record_out->size = record_out->text == NULL ? 0 : strlen(record_out->text);
	return record_out->text != NULL;
}

static bool read_address(
	const unsigned char *data, size_t size, size_t want, struct dns_record *record_out)
{
	uint8_t *bytes = record_out->address.bytes;

	if (size != want)
		return false;
	if (want == 4)
		bytes[10] = bytes[11] = 0xFF; /* as netaddr.h keeps IPv4 */
	memcpy(bytes + sizeof record_out->address.bytes - want, data, want);
	return true;
}

static bool read_data(const void *context, const struct reader *message,
	const struct raw_record *record, struct dns_record *record_out)
{
	const unsigned char *data = message->data + record->start;

	memset(record_out, 0, sizeof *record_out);
	switch ((enum dns_type)record->type) {
	case DNS_A:
		return read_address(data, record->size, 4, record_out);
	case DNS_AAAA:
		return read_address(data, record->size, 16, record_out);
	case DNS_TXT:
		return read_txt(context, data, record->size, record_out);
	case DNS_PTR:
		return read_name(context, message, record, 0, record_out);
	case DNS_MX:
		if (record->size < 3)
			return false;
		record_out->preference = (unsigned)data[0] << 8 | data[1];
		return read_name(context, message, record, 2, record_out);
	}
	return false;
}

/* A pass over the answer section. */
struct section {
	const void *context;
	const struct reader *message;
	enum dns_type type;
	const char *name;  /* looked for: canonical, or c-ares' spelling of an alias */
	const char *alias; /* what it is an alias of, or NULL */
	struct dns_record *records;
	size_t count;
	int64_t ttl_s; /* -1: none yet */
};

static void lower_ttl(struct section *section, int64_t ttl_s)
{
	if (section->ttl_s < 0 || ttl_s < section->ttl_s)
		section->ttl_s = ttl_s;
}

/* A record that does not decode is left out, as one of another type is. */
static void add_record(struct section *section, const struct raw_record *record)
{
	if (record->type == TYPE_CNAME && section->alias == NULL) {
		section->alias = record_name(section->context, section->message, record, 0);
		lower_ttl(section, record->ttl_s);
	}
	if (record->type != (unsigned)section->type || section->count == DNS_RECORDS_MAX)
		return;
	if (section->records == NULL)
		section->records =
			mem_new_array(section->context, struct dns_record, DNS_RECORDS_MAX);
	if (!read_data(
		    section->context, section->message, record, &section->records[section->count]))
		return;
	section->count++;
	lower_ttl(section, record->ttl_s);
}

/* Finds the records, or the alias, of section->name. False when the section is cut or senseless. */
static bool read_section(struct section *section, size_t start, unsigned count, size_t *end_out)
{
	struct reader reader = {section->message->data, section->message->size, start, false};
	bool is_alias = section->alias != NULL;

	section->name = is_alias ? section->alias : section->name;
	section->alias = NULL;
	for (unsigned i = 0; i < count && i < DNS_MESSAGE_RECORDS_MAX; i++) {
		struct raw_record record;

		if (!take_record(&reader, &record))
			return false;
		if (record.class == CLASS_IN &&
			(is_alias ? text_equal_fold(section->name, record.owner)
				  : dns_name_equal(section->name, record.owner)))
			add_record(section, &record);
		ares_free_string(record.owner);
	}
	*end_out = count > DNS_MESSAGE_RECORDS_MAX ? reader.size : reader.at;
	return true;
}

/* How long nothing is there: what the SOA record in the authority section says. */
static int64_t read_negative_ttl(const struct reader *message, size_t start, unsigned count)
{
	struct reader reader = {message->data, message->size, start, false};
	int64_t ttl_s = 0;

	for (unsigned i = 0; i < count && i < DNS_MESSAGE_RECORDS_MAX; i++) {
		struct raw_record record;

		if (!take_record(&reader, &record))
			return 0;
		if (record.type == TYPE_SOA && record.size >= 4) {
			struct reader least = {message->data, record.start + record.size,
				record.start + record.size - 4, false};
			int64_t minimum_s = take_ttl(&least);

			ttl_s = minimum_s < record.ttl_s ? minimum_s : record.ttl_s;
		}
		ares_free_string(record.owner);
	}
	return ttl_s;
}

/* Header and question. False when it is no answer to ours; counts: answers, then authorities. */
static bool read_head(struct reader *reader, const char *name, enum dns_type type,
	unsigned *rcode_out, unsigned *counts_out)
{
	unsigned flags, questions;
	char *asked;
	bool is_ours;

	take16(reader); /* c-ares has compared the id */
	flags = take16(reader);
	questions = take16(reader);
	counts_out[0] = take16(reader);
	counts_out[1] = take16(reader);
	take16(reader);
	*rcode_out = flags & 0x0F;
	if (reader->is_bad || (flags & 0x8000) == 0 || questions != 1)
		return false;
	asked = take_name(reader);
	is_ours = asked != NULL && dns_name_equal(name, asked);
	ares_free_string(asked);
	is_ours = take16(reader) == (unsigned)type && is_ours;
	return take16(reader) == CLASS_IN && is_ours && !reader->is_bad;
}

static bool fail(struct dns_answer *answer, const char *why)
{
	*answer = (struct dns_answer){.outcome = DNS_FAILED, .why = why};
	return false;
}

bool dns_message_read(const void *context, const void *data, size_t size, const char *name,
	enum dns_type type, struct dns_answer *answer_out)
{
	struct reader message = {data, size, 0, false};
	struct section section = {context, &message, type, name, NULL, NULL, 0, -1};
	unsigned rcode, counts[2];
	size_t start, end;

	if (size < HEADER_SIZE || size > UINT16_MAX ||
		!read_head(&message, name, type, &rcode, counts))
		return fail(answer_out, "the answer of the DNS server makes no sense");
	if (rcode != RCODE_OK && rcode != RCODE_NO_DOMAIN)
		return fail(answer_out, "the DNS server reports an error of its own");
	start = message.at;
	for (unsigned i = 0; i == 0 || section.alias != NULL; i++) {
		if (i > DNS_ALIASES_MAX)
			return fail(answer_out, "the name is an alias of an alias without end");
		if (!read_section(&section, start, counts[0], &end))
			return fail(answer_out, "the answer of the DNS server makes no sense");
		if (section.count > 0)
			break;
	}
	memset(answer_out, 0, sizeof *answer_out);
	answer_out->records = section.records;
	answer_out->count = section.count;
	answer_out->ttl_s = section.ttl_s < 0 ? 0 : section.ttl_s;
	if (section.count > 0)
		return true;
	answer_out->outcome = rcode == RCODE_NO_DOMAIN ? DNS_NO_DOMAIN : DNS_NO_DATA;
	answer_out->ttl_s = read_negative_ttl(&message, end, counts[1]);
	return true;
}
