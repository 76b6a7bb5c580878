// SHA-256 over whole blocks, with the processor's own instructions where it has them. Source: FIPS 180-4.
#ifndef VELATURA_SHA256_H
#define VELATURA_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef enum { sha256_plain = 0, sha256_x86 = 1, sha256_arm = 2 } sha256_form;

/// The fastest form that runs on this processor.
sha256_form sha256_best(void);
/// Mixes `count` blocks of 64 bytes into the eight words of `state`. `form` is sha256_plain or what sha256_best gave.
void sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count, sha256_form form);

#endif
