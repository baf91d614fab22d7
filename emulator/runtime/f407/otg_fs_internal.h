/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and state of OTG_FS, for its files: otg_fs.c (global registers), _endpoints.c (device registers), _fifo.c, _frames.c, _wire.c. */
#ifndef DFUBENCH_OTG_FS_INTERNAL_H
#define DFUBENCH_OTG_FS_INTERNAL_H

#include "bus.h"
#include "otg_fs.h"

#define OTG_ENDPOINTS 4u   /* each way */
#define OTG_RAM_WORDS 320u /* 1.25 Kbytes */

/* Offsets: RM0090 34.16.1 */
enum {
	GOTGCTL = 0x000,
	GOTGINT = 0x004,
	GAHBCFG = 0x008,
	GUSBCFG = 0x00c,
	GRSTCTL = 0x010,
	GINTSTS = 0x014,
	GINTMSK = 0x018,
	GRXSTSR = 0x01c,
	GRXSTSP = 0x020,
	GRXFSIZ = 0x024,
	DIEPTXF0 = 0x028,
	GNPTXSTS = 0x02c,
	GCCFG = 0x038,
	CID = 0x03c,
	GSNPSID = 0x040,
	GHWCFG1 = 0x044,
	GHWCFG2 = 0x048,
	GHWCFG3 = 0x04c,
	GHWCFG4 = 0x050,
	HPTXFSIZ = 0x100,
	DIEPTXF1 = 0x104,
	DIEPTXF15 = 0x13c,
	HOST_BEGIN = 0x400,
	HPRT = 0x440,
	HOST_END = 0x800,
	DCFG = 0x800,
	DCTL = 0x804,
	DSTS = 0x808,
	DIEPMSK = 0x810,
	DOEPMSK = 0x814,
	DAINT = 0x818,
	DAINTMSK = 0x81c,
	DVBUSDIS = 0x828,
	DVBUSPULSE = 0x82c,
	DIEPEMPMSK = 0x834,
	DEACHINT = 0x838, /* of the high-speed core alone; drivers for both write it */
	DEACHINTMSK = 0x83c,
	IN_BEGIN = 0x900,
	OUT_BEGIN = 0xb00,
	OUT_END = 0xd00,
	PCGCCTL = 0xe00,
	FIFO_BEGIN = 0x1000,
	FIFO_END = FIFO_BEGIN + 0x1000 * OTG_ENDPOINTS,
	RAM_BEGIN = 0x20000,
	RAM_END = 0x40000,
};
#define ENDPOINT_STRIDE 0x20u
enum { EP_CTL = 0x00, EP_INT = 0x08, EP_TSIZ = 0x10, EP_TXFSTS = 0x18 };

#define BIT(n) (UINT32_C(1) << (n))

/* GOTGCTL, GOTGINT */
#define GOTGCTL_CIDSTS BIT(16)
#define GOTGCTL_BSVLD BIT(19)
#define GOTGCTL_KEPT (BIT(1) | BIT(9) | BIT(10) | BIT(11))
#define GOTGINT_SEDET BIT(2)
/* GAHBCFG */
#define GAHBCFG_GINT BIT(0)
#define GAHBCFG_TXFELVL BIT(7)
/* GUSBCFG */
#define GUSBCFG_PHYSEL BIT(6)
#define GUSBCFG_FHMOD BIT(29)
#define GUSBCFG_KEPT (0x7u | 0x3f00u | BIT(29) | BIT(30) | BIT(31))
/* GRSTCTL */
#define GRSTCTL_CSRST BIT(0)
#define GRSTCTL_RXFFLSH BIT(4)
#define GRSTCTL_TXFFLSH BIT(5)
#define GRSTCTL_TXFNUM(v) ((v) >> 6 & 0x1fu)
#define GRSTCTL_TXFNUM_MASK (0x1fu << 6)
#define GRSTCTL_ALL_FIFOS 16u
#define GRSTCTL_AHBIDL BIT(31)
/* GINTSTS, GINTMSK */
#define INT_MMIS BIT(1)
#define INT_OTG BIT(2)
#define INT_SOF BIT(3)
#define INT_RXFLVL BIT(4)
#define INT_NPTXFE BIT(5)
#define INT_GINAKEFF BIT(6)
#define INT_GONAKEFF BIT(7)
#define INT_ESUSP BIT(10)
#define INT_USBSUSP BIT(11)
#define INT_USBRST BIT(12)
#define INT_ENUMDNE BIT(13)
#define INT_ISOODRP BIT(14)
#define INT_EOPF BIT(15)
#define INT_IEP BIT(18)
#define INT_OEP BIT(19)
#define INT_IISOIXFR BIT(20)
#define INT_INCOMPISOOUT BIT(21)
#define INT_PTXFE BIT(26)
#define INT_SRQ BIT(30)
#define INT_WKUP BIT(31)
/* What is cleared by writing 1; the rest is read-only. */
/* What there is: bits 0, 8, 9, 16, 17, 22, 23 and 27 are reserved in the mask. */
#define GINTMSK_KEPT 0xf73cfcfeu
#define INT_CLEARED_BY_WRITING \
	(INT_MMIS | INT_SOF | 0xfc00u | INT_IISOIXFR | INT_INCOMPISOOUT | BIT(28) | BIT(29) | INT_SRQ | INT_WKUP)
