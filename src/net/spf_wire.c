/* spf_wire.c: in charge of bounds, for both sides of the socket. */
#include "net/spf_wire.h"

#include <string.h>

static unsigned char *extend(struct spf_wire *wire, size_t size)
{
	if (wire->is_bad || sizeof wire->data - wire->size < size) {
		wire->is_bad = true;
		return NULL;
	}
	wire->size += size;
	return wire->data + wire->size - size;
}

void spf_wire_put8(struct spf_wire *wire, unsigned value)
{
	unsigned char *byte = extend(wire, 1);

	if (byte != NULL)
		*byte = (unsigned char)value;
}

void spf_wire_begin(struct spf_wire *wire, enum spf_wire_kind kind)
{
	wire->size = 0;
	wire->at = 0;
	wire->is_bad = false;
	spf_wire_put8(wire, kind);
}

void spf_wire_put16(struct spf_wire *wire, unsigned value)
{
	spf_wire_put8(wire, value >> 8);
	spf_wire_put8(wire, value);
}

void spf_wire_put_bytes(struct spf_wire *wire, const void *data, size_t size)
{
	unsigned char *bytes = extend(wire, size);

	if (bytes != NULL && size > 0)
		memcpy(bytes, data, size);
}

void spf_wire_put_block(struct spf_wire *wire, const void *data, size_t size)
{
	if (size > UINT16_MAX) {
		wire->is_bad = true;
		return;
	}
	spf_wire_put16(wire, (unsigned)size);
	spf_wire_put_bytes(wire, data, size);
}

const void *spf_wire_get_bytes(struct spf_wire *wire, size_t size)
{
	if (wire->is_bad || wire->size - wire->at < size) {
		wire->is_bad = true;
		return NULL;
	}
	wire->at += size;
	return wire->data + wire->at - size;
}

unsigned spf_wire_get8(struct spf_wire *wire)
{
	const unsigned char *byte = spf_wire_get_bytes(wire, 1);

	return byte == NULL ? 0 : *byte;
}

unsigned spf_wire_open(struct spf_wire *wire)
{
	wire->at = 0;
	wire->is_bad = false;
	return spf_wire_get8(wire);
}

unsigned spf_wire_get16(struct spf_wire *wire)
{
	unsigned high = spf_wire_get8(wire);

	return high << 8 | spf_wire_get8(wire);
}

const void *spf_wire_get_block(struct spf_wire *wire, size_t *size_out)
{
	*size_out = spf_wire_get16(wire);
	return spf_wire_get_bytes(wire, *size_out);
}

void spf_wire_get_text(struct spf_wire *wire, char *text_out)
{
	size_t size;
	const char *text = spf_wire_get_block(wire, &size);

	text_out[0] = '\0';
	if (text == NULL || size > SPF_WIRE_TEXT_MAX || memchr(text, '\0', size) != NULL) {
		wire->is_bad = true;
		return;
	}
	memcpy(text_out, text, size);
	text_out[size] = '\0';
}

bool spf_wire_is_whole(const struct spf_wire *wire)
{
	return !wire->is_bad && wire->at == wire->size;
}
