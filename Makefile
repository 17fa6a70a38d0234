# boshspec
#
#   make run     installs what is missing, builds, certifies the bundled client
#   make test    installs what is missing, builds, passes all tests
#   make help    the rest
#
# Options: SAN=address,undefined (a build of its own), WERROR=1, V=1.

SHELL = /bin/bash
.DEFAULT_GOAL = all
.DELETE_ON_ERROR:
JOBS ?= $(shell nproc 2>/dev/null || echo 1)

PREFIX ?= /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share/boshspec
VERSION = 0.1.0

ifdef SAN
B = build-san
SAN_FLAGS = -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifdef COVER
B = build-cover
SAN_FLAGS = --coverage
else
B = build
endif

CC = gcc
OBJCOPY ?= objcopy
PKGS = libxml-2.0 libmicrohttpd libcurl libuv libgsasl jansson gnutls nettle zlib
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CLIENT_LIBS := $(shell pkg-config --libs libxml-2.0 libcurl libgsasl jansson nettle zlib 2>/dev/null)

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla $(if $(WERROR),-Werror)
CPPFLAGS += -I. -D_GNU_SOURCE -DBOSHSPEC_VERSION='"$(VERSION)"' \
	-DBOSHSPEC_DATADIR='"$(DATADIR)"'
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(SAN_FLAGS) $(PKG_CFLAGS)
Q = $(if $(V),,@)

# ---- what is built from what ----