/* GRXSTSR, GRXSTSP: PKTSTS */
enum { RX_GLOBAL_OUT_NAK = 1, RX_OUT = 2, RX_OUT_DONE = 3, RX_SETUP_DONE = 4, RX_SETUP = 6 };
/* GCCFG */
#define GCCFG_PWRDWN BIT(16)
#define GCCFG_VBUSBSEN BIT(19)
#define GCCFG_NOVBUSSENS BIT(21)
#define GCCFG_KEPT (BIT(16) | BIT(18) | BIT(19) | BIT(20) | BIT(21))
/* DCFG, DCTL, DSTS */
#define DCFG_DSPD 0x3u
#define DCFG_RESERVED 0x02200000u /* set in the reset value, as are others below */
#define DCFG_DAD(v) ((uint8_t)((v) >> 4 & 0x7fu))
#define DCFG_PFIVL(v) ((v) >> 11 & 3u)
#define DCTL_RWUSIG BIT(0)
#define DCTL_SDIS BIT(1)
#define DCTL_GINSTS BIT(2)
#define DCTL_GONSTS BIT(3)
#define DCTL_SGINAK BIT(7)
#define DCTL_CGINAK BIT(8)
#define DCTL_SGONAK BIT(9)
#define DCTL_CGONAK BIT(10)
#define DCTL_KEPT (DCTL_RWUSIG | DCTL_SDIS | 0x70u | BIT(11))
#define DSTS_SUSPSTS BIT(0)
#define DSTS_FULL_SPEED (3u << 1)
#define DSTS_RESERVED BIT(4)
/* DIEPMSK, DOEPMSK: B2BSTUP is in 34.17.6 alone */
#define DIEPMSK_KEPT 0x207bu
#define DOEPMSK_KEPT (0x313bu | OUT_B2BSTUP)
/* PCGCCTL */
#define PCGCCTL_STPPCLK BIT(0)
#define PCGCCTL_PHYSUSP BIT(4)
/* DIEPCTLx, DOEPCTLx */
#define CTL_MPSIZ 0x7ffu
#define CTL_USBAEP BIT(15)
#define CTL_DPID BIT(16)
#define CTL_NAKSTS BIT(17)
#define CTL_EPTYP(v) ((v) >> 18 & 3u)
#define CTL_EPTYP_MASK (3u << 18)
#define CTL_SNPM BIT(20)
#define CTL_STALL BIT(21)
#define CTL_TXFNUM(v) ((v) >> 22 & 0xfu)
#define CTL_TXFNUM_MASK (0xfu << 22)
#define CTL_CNAK BIT(26)
#define CTL_SNAK BIT(27)
#define CTL_SD0PID BIT(28) /* SEVNFRM of isochronous endpoints */
#define CTL_SD1PID BIT(29) /* SODDFRM */
#define CTL_EPDIS BIT(30)
#define CTL_EPENA BIT(31)
#define TYPE_CONTROL 0u
#define TYPE_ISOCHRONOUS 1u
#define TYPE_INTERRUPT 3u
/* DIEPINTx */
#define IN_XFRC BIT(0)
#define IN_EPDISD BIT(1)
#define IN_ITTXFE BIT(4)
#define IN_INEPNE BIT(6)
#define IN_TXFE BIT(7)
#define IN_PKTDRPSTS BIT(11)
#define IN_NAK BIT(13)
#define IN_CLEARED_BY_WRITING (IN_XFRC | IN_EPDISD | IN_ITTXFE | IN_INEPNE | IN_PKTDRPSTS | IN_NAK)
/* DOEPINTx */
#define OUT_XFRC BIT(0)
#define OUT_EPDISD BIT(1)
#define OUT_STUP BIT(3)
#define OUT_OTEPDIS BIT(4)
#define OUT_STSPHSRX BIT(5)
#define OUT_B2BSTUP BIT(6)
#define OUT_RESERVED BIT(7) /* set in the reset value */
#define OUT_BERR BIT(12)
#define OUT_NAK BIT(13)
#define OUT_CLEARED_BY_WRITING \
	(OUT_XFRC | OUT_EPDISD | OUT_STUP | OUT_OTEPDIS | OUT_STSPHSRX | OUT_B2BSTUP | OUT_BERR | OUT_NAK)

