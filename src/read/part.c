/*
 * part.c: in charge of the MIME tree. GMime finds boundaries and undoes transfer encodings; each
 * part is copied into memory of ours, so that no GMime object outlives this file.
 *
 * What GMime does not do: a base64 message/rfc822 (forbidden, but written by gateways) is decoded
 * and taken apart here; a multipart without usable boundary becomes one text part, so that readers
 * of plain text still see it; caps on parts, depth and size are ours.
 */
#include "read/part.h"

#include <gmime/gmime.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "read/charset.h"

#define CHARSETS_KEPT 24       /* whose converters stay open */
#define UNKNOWN_MAX (8 * 1024) /* bytes of an encoded part that no type says the use of */
#define CHARSET_NAME_MAX 32    /* bytes, the NUL included */
#define BASE64_LINE_MIN 40     /* a first line of that many characters is no word */
#define PREAMBLE_MAX 400       /* bytes in front of a boundary that nobody declared */

struct builder {
	const void *context;
	struct bytes message; /* what offsets count from */
	struct budget *budget;
};

static struct part *build_object(
	struct builder *builder, GMimeObject *object, const struct part *parent, int depth);
static struct part *build_tree(struct builder *builder, const struct part *parent, bool may_guess);

static const char *const message_types[] = {
	"message/rfc822", "message/rfc2822", "message/global", "message/news"};

static bool is_message_type(const char *type)
{
	for (size_t i = 0; i < sizeof(message_types) / sizeof(message_types[0]); i++) {
		if (strcmp(type, message_types[i]) == 0)
			return true;
	}
	return false;
}

static int measure_depth(const struct part *part)
{
	int depth = 0;

	for (; part != NULL; part = part->parent)
		depth++;
	return depth;
}

/* The type as the header says it: GMime's own class differs where it gave up on an encoded
 * message. */
static char *find_type(const void *context, GMimeObject *object)
{
	char *declared = header_token(context, g_mime_object_get_header(object, "Content-Type"));

	if (declared != NULL && strchr(declared, '/') != NULL)
		return declared;
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = g_mime_content_type_get_mime_type(type);
	char *lower = text_lower(context, text == NULL ? "text/plain" : text);
	g_free(text);
	return lower;
}

static struct part *new_part(
	struct builder *builder, GMimeObject *object, const struct part *parent)
{
	struct part *part = mem_new(builder->context, struct part);
	const char *value;

	part->parent = parent;
	part->type = "text/plain";
	builder->budget->parts++;
	if (object == NULL)
		return part;
	part->type = find_type(builder->context, object);
	value = g_mime_object_get_content_type_parameter(object, "report-type");
	part->report_type = value == NULL ? NULL : text_lower(builder->context, value);
	value = g_mime_object_get_disposition(object);
	part->disposition = value == NULL ? NULL : text_lower(builder->context, value);
	return part;
}

/* The encoded bytes of a leaf, as they stand in the message. */
static struct bytes find_encoded(const struct builder *builder, GMimeDataWrapper *wrapper)
{
	GMimeStream *stream = wrapper == NULL ? NULL : g_mime_data_wrapper_get_stream(wrapper);
	gint64 size = (gint64)builder->message.size;

	if (stream == NULL || stream->bound_start < 0 || stream->bound_end > size ||
		stream->bound_end < stream->bound_start)
		return (struct bytes){NULL, 0};
	return (struct bytes){builder->message.data + stream->bound_start,
		(size_t)(stream->bound_end - stream->bound_start)};
}

/* Runs text through a decoder. Two calls: what the first holds back, the second gives out. */
static struct bytes run_decoder(const void *context, GMimeFilter *decoder, struct bytes text)
{
	char *decoded, *rest;
	size_t size, rest_size, before;

	g_mime_filter_filter(decoder, (char *)text.data, text.size, 0, &decoded, &size, &before);
	unsigned char *data = mem_memdup(context, decoded, size);
	g_mime_filter_complete(decoder, (char *)text.data, 0, 0, &rest, &rest_size, &before);
	if (rest_size > 0) {
		data = mem_realloc(context, data, size + rest_size);
		memcpy(data + size, rest, rest_size);
	}
	return (struct bytes){data, size + rest_size};
}

/* Undoes the transfer encoding; at most PART_CONTENT_MAX bytes are kept. */
static struct bytes decode_content(struct builder *builder, GMimePart *leaf, bool *is_cut)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(leaf);
	struct bytes text = find_encoded(builder, wrapper);

	if (text.size == 0)
		return text;
	GMimeContentEncoding encoding = g_mime_data_wrapper_get_encoding(wrapper);
	if (encoding > GMIME_CONTENT_ENCODING_BINARY) {
		GMimeFilter *decoder = g_mime_filter_basic_new(encoding, FALSE);
		text = run_decoder(builder->context, decoder, text);
		g_object_unref(decoder);
	}
	*is_cut = text.size >= PART_CONTENT_MAX;
	if (*is_cut)
		text.size = PART_CONTENT_MAX;
	return text;
}

