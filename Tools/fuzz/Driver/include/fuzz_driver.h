// libFuzzer's own entry, for programs that have a main of theirs. Source: LLVM, "libFuzzer", section "Using libFuzzer as a library".
#ifndef VELATURA_FUZZ_DRIVER_H
#define VELATURA_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*body)(const uint8_t *bytes, size_t count));

#endif