struct otg_fifo {
	unsigned start, depth; /* words, of a RAM that repeats itself; depth 0: it has none */
	unsigned head, count;
};

struct otg_endpoint {
	uint32_t ctl;   /* MPSIZ, USBAEP, EPTYP, SNPM, STALL, TXFNUM */
	uint32_t flags; /* DIEPINTx without TXFE, DOEPINTx */
	uint32_t xfrsiz, pktcnt,
		extra; /* DIEPTSIZx, DOEPTSIZx; extra: their uppermost field, STUPCNT, RXDPID or MCNT */
	bool enabled, nak, data1;
	bool odd;           /* EONUM: isochronous, in odd frames */
	bool disabling;     /* OUT: EPDIS waits for global OUT NAK */
	bool ending;        /* OUT: EPENA goes when the word that ends transfer or SETUP stage is popped */
	uint32_t left;      /* IN: bytes of the transfer that have not been sent */
	uint32_t in_packet; /* IN: bytes that were written into the FIFO of a packet that is not whole */
};

struct otg_fs {
	struct bench *bench;
	struct otg_fs_user user;
	struct bus *bus;
	bool clocked, vbus;

	uint32_t gotgctl, gotgint, gahbcfg, gusbcfg, grstctl, gintsts, gintmsk, gccfg, cid, grxfsiz, hptxfsiz;
	uint32_t dieptxf[OTG_ENDPOINTS]; /* the first is DIEPTXF0 */
	bool dieptxf0_written;           /* until then it does not say how large its FIFO is */
	uint32_t dcfg, dctl, diepmsk, doepmsk, daintmsk, dvbusdis, dvbuspulse, diepempmsk, pcgcctl;
	struct otg_endpoint in[OTG_ENDPOINTS], out[OTG_ENDPOINTS];

	uint32_t sending;    /* bytes of the packet that is on the wire */
	bool sending_counts; /* it is one of PKTCNT */

	uint32_t ram[OTG_RAM_WORDS];
	struct otg_fifo rx, tx[OTG_ENDPOINTS];
	/* Of the packet whose status word was popped last: data that has not been read. */
	uint32_t rx_left, rx_bytes; /* of as many */
	unsigned rx_endpoint;
	bool rx_counts; /* it lessens XFRSIZ */
	bool rx_data1;

	bool session, pulled_up, enumerated, line;
	bool maybe_suspended, suspended; /* 3 ms of silence, 6 ms */
	bool waking;                     /* the firmware has signalled resume, and the host not answered */
	bool global_in_nak, global_out_nak;
	bool out_nak_effective, out_nak_due; /* GONAKEFF; its word has found no room in the FIFO */
	bool setup_done_due;                 /* the word follows with the next token */
	bool in_control;                     /* between SETUP and the end of the status stage */
	unsigned setups;                     /* SETUP packets one after the other */
	bool control_write;                  /* data has come since SETUP */
	uint32_t control_unread;             /* of that data: bytes in the FIFO */
	uint8_t address;                     /* the one that it answers to */
	uint16_t frame_seen;
	uint64_t frames_seen_us; /* the last look at them */
	struct bench_event suspend_event, frame_event;
	uint32_t unknown_seen[0x1000 / 4 / 32];
	bool unknown_beyond;
};

