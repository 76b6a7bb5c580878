#include "kernels.h"

#include "bfloat16.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#define VARIANTS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VARIANTS
#endif
#define INLINE static inline __attribute__((always_inline))

const char *kernel_variant(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
    return "baseline";
#elif defined(__aarch64__)
    return "neon";
#else
    return "baseline";
#endif
}

// Mathematics that the compiler can vectorise.

/// eˣ to about 1 ulp: 2^k·2^f with |f| ≤ ½, the second by its Taylor series.
INLINE float exponential(float x) {
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    float k = __builtin_rintf(x * 1.44269504f);
    // ln 2 in two parts, so that x − k·ln 2 keeps its last bits.
    float r = (x - k * 0.693145752f) - k * 1.42860677e-6f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits = ((int32_t)k + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

INLINE float logistic(float x) { return 1.0f / (1.0f + exponential(-x)); }

/// Error function to 1.5e-7. Source: Abramowitz and Stegun, 7.1.26.
INLINE float error_function(float x) {
    float a = __builtin_fabsf(x);
    float t = 1.0f / (1.0f + 0.3275911f * a);
    float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    float e = 1.0f - p * exponential(-a * a);
    return __builtin_copysignf(e, x);
}

INLINE float gelu(float x) { return 0.5f * x * (1.0f + error_function(x * 0.70710678f)); }

/// One body for each number of lanes, so that the compiler knows it.
#define FOR_LANES(lanes, CALL) \
    switch (lanes) { \
    case 16: CALL(16); break; \
    case 8: CALL(8); break; \
    default: CALL(lanes); \
    }

// Layout.

VARIANTS void kernel_block_plane(const float *channels, size_t stride, size_t count, float *plane, size_t pixels, size_t lanes) {
    if (count < lanes) memset(plane, 0, pixels * lanes * sizeof *plane);
    for (size_t c = 0; c < count; c++)
        for (size_t p = 0; p < pixels; p++) plane[p * lanes + c] = channels[c * stride + p];
}

VARIANTS void kernel_unblock_plane(const float *plane, float *channels, size_t stride, size_t count, size_t pixels, size_t lanes) {
    for (size_t c = 0; c < count; c++)
        for (size_t p = 0; p < pixels; p++) channels[c * stride + p] = plane[p * lanes + c];
}

void kernel_copy_lanes(const float *source, size_t from, float *destination, size_t to, size_t count, size_t pixels, size_t lanes) {
    for (size_t p = 0; p < pixels; p++)
        for (size_t l = 0; l < count; l++) destination[p * lanes + to + l] = source[p * lanes + from + l];
}

void kernel_stretch_row(const float *source, size_t width, float *destination, size_t out_width, size_t lanes) {
    for (size_t x = 0; x < out_width; x++)
        memcpy(destination + x * lanes, source + x * width / out_width * lanes, lanes * sizeof *source);
}

// Group normalisation.

/// Floats are summed over short runs and the runs in double: as exact as double throughout, and vectorised.
#define MOMENTS(B) \
    for (size_t start = 0; start < pixels; start += 64) { \
        size_t end = start + 64 < pixels ? start + 64 : pixels; \
        float sum[B], square[B]; \
        for (size_t l = 0; l < (B); l++) sum[l] = square[l] = 0; \
        for (size_t p = start; p < end; p++) \
            for (size_t l = 0; l < (B); l++) { \
                float d = plane[p * (B) + l] - pivot[l]; \
                sum[l] += d; \
                square[l] += d * d; \
            } \
        for (size_t l = 0; l < (B); l++) sums[l] += sum[l], squares[l] += square[l]; \
    }

VARIANTS void kernel_lane_moments(const float *plane, size_t pixels, size_t lanes, const float *pivot, double *sums, double *squares) {
    for (size_t l = 0; l < lanes; l++) sums[l] = squares[l] = 0;
    FOR_LANES(lanes, MOMENTS)
}

#define SCALE(B) \
    for (size_t p = 0; p < pixels; p++) \
        for (size_t l = 0; l < (B); l++) out[p * (B) + l] = plane[p * (B) + l] * scale[l] + shift[l];
#define SCALE_SILU(B) \
    for (size_t p = 0; p < pixels; p++) \
        for (size_t l = 0; l < (B); l++) { \
            float y = plane[p * (B) + l] * scale[l] + shift[l]; \
            out[p * (B) + l] = y * logistic(y); \
        }

VARIANTS void kernel_scale_plane(const float *plane, float *out, size_t pixels, size_t lanes, const float *scale, const float *shift, kernel_activation activation) {
    if (activation == kernel_silu) {
        FOR_LANES(lanes, SCALE_SILU)
    } else {
        FOR_LANES(lanes, SCALE)
    }
}

VARIANTS void kernel_scale_plane_to_rows(const float *plane, float *rows, size_t stride, size_t count, size_t pixels, size_t lanes, const float *scale, const float *shift) {
    for (size_t p = 0; p < pixels; p++)
        for (size_t l = 0; l < count; l++) rows[p * stride + l] = plane[p * lanes + l] * scale[l] + shift[l];
}

VARIANTS void kernel_add_rows_to_plane(const float *rows, size_t stride, size_t count, float *plane, size_t pixels, size_t lanes) {
    for (size_t p = 0; p < pixels; p++)
        for (size_t l = 0; l < count; l++) plane[p * lanes + l] += rows[p * stride + l];
}

// Rows of matrices. Sums run in sixteen strands, so that they vectorise the same way everywhere.

enum { strands = 16 };

INLINE float sum_strands(const float *s) {
    float total = 0;
    for (int i = 0; i < strands; i++) total += s[i];
    return total;
}

VARIANTS void kernel_layer_norm(const float *rows, float *out, size_t count, size_t width, const float *weight, const float *bias, float epsilon) {
    size_t whole = width / strands * strands;
    for (size_t r = 0; r < count; r++) {
        const float *x = rows + r * width;
        float *y = out + r * width;
        float s[strands] = {0};
        for (size_t j = 0; j < whole; j += strands)
            for (int i = 0; i < strands; i++) s[i] += x[j + i];
        for (size_t j = whole; j < width; j++) s[j - whole] += x[j];
        float mean = sum_strands(s) / width;
        memset(s, 0, sizeof s);
        for (size_t j = 0; j < whole; j += strands)
            for (int i = 0; i < strands; i++) s[i] += (x[j + i] - mean) * (x[j + i] - mean);
        for (size_t j = whole; j < width; j++) s[j - whole] += (x[j] - mean) * (x[j] - mean);
        float inverse = 1.0f / sqrtf(sum_strands(s) / width + epsilon);
        for (size_t j = 0; j < width; j++) y[j] = (x[j] - mean) * inverse * weight[j] + bias[j];
    }
}

VARIANTS void kernel_geglu(const float *rows, float *out, size_t count, size_t width) {
    for (size_t r = 0; r < count; r++)
        for (size_t j = 0; j < width; j++) out[r * width + j] = rows[r * 2 * width + j] * gelu(rows[r * 2 * width + width + j]);
}

VARIANTS void kernel_geglu_to_bfloat16(const float *rows, uint16_t *out, size_t count, size_t width) {
    for (size_t r = 0; r < count; r++)
        for (size_t j = 0; j < width; j++)
            out[r * width + j] = nearest_bfloat16(rows[r * 2 * width + j] * gelu(rows[r * 2 * width + width + j]));
}

// Elementwise.

VARIANTS void kernel_silu_array(const float *x, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = x[i] * logistic(x[i]);
}

VARIANTS void kernel_gelu_array(const float *x, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = gelu(x[i]);
}

VARIANTS void kernel_quick_gelu_array(const float *x, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = x[i] * logistic(1.702f * x[i]);
}

VARIANTS void kernel_window_attention(const float *qkv, size_t tokens, size_t width, size_t heads, float scale, const float *bias, const int32_t *regions, float *out, float *scratch) {
    size_t row = 3 * heads * width;
    float *keys = scratch, *scores = scratch + tokens * width;
    for (size_t h = 0; h < heads; h++, bias += tokens * tokens) {
        const float *q = qkv + h * width, *k = q + heads * width, *v = k + heads * width;
        for (size_t d = 0; d < width; d++)
            for (size_t j = 0; j < tokens; j++) keys[d * tokens + j] = k[j * row + d];
        for (size_t i = 0; i < tokens; i++) {
            float *s = scores + i * tokens;
            memset(s, 0, tokens * sizeof *s);
            for (size_t d = 0; d < width; d++) {
                float query = q[i * row + d];
                for (size_t j = 0; j < tokens; j++) s[j] += query * keys[d * tokens + j];
            }
            for (size_t j = 0; j < tokens; j++) s[j] = s[j] * scale + bias[i * tokens + j];
            if (regions)
                for (size_t j = 0; j < tokens; j++) s[j] -= regions[i] == regions[j] ? 0.0f : 100.0f;
            float most = s[0], sum = 0;
            for (size_t j = 1; j < tokens; j++) most = s[j] > most ? s[j] : most;
            for (size_t j = 0; j < tokens; j++) s[j] = exponential(s[j] - most);
            for (size_t j = 0; j < tokens; j++) sum += s[j];
            float *y = out + i * heads * width + h * width, share = 1 / sum;
            for (size_t d = 0; d < width; d++) y[d] = 0;
            for (size_t j = 0; j < tokens; j++) {
                float weight = s[j] * share;
                for (size_t d = 0; d < width; d++) y[d] += weight * v[j * row + d];
            }
        }
    }
}

VARIANTS void kernel_add_scaled_array(const float *a, const float *b, float scale, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = a[i] + scale * b[i];
}

#define LEAK(B) \
    for (size_t p = 0; p < pixels; p++) \
        for (size_t l = 0; l < (B); l++) { \
            float x = plane[p * (B) + l]; \
            plane[p * (B) + l] = x < 0 ? x * slopes[l] : x; \
        }

VARIANTS void kernel_leak_plane(float *plane, size_t pixels, size_t lanes, const float *slopes) {
    FOR_LANES(lanes, LEAK)
}

VARIANTS void kernel_add_array(const float *a, const float *b, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = a[i] + b[i];
}

// Number formats.

INLINE float float_of_bits(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

VARIANTS void kernel_from_float16(const uint16_t *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t h = from[i], sign = (h & 0x8000) << 16, magnitude = (h & 0x7fff) << 13;
        // Scaling by 2¹¹² turns the exponent's bias of 15 into 127 and makes subnormals whole in one multiplication.
        float scaled = float_of_bits(magnitude) * 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &scaled, sizeof bits);
        if (magnitude >= 0x0f800000) bits = magnitude | 0x70000000;  // infinity and NaN keep their payload
        to[i] = float_of_bits(bits | sign);
    }
}

VARIANTS void kernel_from_bfloat16(const uint16_t *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = float_of_bits((uint32_t)from[i] << 16);
}

VARIANTS void kernel_to_bfloat16(const float *from, uint16_t *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = nearest_bfloat16(from[i]);
}
