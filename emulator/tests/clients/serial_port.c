// SPDX-License-Identifier: GPL-2.0-or-later
/* The application's serial port by libserialport: it is found, and echoes. */
#include <libserialport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *what, int result, int want)
{
	if (result == want)
		return;
	fprintf(stderr, "%s: %d instead of %d\n", what, result, want);
	exit(1);
}

static void list(void)
{
	struct sp_port **ports;
	int vendor, product;

	check("list", sp_list_ports(&ports), SP_OK);
	for (int i = 0; ports[i]; i++) {
		if (sp_get_port_usb_vid_pid(ports[i], &vendor, &product) == SP_OK)
			printf("%s %04x:%04x %s|%s|%s\n", sp_get_port_name(ports[i]), (unsigned)vendor,
			       (unsigned)product, sp_get_port_usb_serial(ports[i]), sp_get_port_usb_product(ports[i]),
			       sp_get_port_usb_manufacturer(ports[i]));
	}
	sp_free_port_list(ports);
}

int main(void)
{
	static const char text[] = "by libserialport";
	struct sp_port *port, *second;
	char got[sizeof(text)] = "";
	enum sp_signal signals;

	list();
	check("port", sp_get_port_by_name("/dev/ttyACM0", &port), SP_OK);
	check("open", sp_open(port, SP_MODE_READ_WRITE), SP_OK);
	check("baud", sp_set_baudrate(port, 115200), SP_OK);
	check("bits", sp_set_bits(port, 8), SP_OK);
	check("parity", sp_set_parity(port, SP_PARITY_NONE), SP_OK);
	check("flow control", sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE), SP_OK);
	check("write", sp_blocking_write(port, text, sizeof(text), 5000), (int)sizeof(text));
	check("drain", sp_drain(port), SP_OK);
	check("read", sp_blocking_read(port, got, sizeof(got), 5000), (int)sizeof(got));
	check("echo", memcmp(got, text, sizeof(text)), 0);
	check("time-out", sp_blocking_read(port, got, 1, 300), 0);
	check("signals", sp_get_signals(port, &signals), SP_OK);
	check("CTS alone", (int)signals, SP_SIG_CTS);
	check("the same port", sp_get_port_by_name("/dev/ttyACM0", &second), SP_OK);
	sp_free_port(second);
	check("close", sp_close(port), SP_OK);
	sp_free_port(port);
	puts("done");
	return 0;
}
