#include "winograd.h"

#include <stdint.h>
#include <string.h>

enum {
    /// Places of a tile.
    PLACES = 36,
    /// Input channels whose transformed weights lie in the cache at once, and whose products are summed before they join
    /// the rest: shorter sums round less.
    CHUNK = 128,
    /// Tiles whose results stay in registers at once.
    ROWS = 6,
};

/// A tile's polynomials are evaluated at 0, ±A, ±B and infinity. The usual 1 and 2 round four times as much at worst; these
/// were the best of what was tried among those whose products are exact in 32 bits.
/// Source: Barabasz, Anderson, Soodhalter and Gregg, "Error Analysis and Improving the Accuracy of Winograd Convolution for
/// Deep Neural Networks" (2020).
#define A 0.6875f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)
#define G0 (1 / (A2 * B2))
#define GA (1 / (2 * A2 * (A2 - B2)))
#define GB (1 / (2 * B2 * (B2 - A2)))

/// Floats from one place's vectors to the next place's. One tile writes to all places: were they a power of two apart, as
/// channels tend to be, they would crowd into one set of the cache.
static size_t place_floats(size_t vectors, size_t lanes) { return (vectors + 3) * lanes; }

#if defined(__x86_64__)

#define LANES 16
#define MOST 4
#define NAME(x) x##_16
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")))
#include "winograd_lanes.h"
#undef LANES
#undef MOST
#undef NAME
#undef TARGET
#define TARGET __attribute__((target("avx2,fma,f16c")))

#else
#define TARGET
#endif

#define LANES 8
#define MOST 2
#define NAME(x) x##_8
#include "winograd_lanes.h"

static size_t most_vectors(winograd_shape s) { return s.lanes == 16 ? 4 : 2; }

size_t winograd_groups(winograd_shape s) { return (s.out_blocks + most_vectors(s) - 1) / most_vectors(s); }

/// First output block of a group: groups are as even as they can be.
static size_t group_start(winograd_shape s, size_t group) { return group * s.out_blocks / winograd_groups(s); }

size_t winograd_tiles(winograd_shape s) { return (s.out_height + 3) / 4 * ((s.out_width + 3) / 4) * s.batch; }

static size_t value_bytes(winograd_shape s) { return s.format == winograd_float32 ? 4 : 2; }

size_t winograd_packed_bytes(winograd_shape s) { return s.in_blocks * s.out_blocks * s.lanes * s.lanes * 9 * value_bytes(s); }

int winograd_available(size_t lanes) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    int eight = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    int sixteen = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq");
    return eight && (lanes == 8 || (lanes == 16 && sixteen));
#else
    return lanes == 8;
#endif
}

#define PACK(TYPE) \
    for (size_t i = 0; i < channels; i++) \
        for (size_t k = 0; k < 9; k++) \
            for (size_t o = 0; o < width; o++) { \
                TYPE value = 0; \
                if (first + o < outputs && i < inputs) memcpy(&value, from + (((first + o) * inputs + i) * 9 + k) * sizeof value, sizeof value); \
                ((TYPE *)packed)[first * channels * 9 + (i * 9 + k) * width + o] = value; \
            }

void winograd_pack(winograd_shape s, size_t group, const void *weights, size_t outputs, size_t inputs, void *packed) {
    size_t first = group_start(s, group) * s.lanes, width = group_start(s, group + 1) * s.lanes - first;
    size_t channels = s.in_blocks * s.lanes;
    const char *from = weights;
    if (value_bytes(s) == 2) {
        PACK(uint16_t)
    } else {
        PACK(uint32_t)
    }
}

size_t winograd_pixels_floats(winograd_shape s, size_t tiles) { return PLACES * place_floats(tiles * s.in_blocks, s.lanes); }

size_t winograd_scratch_floats(winograd_shape s, size_t tiles) {
    size_t channels = s.in_blocks * s.lanes < CHUNK ? s.in_blocks * s.lanes : CHUNK;
    return PLACES * (place_floats(most_vectors(s) * tiles, s.lanes) + place_floats(most_vectors(s) * channels, s.lanes));
}

void winograd_transform(winograd_shape s, const float *source, size_t first, size_t tiles, size_t block, float *pixels) {
#if defined(__x86_64__)
    if (s.lanes == 16) {
        transform_16(&s, source, first, tiles, block, pixels);
        return;
    }
#endif
    transform_8(&s, source, first, tiles, block, pixels);
}

void winograd_multiply(winograd_shape s, const float *pixels, const void *packed, const float *bias, size_t first, size_t tiles, size_t group, int accumulate, float *destination, float *scratch) {
    size_t block = group_start(s, group), vectors = group_start(s, group + 1) - block;
#if defined(__x86_64__)
    if (s.lanes == 16) {
        multiply_16(&s, pixels, packed, bias, first, tiles, block, vectors, accumulate, destination, scratch);
        return;
    }
#endif
    multiply_8(&s, pixels, packed, bias, first, tiles, block, vectors, accumulate, destination, scratch);
}