/* otg_fs.c */
void otg_fs_update(struct otg_fs *); /* after any change: the interrupt line */
void otg_fs_tell_unknown(struct otg_fs *, uint32_t offset, bool write);
uint32_t otg_fs_daint(const struct otg_fs *);
void otg_fs_connect(struct otg_fs *); /* after any change of what makes the pull-up */

/* otg_fs_endpoints.c: offsets from DCFG to below PCGCCTL */
void otg_fs_reset_endpoints(struct otg_fs *);
uint32_t otg_fs_read_device(struct otg_fs *, uint32_t offset);
void otg_fs_write_device(struct otg_fs *, uint32_t offset, uint32_t value);
uint32_t otg_fs_in_flags(const struct otg_fs *, unsigned n); /* DIEPINTx */
uint32_t otg_fs_packet_bytes(const struct otg_fs *, const struct otg_endpoint *);
void otg_fs_out_nak_took_effect(struct otg_fs *);

/* Not of endpoint 0, whose EPTYP is 0. */
static inline bool otg_fs_is_isochronous(const struct otg_endpoint *e)
{
	return CTL_EPTYP(e->ctl) == TYPE_ISOCHRONOUS;
}

static inline bool otg_fs_is_its_frame(const struct otg_fs *o, const struct otg_endpoint *e)
{
	return e->odd == (bus_frame(o->bus) & 1);
}

/* otg_fs_fifo.c */
void otg_fs_resize_fifos(struct otg_fs *); /* after GRXFSIZ or DIEPTXFx */
void otg_fs_flush_rx(struct otg_fs *);
void otg_fs_flush_tx(struct otg_fs *, unsigned number);            /* GRSTCTL.TXFNUM */
struct otg_fifo *otg_fs_tx_of(struct otg_fs *, unsigned endpoint); /* NULL: TXFNUM names none */
unsigned otg_fs_tx_free(const struct otg_fs *, unsigned number);
bool otg_fs_tx_is_low(const struct otg_fs *, const struct otg_fifo *); /* TXFE */
void otg_fs_write_fifo(struct otg_fs *, unsigned endpoint, uint32_t word);
void otg_fs_read_packet(struct otg_fs *, const struct otg_fifo *, uint8_t *data,
			size_t length); /* its words are there */
void otg_fs_drop_packet(struct otg_fifo *, size_t length);
bool otg_fs_has_room(const struct otg_fs *, size_t bytes, bool setup);
void otg_fs_push_status(struct otg_fs *, unsigned endpoint, unsigned what, bool data1, const uint8_t *data,
			size_t length);
uint32_t otg_fs_peek_rx(const struct otg_fs *);
uint32_t otg_fs_pop_status(struct otg_fs *);
uint32_t otg_fs_read_fifo(struct otg_fs *);

/* otg_fs_frames.c */
void otg_fs_init_frames(struct otg_fs *);
void otg_fs_see_frames(struct otg_fs *);
void otg_fs_want_frames(struct otg_fs *); /* after any change of what wants them, or of whether they pass */

/* otg_fs_wire.c */
extern const struct bus_device_ops otg_fs_wire_ops;
void otg_fs_init_wire(struct otg_fs *);
void otg_fs_reset_wire(struct otg_fs *);               /* by CSRST: what it knew of the bus is gone */
void otg_fs_ready(struct otg_fs *, unsigned endpoint); /* it may answer otherwise than it did, either way */
void otg_fs_ready_all(struct otg_fs *);
void otg_fs_bus_is_silent(struct otg_fs *); /* begins to wait for suspend */
void otg_fs_wake(struct otg_fs *);          /* a suspended host */
bool otg_fs_sync(struct otg_fs *);          /* false: nobody is there to see what comes */

#endif
