# The front door.  Meson builds (see meson.build); this file only knows which commands to say.
BUILD ?= build
PREFIX ?= /usr/local

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@tools/install-packages build
	@meson setup $(BUILD) -Dtests=false >$(BUILD)-setup.log 2>&1 || \
		{ cat $(BUILD)-setup.log; exit 1; }
	@rm -f $(BUILD)-setup.log

demo: all
	@tools/install-packages demo
	@BUILD=$(abspath $(BUILD)) tools/demo

# Every test and every lint; tools/check STAGE... runs some of them, tools/check --list names them.
check:
	@tools/install-packages build check demo vm bench
	@tools/check

bench: all
	@tools/install-packages bench
	@bench/run $(BUILD)

# Each fuzz target for a while: make fuzz SECONDS_EACH=600
SECONDS_EACH ?= 60
fuzz:
	@tools/install-packages build check
	@tools/run-fuzz build-fuzz $(SECONDS_EACH)

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX) >/dev/null
	@meson install -C $(BUILD) --quiet --strip

format:
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i

clean:
	@rm -rf build build-clang build-asan build-fuzz

help:
	@echo 'make          build into $(BUILD)/ (installs missing Debian packages if root)'
	@echo 'make demo     build, then run a web server in three containers and look at them'
	@echo 'make check    run every test and lint; the last line counts them'
	@echo 'make bench    compare with crun, runc and podman (six minutes)'
	@echo 'make fuzz     run each fuzz target for SECONDS_EACH=60 seconds'
	@echo 'make install  install below PREFIX=/usr/local (DESTDIR works)'
	@echo 'make format   lay out the sources'
	@echo 'make clean    remove what was built'

.PHONY: all demo check bench fuzz install format clean help