objs = $(patsubst %.c,$(B)/%.o,$(1))
MAINS = harness/main.c $(wildcard harness/cmd_*.c)
COMMON = $(wildcard common/*.c)
# The program bosh-client; all else in the folder is libbosh.
CLIENT_PROGRAM = $(wildcard $(addprefix client-under-test/,main.c asked.c \
	driver_verbs.c tool*.c))
LIBBOSH = $(filter-out $(CLIENT_PROGRAM),$(wildcard client-under-test/*.c))
# What tests link, too: internals, and the program but for its main().
CLIENT = $(LIBBOSH) $(filter-out %/main.c,$(CLIENT_PROGRAM))
MOCK = $(wildcard mockserver/*.c)
HARNESS = $(filter-out $(MAINS),$(wildcard harness/*.c))
REPORTS = $(wildcard reports/*.c)
TWINS = $(wildcard tests/twins/*.c)
TWIN_CLIENT = $(wildcard tests/twin-client/*.c)
TESTS = $(wildcard tests/*.c)
BENCH = $(wildcard tests/bench/*.c)
PEER_TESTS = $(filter-out tests/peers/certs.c,$(wildcard tests/peers/*.c))
LIBS = $(B)/libharness.a $(B)/libtwins.a $(B)/libreports.a $(B)/libboshmock.a \
	$(B)/libbosh.a $(B)/libcommon.a

# What decides without the world: make lint proves it by nm.
PURE = $(filter-out client-under-test/driver_% client-under-test/random.c \
	client-under-test/tool%,$(CLIENT)) \
	$(filter-out mockserver/http_mhd%,$(MOCK)) \
	$(wildcard harness/play*.c harness/journal*.c harness/judge*.c \
	harness/expr*.c harness/faults.c harness/entity.c harness/avt.c \
	harness/raw_*.c harness/redact.c harness/coverage.c) \
	common/delivery.c common/http.c common/http_frame.c

.PHONY: all lib run test check strophe peers certify lint format format-check bench fuzz cover coverage \
	install install-lib uninstall clean help deps deps-check run-built test-built

all: $(B)/boshspec $(B)/bosh-client lib

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make peers        holds libbosh to Prosody, which it installs"
	@echo "make certify      certifies Prosody, which it installs"
	@echo "make strophe      certifies Strophe.js (wants node and npm)"
	@echo "make install      PREFIX=$(PREFIX) DESTDIR=; make uninstall takes it away"
	@echo "make install-lib  libbosh alone"
	@echo "make lint format format-check check bench fuzz cover coverage clean"

$(B)/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define archive
	$(if $(V),,@echo "  AR    $@")
	$(Q)rm -f $@ && $(AR) rcs $@ $^
endef
$(B)/libcommon.a: $(call objs,$(COMMON))
	$(archive)
$(B)/libbosh.a: $(call objs,$(CLIENT))
	$(archive)
$(B)/libboshmock.a: $(call objs,$(MOCK))
	$(archive)
$(B)/libharness.a: $(call objs,$(HARNESS))
	$(archive)
$(B)/libreports.a: $(call objs,$(REPORTS))
	$(archive)
$(B)/libtwins.a: $(call objs,$(TWINS))
	$(archive)

$(B)/boshspec: $(call objs,$(MAINS)) $(LIBS)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(call objs,$(MAINS)) \
		-Wl,--start-group $(LIBS) -Wl,--end-group $(PKG_LIBS) -lm
$(B)/bosh-client: $(B)/client-under-test/main.o $(B)/libbosh.a $(B)/libcommon.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)
# The driver that docs/drivers.md shows.
$(B)/minimal-driver: $(B)/client-under-test/drivers/minimal.o $(B)/libbosh.a \
		$(B)/libcommon.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS)
$(B)/twin-client: $(call objs,$(TWIN_CLIENT)) $(LIBS)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(call objs,$(TWIN_CLIENT)) \
		-Wl,--start-group $(LIBS) -Wl,--end-group $(PKG_LIBS) -lm
$(B)/unit-tests: $(B)/boshspec $(B)/bosh-client $(B)/twin-client \
		$(B)/minimal-driver lib $(call objs,$(TESTS)) $(LIBS)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(call objs,$(TESTS)) \
		-Wl,--start-group $(LIBS) -Wl,--end-group $(PKG_LIBS) -lcunit -lm
# libbosh against bare libcurl.
$(B)/bench: $(call objs,$(BENCH)) $(LIBS)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(call objs,$(BENCH)) \
		-Wl,--start-group $(LIBS) -Wl,--end-group $(PKG_LIBS) -lm

# Other people's servers: who starts them, and what libbosh is held to.
$(B)/peer-certs: $(B)/tests/peers/certs.o $(B)/libharness.a $(B)/libcommon.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm
$(B)/peer-tests: $(call objs,$(PEER_TESTS)) $(B)/libbosh.a $(B)/libcommon.a
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(CLIENT_LIBS) -lcunit

# How the tests install the library and compile applications.
$(B)/tests/test_library.o: CPPFLAGS += -DTEST_CC='"$(CC) $(SAN_FLAGS)"' \
	-DTEST_MAKE_ARGS='"$(if $(SAN),SAN=$(SAN)) $(if $(COVER),COVER=1)"'

# ---- libbosh, as others link it ----

# Nothing but what bosh.h declares is a symbol of it; make test proves that.
# The libbosh.a above is for our own programs and tests, internals and all.
LIB_VERSION := $(shell sed -n 's/^.define BOSH_LIB_VERSION "\(.*\)"/\1/p' \
	client-under-test/bosh.h)
LIB_SONAME = libbosh.so.$(firstword $(subst ., ,$(LIB_VERSION)))
LIB_SHARED = libbosh.so.$(LIB_VERSION)
LIB_PKGS = libcurl libxml-2.0 libgsasl nettle zlib
LIB_CFLAGS := $(shell pkg-config --cflags $(LIB_PKGS) 2>/dev/null)
LIB_LIBS := $(shell pkg-config --libs $(LIB_PKGS) 2>/dev/null)
LIB_OBJS = $(patsubst %.c,$(B)/pic/%.o,$(LIBBOSH) common/buf.c common/clock.c \
	common/coding.c common/err.c common/xml.c)

lib: $(B)/lib/$(LIB_SHARED) $(B)/lib/libbosh.a

# No path of this machine in what is given away, not for a debugger either.
$(B)/pic/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $< (pic)")
	$(Q)$(CC) -I. -D_GNU_SOURCE -std=gnu11 $(CFLAGS) $(WARN) $(SAN_FLAGS) \
		$(LIB_CFLAGS) -fPIC -ffile-prefix-map=$(CURDIR)=. -MMD -MP -c $< -o $@
$(B)/lib/$(LIB_SHARED): $(LIB_OBJS) client-under-test/libbosh.map
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LD    $@")
	$(Q)$(CC) $(CFLAGS) $(SAN_FLAGS) $(LDFLAGS) -shared -o $@ $(LIB_OBJS) \
		-Wl,-soname,$(LIB_SONAME) -Wl,-z,defs -Wl,--as-needed \
		-Wl,--version-script=client-under-test/libbosh.map $(LIB_LIBS)
$(B)/lib/libbosh.a: $(LIB_OBJS)
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  AR    $@")
	$(Q)$(LD) -r -o $(@D)/bosh.o $^
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='bosh_*' $(@D)/bosh.o
	$(Q)rm -f $@ && $(AR) rcs $@ $(@D)/bosh.o && rm -f $(@D)/bosh.o

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- the two commands ----

deps:
	@tests/tools/deps build
deps-check: deps
	@tests/tools/deps check

run: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory run-built
run-built:
	@$(B)/boshspec client --strict -o reports/out/client-bosh-client

test: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all $(B)/unit-tests
	@$(MAKE) --no-print-directory test-built
test-built:
	@tests/tools/run-tests $(B)

# ---- other people's servers ----

# Where they cannot be installed they are NA, and that is said.
peers: deps
	@tests/tools/deps peers || true
	@$(MAKE) --no-print-directory -j$(JOBS) $(B)/peer-tests $(B)/peer-certs
	@tests/tools/peers $(B)

# Prosody certified, and what is known of it told apart from what is new.
certify: deps
	@tests/tools/deps peers || true
	@$(MAKE) --no-print-directory -j$(JOBS) all $(B)/peer-certs
	@tests/tools/certify $(B)

# ---- other people's clients ----

# Strophe.js, as it is: what it fails is a finding, not a fault of ours.
STROPHE = client-under-test/drivers/strophe
strophe: deps $(STROPHE)/node_modules/.ready
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(B)/boshspec client --exec='node $(STROPHE)/driver.mjs' \
		-o reports/out/client-strophe || [ $$? = 1 ]
$(STROPHE)/node_modules/.ready: $(STROPHE)/package-lock.json
	@tests/tools/deps strophe
	@cd $(STROPHE) && npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# ---- quality ----

check: deps-check
	@$(MAKE) --no-print-directory format-check
	@$(MAKE) --no-print-directory -j$(JOBS) WERROR=1 all build/unit-tests
	@$(MAKE) --no-print-directory -j$(JOBS) lint
	@$(MAKE) --no-print-directory WERROR=1 SAN=address,undefined test
	@tests/tools/tap build
	@$(MAKE) --no-print-directory WERROR=1 test
	@$(MAKE) --no-print-directory WERROR=1 SAN=address,undefined peers
	@$(MAKE) --no-print-directory WERROR=1 certify
	@$(MAKE) --no-print-directory WERROR=1 strophe

SOURCES = $(wildcard common/*.[ch] client-under-test/*.[ch] \
	client-under-test/drivers/*.[ch] client-under-test/examples/*.[ch] mockserver/*.[ch] \
	harness/*.[ch] reports/*.[ch] tests/*.[ch] tests/*/*.[ch])
