# `make help` lists what there is. Everything that a target needs and the machine lacks is installed by it:
# the linters from tools/go.mod into .bin, Debian and npm packages by scripts/install-test-deps.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

MODULE  := github.com/authctl/authctl
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS := -s -w -X $(MODULE)/internal/cli.version=$(VERSION) -X $(MODULE)/internal/cli.commit=$(COMMIT)

BIN        := $(CURDIR)/.bin
GOTESTSUM  := $(BIN)/gotestsum
LINT       := $(BIN)/golangci-lint
GOFUMPT    := $(BIN)/gofumpt
BENCHSTAT  := $(BIN)/benchstat
GORELEASER := $(BIN)/goreleaser
CYCLONEDX  := $(BIN)/cyclonedx-gomod
ACT        := $(BIN)/act

# What `make test` runs, and with which flags: make test PACKAGES=./internal/store/... TESTFLAGS='-race -run Lock'
PACKAGES  ?= ./...
TESTFLAGS ?=
# Loopback tests and cross builds behave the same with or without VCS stamping; a checkout owned by another user
# (a container's) would fail with it.
export GOFLAGS := $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false

## build: the program as it is released, in ./authctl
.PHONY: build
build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o authctl ./cmd/authctl

## test: all tests, against a real keyring and a foreign identity server where they can be had
.PHONY: test
test: test-deps build $(GOTESTSUM)
	$(GOTESTSUM) --format pkgname -- -count=1 -timeout=30m $(TESTFLAGS) $(PACKAGES)

## race: the same tests under the race detector (needs a C compiler)
.PHONY: race
race: test-deps $(GOTESTSUM)
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 $(GOTESTSUM) --format pkgname -- -count=1 -timeout=30m -race $(TESTFLAGS) $(PACKAGES)

## chaos: twenty loops of processes at once, some killed, or their engine, for two minutes; the proxy under fire for one
.PHONY: chaos
chaos: test-deps
	AUTHCTL_TEST_CHAOS=2m go test -count=1 -run '^TestChaos' -v ./cmd/authctl
	AUTHCTL_TEST_CHAOS=60s go test -count=1 -run '^TestUnderFire$$' -v ./internal/cli/proxy

## test-deps: installs what the tests need, where that is allowed
.PHONY: test-deps
test-deps:
	@scripts/install-test-deps

## check: what CI runs: tests, race detector, linters, three operating systems, drift of what is generated
.PHONY: check
check: test-deps tidy-check vet modules-check format-check generate-check release-check lint package-check race chaos test

## lint: golangci-lint, see .golangci.yml
.PHONY: lint
lint: $(LINT)
	$(LINT) run ./...

## vet: go vet for each operating system that is released for
.PHONY: vet
vet:
	for os in linux darwin windows; do echo "vet $$os"; CGO_ENABLED=0 GOOS=$$os go vet ./... || exit 1; done

# Modules of their own, which vet and test do not reach.
.PHONY: modules-check
modules-check:
	for module in tools/plot test/serve test/zitadel test/fosite; do go -C $$module vet . || exit 1; done
	go -C tools/plot test .

FORMATTED := cmd internal bench tools/plot test/serve test/zitadel test/fosite

## format: gofumpt over the tree
.PHONY: format
format: $(GOFUMPT)
	$(GOFUMPT) -extra=group_params,clothe_returns -w $(FORMATTED)

# Both: an editor formats by gofmt, and where the two disagree the code is written in another way.
.PHONY: format-check
format-check: $(GOFUMPT)
	@out=$$($(GOFUMPT) -extra=group_params,clothe_returns -l $(FORMATTED); gofmt -l $(FORMATTED)); \
	  if [ -n "$$out" ]; then echo "not formatted, run make format:"; echo "$$out"; exit 1; fi

.PHONY: tidy-check
tidy-check:
	go mod tidy -diff
	go -C tools mod tidy -diff
	go -C tools/act mod tidy -diff
	go -C tools/plot mod tidy -diff
	for module in serve zitadel fosite; do go -C test/$$module mod tidy -diff || exit 1; done

## generate: docs/reference, docs/man and completions from what the program says
.PHONY: generate
generate:
	go run ./internal/gendocs -reference docs/reference -man docs/man -completions completions
	scripts/generate-packaging

.PHONY: generate-check
generate-check:
	scripts/check-generated
	scripts/generate-packaging --check

## measure: how many lines a package has, how long functions are, what is linked
.PHONY: measure
measure:
	go run ./internal/measure

## bench: times and memory beside those of comparable programs, in bench/results; BENCHFLAGS='-rounds 10 -soak 1000'
.PHONY: bench
bench:
	@scripts/install-test-deps --bench
	go run ./bench $(BENCHFLAGS)

