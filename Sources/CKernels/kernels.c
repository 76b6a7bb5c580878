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

#define DOUBLE_ROW(B) \
    for (size_t x = 0; x < width; x++) { \
        memcpy(destination + 2 * x * (B), source + x * (B), (B) * sizeof *source); \
        memcpy(destination + (2 * x + 1) * (B), source + x * (B), (B) * sizeof *source); \
    }

VARIANTS void kernel_stretch_row(const float *source, size_t width, float *destination, size_t out_width, size_t lanes) {
    if (out_width == 2 * width) {
        FOR_LANES(lanes, DOUBLE_ROW)
        return;
    }
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

VARIANTS void kernel_rows_to_plane(const float *rows, size_t stride, size_t count, float *plane, size_t pixels, size_t lanes) {
    if (count < lanes) memset(plane, 0, pixels * lanes * sizeof *plane);
    for (size_t p = 0; p < pixels; p++)
        for (size_t l = 0; l < count; l++) plane[p * lanes + l] = rows[p * stride + l];
}

#define PATCH(B) \
    for (ptrdiff_t y = top; y < top + (ptrdiff_t)kernel_height; y++) \
        for (ptrdiff_t x = left; x < left + (ptrdiff_t)kernel_width; x++) { \
            int inside = y >= 0 && y < (ptrdiff_t)height && x >= 0 && x < (ptrdiff_t)width; \
            for (size_t b = 0; b < blocks; b++, row += (B)) { \
                if (inside) memcpy(row, map + ((b * height + (size_t)y) * width + (size_t)x) * (B), (B) * sizeof *row); \
                else memset(row, 0, (B) * sizeof *row); \
            } \
        }

void kernel_patch(const uint16_t *map, size_t blocks, size_t height, size_t width, size_t lanes, ptrdiff_t top, ptrdiff_t left, size_t kernel_height, size_t kernel_width, uint16_t *row) {
    FOR_LANES(lanes, PATCH)
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

// Attention in windows: few tokens, so scores of some queries at once lie in the cache.

typedef float wide __attribute__((vector_size(64), aligned(4)));
enum { WIDE = 16, QUERIES = 4 };

static size_t whole_wide(size_t count) { return (count + WIDE - 1) / WIDE * WIDE; }

size_t kernel_window_scratch_floats(size_t tokens, size_t width) {
    return whole_wide(tokens) * width + tokens * whole_wide(width) + QUERIES * whole_wide(tokens);
}

/// WIDE sums for each of QUERIES rows, `stride` floats apart: rows·columns over `count` terms.
INLINE void window_products(const float *rows, size_t stride, size_t queries, const float *columns, size_t column_stride, size_t count, wide sums[QUERIES]) {
    for (size_t r = 0; r < QUERIES; r++) sums[r] = (wide){0};
    const float *row[QUERIES];
    for (size_t r = 0; r < QUERIES; r++) row[r] = rows + (r < queries ? r : 0) * stride;
    for (size_t t = 0; t < count; t++) {
        wide column = *(const wide *)(columns + t * column_stride);
        for (size_t r = 0; r < QUERIES; r++) sums[r] += row[r][t] * column;
    }
}

VARIANTS void kernel_window_attention(const float *qkv, size_t tokens, size_t width, size_t heads, float scale, const float *bias, const int32_t *regions, float *out, float *scratch) {
    size_t row = 3 * heads * width, across = whole_wide(tokens), deep = whole_wide(width);
    float *keys = scratch, *values = keys + across * width, *scores = values + tokens * deep;
    for (size_t h = 0; h < heads; h++, bias += tokens * tokens) {
        const float *q = qkv + h * width, *k = q + heads * width, *v = k + heads * width;
        memset(keys, 0, across * width * sizeof *keys);
        memset(values, 0, tokens * deep * sizeof *values);
        for (size_t j = 0; j < tokens; j++)
            for (size_t d = 0; d < width; d++) {
                keys[d * across + j] = k[j * row + d];
                values[j * deep + d] = v[j * row + d];
            }
        for (size_t first = 0; first < tokens; first += QUERIES) {
            size_t queries = tokens - first < QUERIES ? tokens - first : QUERIES;
            wide sums[QUERIES];
            for (size_t j = 0; j < across; j += WIDE) {
                window_products(q + first * row, row, queries, keys + j, across, width, sums);
                for (size_t r = 0; r < QUERIES; r++) *(wide *)(scores + r * across + j) = sums[r];
            }
            for (size_t r = 0; r < queries; r++) {
                float *s = scores + r * across, most = -3e38f, sum = 0;
                const float *offsets = bias + (first + r) * tokens;
                for (size_t j = 0; j < tokens; j++) s[j] = s[j] * scale + offsets[j];
                if (regions)
                    for (size_t j = 0; j < tokens; j++) s[j] -= regions[first + r] == regions[j] ? 0.0f : 100.0f;
                for (size_t j = 0; j < tokens; j++) most = s[j] > most ? s[j] : most;
                for (size_t j = 0; j < tokens; j++) s[j] = exponential(s[j] - most);
                for (size_t j = 0; j < tokens; j++) sum += s[j];
                float share = 1 / sum;
                for (size_t j = 0; j < tokens; j++) s[j] *= share;
            }
            for (size_t d = 0; d < deep; d += WIDE) {
                window_products(scores, across, queries, values + d, deep, tokens, sums);
                size_t count = width - d < WIDE ? width - d : WIDE;
                for (size_t r = 0; r < queries; r++) memcpy(out + (first + r) * heads * width + h * width + d, &sums[r], count * sizeof(float));
            }
        }
    }
}

VARIANTS void kernel_add_scaled_array(const float *a, const float *b, float scale, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = a[i] + scale * b[i];
}

/// Slopes are copied first: the compiler cannot know that they lie elsewhere.
#define LEAK(B) \
    { \
        float slope[B]; \
        for (size_t l = 0; l < (B); l++) slope[l] = slopes[l]; \
        for (size_t p = 0; p < pixels; p++) \
            for (size_t l = 0; l < (B); l++) { \
                float x = plane[p * (B) + l], y = x * slope[l]; \
                plane[p * (B) + l] = x < 0 ? y : x; \
            } \
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
