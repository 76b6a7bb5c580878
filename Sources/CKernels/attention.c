#include "attention.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    /// Queries that are computed together.
    TOGETHER = 48,
    /// Vectors of queries whose sums stay in registers at once.
    VECTORS = 3,
    /// Keys whose scores lie in the cache at once; even, so that pairs of keys stay together.
    BLOCK = 128,
    /// Keys of a panel at most, so that packed sizes do not depend on the processor.
    MOST_ROWS = 8,
    /// Floats of the widest vector.
    MOST_LANES = 16,
};

static size_t whole(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }
static size_t whole_keys(size_t keys) { return whole(keys, MOST_ROWS); }

#if defined(__x86_64__)

#define LANES 16
#define ROWS 8
#define HALF 1
#define NAME(x) x##_bfloat16
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")))
#include "attention_lanes.h"
#undef HALF
#undef NAME
#undef TARGET

#define HALF 0
#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))
#include "attention_lanes.h"
#undef LANES
#undef ROWS
#undef NAME
#undef TARGET

// Half as many registers.
#define LANES 8
#define ROWS 4
#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#include "attention_lanes.h"
#undef LANES
#undef ROWS
#undef NAME
#undef TARGET

#else
#define HALF 0
#endif

#define LANES 4
#define ROWS 4
#define NAME(x) x##_plain
#define TARGET
#include "attention_lanes.h"

size_t attention_rows(void) { return TOGETHER; }

size_t attention_packed_floats(size_t keys, size_t width) {
    return whole(whole_keys(keys) * width + whole(keys, 2) * width, MOST_LANES);
}

size_t attention_scratch_floats(size_t width) { return (2 * width + BLOCK + 3) * TOGETHER; }

#if defined(__x86_64__)
#define HAS(feature) __builtin_cpu_supports(feature)
#define RUN(bfloat16, function, ...) \
    __builtin_cpu_init(); \
    int wide = HAS("avx512f") && HAS("avx512bw") && HAS("avx512vl") && HAS("avx512dq"); \
    if (bfloat16 && wide && HAS("avx512bf16")) function##_bfloat16(__VA_ARGS__); \
    else if (wide) function##_avx512(__VA_ARGS__); \
    else if (HAS("avx2") && HAS("fma")) function##_avx2(__VA_ARGS__); \
    else function##_plain(__VA_ARGS__);
#else
#define RUN(bfloat16, function, ...) \
    (void)bfloat16; \
    function##_plain(__VA_ARGS__);
#endif

void attention_pack(const float *key, const float *value, size_t stride, size_t keys, size_t width, int bfloat16, float *packed) {
    RUN(bfloat16, pack, key, value, stride, keys, width, packed)
}

void attention_head(
    const float *query, size_t stride, size_t rows, const float *packed, size_t keys, size_t width, float scale,
    ptrdiff_t visible, int bfloat16, float *out, float *scratch
) {
    RUN(bfloat16, head, query, stride, rows, packed, keys, width, scale, visible, out, scratch)
}
