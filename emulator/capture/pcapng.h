/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng (IETF draft-ietf-opsawg-pcapng): blocks to bytes, and a reader over bytes. No I/O and no allocation. Written are one
 * little-endian section, one interface, enhanced packet blocks; time stamps are microseconds.
 */
#ifndef DFUBENCH_PCAPNG_H
#define DFUBENCH_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pcapng_origin {
	const char *hardware, *os, *application; /* shb_hardware, shb_os, shb_userappl */
	const char *interface;                   /* if_name */
	uint16_t link_type;
};

/* Each returns the size of what it has to write, and writes it if that is at most size; out may be NULL when size is 0. */
size_t pcapng_format_start(const struct pcapng_origin *, uint8_t *out, size_t size); /* section and interface */
/* One packet in two parts: the header of the link type and the data; original is the length before any cut, of both. */
size_t pcapng_format_packet(uint64_t time_us, const uint8_t *header, size_t header_length, const uint8_t *data,
			    size_t data_length, size_t original, uint8_t *out, size_t size);

#define PCAPNG_MAX_INTERFACES 32 /* per section */

struct pcapng_interface {
	uint16_t link_type;
	uint32_t snaplen;   /* 0: none */
	uint8_t resolution; /* if_tsresol as stored */
	int64_t offset_s;   /* if_tsoffset */
	uint64_t dropped;   /* isb_ifdrop and isb_osdrop of its statistics: what the recorder lost since it began */
};

struct pcapng_packet {
	unsigned interface;
	uint16_t link_type;
	bool big_endian; /* of the section: headers of some link types follow it */
	bool has_time;   /* simple packet blocks have none */
	uint64_t time_us;
	const uint8_t *data; /* into the reader's memory */
	size_t captured, original;
};

struct pcapng_reader {
	const uint8_t *data;
	size_t size, at; /* at: offset of the next block */
	bool in_section, big_endian;
	bool truncated;          /* the last block is cut off: the writer was killed; what came before is whole */
	const char *error;       /* after -EINVAL; at is the offset of the block that is meant */
	const char *application; /* shb_userappl of the section, not NUL-terminated; NULL if there is none */
	size_t application_length;
	uint64_t dropped; /* epb_dropcount, and the counts of obsolete packet blocks: lost before a packet */
	unsigned interface_count;
	struct pcapng_interface interfaces[PCAPNG_MAX_INTERFACES];
};

/* data must outlive the reader. */
void pcapng_reader_init(struct pcapng_reader *, const uint8_t *data, size_t size);
/* Reads on in other memory: for who reads block by block. What was learnt of section and interfaces stays. application is
 * NULL from then on. */
void pcapng_reader_move(struct pcapng_reader *, const uint8_t *data, size_t size);
/* 1 with the next packet; 0 at the end; -EINVAL: this is not pcapng, or broken (then it stays so). Blocks of kinds that it
 * does not know are passed over. */
int pcapng_reader_next(struct pcapng_reader *, struct pcapng_packet *);

#endif
