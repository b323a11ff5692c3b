/*
 * part.c: in charge of the MIME tree. GMime finds boundaries; what a part says is taken out of its
 * object, so that no GMime object outlives this file.
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
#include "read/boundary.h"
#include "read/leaf.h"
#include "read/single.h"

#define SHORT_FILE_MAX (32 * 1024) /* bytes, encoded */

struct builder {
	const void *context;
	struct bytes message; /* what offsets count from */
	size_t header_size;
	struct budget *budget;
	bool is_guess; /* of a boundary: no more is guessed inside */
};

static struct part *build_object(
	struct builder *builder, GMimeObject *object, const struct part *parent, int depth);
static struct part *build_tree(struct builder *builder, const struct part *parent, bool may_guess);
static void build_broken(struct builder *builder, GMimeMultipart *multipart, struct part *part);

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

/* Where a header begins, seen from the begin of what is parsed; -1 when there is none. */
static gint64 find_start(GMimeHeaderList *list)
{
	if (list == NULL || g_mime_header_list_get_count(list) == 0)
		return -1;
	return g_mime_header_get_offset(g_mime_header_list_get_header_at(list, 0));
}

/* The message inside: its headers from the raw bytes where GMime says that they begin. */
static void build_message(
	struct builder *builder, GMimeMessage *message, struct part *part, int depth)
{
	GMimeObject *body = g_mime_message_get_mime_part(message);
	gint64 start = find_start(g_mime_object_get_header_list(GMIME_OBJECT(message)));
	gint64 other = body == NULL ? -1 : find_start(g_mime_object_get_header_list(body));

	if (start < 0 || (other >= 0 && other < start))
		start = other;
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
	if (part->is_message) {
		const struct message message = {part->content, &part->headers, size};
		part->first_child = part_build(builder->context, &message, part, builder->budget);
	}
}

/* Which parts are worth decoding: what could hold a report. A picture is not. */
static bool is_readable_type(const char *type)
{
	return strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0 ||
	       strncmp(type, "multipart/", 10) == 0;
}

/* A file of unknown content that is short enough for a report: gateways declare its fields so. */
static bool is_short_file(GMimeDataWrapper *wrapper, const struct part *part)
{
	return strcmp(part->type, "application/octet-stream") == 0 && wrapper != NULL &&
	       g_mime_stream_length(g_mime_data_wrapper_get_stream(wrapper)) <= SHORT_FILE_MAX;
}

static void build_leaf(struct builder *builder, GMimePart *object, struct part *part, int depth)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(object);

	if (!is_readable_type(part->type) && !is_short_file(wrapper, part))
		return;
	const struct leaf leaf = {.encoded = find_encoded(builder, wrapper),
		.encoding = (int)g_mime_part_get_content_encoding(object),
		.charset =
			g_mime_object_get_content_type_parameter(GMIME_OBJECT(object), "charset")};
	part->content = leaf_decode(builder->context, &leaf, &part->is_cut);
	if (is_message_type(part->type))
		build_encoded_message(builder, part, depth);
	else
		part->content = leaf_convert(builder->context, leaf.charset, part->content);
}

static void build_children(
	struct builder *builder, GMimeMultipart *multipart, struct part *part, int depth)
{
	const struct part **link = &part->first_child;
	int count = g_mime_multipart_get_count(multipart);

	if (count == 0)
		build_broken(builder, multipart, part);
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

static struct bytes find_body(const struct builder *builder)
{
	return (struct bytes){builder->message.data + builder->header_size,
		builder->message.size - builder->header_size};
}

/* What stands behind the header of a part, which begins at start. */
static struct bytes skip_header(const struct builder *builder, size_t start)
{
	struct bytes rest = {builder->message.data + start, builder->message.size - start};
	struct headers headers;
	size_t skip;

	headers_parse(builder->context, rest, &headers, &skip);
	return (struct bytes){rest.data + skip, rest.size - skip};
}

/* The body as one text part, for what GMime finds no structure in. */
static struct part *build_plain(struct builder *builder, const struct part *parent)
{
	struct part *part = new_part(builder, NULL, parent);

	part->content = find_body(builder);
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

/* A body whose header says nothing of parts, or gives a wrong boundary for them: parsed again with
 * the boundary that stands in it. NULL when there is none. */
static struct part *build_undeclared(struct builder *builder, struct bytes body,
	const struct part *parent, const char *report_type)
{
	char *boundary = boundary_guess(builder->context, body);

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
	struct builder guessed = {
		builder->context, {data, size}, strlen(head), builder->budget, true};
	struct part *root = build_tree(&guessed, parent, false);
	root->report_type = report_type;
	return root;
}

/* A multipart inside that GMime found no parts in: what stands there, as parts by a boundary of its
 * own or as text. Not as GMime has it, who was not shown all (budget.c). */
static void build_broken(struct builder *builder, GMimeMultipart *multipart, struct part *part)
{
	const char *text = g_mime_multipart_get_prologue(multipart);
	gint64 start = find_start(g_mime_object_get_header_list(GMIME_OBJECT(multipart)));
	size_t size = text == NULL ? 0 : strlen(text);

	if (size == 0 || start < 0 || (size_t)start >= builder->message.size ||
		builder->budget->is_exceeded || part->parent == NULL)
		return; /* build_tree does it for the message as a whole */
	struct bytes body = skip_header(builder, (size_t)start);
	body.size = body.size < size ? body.size : size;
	if (!builder->is_guess)
		part->first_child = build_undeclared(builder, body, part, NULL);
	if (part->first_child != NULL || builder->budget->parts >= PART_COUNT_MAX)
		return;
	struct part *child = new_part(builder, NULL, part);
	child->is_cut = body.size > PART_CONTENT_MAX;
	child->content = (struct bytes){body.data, child->is_cut ? PART_CONTENT_MAX : body.size};
	part->first_child = child;
}

/* True when the header leaves open what the body is: no Content-Type, one without a part, or plain
 * text, which gateways make of all. */
static bool is_undeclared(const struct part *root)
{
	return root == NULL || (root->first_child == NULL && !root->is_message &&
				       (strncmp(root->type, "multipart/", 10) == 0 ||
					       strcmp(root->type, "text/plain") == 0));
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
	may_guess = may_guess && !builder->budget->is_exceeded && is_undeclared(root);
	struct part *found =
		may_guess ? build_undeclared(builder, find_body(builder), parent, report_type)
			  : NULL;
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

/* A message that is one text needs no tree. NULL when it is not. */
static struct part *build_single(
	struct builder *builder, const struct message *message, const struct part *parent)
{
	struct part *part;
	struct single single;

	if (builder->budget->is_exceeded || builder->budget->parts >= PART_COUNT_MAX ||
		measure_depth(parent) >= PART_DEPTH_MAX ||
		!single_read(builder->context, message, &single))
		return NULL;
	if (single.type == NULL || strcmp(single.type, "text/plain") == 0) {
		part = build_undeclared(builder, find_body(builder), parent, NULL);
		if (part != NULL)
			return part;
	}
	part = new_part(builder, NULL, parent);
	if (single.type != NULL)
		part->type = single.type;
	part->report_type = single.report_type;
	part->content = leaf_decode(builder->context, &single.leaf, &part->is_cut);
	part->content = leaf_convert(builder->context, single.leaf.charset, part->content);
	return part;
}

struct part *part_build(const void *context, const struct message *message,
	const struct part *parent, struct budget *budget)
{
	struct builder builder = {context, message->bytes, message->header_size, budget, false};
	struct part *single = build_single(&builder, message, parent);

	return single != NULL ? single : build_tree(&builder, parent, true);
}
