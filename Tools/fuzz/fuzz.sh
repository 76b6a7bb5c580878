#!/bin/sh
# Builds the fuzzers and looks for files that harm the program:
#
#     fuzz.sh build                  the fuzzers, and the libraries with coverage
#     fuzz.sh seeds                  what they begin with, into .build/fuzz/corpus
#     fuzz.sh run TARGET SECONDS     one of: tiff jpeg png webp metadata weights papers
#     fuzz.sh again TARGET FILE…     files once more, to see what they do
#
# What is found lies in .build/fuzz/found/TARGET. It runs at the lowest priority, or at NICE.
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

# start PROGRAM… with the libraries that have coverage. What names the places of a fault needs the system's own.
start() {
    mkdir -p "$work/bin"
    printf '#!/bin/sh\nunset LD_LIBRARY_PATH\nexec "%s" "$@"\n' "$(dirname "$swiftc")/llvm-symbolizer" >"$work/bin/llvm-symbolizer"
    chmod +x "$work/bin/llvm-symbolizer"
    ASAN_SYMBOLIZER_PATH=$work/bin/llvm-symbolizer LD_LIBRARY_PATH=$work/lib SWIFT_BACKTRACE=enable=no "$@"
}

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
    : >"$work/$target.txt"
    # A fault is kept and ends the search, which then begins anew with what was learnt.
    end=$(($(date +%s) + $3)) rounds=0
    while left=$((end - $(date +%s))) && [ $left -gt 0 ] && [ $rounds -lt 200 ]; do
        rounds=$((rounds + 1))
        VELATURA_FUZZ=$target start nice -n "${NICE:-19}" "$(program "$target")" -max_total_time=$left -print_funcs=0 \
            -print_final_stats=1 -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$work/found/$target/" \
            "$work/corpus/$target" >>"$work/$target.txt" 2>&1 || true
    done
    grep -E "ERROR|SUMMARY|Broken|Fatal" "$work/$target.txt" | sort | uniq -c || true
    grep -aE "cov:" "$work/$target.txt" | tail -1
    awk -v rounds=$rounds '/number_of_executed_units/ { sum += $2 } END { print sum " files in " rounds " rounds" }' "$work/$target.txt"
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
