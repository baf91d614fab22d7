# SPDX-License-Identifier: GPL-2.0-or-later
# dfubench: everything is built in build/. `make help` lists the targets.

VERSION := 0.1.0
PREFIX ?= /usr/local
CC ?= cc
CFLAGS ?= -O2 -g
B := build$(if $(SAN),-san)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
comma := ,
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DDFUBENCH_VERSION='"$(VERSION)"' $(WARN) $(SANFLAGS) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(SANFLAGS) $(LDFLAGS)

# Layers, lowest first: each sees the headers of those below it only.
INC_core := -Iemulator/core
INC_runtime := $(INC_core) -Iemulator/runtime
INC_capture := $(INC_core) -Iemulator/capture
INC_filter := $(INC_core) -Iemulator/capture -Iemulator/filter
INC_front := $(INC_core) -Iemulator/front
INC_private_bus := $(INC_front) -Iemulator/front/private_bus
INC_emulator := $(INC_runtime) $(INC_filter) $(INC_private_bus) -Iemulator

SRC_core := $(wildcard emulator/core/*.c emulator/core/profiles/*.c)
SRC_runtime := $(wildcard emulator/runtime/*.c)
SRC_capture := $(wildcard emulator/capture/*.c)
SRC_filter := $(wildcard emulator/filter/*.c)
SRC_front := $(wildcard emulator/front/*.c)
SRC_private_bus := $(wildcard emulator/front/private_bus/*.c)
SRC_emulator := $(filter-out emulator/main.c,$(wildcard emulator/*.c))
SRC_main := emulator/main.c

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB_SRC := $(SRC_core) $(SRC_runtime) $(SRC_capture) $(SRC_filter) $(SRC_front) $(SRC_private_bus) $(SRC_emulator)

all: $(B)/dfuemu

$(B)/obj/emulator/core/%.o: INC := $(INC_core)
$(B)/obj/emulator/runtime/%.o: INC := $(INC_runtime)
$(B)/obj/emulator/capture/%.o: INC := $(INC_capture)
$(B)/obj/emulator/filter/%.o: INC := $(INC_filter)
$(B)/obj/emulator/front/%.o: INC := $(INC_front)
$(B)/obj/emulator/front/private_bus/%.o: INC := $(INC_private_bus)
$(B)/obj/emulator/%.o: INC := $(INC_emulator)
$(B)/obj/emulator/tests/%.o: INC := $(INC_emulator) -Iemulator/tests

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(INC) -c -o $@ $<

$(B)/libcore.a: $(call obj,$(SRC_core))
	rm -f $@ && ar rcs $@ $^
$(B)/libemulator.a: $(call obj,$(LIB_SRC))
	rm -f $@ && ar rcs $@ $^
$(B)/dfuemu: $(call obj,$(SRC_main)) $(B)/libemulator.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^

# Unit tests: emulator/tests/test_*.c, one binary each, with cmocka.
UNIT := $(patsubst emulator/tests/%.c,$(B)/tests/%,$(wildcard emulator/tests/test_*.c))
$(B)/tests/%: $(B)/obj/emulator/tests/%.o $(B)/libemulator.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

unit: $(UNIT)
	@for t in $(UNIT); do timeout 60 $$t || exit 1; done

clean:
	rm -rf build build-san

.PHONY: all unit clean
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
