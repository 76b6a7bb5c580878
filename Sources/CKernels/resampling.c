#include "resampling.h"

#include <string.h>

// Sums are taken over many columns or many rows at once, one in each lane, and always in the order of the taps: the same
// numbers whatever the width of the processor's registers. Products are never fused with sums, for the same reason.

#if defined(__x86_64__) && defined(__linux__)
#define VARIANTS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VARIANTS
#endif
#define INLINE static inline __attribute__((always_inline))

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int32_t ints16 __attribute__((vector_size(64)));
typedef float floats8 __attribute__((vector_size(32)));
typedef double doubles8 __attribute__((vector_size(64)));

enum { FRACTION = 22, HALF = 1 << (FRACTION - 1) };
_Static_assert(resample_byte_lanes == 32 && resample_float_lanes == 16, "lanes are two vectors");

INLINE bytes16 load_bytes(const uint8_t *place) {
    bytes16 value;
    memcpy(&value, place, sizeof value);
    return value;
}

// Wide vectors go by address: how they are handed over would depend on the processor.

/// sum += samples·weight for 16 lanes.
INLINE void weigh_bytes(ints16 *sum, const uint8_t *samples, int32_t weight) {
    *sum += __builtin_convertvector(load_bytes(samples), ints16) * weight;
}

INLINE void weigh_floats(doubles8 *sum, const float *samples, double weight) {
#pragma clang fp contract(off)
    floats8 value;
    memcpy(&value, samples, sizeof value);
    *sum += __builtin_convertvector(value, doubles8) * weight;
}

INLINE void finish_bytes(const ints16 *sum, uint8_t *out) {
    ints16 value = *sum >> FRACTION;
    value = __builtin_elementwise_min(__builtin_elementwise_max(value, (ints16){0}), (ints16){0} + 255);
    bytes16 bytes = __builtin_convertvector(value, bytes16);
    memcpy(out, &bytes, sizeof bytes);
}

INLINE void finish_floats(const doubles8 *sum, float *out) {
    floats8 value = __builtin_convertvector(*sum, floats8);
    memcpy(out, &value, sizeof value);
}

INLINE uint8_t finish_byte(int32_t sum) {
    int32_t value = sum >> FRACTION;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

VARIANTS void resample_down_bytes(
    const uint8_t *const *rows, const int32_t *weights, size_t taps, uint8_t *out, size_t count) {
    size_t i = 0;
    for (; i + 64 <= count; i += 64) {
        ints16 a = (ints16){0} + HALF, b = a, c = a, d = a;
        for (size_t tap = 0; tap < taps; tap++) {
            const uint8_t *row = rows[tap] + i;
            weigh_bytes(&a, row, weights[tap]);
            weigh_bytes(&b, row + 16, weights[tap]);
            weigh_bytes(&c, row + 32, weights[tap]);
            weigh_bytes(&d, row + 48, weights[tap]);
        }
        finish_bytes(&a, out + i);
        finish_bytes(&b, out + i + 16);
        finish_bytes(&c, out + i + 32);
        finish_bytes(&d, out + i + 48);
    }
    for (; i < count; i++) {
        uint32_t sum = HALF;
        for (size_t tap = 0; tap < taps; tap++) sum += (uint32_t)rows[tap][i] * (uint32_t)weights[tap];
        out[i] = finish_byte((int32_t)sum);
    }
}

VARIANTS void resample_down_floats(
    const float *const *rows, const double *weights, size_t taps, float *out, size_t count) {
#pragma clang fp contract(off)
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        doubles8 sums[4] = {0};
        for (size_t tap = 0; tap < taps; tap++)
            for (int part = 0; part < 4; part++) weigh_floats(&sums[part], rows[tap] + i + part * 8, weights[tap]);
        for (int part = 0; part < 4; part++) finish_floats(&sums[part], out + i + part * 8);
    }
    for (; i < count; i++) {
        double sum = 0;
        for (size_t tap = 0; tap < taps; tap++) sum += (double)rows[tap][i] * weights[tap];
        out[i] = (float)sum;
    }
}

// Across: so many rows at once that a column of them fills the lanes. They are turned on their side, summed as above, and
// turned back.

#define LOW16(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH16(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define LOW8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH8(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

