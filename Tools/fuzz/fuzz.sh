#!/bin/sh
# Builds the fuzzers and looks for files that harm the program:
#
#     fuzz.sh build                  the fuzzers, and the libraries with coverage
#     fuzz.sh seeds                  what they begin with, into .build/fuzz/corpus
#     fuzz.sh run TARGET SECONDS     one of: tiff jpeg png webp metadata weights papers
#     fuzz.sh again TARGET FILE…     files once more, to see what they do
#
# What is found lies in .build/fuzz/found/TARGET.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/.build/fuzz
swiftc=$(command -v "${SWIFTC:-swiftc}")
build=$root/.build-fuzz

program() {
    case $1 in
    weights | papers) echo "$build/release/velatura-fuzz-papers" ;;
    *) echo "$build/release/velatura-fuzz-pictures" ;;
    esac
}

# start PROGRAM… with the libraries that have coverage
start() { LD_LIBRARY_PATH="$work/lib" SWIFT_BACKTRACE=enable=no "$@"; }

case ${1:-} in
build)
    sh "$root/Tools/fuzz/libraries.sh"
    runtime=$(ls "$(dirname "$(dirname "$swiftc")")"/lib/clang/*/lib/linux/libclang_rt.fuzzer_no_main-"$(uname -m)".a | head -1)
    coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table
    for product in ${2:-velatura-fuzz-pictures velatura-fuzz-papers}; do
        VELATURA_FUZZ_BUILD=1 "$(dirname "$swiftc")/swift" build -c release --package-path "$root" --scratch-path "$build" \
            --product "$product" --sanitize=address -Xswiftc -sanitize-coverage=$coverage \
            -Xcc -fsanitize-coverage=$coverage -Xlinker "$runtime" -Xlinker --export-dynamic -Xlinker -lstdc++
    done
    ;;
seeds)
    start "$build/release/velatura-fuzz-pictures" seeds "$work/corpus" "$root/Tests/Fixtures" "$root/Tests/Golden/pictures" \
        "$root/Tests/Golden/colour"
    start "$build/release/velatura-fuzz-papers" seeds "$work/corpus" "$root"
    ;;
run)
    target=$2
    mkdir -p "$work/corpus/$target" "$work/found/$target"
    # One file after another whatever becomes of them: a fault is kept, and the search goes on.
    VELATURA_FUZZ=$target start nice -n 19 "$(program "$target")" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
        -max_total_time="$3" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$work/found/$target/" \
        "$work/corpus/$target" 2>&1 | tee "$work/$target.txt" | grep -E "cov:|ERROR|SUMMARY|Broken" | tail -40
    ls "$work/found/$target"
    ;;
again)
    target=$2
    shift 2
    VELATURA_FUZZ=$target start "$(program "$target")" -timeout=10 -rss_limit_mb=2048 "$@"
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 64
    ;;
esac
