// Rounding to bfloat16, for every loop that does it.
#ifndef VELATURA_BFLOAT16_H
#define VELATURA_BFLOAT16_H

#include <stdint.h>
#include <string.h>

/// The nearest bfloat16, halves to the even one. No number stays none: rounding could carry its last bits into an infinity.
static inline __attribute__((always_inline)) uint16_t nearest_bfloat16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded;
}

#endif