/// Turns 16 vectors of 16 bytes on their side: in each of four rounds those that lie half the way apart are interleaved.
INLINE void turn_bytes(bytes16 *v) {
    bytes16 w[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 8; i++) w[2 * i] = LOW16(v[i], v[i + 8]), w[2 * i + 1] = HIGH16(v[i], v[i + 8]);
        for (int i = 0; i < 8; i++) v[2 * i] = LOW16(w[i], w[i + 8]), v[2 * i + 1] = HIGH16(w[i], w[i + 8]);
    }
}

INLINE void turn_floats(floats8 *v) {
    floats8 w[8];
    for (int i = 0; i < 4; i++) w[2 * i] = LOW8(v[i], v[i + 4]), w[2 * i + 1] = HIGH8(v[i], v[i + 4]);
    for (int i = 0; i < 4; i++) v[2 * i] = LOW8(w[i], w[i + 4]), v[2 * i + 1] = HIGH8(w[i], w[i + 4]);
    for (int i = 0; i < 4; i++) w[2 * i] = LOW8(v[i], v[i + 4]), w[2 * i + 1] = HIGH8(v[i], v[i + 4]);
    memcpy(v, w, sizeof w);
}

/// Both kinds of samples are summed across in the same way: `wide` of them are a vector, and two vectors a column's lanes.
#define ACROSS(kind, sample, weigher, vector, summed, wide, first_sum)                                                \
VARIANTS void resample_across_##kind(                                                                                 \
    const sample *const *rows, size_t row_count, size_t width, size_t channels, const ptrdiff_t *starts,              \
    const ptrdiff_t *counts, const weigher *weights, size_t stride, size_t target, sample *out, sample *scratch) {    \
    _Pragma("clang fp contract(off)")                                                                                 \
    enum { LANES = 2 * wide };                                                                                        \
    size_t columns = width * channels, out_columns = target * channels, i = 0;                                        \
    for (; i + wide <= columns; i += wide)                                                                            \
        for (size_t lane = 0; lane < LANES; lane += wide) {                                                           \
            vector v[wide] = {0};                                                                                     \
            for (size_t r = 0; r < wide && lane + r < row_count; r++) memcpy(&v[r], rows[lane + r] + i, sizeof *v);   \
            turn_##kind(v);                                                                                           \
            for (size_t c = 0; c < wide; c++) memcpy(scratch + (i + c) * LANES + lane, &v[c], sizeof *v);             \
        }                                                                                                             \
    for (; i < columns; i++)                                                                                          \
        for (size_t r = 0; r < row_count; r++) scratch[i * LANES + r] = rows[r][i];                                   \
                                                                                                                      \
    sample done[wide * LANES];                                                                                        \
    for (size_t x = 0, j = 0; x < target; x++)                                                                        \
        for (size_t channel = 0; channel < channels; channel++, j++) {                                                \
            const sample *source = scratch + ((size_t)starts[x] * channels + channel) * LANES;                        \
            const weigher *weight = weights + x * stride;                                                             \
            summed a = (summed){0} + first_sum, b = a;                                                                \
            for (ptrdiff_t tap = 0; tap < counts[x]; tap++, source += channels * LANES) {                             \
                weigh_##kind(&a, source, weight[tap]);                                                                \
                weigh_##kind(&b, source + wide, weight[tap]);                                                         \
            }                                                                                                         \
            finish_##kind(&a, done + j % wide * LANES);                                                               \
            finish_##kind(&b, done + j % wide * LANES + wide);                                                        \
            if (j % wide < wide - 1 && j + 1 < out_columns) continue;                                                 \
            size_t first = j / wide * wide, count = j + 1 - first;                                                    \
            for (size_t lane = 0; lane < LANES; lane += wide) {                                                       \
                vector v[wide];                                                                                       \
                for (size_t c = 0; c < wide; c++) memcpy(&v[c], done + c * LANES + lane, sizeof *v);                  \
                turn_##kind(v);                                                                                       \
                for (size_t r = 0; r < wide && lane + r < row_count; r++)                                             \
                    memcpy(out + (lane + r) * out_columns + first, &v[r], count * sizeof *out);                       \
            }                                                                                                         \
        }                                                                                                             \
}

ACROSS(bytes, uint8_t, int32_t, bytes16, ints16, 16, HALF)
ACROSS(floats, float, double, floats8, doubles8, 8, 0)

VARIANTS void resample_words(const float *samples, uint16_t *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        // In double precision the half is added without rounding.
        float value = samples[i] < 0 ? 0 : samples[i] > 65535 ? 65535 : samples[i];
        out[i] = (uint16_t)(int32_t)((double)value + 0.5);
    }
}
