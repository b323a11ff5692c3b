# backstop: build, install, test.  `make help` lists the targets.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=
VERSION    := 0.1.0

CC         ?= cc
CLANG_FORMAT ?= clang-format
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
PROVE      ?= prove
JOBS       ?= $(shell nproc)

# Debian packages: what it takes to build and test, and what the tests with real servers add.
DEPS       := gcc pkg-config libgmime-3.0-dev libtalloc-dev libconfuse-dev liblmdb-dev nettle-dev libssl-dev \
              libjansson-dev libpcre2-dev libpsl-dev libc-ares-dev libidn2-dev libspf2-dev \
              libseccomp-dev libopendkim-dev zlib1g-dev check perl
DEPS_MTA   := postfix iproute2 procps python3 vacation opendkim
# Mail servers that conflict with Postfix: fetched, and unpacked by the tests only.
SERVERS    := exim4-daemon-light opensmtpd sendmail-bin
PACKAGES   := $(CURDIR)/build/mta/packages
DEPS_DEV   := clang clang-format libclang-rt-14-dev man-db

LIBRARIES  := gmime-3.0 talloc libconfuse lmdb nettle jansson libpcre2-8 libpsl libcares libidn2 zlib
# Loaded when a signature of ours is to be checked (src/weigh/signature.c, src/base/dkim_key.c): only
# their headers are needed here.
LATE       := opendkim libcrypto
WARNINGS   := -Wall -Wextra -Wpedantic -Wshadow -Werror
CFLAGS     ?= -O2 -g
LDFLAGS    ?=

ifdef SAN
BUILD      := build/san
SANITIZE   := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS     := -O1 -g
else
BUILD      := build
SANITIZE   :=
endif

# Asked only when something is compiled, so that `make deps` works before pkg-config is there.
LIB_CFLAGS  = $(eval LIB_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(LIBRARIES) $(LATE)))$(LIB_CFLAGS)
LIB_LIBS    = $(eval LIB_LIBS := $$(shell $(PKG_CONFIG) --libs $(LIBRARIES)) -lm)$(LIB_LIBS)
ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -DBACKSTOP_VERSION='"$(VERSION)"' \
              -DBACKSTOP_LIBEXEC='"$(PREFIX)/libexec/backstop"' $(WARNINGS) $(SANITIZE) \
              -fstack-protector-strong -Isrc -I. -I$(BUILD) $(LIB_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SANITIZE) $(LDFLAGS)

