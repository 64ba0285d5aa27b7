# SPDX-License-Identifier: BSD-2-Clause
#
# make [VARIANT=plain|asan|tsan|cover]   the four programs, in build/$(VARIANT)/bin
# make unit [U=core_path]                unit tests: all, or tests/unit/test_core_path.c
# make lint                              format, static analysis, scripts, man pages, rooms, options
# make completion                        for bash and zsh, in build/$(VARIANT)/completion
# make install [PREFIX=/usr/local] [DESTDIR=]
# make coverage                          a line a file, from unit tests and command line cases
# make bench [ROWS='first verify']       measure beside tar, restic and others: docs/PERFORMANCE.md
#
# Variants never share objects: all goes to build/$(VARIANT)/.  ./check runs every test.

VARIANT ?= plain
B := build/$(VARIANT)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/tarseal
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/tarseal
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
INSTALL ?= install

CC ?= cc
CFLAGS ?= -O2 -g
# A compiler newer than ours may know a new warning: users build with WERROR= (./demo and ./check do).
WERROR ?= -Werror
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2
BASE_CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I$(B)/gen
BASE_CFLAGS := -std=c11 -pthread -fPIE $(WARNINGS) -ffile-prefix-map=$(CURDIR)/=
BASE_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack
LIBS := -ldeflate -lcrypto -lsqlite3 -pthread
# Only what reads other people's gzip needs it: manifest and restore.
ZLIB := -Wl,--as-needed -lz
# In tests libarchive reads what we wrote; no program uses it.
TEST_LIBS := -lcmocka -larchive -lz

HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZE_tsan := -fsanitize=thread
ifeq ($(VARIANT),plain)
BASE_CFLAGS += $(HARDEN)
else ifneq ($(SANITIZE_$(VARIANT)),)
BASE_CFLAGS += $(SANITIZE_$(VARIANT)) -fno-omit-frame-pointer
BASE_LDFLAGS += $(SANITIZE_$(VARIANT))
else ifeq ($(VARIANT),cover)
override CFLAGS := -O0 -g
BASE_CFLAGS += --coverage -fprofile-update=atomic
BASE_LDFLAGS += --coverage
else
$(error VARIANT is one of plain asan tsan cover)
endif

ROOMS := core archive seal store cli catalog pack tree backup verify restore manifest
PROGRAMS := backup verify restore manifest