/* The charset to convert from, or NULL when the text is UTF-8 already. What is declared as ASCII or
 * UTF-8, or not at all, is believed only as far as the bytes agree. */
static const char *find_charset(GMimeObject *object, struct bytes text)
{
	const char *charset = g_mime_object_get_content_type_parameter(object, "charset");

	if (charset == NULL || *charset == '\0' || text_equal_fold(charset, "utf-8") ||
		text_equal_fold(charset, "us-ascii"))
		return charset_guess(text);
	return charset;
}

/* A converter to UTF-8 that stays open: libc loads the code of a charset when its first converter
 * is opened and unloads it with the last, message by message. NULL when all places are taken. */
static iconv_t *find_kept(const char *charset)
{
	static struct {
		char name[CHARSET_NAME_MAX];
		iconv_t converter;
	} kept[CHARSETS_KEPT];

	for (size_t i = 0; i < CHARSETS_KEPT; i++) {
		if (text_equal_fold(kept[i].name, charset))
			return &kept[i].converter;
		if (kept[i].name[0] != '\0')
			continue;
		if (strlen(charset) >= CHARSET_NAME_MAX)
			return NULL;
		strcpy(kept[i].name, charset);
		kept[i].converter = g_mime_iconv_open("utf-8", charset);
		return &kept[i].converter;
	}
	return NULL;
}

/* NULL when iconv does not know the charset. On the heap of GLib. */
static char *convert(const char *charset, struct bytes text)
{
	iconv_t *kept = find_kept(charset);
	iconv_t converter = kept != NULL ? *kept : g_mime_iconv_open("utf-8", charset);
	char *converted = NULL;

	if (converter == (iconv_t)-1)
		return NULL;
	if (kept != NULL)
		iconv(converter, NULL, NULL, NULL, NULL);
	converted = g_mime_iconv_strndup(converter, (const char *)text.data, text.size);
	if (kept == NULL)
		g_mime_iconv_close(converter);
	return converted;
}

/* Text to UTF-8. A charset that iconv does not know is guessed; bytes that are not in it leave the
 * text as it is: whoever prints it cleans it. */
static struct bytes convert_charset(struct builder *builder, GMimeObject *object, struct bytes text)
{
	const char *charset = text.size == 0 ? NULL : find_charset(object, text);

	if (charset == NULL)
		return text;
	char *converted = convert(charset, text);
	if (converted == NULL && (charset = charset_guess(text)) != NULL)
		converted = convert(charset, text);
	if (converted == NULL)
		return text;
	struct bytes result = {NULL, strlen(converted)};
	result.data = mem_memdup(builder->context, converted, result.size);
	g_free(converted);
	return result;
}

/* The message inside: its headers from the raw bytes where GMime says that they begin. */
static void build_message(
	struct builder *builder, GMimeMessage *message, struct part *part, int depth)
{
	GMimeObject *body = g_mime_message_get_mime_part(message);
	GMimeHeaderList *lists[] = {g_mime_object_get_header_list(GMIME_OBJECT(message)),
		body == NULL ? NULL : g_mime_object_get_header_list(body)};
	gint64 start = -1;

	for (size_t i = 0; i < 2; i++) {
		if (lists[i] == NULL || g_mime_header_list_get_count(lists[i]) == 0)
			continue;
		gint64 offset =
			g_mime_header_get_offset(g_mime_header_list_get_header_at(lists[i], 0));
		if (offset >= 0 && (start < 0 || offset < start))
			start = offset;
	}
	part->is_message = true;
	if (start >= 0 && (size_t)start < builder->message.size) {
		struct bytes block = {
			builder->message.data + start, builder->message.size - (size_t)start};
		headers_parse(builder->context, block, &part->headers, NULL);
	}
	if (body != NULL)
		part->first_child = build_object(builder, body, part, depth + 1);
}

/* A leaf that says it is a message, but is encoded: decode it and begin anew. */
static void build_encoded_message(struct builder *builder, struct part *part, int depth)
{
	size_t size;

	if (depth + 1 >= PART_DEPTH_MAX) {
		builder->budget->is_exceeded = true;
		return;
	}
	headers_parse(builder->context, part->content, &part->headers, &size);
	part->is_message = part->headers.count > 0;
	if (part->is_message)
		part->first_child =
			part_build(builder->context, part->content, part, builder->budget);
}

