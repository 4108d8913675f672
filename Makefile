# What can be made: build, install, uninstall, docs, release, release-check, demo, test, interop,
# browser, large, sim, faults, planted, soak, bench, bench-swarm, bench-mixed, cover, clean. It
# takes Go, git, make and (for the race detector) a C compiler.

GO       ?= go
BIN      := bin/orchestra
TOOL     := $(GO) tool -modfile=.ci/tools.mod
GORELEASER = $(GO) tool -modfile=.ci/release.mod goreleaser
FUZZTIME ?= 3s

export CGO_ENABLED ?= 0

.PHONY: build install uninstall docs release release-check demo test vet lint format unit fuzz cross interop browser large sim faults planted soak bench bench-swarm bench-mixed cover clean

build:
	$(GO) build -trimpath -o $(BIN) .

# Man pages and shell completions, from the command table. A test fails when they are not current.
docs:
	$(GO) run internal/cli/makedocs.go docs
	$(GO) run .ci/plot.go <docs/swarm.tsv >docs/swarm.svg

# Where install puts things: PREFIX/bin, PREFIX/share and, on Linux, PREFIX/lib/systemd. DESTDIR
# stands before all of it, for packagers.
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
MANDIR   ?= $(PREFIX)/share/man
BASHDIR  ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR   ?= $(PREFIX)/share/zsh/site-functions
FISHDIR  ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR  ?= $(if $(filter Linux,$(shell uname -s)),$(PREFIX)/lib/systemd/system)
# Each is a link to the program, and runs the command in its name.
LINKS    := share get compose conduct join verify show status import export

