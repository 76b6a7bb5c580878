# Everything that a person does with the project. `make` alone lists it.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?=
GOLDEN_PYTHON ?= .venv-golden/bin/python
RELEASE = -c release
PROGRAM = .build/release/velatura

.DEFAULT_GOAL := help
.PHONY: help setup build test test-one demo demo-gobig install uninstall bench bench-peers bench-images golden golden-python fixtures masks fuzz format lint clean

help: ## this list
	@echo "Velatura: make TARGET"
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  %-12s %s\n", $$1, $$2 }'

setup: ## install the system packages that are missing (apt), or name them
	@sh Tools/setup.sh

build: setup ## build the program: .build/release/velatura
	$(SWIFT) build $(RELEASE) --product velatura

test: setup ## build and run every test
	$(SWIFT) build $(RELEASE) --build-tests
	$(SWIFT) test $(RELEASE) --skip-build

test-one: setup ## run the tests whose names match ONLY=…
	$(SWIFT) test $(RELEASE) --filter '$(ONLY)'

demo: build ## repaint a photograph at three skip levels, into demo/
	@mkdir -p demo
	$(PROGRAM) refine samples/coffee.png --skip 40,50,60 --guidance 2 \
	  --prompt "a painting of desert at sunset" --seed 7 -o demo/ --overwrite
	@echo
	@echo "Look at demo/coffee-ladder.png, or open demo/coffee-ladder.html and move the slider."

demo-gobig: build ## enlarge a photograph fourfold with new detail, and write its report, into demo/
	@mkdir -p demo
	$(PROGRAM) gobig samples/coffee.png --scale 4 --upscaler miniature --guidance 2 \
	  --prompt "a photo of a cup of coffee" --skip 80 --map flat --seed 7 --report -o demo/coffee-big.png --overwrite
	@echo
	@echo "Look at demo/coffee-big.png, or open demo/coffee-big-report.html and move the slider."

install: setup ## install one file that works from any folder: PREFIX=/usr/local
	$(SWIFT) build $(RELEASE) --product velatura --static-swift-stdlib -Xlinker -s --scratch-path .build-install
	@mkdir -p "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 .build-install/release/velatura "$(DESTDIR)$(PREFIX)/bin/velatura"

uninstall: ## remove what install put there
	rm -f "$(DESTDIR)$(PREFIX)/bin/velatura"

bench: setup ## measure; PYTHON=… runs PyTorch on the same work in turn
	$(SWIFT) build $(RELEASE) --product velatura-bench
	.build/release/velatura-bench all
	@if [ -n "$(PYTHON)" ]; then $(PYTHON) Tools/bench/compare.py; \
	else echo "PyTorch left out: give PYTHON=… with what Tools/golden/requirements.txt names."; fi

bench-peers: setup ## measure a full-size model beside PyTorch and OpenVINO (installs both into .venv-bench)
	$(SWIFT) build $(RELEASE) --product velatura-bench
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install -q -r Tools/bench/requirements.txt
	.venv-bench/bin/python Tools/bench/peers.py .build/full-model

bench-images: build ## measure files and resizing beside vips and Pillow (PYTHON=… has Pillow; vips from libvips-tools)
	$(or $(PYTHON),python3) Tools/bench/images.py

golden-python: ## make the Python environment that golden numbers come from
	python3 -m venv .venv-golden
	.venv-golden/bin/pip install -r Tools/golden/requirements.txt

golden: ## make the reference numbers under Tests/Golden anew (see golden-python)
	@for script in schedules sampling randn resampling pictures colour separation unet text vae vae_tiny tokenizer img2img inversion inpaint outpaint img2img_sdxl checkpoints torch_archives noise perlin compat prompts adapters departures hypernetworks shortcuts upscalers gobig miniature; do \
	  echo "Tools/golden/$$script.py"; $(GOLDEN_PYTHON) Tools/golden/$$script.py || exit 1; done

fixtures: ## write Tests/Fixtures/ anew (PYTHON=… with what Tools/fixtures/README.md names)
	$(or $(PYTHON),.venv-fixtures/bin/python) Tools/fixtures/make.py

masks: ## draw masks/ anew from their outlines
	$(GOLDEN_PYTHON) Tools/masks/draw_masks.py

TARGET ?= tiff
SECONDS ?= 600
fuzz: ## look for files that harm the program (TARGET=tiff SECONDS=600; Tools/fuzz/README.md)
	Tools/fuzz/fuzz.sh build
	Tools/fuzz/fuzz.sh seeds
	Tools/fuzz/fuzz.sh run $(TARGET) $(SECONDS)

format: ## format all Swift
	$(SWIFT) format -i -p -r Sources Tests Package.swift Benchmarks Tools/fuzz

lint: ## check the format of all Swift
	$(SWIFT) format lint -s -p -r Sources Tests Package.swift Benchmarks Tools/fuzz

clean: ## remove everything that was built
	rm -rf .build .build-fuzz .build-install demo