# All but the four mains is one library, so that tests reach everything.
SRCS := $(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(ROOMS))))
MAINS := $(wildcard $(PROGRAMS:%=%/main.c))
OBJS := $(SRCS:%.c=$(B)/obj/%.o)
LIB := $(B)/libtarseal.a
BINS := $(MAINS:%/main.c=$(B)/bin/%)
# tests/unit/test_*.c are programs; what else lies there is shared by them.
TESTS := $(wildcard tests/unit/test_*.c)
TEST_SUPPORT := $(filter-out $(TESTS),$(wildcard tests/unit/*.c))
TEST_LIB := $(if $(TEST_SUPPORT),$(B)/libunit.a)
UNITS := $(TESTS:tests/unit/%.c=$(B)/unit/%)
PAGES := $(wildcard $(PROGRAMS:%=%/*.1))
ALL_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(SRCS) $(MAINS) $(TESTS) $(TEST_SUPPORT))

COMPILE = $(CC) $(BASE_CPPFLAGS) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS)

all: $(BINS) $(B)/bin/tarseal

# Other flags than last time: everything is built anew.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LDFLAGS) $(LIBS)' | cmp -s - $@ || echo '$(COMPILE) $(LDFLAGS) $(LIBS)' >$@

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(WERROR) -MMD -MP -c -o $@ $<

# The catalog's schema is kept as SQL and built in.
$(B)/gen/catalog_schema.h: catalog/schema.sql
	@mkdir -p $(@D)
	sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@
$(filter $(B)/obj/catalog/% $(B)/obj/tests/unit/test_catalog%,$(ALL_OBJS)): $(B)/gen/catalog_schema.h

$(LIB): $(OBJS)
$(TEST_LIB): $(TEST_SUPPORT:%.c=$(B)/obj/%.o)
$(B)/%.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/bin/%: $(B)/obj/%/main.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(ZLIB)

# "tarseal restore ..." for an installed copy; the same front works in the build tree.
$(B)/bin/tarseal: tools/tarseal.in
	@mkdir -p $(@D)
	sed 's|@LIBEXECDIR@|$(CURDIR)/$(B)/bin|' $< >$@
	@chmod +x $@

# From the option tables, as the programs print them.
completion: $(B)/completion/bash $(B)/completion/zsh
$(B)/completion/%: tools/make-completion tools/completion.% $(BINS) $(B)/bin/tarseal
	@mkdir -p $(@D)
	tools/make-completion $(B)/bin $* >$@.$$$$ && mv $@.$$$$ $@

$(B)/unit/%: $(B)/obj/tests/unit/%.o $(TEST_LIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(LIBS)

# What bench/ needs that is no script: make build/plain/bench/catalog-tree.
$(B)/bench/%: $(B)/obj/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

units: $(UNITS)

unit: $(if $(U),$(U:%=$(B)/unit/test_%),$(UNITS))
	@bad=; for t in $^; do echo "$$t"; $$t || bad="$$bad $$t"; done; \
	if [ "$$bad" ]; then echo "failed:$$bad"; exit 1; fi

lint:
	tools/lint

coverage:
	tools/coverage

# What bench/run runs: the programs, and two small ones of its own.
$(B)/bench/%: bench/%.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(WERROR) $(BASE_LDFLAGS) $(LDFLAGS) -o $@ $<

bench-tools: all $(B)/bench/measure $(B)/bench/maketree

bench: bench-tools
	tools/deps bench
	bench/run $(ROWS)

install: all completion
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(MANDIR)/man1 \
	    $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(DOCDIR) $(DESTDIR)$(BASHCOMPDIR) \
	    $(DESTDIR)$(ZSHCOMPDIR)
	$(INSTALL) -m 755 $(BINS) $(DESTDIR)$(LIBEXECDIR)
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' tools/tarseal.in >$(B)/tarseal.install
	$(INSTALL) -m 755 $(B)/tarseal.install $(DESTDIR)$(BINDIR)/tarseal
	for p in $(PAGES); do \
	    $(INSTALL) -m 644 $$p $(DESTDIR)$(MANDIR)/man1/tarseal-$${p##*/} || exit 1; done
	$(INSTALL) -m 644 docs/tarseal.1 $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 docs/tarseal.5 $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 644 LICENSE docs/*.md $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 644 $(B)/completion/bash $(DESTDIR)$(BASHCOMPDIR)/tarseal
	for p in $(PROGRAMS); do ln -sf tarseal $(DESTDIR)$(BASHCOMPDIR)/$$p || exit 1; done
	$(INSTALL) -m 644 $(B)/completion/zsh $(DESTDIR)$(ZSHCOMPDIR)/_tarseal
	$(INSTALL) -d $(DESTDIR)$(DOCDIR)/schema
	$(INSTALL) -m 644 docs/schema/*.json $(DESTDIR)$(DOCDIR)/schema

uninstall:
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)
	rm -f $(DESTDIR)$(BINDIR)/tarseal $(DESTDIR)$(MANDIR)/man1/tarseal.1 \
	    $(DESTDIR)$(MANDIR)/man5/tarseal.5 $(PROGRAMS:%=$(DESTDIR)$(MANDIR)/man1/tarseal-%.1)
	rm -f $(DESTDIR)$(ZSHCOMPDIR)/_tarseal $(patsubst %,$(DESTDIR)$(BASHCOMPDIR)/%,tarseal $(PROGRAMS))

clean:
	rm -rf build

# For tools/lint: what each file is compiled with, and which files there are.
print-%:
	@echo '$($*)'

.PHONY: all units unit lint coverage bench bench-tools completion install uninstall clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
-include $(ALL_OBJS:.o=.d)
