# SPDX-License-Identifier: BSD-2-Clause
#
# make [VARIANT=plain|asan|tsan|cover]   the four programs
# make unit                              unit tests (U=core_path: only that one)
# Variants never share objects: all goes to build/$(VARIANT)/.

VARIANT ?= plain
B := build/$(VARIANT)

CC ?= cc
CFLAGS ?= -O2 -g
BASE_CFLAGS := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -pthread \
	-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Werror -fstack-protector-strong
LIBS := -larchive -ldeflate -lz -lcrypto -lsqlite3 -pthread -lm

ifeq ($(VARIANT),asan)
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
BASE_CFLAGS += -fsanitize=thread -fno-omit-frame-pointer
LDFLAGS += -fsanitize=thread
else ifeq ($(VARIANT),cover)
BASE_CFLAGS += --coverage -O0
LDFLAGS += --coverage
else ifneq ($(VARIANT),plain)
$(error VARIANT is one of plain asan tsan cover)
endif

ROOMS := core archive seal store cli catalog backup verify restore manifest
PROGRAMS := backup verify restore manifest

SRCS := $(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(ROOMS))))
OBJS := $(SRCS:%.c=$(B)/obj/%.o)
LIB := $(B)/libtarseal.a
BINS := $(PROGRAMS:%=$(B)/bin/%)
UNITS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

all: $(BINS)

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The catalog's schema is kept as SQL and built in.
$(B)/gen/catalog_schema.h: catalog/schema.sql
	@mkdir -p $(@D)
	sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@
$(B)/obj/catalog/%.o: BASE_CFLAGS += -I$(B)/gen
$(filter $(B)/obj/catalog/%,$(OBJS)): $(B)/gen/catalog_schema.h

$(LIB): $(OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/bin/%: $(B)/obj/%/main.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/unit/%: $(B)/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

unit: $(if $(U),$(B)/unit/test_$(U),$(UNITS))
	@for t in $^; do $$t || exit 1; done

clean:
	rm -rf build

.PHONY: all unit clean
.SECONDARY:
-include $(OBJS:.o=.d) $(PROGRAMS:%=$(B)/obj/%/main.d) $(patsubst $(B)/unit/%,$(B)/obj/tests/unit/%.d,$(UNITS))