install: build
	install -d $(foreach dir,$(BINDIR) $(MANDIR)/man1 $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(UNITDIR),"$(DESTDIR)$(dir)")
	install -m 755 $(BIN) "$(DESTDIR)$(BINDIR)/orchestra"
	install -m 644 docs/man/*.1 "$(DESTDIR)$(MANDIR)/man1"
	install -m 644 docs/completion/orchestra.bash "$(DESTDIR)$(BASHDIR)/orchestra"
	install -m 644 docs/completion/_orchestra "$(DESTDIR)$(ZSHDIR)/_orchestra"
	install -m 644 docs/completion/orchestra.fish "$(DESTDIR)$(FISHDIR)/orchestra.fish"
	@for link in $(LINKS); do \
		ln -sf orchestra "$(DESTDIR)$(BINDIR)/orchestra-$$link" && \
		ln -sf orchestra "$(DESTDIR)$(BASHDIR)/orchestra-$$link" && \
		ln -sf orchestra.fish "$(DESTDIR)$(FISHDIR)/orchestra-$$link.fish" || exit 1; done
	@for unit in $(if $(UNITDIR),docs/systemd/*.service); do \
		sed 's|/usr/bin/orchestra|$(BINDIR)/orchestra|' "$$unit" >"$(DESTDIR)$(UNITDIR)/$${unit##*/}" && \
		chmod 644 "$(DESTDIR)$(UNITDIR)/$${unit##*/}" || exit 1; done
	@echo "installed $(DESTDIR)$(BINDIR)/orchestra"

uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/orchestra" "$(DESTDIR)$(MANDIR)"/man1/orchestra.1 "$(DESTDIR)$(MANDIR)"/man1/orchestra-*.1
	rm -f "$(DESTDIR)$(BASHDIR)/orchestra" "$(DESTDIR)$(ZSHDIR)/_orchestra" "$(DESTDIR)$(FISHDIR)/orchestra.fish"
	rm -f $(foreach link,$(LINKS),"$(DESTDIR)$(BINDIR)/orchestra-$(link)" "$(DESTDIR)$(BASHDIR)/orchestra-$(link)" "$(DESTDIR)$(FISHDIR)/orchestra-$(link).fish")
	$(if $(UNITDIR),rm -f "$(DESTDIR)$(UNITDIR)/orchestra-conduct.service" "$(DESTDIR)$(UNITDIR)/orchestra-join.service" "$(DESTDIR)$(UNITDIR)/orchestra-join@.service")

# Archives, packages and checksums for all systems, in dist/. It needs no tag, no remote and no
# clean work tree, and the network only to get the modules of goreleaser, which is built first,
# once. The same commit gives the same bytes.
release: export RELEASE_VERSION ?= $(patsubst v%,%,$(shell git describe --tags --match 'v[0-9]*' --abbrev=12 --dirty 2>/dev/null || \
	echo v0.0.0-g$$(git describe --always --abbrev=12 --dirty 2>/dev/null)))
release: export RELEASE_TIME ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
release: export RELEASE_DATE ?= $(shell git log -1 --format=%cI 2>/dev/null || echo 1970-01-01T00:00:00Z)
release:
	$(GORELEASER) release --snapshot --clean --skip=publish,announce

# Whether what a release is made of is there and current, in a minute at most. What goreleaser
# itself says of its configuration, release says.
release-check:
	$(GO) test -count=1 -run '^(TestPackagedFiles|TestReleaseLinks|TestUnits|TestDocumentsAreCurrent|TestManPages|TestMakeInstall)$$' ./internal/cli

# One conductor, one member that has a file and five that get it, all on this machine. DEMO_FILE=...
# takes a file of yours.
demo: build
	@bash .ci/demo $(BIN)

test: format vet lint unit planted fuzz cross

vet:
	$(GO) vet ./...

lint:
	$(TOOL) staticcheck ./...

format:
	@list=$$($(TOOL) gofumpt -l .); test -z "$$list" || { echo "not formatted (gofumpt -w mends it):"; echo "$$list"; exit 1; }

# The core has one goroutine by contract (a test holds that), so the race detector would only cost
# time there; and it takes more memory than a conductor may.
unit:
	$(GO) test -timeout 8m ./member/swarm
	$(GO) test -timeout 8m -run '^TestHostileMemory$$' ./conduct
	CGO_ENABLED=1 $(GO) test -race -timeout 8m $$($(GO) list ./... | grep -v '/member/swarm$$')

# Each fuzz target for a little while.
fuzz:
	@GO=$(GO) .ci/fuzz $(FUZZTIME)

# Other BitTorrent programs, unmodified, get from members and give to them. It takes root, for hosts
# that are network namespaces, and a minute or two: most of it they wait, so many scenes are played
# side by side.
interop:
	ORCHESTRA_TEST_INTEROP=1 $(GO) test -v -count=1 -timeout 10m -parallel 24 -run '^TestInterop' ./internal/cli

# The page in a browser (Debian: chromium), during a real swarm. SHOTS=DIR keeps screenshots there.
browser:
	ORCHESTRA_TEST_BROWSER=1 ORCHESTRA_TEST_SHOTS=$(SHOTS) $(GO) test -v -count=1 -timeout 8m -run '^TestBrowser' ./conduct/page

# What takes too long, or too much memory, for every run: a file of 5 GiB is composed, shared and
# got; joins of 100 GB go on; a thousand members are simulated.
large:
	ORCHESTRA_TEST_LARGE=1 $(GO) test -v -count=1 -timeout 10m -run 'Over4GiB|TestMemory|TestHeld|TestLarge' ./compose ./member ./member/store ./member/swarm

# Kill loops, faults of the network, churn and a swarm that lasts, for SOAK in all. It needs root
# for network namespaces.
soak: export SOAK ?= 30m
soak: export GO := $(GO)
soak:
	@.ci/soak

cross:
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./...
	GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./...
	GOOS=linux GOARCH=386 $(GO) build -o /dev/null ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...

# The swarm's strategy in simulated swarms of these sizes; 10000 takes an hour or so. SIM=16 make
# sim.
SIM ?= 16,100,1000
sim:
	$(GO) test ./member/swarm -v -count=1 -timeout 3h -run '^TestTable$$' -sim $(SIM)

# Simulated swarms in which things go wrong, from so many seeds; 50 are in every run of the tests.
# FAULTS=10000 make faults takes ten minutes.
FAULTS ?= 1000
faults:
	$(GO) test ./member/swarm -v -count=1 -timeout 3h -run '^TestFaults$$' -faults $(FAULTS)

# Whether they find the bugs that are planted for them.
planted:
	$(GO) test ./member/swarm -v -count=1 -timeout 10m -run '^TestPlantedBugsAreFound$$' -planted

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# The swarm benchmark, beside other programs: SWARM=path/to/swarm.py make bench-swarm. It needs root
# and the programs.
SWARM ?= ../shared/bench/swarm.py
bench-swarm: build
	ORCHESTRA=$(BIN) $(SWARM) orchestra aria2 qbittorrent -n 16 --rate 40 --size 64
	ORCHESTRA=$(BIN) $(SWARM) orchestra aria2 qbittorrent -n 1 --rate 0 --size 1024 --part 1024 --limit 60

# Swarms of members and other programs, beside swarms of these alone. The first of each has the
# file.
bench-mixed: build
	ORCHESTRA=$(BIN) SWARM=$(SWARM) .ci/mixed.py 'orchestra/aria2,qbittorrent,orchestra*6' \
		'aria2/aria2*8' 'qbittorrent/qbittorrent*8' 'aria2/aria2*4,qbittorrent*4' \
		'aria2/aria2*4,orchestra*4' 'aria2/aria2*2,qbittorrent*2,orchestra*4' \
		'orchestra/aria2*2,qbittorrent*2,orchestra*4' \
		'qbittorrent/qbittorrent*4,orchestra*4' --rate 40 --size 64

cover:
	@mkdir -p bin
	$(GO) test -coverpkg ./... -coverprofile bin/cover.out ./...
	$(GO) tool cover -func bin/cover.out | tail -n 1

clean:
	rm -rf bin dist