# What bench-results and bench-pictures are made of: the three newest runs.
RUNS ?= $(shell ls -1 bench/results/*.json 2>/dev/null | tail -n 3)

## bench-results: bench/RESULTS.md from the three newest runs of make bench, or RUNS=…
.PHONY: bench-results
bench-results:
	go run ./bench -markdown $(RUNS) > bench/RESULTS.md.new
	mv bench/RESULTS.md.new bench/RESULTS.md

## bench-pictures: the pictures of docs/performance.md from the same runs
.PHONY: bench-pictures
bench-pictures:
	go run ./bench -charts $(RUNS) | go -C tools/plot run . $(CURDIR)/docs/performance

## fleet: many machines that share one engine, in bench/fleet/results; FLEETFLAGS=-soft measures a stream of runners
.PHONY: fleet
fleet: test-deps
	go run ./bench/fleet $(FLEETFLAGS)

## fleet-results: bench/fleet/RESULTS.md, and the tables and pictures of docs/fleets.md, from what make fleet kept
.PHONY: fleet-results
fleet-results:
	go run ./bench/fleet -markdown > bench/fleet/RESULTS.md.new
	mv bench/fleet/RESULTS.md.new bench/fleet/RESULTS.md
	go run ./bench/fleet -tables docs/fleets.md > docs/fleets.md.new
	mv docs/fleets.md.new docs/fleets.md
	go run ./bench/fleet -charts | go -C tools/plot run . $(CURDIR)/docs/fleets

## bench-proxy: what the proxy adds to a request, beside a bare ReverseProxy and nginx, in bench/proxy/RESULTS.md
.PHONY: bench-proxy
bench-proxy:
	@scripts/install-test-deps --bench
	go run ./bench/proxy
	go run ./bench/proxy -markdown > bench/proxy/RESULTS.md.new
	mv bench/proxy/RESULTS.md.new bench/proxy/RESULTS.md

## bench-compare: two results of make bench, OLD=… NEW=…
.PHONY: bench-compare
bench-compare: $(BENCHSTAT)
	$(BENCHSTAT) $(OLD) $(NEW)

## release-check: is .goreleaser.yaml one that goreleaser understands
.PHONY: release-check
release-check: $(GORELEASER)
	$(GORELEASER) check --quiet

## snapshot: everything that is released but the container image, in dist; nothing is published
.PHONY: snapshot
snapshot: $(GORELEASER) $(CYCLONEDX)
	PATH="$(BIN):$$PATH" $(GORELEASER) release --snapshot --clean --skip=docker,publish $(SNAPSHOTFLAGS)

# Whoever runs make trusts this tree: git shall read it when another user owns it, too (a container's checkout).
snapshot reproducible: export GIT_CONFIG_COUNT := 1
snapshot reproducible: export GIT_CONFIG_KEY_0 := safe.directory
snapshot reproducible: export GIT_CONFIG_VALUE_0 := *

## reproducible: the snapshot of this commit, built again elsewhere, is the same to the byte; COLD=1 without Go's cache
.PHONY: reproducible
reproducible: snapshot
	PATH="$(BIN):$$PATH" scripts/check-reproducible

## package-check: a snapshot is complete, its deb installs, works and leaves nothing behind
.PHONY: package-check
package-check: test-deps snapshot
	scripts/test-packages
	scripts/test-deb

## tools: the linters, in .bin
.PHONY: tools
tools: $(GOTESTSUM) $(LINT) $(GOFUMPT) $(BENCHSTAT) $(GORELEASER) $(CYCLONEDX)

# Each tool is stamped with the module file it was built from, and built again when that changes.
$(GOTESTSUM): TOOL := gotest.tools/gotestsum
$(LINT):      TOOL := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(GOFUMPT):   TOOL := mvdan.cc/gofumpt
$(BENCHSTAT): TOOL := golang.org/x/perf/cmd/benchstat
$(GOTESTSUM) $(LINT) $(GOFUMPT) $(BENCHSTAT): tools/go.mod
	@mkdir -p $(BIN)
	@echo "building $(@F)"
	@CGO_ENABLED=0 go build -C tools -trimpath -ldflags '-s -w' -o $@ $(TOOL)
	@touch $@

# What makes releases has a module of its own: its hundreds of modules must not move the versions of the linters'.
$(GORELEASER): TOOL := github.com/goreleaser/goreleaser/v2
$(CYCLONEDX):  TOOL := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
$(GORELEASER) $(CYCLONEDX): tools/release/go.mod
	@mkdir -p $(BIN)
	@echo "building $(@F)"
	@CGO_ENABLED=0 go build -C tools/release -trimpath -ldflags '-s -w' -o $@ $(TOOL)
	@touch $@

# Authorization servers not written here, each with a module of its own; scripts/install-test-deps asks for them.
SERVERS := $(BIN)/zitadel-server $(BIN)/fosite-server
$(BIN)/%-server: test/%/main.go test/%/go.mod test/serve/serve.go
	@mkdir -p $(BIN)
	@echo "building $(@F)"
	@CGO_ENABLED=0 go build -C test/$* -trimpath -ldflags '-s -w' -o $@ .
	@touch $@

## servers: the authorization servers that the tests start, in .bin
.PHONY: servers
servers: $(SERVERS)

# What runs the recipes for GitHub Actions in the tests; scripts/install-test-deps asks for it.
$(ACT): tools/act/go.mod
	@mkdir -p $(BIN)
	@echo "building $(@F)"
	@CGO_ENABLED=0 go build -C tools/act -trimpath -ldflags '-s -w' -o $@ github.com/nektos/act
	@touch $@

## clean: removes what the other targets made
.PHONY: clean
clean:
	rm -rf .bin authctl dist packaging/generated bench/results test/*/node_modules test/*/.node

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | sed 's/: /\t/' | expand -t 16