SOURCES    := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
MAILDIR    := $(wildcard maildir/*.c)
RULES      := $(sort $(wildcard rules/*.rules))
OBJECTS    := $(SOURCES:%.c=$(BUILD)/%.o) $(MAILDIR:%.c=$(BUILD)/%.o) $(if $(RULES),$(BUILD)/rules/embedded.o)
LIBRARY    := $(BUILD)/libbackstop.a
UNITS      := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
PAGES      := $(wildcard src/man/*.[1-9])

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all help deps deps-mta deps-dev demo install uninstall clean check check-unit check-cli \
        check-fault check-stress check-kill check-storm check-mta bench bench-ledger format check-format always

all: $(BUILD)/backstop $(BUILD)/backstop-spf $(BUILD)/rules/checked

# Changed rules that cannot be read, or that another takes everything from, end the build: a program
# with them would not know a bounce from a letter.
$(BUILD)/rules/checked: $(RULES) | $(BUILD)/backstop
	@echo "  CHECK rules"
	@: > $@.conf
	@$(BUILD)/backstop rules check --config=$@.conf > $@.new 2>&1 || { cat $@.new; exit 1; }
	@mv $@.new $@

$(BUILD)/backstop: $(BUILD)/src/main.o $(LIBRARY)
	@echo "  LD  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIBRARY) $(LIB_LIBS)

# The program that libspf2 is locked into: alone to link it, and never with sanitizers, which could
# not work under its limits (src/net/child).
SPF_CHILD  := src/net/child/spf_child.c src/net/spf_wire.c
$(BUILD)/backstop-spf: $(SPF_CHILD) src/net/spf_wire.h
	@mkdir -p $(@D)
	@echo "  LD  $@"
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -fPIE -pie -fstack-protector-strong \
		-D_FORTIFY_SOURCE=2 -Isrc -Wl,-z,relro,-z,now -o $@ $(SPF_CHILD) -lspf2 -lseccomp

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@echo "  AR  $@"
	@$(AR) rcs $@ $(OBJECTS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# PREFIX is compiled in there: another one than last time makes the object anew.
$(BUILD)/src/net/spf.o: $(BUILD)/prefix

$(BUILD)/prefix: always
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@

# rules/*.rules become one C file: the default rules are part of the binary.
$(BUILD)/rules/embedded.c: $(RULES) src/base/embed.awk
	@mkdir -p $(@D)
	@awk -f src/base/embed.awk $(RULES) > $@

$(BUILD)/rules/embedded.o: $(BUILD)/rules/embedded.c
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(BUILD)/tests/unit/test_%: tests/unit/test_%.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) -Itests/unit $(ALL_LDFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) \
		$(LIB_LIBS) $(shell $(PKG_CONFIG) --libs check libcrypto)

# Under sudo the build belongs to who called it, so that `make check` works for him afterwards.
AS_CALLER   = $(if $(SUDO_UID),runuser -u "$$(id -nu $(SUDO_UID))" --,)
APT         = DEBIAN_FRONTEND=noninteractive apt-get

help:
	@echo "make              build $(BUILD)/backstop"
	@echo "make deps         install what building and testing take (Debian packages; root)"
	@echo "make demo         the main job on the sample messages in tests/mail/world"
	@echo "make check        all tests that need neither root nor network; SAN=1: with sanitizers"
	@echo "make check-stress 16 writers and 4 readers for 10 minutes (STRESS_SECONDS=600)"
	@echo "make check-kill   1000 kills at random times (KILLS=1000)"
	@echo "make check-mta    tests with real mail servers (root; make deps-mta first)"
	@echo "make check-storm  a simulated day with a flood of 50,000 reports (minutes, in /dev/shm)"
	@echo "make bench        ratios of speed and memory (python3; maildrop for one of them)"
	@echo "make bench-ledger the same for a ledger of 10 million entries (python3; 2 GB of disk)"
	@echo "make install      into PREFIX ($(PREFIX)), SYSCONFDIR ($(SYSCONFDIR)); DESTDIR for packagers"
	@echo "make uninstall    remove what install put there, and folders that are empty then"
	@echo "make clean        remove build/"
	@echo "make deps-mta     packages for check-mta;  make deps-dev: compilers and formatters"
	@echo "make format       clang-format over the sources;  make check-format: only look"

deps:
	$(APT) update -q
	$(APT) install -y -q $(DEPS)

deps-mta:
	$(APT) update -q
	$(APT) install -y -q $(DEPS) $(DEPS_MTA)
	$(AS_CALLER) mkdir -p $(SERVERS:%=$(PACKAGES)/%/partial)
	for server in $(SERVERS); do \
		$(APT) install -y -q --download-only --no-install-recommends \
			-o Dir::Cache::Archives=$(PACKAGES)/$$server $$server || exit 1; \
	done

deps-dev:
	$(APT) update -q
	$(APT) install -y -q $(DEPS) $(DEPS_DEV)

demo:
	@$(AS_CALLER) $(MAKE) --no-print-directory all
	@$(AS_CALLER) env BACKSTOP=$(BUILD)/backstop sh contrib/demo/run

install: all
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/doc/backstop \
		$(DESTDIR)$(SYSCONFDIR)/backstop
	$(INSTALL) -m 755 $(BUILD)/backstop $(DESTDIR)$(PREFIX)/bin/backstop
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/libexec/backstop
	$(INSTALL) -m 755 $(BUILD)/backstop-spf $(DESTDIR)$(PREFIX)/libexec/backstop/backstop-spf
	for page in $(PAGES); do \
		$(INSTALL) -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/; \
	done
	$(INSTALL) -m 644 README.md QUIRKS.md $(DESTDIR)$(PREFIX)/share/doc/backstop/
	cp -R contrib $(DESTDIR)$(PREFIX)/share/doc/backstop/
	$(INSTALL) -m 644 contrib/backstop.conf.sample $(DESTDIR)$(SYSCONFDIR)/backstop/

# Innermost first. Of a shared PREFIX, what the system itself brings stays, though it be empty.
EMPTIED    := libexec share/man/man1 share/man/man5 \
              $(if $(filter /usr /usr/local,$(PREFIX)),,share/man share/doc share bin)

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/backstop
	rm -rf $(DESTDIR)$(PREFIX)/libexec/backstop
	for page in $(notdir $(PAGES)); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; \
	done
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/backstop
	rm -f $(DESTDIR)$(SYSCONFDIR)/backstop/backstop.conf.sample
	@for folder in $(EMPTIED:%=$(DESTDIR)$(PREFIX)/%) \
		$(filter-out %/usr %/usr/local,$(DESTDIR)$(PREFIX)) \
		$(DESTDIR)$(SYSCONFDIR)/backstop; do \
		test ! -d $$folder || rmdir --ignore-fail-on-non-empty $$folder; \
	done

# What the tests are told. Sanitizers must not turn a report into exit code 1 unseen.
TEST_ENV    = BACKSTOP=$(abspath $(BUILD))/backstop BACKSTOP_SHIM=$(abspath $(BUILD))/tests/fault/shim.so \
              BACKSTOP_STRESS=$(abspath $(BUILD))/tests/fault/stress \
              BACKSTOP_KILLED=$(abspath $(BUILD))/tests/fault/killed \
              BACKSTOP_DNS_SERVER=$(abspath $(BUILD))/tests/dns/server \
              BACKSTOP_STATETOOL=$(abspath $(BUILD))/tests/cli/statetool \
              BACKSTOP_SPF=$(abspath $(BUILD))/backstop-spf \
              BACKSTOP_SPF_ROGUE=$(abspath $(BUILD))/tests/dns/rogue \
              CK_TIMEOUT_MULTIPLIER=5 BACKSTOP_SAN=$(SAN) ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 \
              UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

check: check-unit check-cli check-fault

check-unit: $(UNITS) $(BUILD)/backstop-spf $(BUILD)/tests/dns/server $(BUILD)/tests/dns/rogue
	@set -e; for unit in $(UNITS); do $(TEST_ENV) $$unit; done

check-cli: all $(BUILD)/tests/dns/server $(BUILD)/tests/cli/statetool
	@$(TEST_ENV) $(PROVE) -j$(JOBS) tests/cli/*.t

check-fault: all $(BUILD)/tests/fault/shim.so $(BUILD)/tests/fault/stress $(BUILD)/tests/fault/killed
	@$(TEST_ENV) $(PROVE) -j$(JOBS) tests/fault/*.t

# The same at length: STRESS_SECONDS of writers and readers, KILLS at random times.
STRESS_SECONDS ?= 600
KILLS          ?= 1000
check-stress: $(BUILD)/tests/fault/stress
	@$(TEST_ENV) STRESS_SECONDS=$(STRESS_SECONDS) STRESS_DIR=$(abspath $(BUILD)) \
		$(PROVE) -v tests/fault/stress.t

check-kill: all $(BUILD)/tests/fault/killed
	@$(TEST_ENV) KILLS=$(KILLS) $(PROVE) -v tests/fault/killed.t
	@tests/fault/kills $(abspath $(BUILD))/backstop $(KILLS)

$(BUILD)/tests/fault/stress $(BUILD)/tests/fault/killed: $(BUILD)/%: %.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBRARY) $(LIB_LIBS)

# The whole simulated day (tests/unit/test_storm_day.c): three times 50,000 reports and more.
check-storm: $(BUILD)/tests/unit/test_storm_day
	@$(TEST_ENV) BACKSTOP_STORM_DAY=1 $(BUILD)/tests/unit/test_storm_day

check-mta: all
	@$(TEST_ENV) $(PROVE) -v tests/mta/*.t

# Ratios, measured in one run; BENCH_MAIL=FOLDER for other messages than the project's own.
bench: all $(BUILD)/tests/bench/bare_gmime
	@tests/bench/run $(abspath $(BUILD))/backstop $(BUILD)/tests/bench/bare_gmime $(BENCH_MAIL)

# A ledger of 10 million entries, or of LEDGER_ENTRIES, under build/: on disk, where it belongs.
bench-ledger: all $(BUILD)/tests/bench/ledger
	@tests/bench/run_ledger $(abspath $(BUILD))/backstop $(BUILD)/tests/bench/ledger \
		$(abspath $(BUILD))/bench-ledger $(LEDGER_ENTRIES)

$(BUILD)/tests/bench/ledger: tests/bench/ledger.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBRARY) $(LIB_LIBS)

$(BUILD)/tests/bench/bare_gmime: tests/bench/bare_gmime.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) -std=c11 $(WARNINGS) -O2 -o $@ $< $(shell $(PKG_CONFIG) --cflags --libs gmime-3.0)

# A DNS server for tests, on loopback; and a child that SPF must be safe from.
$(BUILD)/tests/dns/%: tests/dns/%.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(SANITIZE) -O1 -g -o $@ $<

# A library that is loaded in front of libc: no sanitizer in it.
$(BUILD)/tests/cli/%: tests/cli/%.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) $(SANITIZE) -O1 -g -o $@ $< -llmdb

$(BUILD)/tests/fault/shim.so: tests/fault/shim.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O1 -g -fPIC -shared -o $@ $< -ldl

format:
	$(CLANG_FORMAT) -i $(shell find src maildir tests -name '*.[ch]')

check-format:
	$(CLANG_FORMAT) --dry-run -Werror $(shell find src maildir tests -name '*.[ch]')

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(BUILD)/src/main.d $(UNITS:=.d)
