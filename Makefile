# SPDX-License-Identifier: GPL-2.0-or-later
# dfubench: everything is built in build/. `make help` lists the targets. SAN=1 builds with sanitizers in build-san/.

VERSION := 0.1.0
PREFIX ?= /usr/local
CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
FUZZ_SECONDS ?= 60
B := build$(if $(SAN),-san)
OBJ := $(B)/obj
comma := ,
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
# FUZZ is ours, for the build in build-fuzz/: see fuzz-build.
FUZZFLAGS := $(if $(FUZZ),-fsanitize=fuzzer-no-link$(comma)address$(comma)undefined -fno-sanitize-recover=undefined)
# POSIX is ours too, for the build in posix/ that has nothing of Linux: see posix.
FEATURES := $(if $(POSIX),-D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -Werror=implicit-function-declaration,-D_GNU_SOURCE)
ALL_CFLAGS = -std=c11 $(FEATURES) -DDFUBENCH_VERSION='"$(VERSION)"' $(WARN) $(SANFLAGS) $(FUZZFLAGS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(SANFLAGS) $(LDFLAGS)
# As many jobs as there are processors, unless told otherwise.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

# Fronts that need a library are built when pkg-config finds it; else a file in the folder without/ says what was missing. What
# is linked statically takes those: no library of these is there for musl.
have = $(if $(filter -static,$(LDFLAGS)),,$(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes))
HAVE_libusbgx := $(call have,libusbgx)
HAVE_libusbredirparser := $(call have,libusbredirparser-0.5 >= 0.11)
HAVE_unicorn := $(if $(POSIX),,$(call have,unicorn >= 2))
LIBS_gadget := $(if $(HAVE_libusbgx),$(shell $(PKG_CONFIG) --libs libusbgx))
LIBS_redir := $(if $(HAVE_libusbredirparser),$(shell $(PKG_CONFIG) --libs libusbredirparser-0.5))
# Wherever libemulator.a is linked:
LIBS := $(if $(POSIX),,$(LIBS_gadget) $(LIBS_redir) $(if $(HAVE_unicorn),-ldl) -pthread)

# Layers, lowest first: each sees the headers of those below it only.
INC_core := -Iemulator/core
INC_runtime := $(INC_core) -Iemulator/runtime
INC_cortexm := $(INC_runtime) -Iemulator/runtime/cortexm $(if $(HAVE_unicorn),$(shell $(PKG_CONFIG) --cflags unicorn))
INC_capture := $(INC_core) -Iemulator/capture
INC_filter := $(INC_core) -Iemulator/capture -Iemulator/filter
INC_front := $(INC_core) -Iemulator/front
INC_private_bus := $(INC_front) -Iemulator/front/private_bus
INC_usbip := $(INC_front) -Iemulator/front/usbip
INC_gadget := $(INC_front) -Iemulator/front/gadget -Iemulator/front/gadget/functionfs
INC_redir := $(INC_front) -Iemulator/front/redir \
	$(if $(HAVE_libusbredirparser),$(shell $(PKG_CONFIG) --cflags libusbredirparser-0.5))
INC_emulator := $(INC_runtime) $(INC_filter) $(INC_private_bus) -Iemulator

# The runner needs these; without them dfuemu is built alone, and make says so.
HIL_LIBS := libfyaml jansson libxml-2.0 sqlite3
HIL_MISSING := $(strip $(if $(POSIX)$(filter -static,$(LDFLAGS)),static,$(foreach l,$(HIL_LIBS),$(if $(call have,$(l)),,$(l)))))
LIBS_hil := $(if $(HIL_MISSING),,$(shell $(PKG_CONFIG) --libs $(HIL_LIBS)))
# STATIC_HIL is ours, for the build in static-hil/: see static. There, hil/static/encodings.c stands for ICU, where libxml2 wants that.
ifdef STATIC_HIL
HIL_MISSING :=
HIL_ARCHIVES := $(shell $(PKG_CONFIG) --static --libs $(HIL_LIBS))
LIBS_hil := $(filter-out -licu%,$(HIL_ARCHIVES))
SRC_stand_in := $(if $(filter -licu%,$(HIL_ARCHIVES)),hil/static/encodings.c)
endif
INC_hil := $(INC_emulator) -Ihil $(if $(HIL_MISSING),,$(shell $(PKG_CONFIG) --cflags $(HIL_LIBS)))

SRC_core := $(wildcard emulator/core/*.c emulator/core/profiles/*.c)
SRC_runtime := $(wildcard emulator/runtime/*.c emulator/runtime/f407/*.c)
SRC_cortexm := $(filter-out $(if $(HAVE_unicorn),,%/unicorn.c %/unicorn_access.c %/unicorn_library.c %/unicorn_look.c %/unicorn_map.c),$(wildcard emulator/runtime/cortexm/*.c)) \
	$(if $(HAVE_unicorn),,emulator/runtime/cortexm/without/unicorn.c)
SRC_capture := $(wildcard emulator/capture/*.c)
SRC_filter := $(wildcard emulator/filter/*.c)
SRC_front := $(wildcard emulator/front/*.c)
SRC_private_bus := $(wildcard emulator/front/private_bus/*.c)
SRC_usbip := $(wildcard emulator/front/usbip/*.c)
SRC_gadget := $(wildcard emulator/front/gadget/*.c emulator/front/gadget/$(if $(HAVE_libusbgx),functionfs,without)/*.c)
SRC_redir := $(wildcard emulator/front/redir/$(if $(HAVE_libusbredirparser),,without/)*.c)
SRC_emulator := $(filter-out emulator/main.c,$(wildcard emulator/*.c))
SRC_main := emulator/main.c
# Drivers of wires that need a library: its file, or the one that says what is missing. What is linked statically needs archives of
# the libraries named, which are not there for all of them.
exists = $(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes)
archive = $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a))
have_for_wires = $(if $(STATIC_HIL),$(if $(filter-out yes,$(foreach a,$(2),$(if $(call archive,$(a)),yes,no))),,$(call exists,$(1))),$(call have,$(1)))
HAVE_libgpiod := $(if $(call have_for_wires,libgpiod >= 1.5,gpiod),$(if $(call exists,libgpiod >= 2),_v2,_v1))
HAVE_hidapi := $(call have_for_wires,hidapi-hidraw,hidapi-hidraw udev)
HAVE_libserialport := $(call have_for_wires,libserialport,serialport)
SRC_wires := hil/$(if $(HAVE_libgpiod),wire_gpio$(HAVE_libgpiod),without/wire_gpio).c \
	hil/$(if $(HAVE_hidapi),,without/)wire_relay_hid.c hil/$(if $(HAVE_libserialport),,without/)wire_relay_serial.c
LIBS_wires := $(if $(HAVE_libgpiod),libgpiod) $(if $(HAVE_hidapi),hidapi-hidraw) $(if $(HAVE_libserialport),libserialport)
LIBS_hil += $(if $(strip $(LIBS_wires)),$(shell $(PKG_CONFIG) $(if $(STATIC_HIL),--static) --libs $(LIBS_wires)))
INC_hil += $(if $(strip $(LIBS_wires)),$(shell $(PKG_CONFIG) --cflags $(LIBS_wires)))
EITHER_wires := $(addprefix hil/wire_,gpio_v1.c gpio_v2.c relay_hid.c relay_serial.c)
SRC_hil := $(filter-out hil/main.c $(EITHER_wires),$(wildcard hil/*.c)) $(SRC_wires)

obj = $(patsubst %.c,$(OBJ)/%.o,$(1))
LIB_SRC := $(SRC_core) $(SRC_runtime) $(SRC_cortexm) $(SRC_capture) $(SRC_filter) $(SRC_front) $(SRC_private_bus) $(SRC_usbip) $(SRC_gadget) $(SRC_redir) \
	$(SRC_emulator)
# For any POSIX system: files in emulator/posix/ stand for those of their names, and what Linux alone has is left out.
SRC_posix := $(wildcard emulator/posix/*.c)
LINUX_ONLY := emulator/exec.c emulator/ctl.c emulator/qemu_machine.c $(wildcard emulator/control_*.c emulator/front/usbip/vhci*.c) $(SRC_private_bus) $(SRC_gadget) \
	$(SRC_redir)
ifdef POSIX
LIB_SRC := $(SRC_posix) $(filter-out $(LINUX_ONLY) $(addprefix %/,$(notdir $(SRC_posix))),$(LIB_SRC))
endif

all: $(B)/dfuemu $(B)/libcore.a $(if $(HIL_MISSING),without-hil,$(B)/dfuhil) ## build dfuemu and dfuhil
without-hil:
	@$(if $(filter static,$(HIL_MISSING)),,echo 'dfuhil is not built: pkg-config does not find $(HIL_MISSING) (sh ci/deps.sh)')

$(OBJ)/emulator/core/%.o: INC := $(INC_core)
$(OBJ)/emulator/runtime/%.o: INC := $(INC_runtime)
$(OBJ)/emulator/runtime/cortexm/%.o: INC := $(INC_cortexm)
$(OBJ)/emulator/capture/%.o: INC := $(INC_capture)
$(OBJ)/emulator/filter/%.o: INC := $(INC_filter)
$(OBJ)/emulator/front/%.o: INC := $(INC_front)
$(OBJ)/emulator/front/private_bus/%.o: INC := $(INC_private_bus)
$(OBJ)/emulator/front/usbip/%.o: INC := $(INC_usbip)
$(OBJ)/emulator/front/gadget/%.o: INC := $(INC_gadget)
$(OBJ)/emulator/front/redir/%.o: INC := $(INC_redir)
$(OBJ)/emulator/posix/%.o: INC := $(INC_emulator) $(INC_usbip) -Iemulator/posix
$(OBJ)/emulator/%.o: INC := $(INC_emulator)
$(OBJ)/hil/%.o: INC := $(INC_hil)
$(OBJ)/hil/tests/%.o: INC := $(INC_hil) -Ihil/tests -Iemulator/tests
$(OBJ)/hil/tests/tools/%.o: INC := $(INC_core) $(shell $(PKG_CONFIG) --cflags libusb-1.0 2>/dev/null)
$(OBJ)/emulator/tests/%.o: INC := $(INC_emulator) $(INC_usbip) $(INC_gadget) $(INC_redir) -Iemulator/runtime/cortexm -Iemulator/tests

$(OBJ)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(INC) -c -o $@ $<

$(B)/libcore.a: $(call obj,$(SRC_core))
	@mkdir -p $(@D) && rm -f $@
	$(AR) rcs $@ $^
$(B)/libemulator.a: $(call obj,$(LIB_SRC))
	@mkdir -p $(@D) && rm -f $@
	$(AR) rcs $@ $^
$(B)/dfuemu: $(call obj,$(SRC_main)) $(B)/libemulator.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The pages that the HTML report and the history fill in are part of the program.
$(OBJ)/hil/report_html.o: hil/report.html
$(OBJ)/hil/history_page.o: hil/history.html
$(B)/libhil.a: $(call obj,$(SRC_hil))
	@mkdir -p $(@D) && rm -f $@
	$(AR) rcs $@ $^
$(B)/dfuhil: $(call obj,hil/main.c $(SRC_stand_in)) $(B)/libhil.a $(B)/libemulator.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(LIBS_hil)

# Tests and fuzz targets of what is not in this build.
WITHOUT = \
	$(if $(HIL_MISSING),$(wildcard hil/tests/*.c)) \
	$(if $(HAVE_libusbredirparser),,$(wildcard emulator/tests/test_redir*.c) emulator/tests/fuzz_redir.c)

# Unit tests: test_*.c in emulator/tests/ and hil/tests/, one binary each, with cmocka.
UNIT := $(patsubst %.c,$(B)/tests/%,$(notdir $(filter-out $(WITHOUT),$(wildcard emulator/tests/test_*.c hil/tests/test_*.c))))
$(B)/tests/test_%: $(OBJ)/hil/tests/test_%.o $(B)/libhil.a $(B)/libemulator.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(LIBS_hil) -lcmocka
$(B)/tests/test_%: $(OBJ)/emulator/tests/test_%.o $(B)/libemulator.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
# A host that is right, or wrong in one way: what the suite itself is tested with.
$(B)/tools/dfu-reference: $(call obj,$(wildcard hil/tests/tools/*.c))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs libusb-1.0)
# Runs an image on the core alone, for tests.
$(OBJ)/emulator/tests/cortexm/%.o: INC := $(INC_cortexm)
$(B)/tools/cortexm_run: $(call obj,emulator/tests/cortexm/cortexm_run.c) $(B)/libemulator.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
# Writes into a history as a nightly run does.
$(B)/tools/history-writer: $(call obj,hil/tests/history_writer.c) $(B)/libhil.a $(B)/libemulator.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(LIBS_hil)
unit: $(UNIT) $(B)/tools/cortexm_run $(if $(HIL_MISSING),,$(B)/tools/dfu-reference $(B)/tools/history-writer)

# Clients in C that several tests use.
$(B)/clients/%: emulator/tests/clients/%.c emulator/tests/clients/mass_erase.h emulator/tests/clients/dfuse_raw.h
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 $(WARN) -o $@ $< $(shell $(PKG_CONFIG) --cflags --libs libusb-1.0 2>/dev/null)
$(B)/clients/relay_hidapi: emulator/tests/clients/relay_hidapi.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 $(WARN) -o $@ $< $(shell $(PKG_CONFIG) --cflags --libs hidapi-hidraw 2>/dev/null)
$(B)/clients/%.so: emulator/tests/clients/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 $(WARN) -fPIC -shared -o $@ $< $(shell $(PKG_CONFIG) --cflags --libs libusb-1.0 2>/dev/null)
clients: $(addprefix $(B)/clients/,front_libusb gadget_host mass_erase_ioctl no_discovery.so) $(if $(call have,hidapi-hidraw),$(B)/clients/relay_hidapi)

# Fuzz targets: tests/fuzz_NAME.c, with clang's libFuzzer, from the corpus tests/corpus/NAME beside it.
FUZZERS := $(patsubst %.c,$(B)/%,$(notdir $(filter-out $(WITHOUT),$(wildcard emulator/tests/fuzz_*.c hil/tests/fuzz_*.c))))
$(B)/fuzz_%: $(OBJ)/hil/tests/fuzz_%.o $(B)/libhil.a $(B)/libemulator.a
	$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LIBS) $(LIBS_hil)
$(B)/fuzz_%: $(OBJ)/emulator/tests/fuzz_%.o $(B)/libemulator.a
	$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $^ $(LIBS)
fuzzers: $(FUZZERS)
fuzz-build:
	+$(MAKE) --no-print-directory B=build-fuzz CC=clang SAN= FUZZ=1 fuzzers

cross: ## build for aarch64 too, in build-aarch64/
	+$(MAKE) --no-print-directory B=build-aarch64 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar \
		PKG_CONFIG=aarch64-linux-gnu-pkg-config SAN= all

# Files that run on any Linux of this machine: dfuemu with musl, or else statically with the usual C library. musl has no
# headers of the kernel: they are taken from where the compiler finds them otherwise. dfuhil takes the archives that its libraries
# come with, which are made for the usual C library; a linker tells that some of it looks up hosts or loads libraries, which
# nothing here does. What is compiled for the ordinary one is good for that, too.
MUSL := $(shell command -v musl-gcc 2>/dev/null)
STATIC_CC := $(if $(MUSL),musl-gcc -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch),$(CC))
static: $(if $(HIL_MISSING),without-hil) ## build build/dfuemu-static and build/dfuhil-static, which need no library at all
	+$(MAKE) --no-print-directory B='$(B)/static' CC='$(STATIC_CC)' LDFLAGS=-static SAN= FUZZ= all
	cp -fu '$(B)/static/dfuemu' '$(B)/dfuemu-static'
	$(if $(HIL_MISSING),,+$(MAKE) --no-print-directory B='$(B)/static-hil' STATIC_HIL=1 LDFLAGS=-static SAN= FUZZ= $(if $(SAN),,OBJ='$(B)/obj') \
		'$(B)/static-hil/dfuhil')
	$(if $(HIL_MISSING),,cp -fu '$(B)/static-hil/dfuhil' '$(B)/dfuhil-static')

# What a tool's CI unpacks: the static programs, and all that goes with them, which dfuhil finds beside itself.
DIST := dfubench-$(VERSION)-$(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
STRIP ?= strip
dist: static ## pack build/dfubench-VERSION-MACHINE.tar.xz: both programs, scenarios, adapters, manual
	rm -rf '$(B)/dist'
	$(call put,$(B)/dist/$(DIST),-static)
	$(STRIP) '$(B)/dist/$(DIST)/bin/'*
	install -D -m 644 LICENSE '$(B)/dist/$(DIST)/share/doc/dfubench/LICENSE'
	tar --sort=name --owner=0 --group=0 --numeric-owner -C '$(B)/dist' -cJf '$(B)/$(DIST).tar.xz.new' '$(DIST)'
	mv -f '$(B)/$(DIST).tar.xz.new' '$(B)/$(DIST).tar.xz'

# musl declares nothing beyond POSIX here, and has no headers of the kernel: what compiles uses none.
posix: ## build build/dfuemu-posix: serve usbip and show, for any POSIX system
	+$(MAKE) --no-print-directory B='$(B)/posix' POSIX=1 CC='$(if $(MUSL),musl-gcc,$(CC))' SAN= FUZZ= all
	cp -f '$(B)/posix/dfuemu' '$(B)/dfuemu-posix'

# Benchmark: emulator/tests/bench/. Never part of check: a figure is no verdict on a busy machine.
BENCH_LIBS_control := $(shell pkg-config --libs libusb-1.0 2>/dev/null)
BENCH_LIBS_umockdev := $(shell pkg-config --libs umockdev-1.0 2>/dev/null)
BENCH_LIBS_unicorn := $(if $(HAVE_unicorn),$(shell $(PKG_CONFIG) --libs unicorn))
BENCH_CFLAGS_umockdev := $(shell pkg-config --cflags umockdev-1.0 2>/dev/null)
BENCHES := $(patsubst emulator/tests/bench/%.c,$(B)/bench/%,$(wildcard emulator/tests/bench/*.c))
# What has no library here is left out.
BENCHES := $(filter-out $(if $(BENCH_LIBS_control),,%/control) $(if $(BENCH_LIBS_umockdev),,%/umockdev) \
	$(if $(HAVE_unicorn),,%/unicorn),$(BENCHES))
$(OBJ)/emulator/tests/bench/%.o: INC := $(INC_emulator) -Iemulator/front/usbip -Iemulator/tests
$(OBJ)/emulator/tests/bench/umockdev.o: INC += $(BENCH_CFLAGS_umockdev)
$(OBJ)/emulator/tests/bench/unicorn.o: INC += $(INC_cortexm)
$(B)/bench/%: $(OBJ)/emulator/tests/bench/%.o $(B)/libemulator.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(BENCH_LIBS_$*)
bench: all clients $(BENCHES) $(B)/tools/cortexm_run ## measure speed and memory: a table, and build/bench.json
	@python3 emulator/tests/bench/run.py "$(B)"

STAGE = B='$(B)' SAN='$(SAN)' MAKE='$(MAKE)' CC='$(CC)' sh ci/check.sh
check: all unit ## run all tests; SAN=1: with address and undefined behaviour sanitizers
	+@$(STAGE)
check-unit: unit ## run the unit tests
	+@$(STAGE) unit
check-vm: all ## run the tests that need a kernel of their own, in a guest under QEMU
	+@$(STAGE) vm
check-bench: all ## run the tests of the bench in software: GPIO and relays, with their drivers, in a guest
	+@$(STAGE) bench
check-trips: all ## record all clients over all fronts, and play that back: in a guest, minutes
	+@$(STAGE) trips
check-firmware: all ## run firmware of others, from DFUBENCH_FIRMWARE or the cache: see ci/check-firmware.sh
	@B='$(B)' ci/check-firmware.sh
fuzz: fuzz-build ## run each fuzz target for FUZZ_SECONDS (60)
	+@FUZZ_SECONDS='$(FUZZ_SECONDS)' $(STAGE) fuzz
mutants: all unit ## break the core, and the reference tool, in one place at a time: a test or a scenario is to fail
	@B='$(B)' CC='$(CC)' SAN='$(SAN)' hil/tests/it_core_mutants.sh
	@B='$(B)' hil/tests/mutants.sh
matrix: all ## run the scenarios with four real tools: build/matrix.html, scenarios/MATRIX.md
	@B='$(B)' sh ci/matrix.sh
demo: all ## flash the emulated board with the dfu-util of this machine
	@B='$(B)' sh ci/demo.sh
firmware: ## build the firmware of fixtures/firmware/ with arm-none-eabi-gcc, in build/firmware/
	@env -u MAKEFLAGS -u MFLAGS $(MAKE) --no-print-directory -C fixtures/firmware OUT='$(abspath $(B)/firmware)'
deps: ## install the Debian packages that all this needs
	@sh ci/deps.sh

install: all ## install below PREFIX (/usr/local), staged in DESTDIR
	$(call put,$(DESTDIR)$(PREFIX),)

# put FOLDER,SUFFIX: programs, whose files in the build have that at the end of their names, and what goes with them.
define put
install -d '$(1)/bin' '$(1)/share/man/man1' '$(1)/share/bash-completion/completions'
	install -m 755 '$(B)/dfuemu$(2)' '$(1)/bin/dfuemu'
	install -m 644 emulator/dfuemu.1 '$(1)/share/man/man1/dfuemu.1'
	install -m 644 emulator/dfuemu.bash-completion '$(1)/share/bash-completion/completions/dfuemu'
	$(if $(HIL_MISSING),,$(put_hil))
endef

# Scenarios, adapters and what they run go where dfuhil looks for them.
define put_hil
install -d '$(1)/share/man/man5' '$(1)/share/dfubench/tools' '$(1)/share/dfubench/descriptors' '$(1)/share/dfubench/firmware' \
		'$(1)/share/dfubench/rigs'
	install -m 755 '$(B)/dfuhil$(2)' '$(1)/bin/dfuhil'
	install -m 644 hil/dfuhil.1 '$(1)/share/man/man1/dfuhil.1'
	install -m 644 $(wildcard hil/*.5) '$(1)/share/man/man5'
	install -m 644 hil/dfuhil.bash-completion '$(1)/share/bash-completion/completions/dfuhil'
	install -m 644 $(wildcard fixtures/tools/*.yaml fixtures/tools/*.mjs) '$(1)/share/dfubench/tools'
	install -m 644 $(wildcard fixtures/rigs/*) '$(1)/share/dfubench/rigs'
	install -m 644 $(wildcard fixtures/descriptors/*.usb) '$(1)/share/dfubench/descriptors'
	install -m 755 $(wildcard fixtures/firmware/*.sh fixtures/firmware/*.py) '$(1)/share/dfubench/firmware'
	install -m 644 $(wildcard fixtures/firmware/*.bin fixtures/firmware/*.hex) '$(1)/share/dfubench/firmware'
	rm -rf '$(1)/share/dfubench/scenarios'
	find scenarios -type f -exec install -D -m 644 '{}' '$(1)/share/dfubench/{}' ';'
endef

clean: ## remove all that was built
	rm -rf build build-san build-fuzz build-aarch64

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r t d; do printf '%-14s %s\n' "$$t" "$$d"; done

.PHONY: all without-hil unit clients fuzzers fuzz-build cross static dist posix bench check check-unit check-vm check-bench check-trips check-firmware fuzz mutants matrix demo firmware deps install clean help
# Objects are kept: make must not take those of tests for intermediate files.
.SECONDARY:
-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
