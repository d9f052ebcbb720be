# What developers and CI call. It needs Go, GNU make 3.81 or later and a POSIX
# shell; Docker, Node.js and Python are used when the machine has them.

MODULE  := github.com/greenroom-dev/greenroom
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X $(MODULE)/internal/app.Version=$(VERSION) -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)"
EXE     := $(shell go env GOEXE)
ARCH    := $(shell go env GOARCH)

# Containers run Linux whatever this machine runs, so they need an actor of
# their own; apify looks for it beside itself.
ifneq ($(shell go env GOOS),linux)
CONTAINER_ACTOR := bin/actor-linux-$(ARCH)
endif

SYSTEMS   := linux darwin windows
PLATFORMS := $(foreach os,$(SYSTEMS),$(os)/amd64 $(os)/arm64)
GO_DIRS   := cmd internal pkg scripts testdata

# Bytes.
MAX_APIFY := 42000000
MAX_ACTOR := 12000000

FUZZTIME ?= 10s
CRASHES  ?= 200
# Commands and faults for runs as processes and in containers.
STEPS        ?= 3000
DOCKER_STEPS ?= 300
# Flags of scripts/bench, such as BENCH="-run docker -rounds 20".
BENCH ?=

.PHONY: help build size cross check lint fmt-check tidy-check vet staticcheck scripts-check test demo bench soak fuzz clean

help: ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 12

build: ## Build bin/apify and bin/actor, static and stripped
	$(BUILD) -o bin/apify$(EXE) ./cmd/apify
	$(BUILD) -o bin/actor$(EXE) ./cmd/actor
	$(if $(CONTAINER_ACTOR),GOOS=linux $(BUILD) -o $(CONTAINER_ACTOR) ./cmd/actor)

size: build ## Fail when a binary is larger than it may be
	@scripts/size.sh bin/apify$(EXE) $(MAX_APIFY)
	@scripts/size.sh bin/actor$(EXE) $(MAX_ACTOR)

cross: ## Build for every system and architecture into dist/
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; exe=; \
		if [ $$os = windows ]; then exe=.exe; fi; \
		for name in apify actor; do \
			echo "dist/$$name-$$os-$$arch$$exe"; \
			GOOS=$$os GOARCH=$$arch $(BUILD) -o dist/$$name-$$os-$$arch$$exe ./cmd/$$name; \
		done; \
	done

check: lint test ## Everything a change must pass: format, modules, vet, staticcheck, size, tests

lint: fmt-check tidy-check vet staticcheck scripts-check size

fmt-check:
	@found=$$(gofmt -l $(GO_DIRS)) || exit 1; \
	if [ -n "$$found" ]; then echo "not formatted (run gofmt -w):" >&2; echo "$$found" >&2; exit 1; fi

tidy-check:
	go mod tidy -diff

vet:
	@set -e; for os in $(SYSTEMS); do echo "GOOS=$$os go vet ./..."; GOOS=$$os CGO_ENABLED=0 go vet ./...; done
	cd testdata/actors/go-sdk && go vet ./...

# The tool is built for this machine and told to read the code as another one's.
staticcheck:
	@set -e; mkdir -p bin; go build -o bin/staticcheck$(EXE) honnef.co/go/tools/cmd/staticcheck; \
	for os in $(SYSTEMS); do echo "GOOS=$$os staticcheck ./..."; GOOS=$$os CGO_ENABLED=0 bin/staticcheck$(EXE) ./...; done

scripts-check:
	@set -e; for script in .ci/run scripts/*.sh; do bash -n $$script; done

test: ## Prepare SDKs and base images where this machine can, then run every test
	@scripts/test.sh

demo: build ## Run a sample Actor and print its results
	@scripts/demo.sh

bench: build ## Measure what the project promises about speed
	@set -e; variables=$$(scripts/test-sdks.sh); eval "$$variables"; \
	export GREENROOM_TEST_NODE_MODULES GREENROOM_TEST_JUDGES GREENROOM_TEST_APIFY_CLI GREENROOM_TEST_PYTHON; go run ./scripts/bench $(BENCH)

soak: ## Kill a server under load CRASHES times (default 200), and while its runs are given STEPS commands (default 3000)
	GREENROOM_TEST_CRASHES=$(CRASHES) GREENROOM_TEST_STEPS=$(STEPS) GREENROOM_TEST_DOCKER_STEPS=$(DOCKER_STEPS) \
		go test -count=1 -timeout 4h -v -run '^(TestServerCrashes|TestRunsAgainstModel)$$' ./cmd/apify

fuzz: ## Run each fuzz target for FUZZTIME (default 10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

clean: ## Remove what was built
	rm -rf bin dist
