// SPDX-License-Identifier: GPL-2.0-or-later
/* A serial port on USB, by its descriptors and class requests. */
#include "host_serial.h"
#include <string.h>

#define CLASS_COMMUNICATION 0x02 /* USB CDC 1.2 4.2 */
#define CLASS_DATA 0x0a          /* 4.5 */
#define SUBCLASS_ACM 0x02        /* 4.3 */
#define CS_INTERFACE 0x24
#define UNION_SUBTYPE 0x06 /* 5.2.3.2 */
#define SET_LINE_CODING 0x20
#define SET_CONTROL_LINE_STATE 0x22
#define DTR_RTS 3
#define REQUEST_US 1000000u

bool host_serial_find(const uint8_t *d, size_t length, struct host_serial_port *port)
{
	bool acm = false, data = false, has_control = false;
	int joined = -1; /* by the union descriptor: the data interface */

	memset(port, 0, sizeof(*port));
	for (size_t at = 0; at + 2 <= length && d[at] >= 2 && d[at] <= length - at; at += d[at]) {
		const uint8_t *e = d + at;

		if (e[1] == 4 && e[0] >= 9) {
			acm = !has_control && e[5] == CLASS_COMMUNICATION && e[6] == SUBCLASS_ACM;
			data = has_control && e[5] == CLASS_DATA && (joined < 0 || e[2] == joined);
			if (acm) {
				has_control = true;
				port->control_interface = e[2];
			}
			if (data && !(port->in && port->out)) {
				port->data_interface = e[2];
				port->in = port->out = 0;
			}
		} else if (e[1] == CS_INTERFACE && e[0] >= 5 && acm && e[2] == UNION_SUBTYPE) {
			joined = e[4];
		} else if (e[1] == 5 && e[0] >= 7 && data && (e[3] & 3) == 2) {
			if (e[2] & 0x80 && !port->in)
				port->in = e[2];
			else if (!(e[2] & 0x80) && !port->out)
				port->out = e[2];
		}
	}
	return port->in && port->out;
}

static enum host_end tell(struct host_usb *h, const struct host_serial_port *port, uint8_t request, uint16_t value,
			  uint8_t *data, uint16_t length)
{
	size_t actual;
	enum host_end end = host_usb_control(h, 0x21, request, value, port->control_interface, data, length, REQUEST_US,
					     &actual);

	return end == HOST_STALL ? HOST_OK : end;
}

enum host_end host_serial_begin(struct host_usb *h, const struct host_serial_port *port)
{
	uint8_t coding[7] = { 0x00, 0xc2, 0x01, 0x00, 0, 0, 8 }; /* 115200, 1 stop bit, no parity, 8 bits */
	enum host_end end = tell(h, port, SET_LINE_CODING, 0, coding, sizeof(coding));

	return end == HOST_OK ? tell(h, port, SET_CONTROL_LINE_STATE, DTR_RTS, NULL, 0) : end;
}

void host_serial_end(struct host_usb *h, const struct host_serial_port *port)
{
	tell(h, port, SET_CONTROL_LINE_STATE, 0, NULL, 0);
}