HEADERS = $(filter %.h,$(SOURCES))
TIDY = $(filter-out tests/%,$(filter %.c,$(SOURCES)))

format:
	clang-format -i $(SOURCES)
format-check:
	@clang-format --dry-run -Werror $(SOURCES) && echo "format: clean"

lint: $(TIDY:%.c=$(B)/tidy/%.ok) $(HEADERS:%.h=$(B)/alone/%.ok) $(B)/pure.ok \
		$(B)/boshspec
	@$(B)/boshspec lint all

# One file at a time: clang-tidy 14 gives false alarms otherwise.
$(B)/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY  $<"
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS) -Iclient-under-test -std=gnu11 $(PKG_CFLAGS) \
		2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2)
	@touch $@
# Every header can be included first.
$(B)/alone/%.ok: %.h
	@mkdir -p $(@D)
	$(Q)echo '#include "$<"' | $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -x c -fsyntax-only -
	@touch $@
$(B)/pure.ok: $(call objs,$(PURE)) tests/tools/pure
	@tests/tools/pure $(call objs,$(PURE))
	@touch $@

FUZZ_S ?= 60
fuzz: deps-check
	@tests/tools/fuzz $(FUZZ_S)

bench: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all $(B)/bench
	@tests/tools/bench $(B)

# docs/coverage.md, after a case, an invariant or a requirement has changed.
coverage: $(B)/boshspec
	$(B)/boshspec coverage --markdown > docs/coverage.md.new
	mv docs/coverage.md.new docs/coverage.md

cover: deps
	@$(MAKE) --no-print-directory COVER=1 -j$(JOBS) all build-cover/unit-tests
	@tests/tools/cover build-cover

# ---- for others to use ----

install: all install-lib
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(DATADIR)
	install -m 755 $(B)/boshspec $(B)/bosh-client $(DESTDIR)$(PREFIX)/bin
	cp -R cases $(DESTDIR)$(DATADIR)

install-lib: lib
	install -d $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 client-under-test/bosh.h $(DESTDIR)$(INCLUDEDIR)
	install -m 644 $(B)/lib/$(LIB_SHARED) $(B)/lib/libbosh.a $(DESTDIR)$(LIBDIR)
	ln -sf $(LIB_SHARED) $(DESTDIR)$(LIBDIR)/$(LIB_SONAME)
	ln -sf $(LIB_SONAME) $(DESTDIR)$(LIBDIR)/libbosh.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(LIB_VERSION)|; s|@LIBS@|$(LIB_LIBS)|' \
		-e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
		-e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' \
		client-under-test/bosh.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/bosh.pc

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,boshspec bosh-client)
	rm -f $(DESTDIR)$(INCLUDEDIR)/bosh.h $(DESTDIR)$(LIBDIR)/pkgconfig/bosh.pc
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libbosh.a libbosh.so $(LIB_SONAME) $(LIB_SHARED))
	rm -rf $(DESTDIR)$(DATADIR)

clean:
	rm -rf build build-san build-cover build-fuzz reports/out
