/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules in words. An id, once published, stays: scenarios and other people's scripts name it. */
#include "rules_internal.h"

/* clang-format off */
const struct rule rules[] = {
	[RULE_STATE_NOT_ASKED] = {
		.id = "state-not-asked",
		.severity = SEVERITY_NOTE,
		.summary = "The tool starts work without asking for the device's state.",
		.explanation =
			"A board just reset into its ROM is in dfuERROR, one left by an interrupted run in dfuDNLOAD-IDLE or "
			"dfuUPLOAD-IDLE. Both refuse some of the requests that follow. GETSTATUS first tells which it is.",
		.citation = "DFU 1.1 A.1; dfu-util ticket 140",
	},
	[RULE_CLRSTATUS_MISSING] = {
		.id = "clrstatus-missing",
		.severity = SEVERITY_ERROR,
		.summary = "A request is sent in dfuERROR without CLRSTATUS first.",
		.explanation =
			"In dfuERROR the device answers nothing but GETSTATUS, GETSTATE and CLRSTATUS; all else is stalled. "
			"ST's ROM starts in dfuERROR (errFIRMWARE), so a tool without CLRSTATUS works on the second try only, "
			"if at all.",
		.citation = "DFU 1.1 6.1.3, A.1; dfu-util ticket 140; BLACK_F407VE issue 2",
	},
	[RULE_CLRSTATUS_OUTSIDE_ERROR] = {
		.id = "clrstatus-outside-error",
		.severity = SEVERITY_ERROR,
		.summary = "CLRSTATUS is sent outside dfuERROR.",
		.explanation =
			"ST's older ROMs acknowledge it and fall into dfuERROR (errUNKNOWN), so that the next request is "
			"refused; the STM32C5 stalls it. CLRSTATUS belongs after a GETSTATUS that said dfuERROR; ABORT is "
			"what leads to dfuIDLE from elsewhere.",
		.citation = "DFU 1.1 6.1.3; dfu-libusb issue 4; betaflight-configurator pull request 5300",
	},
	[RULE_CLRSTATUS_LOOP] = {
		.id = "clrstatus-loop",
		.severity = SEVERITY_WARNING,
		.summary = "CLRSTATUS is sent while the device is busy.",
		.explanation =
			"It does not hurry an erase. The ROM answers it when the work is done, or not before the host has "
			"lost patience, and it is then one outside dfuERROR. Wait out bwPollTimeout and ask with GETSTATUS.",
		.citation = "DFU 1.1 6.1.2; ST community thread 315451",
	},
	[RULE_POLLING_IN_ERROR] = {
		.id = "polling-in-error",
		.severity = SEVERITY_WARNING,
		.summary = "The tool keeps asking in dfuERROR.",
		.explanation =
			"dfuERROR does not go away by itself: GETSTATUS will say the same for ever. Report bStatus, and leave "
			"with CLRSTATUS.",
		.citation = "DFU 1.1 A.1; ST community thread 49582",
	},
	[RULE_NO_ABORT_RECOVERY] = {
		.id = "no-abort-recovery",
		.severity = SEVERITY_WARNING,
		.summary = "The tool goes on in a state that an earlier run left behind.",
		.explanation =
			"After an interrupted run the device is in dfuDNLOAD-IDLE or dfuUPLOAD-IDLE, with a pointer and a "
			"block number that nobody knows. ABORT leads to dfuIDLE from both.",
		.citation = "DFU 1.1 6.1.4; redbear/Duo issue 50; pico-ice-sdk issue 50",
	},
	[RULE_ABORT_BEFORE_UPLOAD] = {
		.id = "abort-before-upload",
		.severity = SEVERITY_ERROR,
		.summary = "UPLOAD is sent in a download state, without ABORT.",
		.explanation =
			"UPLOAD is allowed in dfuIDLE and dfuUPLOAD-IDLE only. Set-Address is a download and leaves "
			"dfuDNLOAD-IDLE behind: ABORT has to come between it and the first UPLOAD, or the device stalls.",
		.citation = "DFU 1.1 A.1; AN3156 4.1",
	},
	[RULE_ABORT_BEFORE_DOWNLOAD] = {
		.id = "abort-before-download",
		.severity = SEVERITY_ERROR,
		.summary = "DNLOAD is sent in dfuUPLOAD-IDLE, without ABORT.",
		.explanation =
			"DNLOAD is allowed in dfuIDLE and dfuDNLOAD-IDLE only. After reading, as for a verification, ABORT "
			"has to come first, or the device stalls.",
		.citation = "DFU 1.1 A.1; AN2662 figure 55",
	},
	[RULE_GETSTATUS_AFTER_DNLOAD] = {
		.id = "getstatus-after-dnload",
		.severity = SEVERITY_ERROR,
		.summary = "DNLOAD is not followed by GETSTATUS.",
		.explanation =
			"DNLOAD only fills the device's buffer; the ROM erases or writes when GETSTATUS asks. Without it "
			"nothing happens, the next DNLOAD is stalled in dfuDNLOAD-SYNC, and ABORT drops the block.",
		.citation = "DFU 1.1 6.1.2, A.1; AN3156 5",
	},
	[RULE_BUSY_NOT_WAITED_FOR] = {
		.id = "busy-not-waited-for",
		.severity = SEVERITY_ERROR,
		.summary = "The tool goes on after dfuDNBUSY without asking again.",
		.explanation =
			"dfuDNBUSY says that the work has begun. Whether it succeeded is in the GETSTATUS after that: an "
			"error of this block is missed, and a device that is still busy may stall what comes.",
		.citation = "DFU 1.1 6.1.2; AN3156 5; dfu-util commit a2afb4b (STM32L151)",
	},
	[RULE_POLL_TIMEOUT_IGNORED] = {
		.id = "poll-timeout-ignored",
		.severity = SEVERITY_NOTE,
		.summary = "bwPollTimeout is not waited out.",
		.explanation =
			"The host is to wait so long before the next request. ROMs that hold GETSTATUS until the work is done "
			"allow it, and tools save time that way; others stall it (rule early-poll).",
		.citation = "DFU 1.1 6.1.2; fwupd issue 2696",
	},
	[RULE_EARLY_POLL] = {
		.id = "early-poll",
		.severity = SEVERITY_ERROR,
		.summary = "GETSTATUS comes early to a device that stalls it.",
		.explanation =
			"The USB peripheral of L4 and F0 stalls a GETSTATUS that arrives during the work: the tool sees a "
			"pipe error in the middle of a good download. Wait out bwPollTimeout, and try again after a STALL.",
		.citation = "DFU 1.1 6.1.2; dfu-util ticket 208; openmv issue 1508",
	},
	[RULE_USB_TIMEOUT_TOO_SHORT] = {
		.id = "usb-timeout-too-short",
		.severity = SEVERITY_ERROR,
		.summary = "The tool takes a request back sooner than the operation may take.",
		.explanation =
			"The ROM holds GETSTATUS until the work is done, however long it announced: 100 ms for a mass erase "
			"that may take 32 s. A shorter USB time-out makes a failure of an erase that succeeds.",
		.citation = "STM32F405/407 datasheet, flash memory programming; dfu-util ticket 3; fwupd pull request 1944",
	},
	[RULE_REQUEST_AFTER_STALL_IGNORED] = {
		.id = "request-after-stall-ignored",
		.severity = SEVERITY_WARNING,
		.summary = "The tool goes on after a STALL without asking why.",
		.explanation =
			"A STALL means that the request was refused: its data are lost, and a device that follows the "
			"standard is in dfuERROR now. GETSTATUS tells the reason, CLRSTATUS or ABORT clears it.",
		.citation = "DFU 1.1 6.1.2, A.1; dfuse-tool issue 7",
	},
	[RULE_ERROR_IGNORED] = {
		.id = "error-ignored",
		.severity = SEVERITY_ERROR,
		.summary = "An operation failed, and the tool makes nothing of it.",
		.explanation =
			"bStatus of the GETSTATUS after the work is the only place where the ROM reports a refused address, a "
			"protected flash or a failed erase.",
		.citation = "DFU 1.1 6.1.2; AN3156 5; inertial-sense-sdk issue 1186",
	},
	[RULE_LEFT_BUSY] = {
		.id = "left-busy",
		.severity = SEVERITY_WARNING,
		.summary = "The tool ends while the device is still busy.",
		.explanation =
			"Some devices stay in dfuDNBUSY past bwPollTimeout. A tool that gives up there has not seen the "
			"result, and its next run finds the device busy or half done.",
		.citation = "DFU 1.1 6.1.2; betaflight-configurator issues 1861, 1972",
	},
	[RULE_LEFT_UNFINISHED] = {
		.id = "left-unfinished",
		.severity = SEVERITY_NOTE,
		.summary = "The tool ends without ABORT or leave.",
		.explanation =
			"The device stays in dfuDNLOAD-IDLE or dfuUPLOAD-IDLE. Tools that do not send ABORT at their start "
			"then fail: send one at the end.",
		.citation = "DFU 1.1 6.1.4; redbear/Duo issue 50",
	},
	[RULE_WRONG_INTERFACE] = {
		.id = "wrong-interface",
		.severity = SEVERITY_ERROR,
		.summary = "wIndex is not the interface with DFU.",
		.explanation =
			"Requests of the class go to the interface in wIndex; the alternate setting has no place there. A "
			"device with one interface stalls any but 0, or ignores the difference and hides the mistake.",
		.citation = "DFU 1.1 3; USB 2.0 9.3.4",
	},
	[RULE_WRONG_ALT] = {
		.id = "wrong-alt",
		.severity = SEVERITY_WARNING,
		.summary = "The alternate setting chosen is not that of the memory.",
		.explanation =
			"Each alternate setting stands for a memory: flash, option bytes, OTP. ST's ROMs go by the address "
			"alone; other devices write to the memory that SET_INTERFACE chose, or refuse.",
		.citation = "UM0424 10.3; dfu-util documentation of DfuSe",
	},
	[RULE_BLOCK_NUMBER] = {
		.id = "block-number",
		.severity = SEVERITY_ERROR,
		.summary = "A block number that DfuSe has no place for.",
		.explanation =
			"Block 0 is for commands, block 1 is reserved, data begin at block 2, and the address is pointer + "
			"(block - 2) * wTransferSize. The number has 16 bits: past 65535 it starts again at a command. Set- "
			"Address moves the pointer instead.",
		.citation = "AN3156 4.1, 5.1; AN2662 figure 55; dfu-core issue 30",
	},
	[RULE_TRANSFER_SIZE] = {
		.id = "transfer-size",
		.severity = SEVERITY_ERROR,
		.summary = "A transfer is longer than wTransferSize.",
		.explanation =
			"The functional descriptor says how much the device takes: 2048 bytes for most ROMs, 1024 for G4 and "
			"H7. More is stalled or overwrites the device's buffer.",
		.citation = "DFU 1.1 4.1.3; web-stm32-updater issue 3",
	},
	[RULE_SHORT_MIDDLE_BLOCK] = {
		.id = "short-middle-block",
		.severity = SEVERITY_ERROR,
		.summary = "A short block is followed by another one with the next number.",
		.explanation =
			"Block numbers count in units of wTransferSize, however little was sent. After a short block the next "
			"number leaves a gap: only the last one before a new Set-Address may be short.",
		.citation = "AN3156 5.1; fwupd issue 2696",
	},
	[RULE_ODD_LENGTH] = {
		.id = "odd-length",
		.severity = SEVERITY_NOTE,
		.summary = "Address or length of a write is no multiple of 4.",
		.explanation =
			"The bootloader's note asks for word-aligned addresses and lengths on F4. With the parallelism that "
			"the ROM starts with, other lengths have worked; after the device feature is changed they fail.",
		.citation = "AN2606 4.4",
	},
	[RULE_SET_ADDRESS_OUTSIDE_MAP] = {
		.id = "set-address-outside-map",
		.severity = SEVERITY_WARNING,
		.summary = "An address is set or erased that the device has no memory at.",
		.explanation =
			"The ROM says dfuDNBUSY first and errTARGET (dfuERROR) with the second GETSTATUS. The layout strings "
			"of the alternate settings say what there is.",
		.citation = "AN3156 5.2; ST community thread 49582",
	},
	[RULE_OPTION_BLOCK] = {
		.id = "option-block",
		.severity = SEVERITY_ERROR,
		.summary = "Option bytes are not read or written as a whole.",
		.explanation =
			"The ROM takes the whole block of option bytes from its first address, in one transfer; anything else "
			"is not performed.",
		.citation = "AN3156 4.1, 5.1",
	},
	[RULE_LEAVE_WITHOUT_GETSTATUS] = {
		.id = "leave-without-getstatus",
		.severity = SEVERITY_ERROR,
		.summary = "The download of length 0 is not followed by GETSTATUS.",
		.explanation =
			"ST's ROM leaves when GETSTATUS has told dfuMANIFEST. Without it the device stays where it is until a "
			"reset, and the application does not start.",
		.citation = "DFU 1.1 7; AN3156 5.5; dfu-util commit c66695c",
	},
	[RULE_GETSTATUS_AFTER_MANIFEST] = {
		.id = "getstatus-after-manifest",
		.severity = SEVERITY_WARNING,
		.summary = "The tool speaks to a device that has left.",
		.explanation =
			"The descriptor says that the device is not manifestation tolerant: after dfuMANIFEST it is gone. "
			"What comes then fails, and tools report a failure after a good download.",
		.citation = "DFU 1.1 7, 4.1.3; dfu-util commit 666071d; EdgeTX/buddy issue 101",
	},
	[RULE_LEAVE_WITHOUT_SET_ADDRESS] = {
		.id = "leave-without-set-address",
		.severity = SEVERITY_ERROR,
		.summary = "The device is told to leave with the pointer elsewhere than at the image.",
		.explanation =
			"Leave jumps to the vector table at the pointer, which is still where the last Set-Address put it. "
			"Set it to the start of the image before the download of length 0.",
		.citation = "AN3156 5.5; LibUsbDfu issue 13; dfu-util commit 6e09e4d",
	},
	[RULE_ERASE_NOT_ASKED] = {
		.id = "erase-not-asked",
		.severity = SEVERITY_ERROR,
		.summary = "Flash is erased that was not to be touched.",
		.explanation =
			"Sectors differ in size: 16, 64 and 128 KiB on F4. A tool that counts in equal pages, or erases "
			"between two parts of an image, destroys what lies there: settings, file systems, another bank.",
		.citation = "AN3156 5.3; RM0090 table 5",
	},
	[RULE_ERASE_TWICE] = {
		.id = "erase-twice",
		.severity = SEVERITY_WARNING,
		.summary = "A sector is erased again although nothing was written to it.",
		.explanation =
			"It costs seconds (128 KiB: up to 4 s) and wear: a sector lasts 10000 erases.",
		.citation = "STM32F405/407 datasheet, flash memory endurance and programming",
	},
	[RULE_WRITE_WITHOUT_ERASE] = {
		.id = "write-without-erase",
		.severity = SEVERITY_ERROR,
		.summary = "Flash is written that was not erased.",
		.explanation =
			"Programming only clears bits. What was there and what is written are combined with AND, and the ROM "
			"reports OK: nothing but reading back shows it.",
		.citation = "RM0090 3.6; Arduino_Tools issue 98",
	},
	[RULE_WRITE_BEYOND_FILE] = {
		.id = "write-beyond-file",
		.severity = SEVERITY_ERROR,
		.summary = "More is written than the file has.",
		.explanation =
			"Padding of the last block with anything but FF, the suffix of a .dfu file taken for data, or a wrong "
			"block number change flash outside the image.",
		.citation = "AN3156 5.1; UM0391 2",
	},
	[RULE_SUCCESS_BUT_DIFFERS] = {
		.id = "success-but-differs",
		.severity = SEVERITY_ERROR,
		.summary = "The tool reports success, and flash is not as it should be.",
		.explanation =
			"The worst that a tool can do: a production line or an update goes on with a board that does not "
			"work. The ROM ignores writes to protected sectors without an error, so that only reading back is "
			"proof.",
		.citation = "AN3156 5.1; inertial-sense-sdk issue 1186",
	},
	[RULE_FAILURE_BUT_RIGHT] = {
		.id = "failure-but-right",
		.severity = SEVERITY_WARNING,
		.summary = "The tool reports failure, and flash is as it should be.",
		.explanation =
			"Scripts then try again, or throw a good board away. Usual causes are a GETSTATUS to a device that "
			"has left, and a time-out shorter than an erase.",
		.citation = "dfu-util ticket 231; EdgeTX/buddy issue 101; monome/crow issue 128",
	},
	[RULE_CLAIMED_VERIFY_WITHOUT_UPLOAD] = {
		.id = "claimed-verify-without-upload",
		.severity = SEVERITY_ERROR,
		.summary = "The tool claims to have verified, and has read nothing back.",
		.explanation =
			"The ROM does not verify and has no checksum to ask for: only UPLOAD shows what is in flash.",
		.citation = "AN3156 4.1; RM0090 3.6",
	},
	[RULES] = { .id = NULL },
};
/* clang-format on */
