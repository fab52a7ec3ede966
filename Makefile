#-------------------------------------------------------------------------
#
# Makefile
#	  Builds the extension (PGXS) and its helper programs, and is the front
#	  door to everything else: "make help" lists the targets.
#
# The extension is one shared library and one SQL script, as PGXS makes them.
# The helper programs link DCMTK or libcurl, which a PostgreSQL process never
# may, so they have rules and flags of their own.
#
#-------------------------------------------------------------------------

EXTENSION = dicomgw
EXTVERSION = 0.1.0
MODULE_big = dicomgw
PGFILEDESC = "dicomgw - a DICOM store-and-forward gateway"

include src/helper/programs.mk

OBJS = \
	src/init.o \
	src/guc.o \
	src/shared.o \
	src/launcher.o \
	src/worker.o \
	src/kept_plan.o \
	src/digest.o \
	src/helper_process.o \
	src/destination.o \
	src/password.o \
	src/passcode.o \
	src/token.o \
	src/login_attempts.o \
	src/audit.o \
	src/audit_export.o \
	src/audit_session.o \
	src/space.o \
	src/peer_address.o \
	src/water_marks.o \
	src/receiver.o \
	src/receiver_config.o \
	src/receiver_shared.o \
	src/receiver_association.o \
	src/receiver_batch.o \
	src/batch_files.o \
	src/directory_sync.o \
	src/journal.o \
	src/journal_sync.o \
	src/journal_mend.o \
	src/batch_duplicates.o \
	src/admission.o \
	src/association_log.o \
	src/conditions.o \
	src/attempt.o \
	src/check_expression.o \
	src/router.o \
	src/routes.o \
	src/predicate.o \
	src/predicate_terms.o \
	src/dry_run.o \
	src/explain.o \
	src/edit_expression.o \
	src/header.o \
	src/header_path.o \
	src/forwarder.o \
	src/target.o \
	src/pace.o \
	src/queue_head.o \
	src/lane.o \
	src/job_results.o \
	src/maintenance.o \
	src/storage.o \
	src/storage_file.o \
	src/storage_list.o \
	src/storage_copy.o \
	src/storage_write.o \
	src/storage_check.o \
	src/storage_repair.o \
	src/storage_retention.o \
	src/task.o \
	src/echo.o \
	src/object_access.o \
	src/object_bytes.o \
	src/render_object.o \
	src/picture_cache.o \
	src/preview.o \
	$(PROTOCOL_OBJS)

# The install script, in this order; a file of sql/ that is in neither list
# stops the build, lest it be forgotten.
SQL_PARTS = $(addprefix sql/,$(addsuffix .sql,schema status identity audit audit_event listener remote_ae destination \
	destination_window destination_state destination_group object journal storage_repair header dictionary \
	route deidentification deidentification_rules pseudonym route_edit edit_plan edit_preview \
	queue study group_placement gathering routing unrouted forwarding job_status echo verbs replay destination_admin \
	timeline storage storage_check task retention maintenance association measurement traffic history revert dry_run explain \
	app_user session sign_in user_admin audit_message audit_repository configuration_audit scope alert object_access api api_user api_object api_object_file api_configuration \
	api_queue api_routing api_status api_task api_audit metrics api_metrics api_comment privilege roles grants))

