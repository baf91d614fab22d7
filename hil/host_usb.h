/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's end of USB for a scripted host, and for the runner's own: one device with a DFU interface or a serial port, requests that
 * have a time limit each. SIGINT, SIGTERM and SIGHUP end whatever is waited for at once.
 */
#ifndef DFUBENCH_HOST_USB_H
#define DFUBENCH_HOST_USB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "host_script.h"

#define HOST_USB_WHY 512

struct host_usb;

struct host_usb *host_usb_new(char why[HOST_USB_WHY]); /* NULL with why; once in a process at a time */
void host_usb_free(struct host_usb *);                 /* closes; NULL is fine */

/* The signal that has come, 0: none. Everything below then fails at once. */
int host_usb_signal(const struct host_usb *);

/* The one device with that ID and serial number (NULL: any), waited for so long; an open one is closed. false with why. */
bool host_usb_open(struct host_usb *, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
		   char why[HOST_USB_WHY]);
/* Likewise, with a serial port (CDC-ACM, USB PSTN 1.2) instead of a DFU interface. Drivers that have it make way; it is set to 115200
 * baud, 8N1, and DTR and RTS are on until it is closed. */
bool host_usb_open_serial(struct host_usb *, uint16_t vendor, uint16_t product, const char *serial, uint64_t within_us,
			  char why[HOST_USB_WHY]);
/* That one and no other: nothing is asked of devices beside it. */
bool host_usb_open_at(struct host_usb *, unsigned bus, unsigned address, char why[HOST_USB_WHY]);
void host_usb_close(struct host_usb *);
bool host_usb_is_open(const struct host_usb *);
bool host_usb_is_serial(const struct host_usb *);
uint8_t host_usb_interface(const struct host_usb *); /* number of the DFU interface */

/* A request that is under way. Others may be meanwhile: the device gets them in their order. Each is to be ended. data: the length bytes
 * that are sent; NULL where they are received. */
struct host_request;
struct host_request *host_usb_begin(struct host_usb *, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
				    const uint8_t *data, uint16_t length, uint64_t timeout_us);
void host_usb_give_up(struct host_usb *, struct host_request *); /* takes it back; NULL is fine */
/* Waits for it. data: room for the length that it was begun with, if that is received. *actual: bytes that moved. */
enum host_end host_usb_end(struct host_usb *, struct host_request *, uint8_t *data, size_t *actual);
/* Both in one */
enum host_end host_usb_control(struct host_usb *, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
			       uint8_t *data, uint16_t length, uint64_t timeout_us, size_t *actual);
/* Of the serial port. To read, length is a multiple of the packet size, and there is an end with the first packets. *actual counts
 * in a HOST_LATE too. */
enum host_end host_usb_write(struct host_usb *, const uint8_t *data, size_t length, uint64_t timeout_us,
			     size_t *actual);
enum host_end host_usb_read(struct host_usb *, uint8_t *data, size_t length, uint64_t timeout_us, size_t *actual);
enum host_end host_usb_set_interface(struct host_usb *, uint8_t alternate);
/* Also one that it has already. */
enum host_end host_usb_set_configuration(struct host_usb *, uint8_t value);
enum host_end host_usb_reset(struct host_usb *);
bool host_usb_wait_gone(struct host_usb *, uint64_t within_us); /* from the bus; true as well if none was open */
/* A device with that ID, which need not be one with DFU, is on the bus: waited for so long. */
bool host_usb_wait_there(struct host_usb *, uint16_t vendor, uint16_t product, uint64_t within_us);
bool host_usb_sleep(struct host_usb *, uint64_t us); /* false: a signal came */

#endif
