/*
 * spf_wire.h: what spf.c and its child (child/spf_child.c) say to each other over a socket that
 * keeps messages whole (SOCK_SEQPACKET). The child links this and nothing else of ours.
 *
 * Parent: one QUESTION, then an ANSWER to each ASK. Child: UNCONFINED and the end, or ASKs and one
 * RESULT. Numbers are big-endian; whatever does not read to its exact end is not taken.
 */
#ifndef BACKSTOP_NET_SPF_WIRE_H
#define BACKSTOP_NET_SPF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPF_WIRE_DOWN_MAX 16384 /* bytes of a message to the child */
#define SPF_WIRE_UP_MAX 512	/* bytes of one from it */
#define SPF_WIRE_TEXT_MAX 480	/* of a string in either */
#define SPF_WIRE_RECORD_MAX 4096

enum spf_wire_kind {
	SPF_WIRE_QUESTION = 'Q',   /* address (16), HELO, sender */
	SPF_WIRE_ANSWER = 'A',	   /* outcome (1), count (1), records */
	SPF_WIRE_UNCONFINED = 'U', /* seccomp could not be had, so nothing was read */
	SPF_WIRE_ASK = '?',	   /* type (2), name */
	SPF_WIRE_RESULT = '='	   /* result (1), phrase */
};

/* A message being written or read. */
struct spf_wire {
	unsigned char data[SPF_WIRE_DOWN_MAX];
	size_t size;
	size_t at;   /* of the reader */
	bool is_bad; /* written: it did not fit; read: it was not there */
};

void spf_wire_begin(struct spf_wire *wire, enum spf_wire_kind kind);
void spf_wire_put8(struct spf_wire *wire, unsigned value);
void spf_wire_put16(struct spf_wire *wire, unsigned value);
void spf_wire_put_bytes(struct spf_wire *wire, const void *data, size_t size);
/* Two bytes of length, and the bytes. */
void spf_wire_put_block(struct spf_wire *wire, const void *data, size_t size);

/* The kind; wire->size is set by who received it. */
unsigned spf_wire_open(struct spf_wire *wire);
unsigned spf_wire_get8(struct spf_wire *wire);
unsigned spf_wire_get16(struct spf_wire *wire);
/* Lent from the message; NULL when it is not there. */
const void *spf_wire_get_bytes(struct spf_wire *wire, size_t size);
const void *spf_wire_get_block(struct spf_wire *wire, size_t *size_out);
/* A block as a string with a NUL, into text_out of SPF_WIRE_TEXT_MAX + 1 bytes. "", and bad, when
 * it is not there, is longer, or has a NUL in it. */
void spf_wire_get_text(struct spf_wire *wire, char *text_out);
/* True when nothing was missing and nothing is left. */
bool spf_wire_is_whole(const struct spf_wire *wire);

#endif
