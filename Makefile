# What can be made: build, install, demo, test, interop, large, sim, bench, bench-swarm, cover, clean. It takes Go, git, make and (for the race detector) a C compiler.

GO       ?= go
BIN      := bin/orchestra
TOOL     := $(GO) tool -modfile=.ci/tools.mod
FUZZTIME ?= 3s

export CGO_ENABLED ?= 0

.PHONY: build install demo test vet lint format unit fuzz cross interop large sim bench bench-swarm cover clean

build:
	$(GO) build -trimpath -o $(BIN) .

install: build
	$(GO) install -trimpath .
	@dir=$$($(GO) env GOBIN); dir=$${dir:-$$($(GO) env GOPATH)/bin}; \
	for command in compose conduct join; do ln -sf orchestra "$$dir/orchestra-$$command"; done; \
	echo "installed $$dir/orchestra"

# One conductor, one member that has a file and five that get it, all on this machine. DEMO_FILE=... takes a file of yours.
demo: build
	@bash .ci/demo $(BIN)

test: format vet lint unit fuzz cross

vet:
	$(GO) vet ./...

lint:
	$(TOOL) staticcheck ./...

format:
	@list=$$($(TOOL) gofumpt -l .); test -z "$$list" || { echo "not formatted (gofumpt -w mends it):"; echo "$$list"; exit 1; }

unit:
	CGO_ENABLED=1 $(GO) test -race -timeout 8m ./...

# Each fuzz target for a little while.
fuzz:
	@GO=$(GO) .ci/fuzz $(FUZZTIME)

# Other BitTorrent programs as guests: each gets a file from a member and gives one to a member.
interop:
	ORCHESTRA_TEST_INTEROP=1 $(GO) test -v -count=1 -timeout 10m -run '^TestInterop$$' ./internal/cli

# What takes too long, or too much memory, for every run: a file of 5 GiB is composed, shared and got.
large:
	ORCHESTRA_TEST_LARGE=1 $(GO) test -v -count=1 -timeout 10m -run 'Over4GiB|TestMemory' ./compose ./member

cross:
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./...
	GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...

# The swarm's strategy in simulated swarms of these sizes; 10000 takes an hour or so. SIM=16 make sim.
SIM ?= 16,100,1000
sim:
	$(GO) test ./member/swarm -count=1 -timeout 3h -run '^TestTable$$' -sim $(SIM)

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# The swarm benchmark, beside other programs: SWARM=path/to/swarm.py make bench-swarm. It needs root and the programs.
SWARM ?= ../shared/bench/swarm.py
bench-swarm: build
	ORCHESTRA=$(BIN) $(SWARM) orchestra aria2 qbittorrent -n 16 --rate 40 --size 64
	ORCHESTRA=$(BIN) $(SWARM) orchestra aria2 qbittorrent -n 1 --rate 0 --size 1024 --part 1024 --limit 60

cover:
	@mkdir -p bin
	$(GO) test -coverpkg ./... -coverprofile bin/cover.out ./...
	$(GO) tool cover -func bin/cover.out | tail -n 1

clean:
	rm -rf bin