/* Which parts are worth decoding: what could hold a report. A picture is not. */
static bool is_readable_type(const char *type)
{
	return strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0 ||
	       strncmp(type, "multipart/", 10) == 0;
}

/* Some gateways say "application/octet-stream" of a delivery-status part that they do not know. */
static bool is_small_unknown(GMimePart *leaf, const struct part *part)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(leaf);

	return strcmp(part->type, "application/octet-stream") == 0 && wrapper != NULL &&
	       g_mime_stream_length(g_mime_data_wrapper_get_stream(wrapper)) <= UNKNOWN_MAX;
}

/* The encoding that a text is in although its header says nothing of it: nothing but whole lines of
 * base64, or quoted-printable's breaks at line ends. */
static GMimeContentEncoding guess_encoding(struct bytes text)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
	size_t i = 0;

	if (text.size == 0)
		return GMIME_CONTENT_ENCODING_DEFAULT;
	const unsigned char *equals = memchr(text.data, '=', text.size);
	const unsigned char *end = text.data + text.size;
	const unsigned char *newline = memchr(text.data, '\n', text.size);
	while (i < text.size && memchr(alphabet, text.data[i], sizeof(alphabet) - 1) != NULL)
		i++;
	if (i == text.size && newline != NULL && newline - text.data >= BASE64_LINE_MIN)
		return GMIME_CONTENT_ENCODING_BASE64;
	for (; equals != NULL; equals = memchr(equals + 1, '=', (size_t)(end - equals - 1))) {
		if (end - equals > 4 && memcmp(equals, "=20\n", 4) == 0)
			return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
	}
	return GMIME_CONTENT_ENCODING_DEFAULT;
}

/* Undoes an encoding that was not declared. */
static struct bytes decode_undeclared(struct builder *builder, GMimePart *leaf, struct bytes text)
{
	GMimeContentEncoding encoding = guess_encoding(text);
	GMimeEncoding state;

	if (g_mime_part_get_content_encoding(leaf) > GMIME_CONTENT_ENCODING_BINARY ||
		encoding == GMIME_CONTENT_ENCODING_DEFAULT)
		return text;
	g_mime_encoding_init_decode(&state, encoding);
	unsigned char *decoded =
		mem_realloc(builder->context, NULL, g_mime_encoding_outlen(&state, text.size) + 1);
	size_t size =
		g_mime_encoding_step(&state, (const char *)text.data, text.size, (char *)decoded);
	return (struct bytes){decoded, size};
}

static void build_leaf(struct builder *builder, GMimePart *leaf, struct part *part, int depth)
{
	if (!is_readable_type(part->type) && !is_small_unknown(leaf, part))
		return;
	part->content =
		decode_undeclared(builder, leaf, decode_content(builder, leaf, &part->is_cut));
	if (is_message_type(part->type))
		build_encoded_message(builder, part, depth);
	else
		part->content = convert_charset(builder, GMIME_OBJECT(leaf), part->content);
}

static void build_children(
	struct builder *builder, GMimeMultipart *multipart, struct part *part, int depth)
{
	const struct part **link = &part->first_child;
	int count = g_mime_multipart_get_count(multipart);

	for (int i = 0; i < count; i++) {
		if (builder->budget->parts >= PART_COUNT_MAX) {
			builder->budget->is_exceeded = true;
			return;
		}
		struct part *child = build_object(
			builder, g_mime_multipart_get_part(multipart, i), part, depth + 1);
		if (child == NULL)
			return;
		*link = child;
		link = &child->next;
	}
}

static struct part *build_object(
	struct builder *builder, GMimeObject *object, const struct part *parent, int depth)
{
	if (depth >= PART_DEPTH_MAX || builder->budget->parts >= PART_COUNT_MAX) {
		builder->budget->is_exceeded = true;
		return NULL;
	}
	struct part *part = new_part(builder, object, parent);
	if (GMIME_IS_MULTIPART(object))
		build_children(builder, GMIME_MULTIPART(object), part, depth);
	else if (GMIME_IS_MESSAGE_PART(object) &&
		 g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)) != NULL)
		build_message(builder, g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)),
			part, depth);
	else if (GMIME_IS_PART(object))
		build_leaf(builder, GMIME_PART(object), part, depth);
	return part;
}

/* The body as one text part, for what GMime finds no structure in. */
static struct part *build_plain(struct builder *builder, const struct part *parent)
{
	struct part *part = new_part(builder, NULL, parent);
	struct headers headers;
	size_t skip;

