#include "peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define UNROLLED _Pragma("clang loop unroll(full)")

// SUMS: more than the latency of a multiply-add times the units that run it, and as many as the registers hold.
#define DEFINE(NAME, TARGET, LANES, SUMS, OPERATIONS, STEP) \
    TARGET static double NAME(long rounds) { \
        typedef float vector __attribute__((vector_size(LANES * 4))); \
        vector sum[SUMS], a = (vector){0} + (rounds > 0 ? 0.999f : 0), b = (vector){0} + (rounds > 0 ? 1e-3f : 1); \
        UNROLLED for (int i = 0; i < SUMS; i++) sum[i] = (vector){0} + (float)i; \
        for (long r = 0; r < rounds; r++) \
            UNROLLED for (int i = 0; i < SUMS; i++) STEP; \
        float all = 0; \
        for (int i = 0; i < SUMS; i++) all += sum[i][0]; \
        /* Every sum counts for the result, so that none is left out; none is ever NaN. */ \
        return (double)rounds * SUMS * LANES * OPERATIONS + (all != all); \
    }

#if defined(__x86_64__)
#define TARGET_BF16 __attribute__((target("avx512f,avx512bf16")))
DEFINE(peak_bf16, TARGET_BF16, 16, 12, 4, sum[i] = (vector)_mm512_dpbf16_ps((__m512)sum[i], (__m512bh)a, (__m512bh)b))
#define TARGET_512 __attribute__((target("avx512f")))
DEFINE(peak_avx512, TARGET_512, 16, 12, 2, sum[i] = sum[i] * a + b)
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
DEFINE(peak_avx2, TARGET_AVX2, 8, 12, 2, sum[i] = sum[i] * a + b)
#endif
DEFINE(peak_plain, , 4, 20, 2, sum[i] = sum[i] * a + b)

double kernel_peak(long rounds, int bfloat16) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (bfloat16) return __builtin_cpu_supports("avx512bf16") ? peak_bf16(rounds) : 0;
    if (__builtin_cpu_supports("avx512f")) return peak_avx512(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return peak_avx2(rounds);
#endif
    return bfloat16 ? 0 : peak_plain(rounds);
}