UPGRADES = $(wildcard sql/$(EXTENSION)--*--*.sql)
UNLISTED = $(filter-out $(SQL_PARTS) $(UPGRADES),$(wildcard sql/*.sql))

# Two parts are made by the build: the data dictionary, as DCMTK has it, and PS3.15's table.
DICTIONARY = sql/dictionary.sql
DEIDENTIFICATION = sql/deidentification_rules.sql

DATA = $(UPGRADES)
DATA_built = $(EXTENSION)--$(EXTVERSION).sql

HELPER_CXX_OBJS = $(sort $(filter-out $(OBJS),$(SCP_OBJS)) $(SCU_OBJS) $(RENDER_OBJS) $(SYSLOG_OBJS) $(SHARED_HELPER_OBJS))
HELPER_C_OBJS = $(sort $(STOW_OBJS) $(filter-out $(OBJS),$(SYNC_OBJS) $(WORKER_OBJS)))
HELPER_OBJS = $(HELPER_CXX_OBJS) $(HELPER_C_OBJS)
HELPER_BOTHFLAGS = -O2 -g -Wall -Wextra -fPIE -fstack-protector-strong $(WERROR_FLAG)
HELPER_CXXFLAGS = -std=c++17 $(HELPER_BOTHFLAGS)
HELPER_CFLAGS = -std=gnu11 $(HELPER_BOTHFLAGS)
HELPER_CPPFLAGS = -D_FORTIFY_SOURCE=2 -MMD -MP
HELPER_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed

# Hashes of passwords and passcodes, signatures of tokens.
SHLIB_LINK = -largon2 -lcrypto

# WERROR=1, as the test runner and CI have it: a warning stops the build.
WERROR_FLAG = $(if $(filter 1,$(WERROR)),-Werror)

# PostgreSQL's own headers are not ours to warn about (-isystem), and its
# callbacks have parameters that not every function needs.
PG_CPPFLAGS = -isystem '$(includedir_server)' -MMD -MP
PG_CFLAGS = -std=gnu11 -Wextra -Wno-unused-parameter $(WERROR_FLAG)

EXTRA_CLEAN = $(PROGRAMS) $(HELPER_OBJS) $(DEPFILES) $(DICTIONARY) \
	$(DEIDENTIFICATION) tools/dictionary
DEPFILES = $(patsubst %.o,%.d,$(OBJS) $(HELPER_OBJS))

# No LLVM bitcode: there is nothing here to inline into a query.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

.DEFAULT_GOAL := all

# ---------- with PostgreSQL's development files: build and install ----------

# These targets need nothing installed; some of them do the installing.
STANDALONE = help deps demo install-web test lint format fuzz bench bench-full bench-queue bench-route \
	ui install-ui ui-test ui-e2e ui-screenshots ui-types ui-stack

ifneq ($(wildcard $(PGXS)),)

include $(PGXS)

all: $(PROGRAMS) all-sql-listed

install: install-programs
uninstall: uninstall-programs

.PHONY: install-programs uninstall-programs
install-programs: $(PROGRAMS)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)/$(EXTENSION)'
	$(INSTALL_PROGRAM) $(PROGRAMS) '$(DESTDIR)$(pkglibdir)/$(EXTENSION)/'

uninstall-programs:
	rm -f $(addprefix '$(DESTDIR)$(pkglibdir)/$(EXTENSION)'/,$(PROGRAMS))
	-rmdir '$(DESTDIR)$(pkglibdir)/$(EXTENSION)' 2>/dev/null

.PHONY: all-sql-listed
all-sql-listed:
	$(if $(UNLISTED),$(error $(UNLISTED): neither in SQL_PARTS nor an upgrade script))@:

$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PARTS) Makefile
	cat $(SQL_PARTS) >$@.tmp
	mv $@.tmp $@

$(DICTIONARY): tools/dictionary
	tools/dictionary >$@.tmp
	mv $@.tmp $@

$(DEIDENTIFICATION): tools/deidentification_rules data/ps3.15-e.1-1.csv
	tools/deidentification_rules data/ps3.15-e.1-1.csv >$@.tmp
	mv $@.tmp $@

tools/dictionary: tools/dictionary.cpp
	$(CXX) $(HELPER_CXXFLAGS) $(HELPER_LDFLAGS) -o $@ $< -ldcmdata -loflog -lofstd

dicomgw-scp: $(SCP_OBJS) $(SHARED_HELPER_OBJS) $(WORKER_OBJS)
dicomgw-scu: $(SCU_OBJS) $(SHARED_HELPER_OBJS) $(WORKER_OBJS)
dicomgw-stow: $(STOW_OBJS) $(WORKER_OBJS)
dicomgw-render: $(RENDER_OBJS) $(WORKER_OBJS)
dicomgw-syslog: $(SYSLOG_OBJS) $(WORKER_OBJS)
dicomgw-sync: $(SYNC_OBJS) $(WORKER_OBJS)

dicomgw-scp dicomgw-scu:
	$(CXX) $(HELPER_CXXFLAGS) $(HELPER_LDFLAGS) -o $@ $(filter %.o,$^) $(HELPER_LIBS)

dicomgw-render:
	$(CXX) $(HELPER_CXXFLAGS) $(HELPER_LDFLAGS) -o $@ $(filter %.o,$^) $(RENDER_LIBS)

dicomgw-syslog:
	$(CXX) $(HELPER_CXXFLAGS) $(HELPER_LDFLAGS) -o $@ $(filter %.o,$^) $(SYSLOG_LIBS)

dicomgw-stow:
	$(CC) $(HELPER_CFLAGS) $(HELPER_LDFLAGS) -o $@ $(filter %.o,$^) $(STOW_LIBS)

dicomgw-sync:
	$(CC) $(HELPER_CFLAGS) $(HELPER_LDFLAGS) -o $@ $(filter %.o,$^)

$(HELPER_CXX_OBJS): %.o: %.cpp
	$(CXX) $(HELPER_CXXFLAGS) $(HELPER_CPPFLAGS) -c -o $@ $<

$(HELPER_C_OBJS): %.o: %.c
	$(CC) $(HELPER_CFLAGS) $(HELPER_CPPFLAGS) -c -o $@ $<

-include $(DEPFILES)

else ifneq ($(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)),)

$(error PostgreSQL's development files are not installed: run "make deps" (Debian: postgresql-server-dev-15 libdcmtk-dev libcurl4-openssl-dev libjansson-dev libexpat1-dev libssl-dev libargon2-dev libpng-dev libseccomp-dev))

endif

# ---------- everywhere: packages, tests, demo ----------

.PHONY: $(STANDALONE)

help:
	@echo 'make            build the extension and its programs'
	@echo 'make install    install them (DESTDIR=... to stage)'
	@echo 'make uninstall  remove them'
	@echo 'make clean      remove what was built'
	@echo 'make deps       install the Debian packages that all of this needs'
	@echo 'make install-web  PostgREST as a service and nginx before it, on this host'
	@echo '                SERVER_NAME=its.name CLUSTER=15/main (whose pg_hba.conf and pg_ident.conf may be added to)'
	@echo 'make demo       a private server, a PACS, real objects: watch them go through'
	@echo 'make test       build and test in a scratch folder'
	@echo '                LAYERS="unit helper regress isolation pgtap ui tap e2e browser fuzz" T=one-test JOBS=n'
	@echo 'make bench      how fast it is, beside Orthanc, storescp and the machine (minutes)'
	@echo 'make bench-full the same with longer runs, a large past, ten minutes of full speed (an hour)'
	@echo 'make bench-queue  what a job costs beside a backlog, a history, an old snapshot'
	@echo 'make bench-route  200 routes over 1,000 objects'
	@echo 'make ui         build the web UI into ui/dist'
	@echo 'make install-ui install it into UI_DIR=$(UI_DIR) (DESTDIR=... to stage)'
	@echo 'make ui-test    the tests of its logic and components'
	@echo 'make ui-e2e     the tests of its pages, in a browser, on a whole gateway'
	@echo 'make ui-screenshots  the pictures of docs/ui anew'
	@echo 'make ui-types   write ui/src/api/schema.ts anew, after a change of schema dicomgw_api'
	@echo 'make ui-stack   a gateway full of objects, with the UI before it, to work on pages'
	@echo 'make lint       formatting, static analysis, scripts'
	@echo 'make format     reformat the C and C++ files'
	@echo 'make fuzz       feed what reads hostile bytes mutated ones for SECONDS=300 each'

deps:
	@tools/deps build run test

demo:
	@demo/run

install-web:
	@DESTDIR='$(DESTDIR)' deploy/install-web $(if $(SERVER_NAME),--server-name '$(SERVER_NAME)') $(if $(CLUSTER),--cluster '$(CLUSTER)')

test:
	@LAYERS='$(LAYERS)' T='$(T)' JOBS='$(JOBS)' test/run

fuzz:
	@LAYERS=fuzz FUZZ_SECONDS='$(or $(SECONDS),300)' test/run

bench:
	@bench/run quick

bench-full:
	@bench/run full

bench-queue:
	@bench/queue

bench-route:
	@bench/route

# ---------- the web UI ----------

UI_DIR ?= /usr/share/dicomgw/ui
UI_MODULES = ui/node_modules/.package-lock.json

$(UI_MODULES): ui/package-lock.json
	cd ui && ../tools/npm ci --no-audit --no-fund
	touch $@

ui: $(UI_MODULES)
	cd ui && ../tools/npm run build

# What was there goes: its assets have other names.
install-ui:
	@test -f ui/dist/index.html || { echo 'dicomgw: the UI is not built: make ui' >&2; exit 1; }
	rm -rf '$(DESTDIR)$(UI_DIR)'
	mkdir -p '$(DESTDIR)$(UI_DIR)'
	cp -R ui/dist/. '$(DESTDIR)$(UI_DIR)/'

ui-test: $(UI_MODULES)
	cd ui && ../tools/npm test

ui-e2e: ui
	@tools/deps build run test
	cd ui && ../tools/npm run e2e

ui-screenshots: ui
	@tools/deps build run test
	cd ui && ../tools/npm run screenshots

ui-types:
	@tools/ui-types

ui-stack: ui
	@ui/e2e/stack

lint:
	@tools/lint

format:
	@tools/files '*.c' '*.h' '*.cpp' | xargs -0r clang-format -i