	headers_parse(builder->context, builder->message, &headers, &skip);
	part->content = (struct bytes){builder->message.data + skip, builder->message.size - skip};
	if (part->content.size > PART_CONTENT_MAX) {
		part->content.size = PART_CONTENT_MAX;
		part->is_cut = true;
	}
	return part;
}

/* GMime's view of a message. What it says of contents is where they stand. */
static GMimeMessage *parse_message(GMimeStream *stream, struct bytes message, struct budget *budget)
{
	GByteArray *copy = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	size_t size = budget_apply(budget, copy->data, message.size);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);

	g_mime_stream_set_bounds(stream, 0, (gint64)size);
	g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
	GMimeMessage *parsed = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	return parsed;
}

/* A line "--boundary" with a Content- field right behind it: the boundary, on context, or NULL.
 * In front of it stands nothing but a word for old mail programs: a report that quotes its original
 * below names an address before that. */
static char *find_boundary(const void *context, struct bytes body)
{
	size_t limit = body.size < PREAMBLE_MAX ? body.size : PREAMBLE_MAX;

	for (size_t i = 0; i + 4 < limit;) {
		const char *line = (const char *)body.data + i;
		const char *newline = memchr(line, '\n', body.size - i);
		if (newline == NULL || memchr(line, '@', (size_t)(newline - line)) != NULL)
			return NULL;
		size_t length = (size_t)(newline - line), next = i + length + 1;
		while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
			length--;
		if (length > 3 && length <= 72 && memcmp(line, "--", 2) == 0 &&
			memchr(line, '"', length) == NULL && body.size - next > 8 &&
			strncasecmp(newline + 1, "Content-", 8) == 0)
			return mem_strndup(context, line + 2, length - 2);
		i = next;
	}
	return NULL;
}

/* Parts that the header says nothing of, or gives a wrong boundary for: the body is parsed again
 * with the boundary that stands in it. NULL when there is none. */
static struct part *build_undeclared(
	struct builder *builder, const struct part *parent, const char *report_type)
{
	struct headers headers;
	size_t skip;

	headers_parse(builder->context, builder->message, &headers, &skip);
	struct bytes body = {builder->message.data + skip, builder->message.size - skip};
	char *boundary = find_boundary(builder->context, body);
	if (boundary == NULL || measure_depth(parent) + 1 >= PART_DEPTH_MAX)
		return NULL;
	char *head = mem_printf(
		builder->context, "Content-Type: multipart/mixed; boundary=\"%s\"\n\n", boundary);
	size_t size = strlen(head) + body.size;
	unsigned char *data = mem_realloc(builder->context, NULL, size);
	memcpy(data, head, strlen(head));
	memcpy(data + strlen(head), body.data, body.size);
	/* GMime may still read the boundary otherwise, as it takes backslashes off: once is enough.
	 */
	struct builder guessed = {builder->context, {data, size}, builder->budget};
	struct part *root = build_tree(&guessed, parent, false);
	root->report_type = report_type;
	return root;
}

/* True when the header leaves open what the body is: no Content-Type, or one without a part. */
static bool is_undeclared(GMimeMessage *parsed, const struct part *root)
{
	if (root == NULL || root->first_child != NULL)
		return root == NULL;
	return strncmp(root->type, "multipart/", 10) == 0 ||
	       g_mime_object_get_header(g_mime_message_get_mime_part(parsed), "Content-Type") ==
		       NULL;
}

/* may_guess: where the header leaves the structure open, look for one in the body. */
static struct part *build_tree(struct builder *builder, const struct part *parent, bool may_guess)
{
	struct bytes message = builder->message;
	GMimeStream *stream =
		g_mime_stream_mem_new_with_buffer((const char *)message.data, message.size);
	GMimeMessage *parsed = parse_message(stream, message, builder->budget);
	struct part *root = NULL;

	if (parsed != NULL && g_mime_message_get_mime_part(parsed) != NULL)
		root = build_object(builder, g_mime_message_get_mime_part(parsed), parent,
			measure_depth(parent));
	const char *report_type = root == NULL ? NULL : root->report_type;
	may_guess = may_guess && !builder->budget->is_exceeded && is_undeclared(parsed, root);
	struct part *found = may_guess ? build_undeclared(builder, parent, report_type) : NULL;
	if (found != NULL) {
		root = found;
	} else if (root == NULL ||
		   (root->first_child == NULL && strncmp(root->type, "multipart/", 10) == 0)) {
		root = build_plain(builder, parent);
		root->report_type = report_type;
	}
	g_clear_object(&parsed);
	g_object_unref(stream);
	return root;
}

struct part *part_build(
	const void *context, struct bytes message, const struct part *parent, struct budget *budget)
{
	struct builder builder = {context, message, budget};

	return build_tree(&builder, parent, true);
}
