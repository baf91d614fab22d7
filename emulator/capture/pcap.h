/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The older format of captures (IETF draft-ietf-opsawg-pcap): its two headers from bytes, in either byte order. */
#ifndef DFUBENCH_PCAP_H
#define DFUBENCH_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAP_FILE_HEADER_BYTES 24
#define PCAP_PACKET_HEADER_BYTES 16

struct pcap_file {
	bool big_endian, nanoseconds;
	uint16_t link_type;
	uint32_t snaplen; /* 0: none */
};

bool pcap_has_magic(const uint8_t *header, size_t size); /* it begins as one does */
/* 0, or -EINVAL: this is none. */
int pcap_decode_file(const uint8_t *header, size_t size, struct pcap_file *);

struct pcap_packet {
	uint32_t seconds;
	uint32_t fraction; /* micro- or nanoseconds, less than a second if sound */
	uint32_t captured, original;
};

void pcap_decode_packet(const struct pcap_file *, const uint8_t header[PCAP_PACKET_HEADER_BYTES], struct pcap_packet *);
/* It can be the header of a packet of this file of at most `most` bytes. */
bool pcap_is_sound(const struct pcap_file *, const struct pcap_packet *, size_t most);
uint64_t pcap_time_us(const struct pcap_file *, const struct pcap_packet *);

#endif
