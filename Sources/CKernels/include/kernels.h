// The loops between convolutions and matrix products: normalisation, activation, softmax, changes of layout.
//
// Each works on one piece of memory on the calling thread; the Swift above cuts the work and hands the pieces out.
// On x86-64 each is compiled three times (AVX-512, AVX2, baseline) and the loader picks the one for the processor.
//
// Feature maps are blocked: [N, ⌈C/B⌉, H·W, B]; a *plane* is one [pixels, B] slice of it, B = `lanes`.
#ifndef VELATURA_KERNELS_H
#define VELATURA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "resampling.h"
#include "sha256.h"

typedef enum { kernel_identity = 0, kernel_silu = 1 } kernel_activation;

/// Name of the variant that runs here: "avx512", "avx2", "neon" or "baseline".
const char *kernel_variant(void);

// Layout.
void kernel_block_plane(const float *channels, size_t channel_stride, size_t count, float *plane, size_t pixels, size_t lanes);
void kernel_unblock_plane(const float *plane, float *channels, size_t channel_stride, size_t count, size_t pixels, size_t lanes);
/// Copies `count` lanes from lane `from` of one plane to lane `to` of another.
void kernel_copy_lanes(const float *source, size_t from, float *destination, size_t to, size_t count, size_t pixels, size_t lanes);
/// Nearest-neighbour rows: destination[x] = source[⌊x·width/out_width⌋] for one row of a plane.
void kernel_stretch_row(const float *source, size_t width, float *destination, size_t out_width, size_t lanes);

// Group normalisation. `sums` and `squares` receive Σ(x − pivot) and Σ(x − pivot)² of each lane.
void kernel_lane_moments(const float *plane, size_t pixels, size_t lanes, const float *pivot, double *sums, double *squares);
/// out = activation(x·scale[lane] + shift[lane]), a plane to a plane (may be the same memory).
void kernel_scale_plane(const float *plane, float *out, size_t pixels, size_t lanes, const float *scale, const float *shift, kernel_activation activation);
/// The same, writing the first `count` lanes to rows of a [pixels, stride] matrix.
void kernel_scale_plane_to_rows(const float *plane, float *rows, size_t stride, size_t count, size_t pixels, size_t lanes, const float *scale, const float *shift);
/// plane += rows, the first `count` lanes from rows of a [pixels, stride] matrix.
void kernel_add_rows_to_plane(const float *rows, size_t stride, size_t count, float *plane, size_t pixels, size_t lanes);
/// The first `count` lanes of a plane from rows of a [pixels, stride] matrix; lanes past them are zero.
void kernel_rows_to_plane(const float *rows, size_t stride, size_t count, float *plane, size_t pixels, size_t lanes);
/// What a convolution sees of one item of a map in bfloat16 from (left, top) on, as one row: [kernel_height, kernel_width, blocks,
/// lanes], zero outside.
void kernel_patch(const uint16_t *map, size_t blocks, size_t height, size_t width, size_t lanes, ptrdiff_t top, ptrdiff_t left, size_t kernel_height, size_t kernel_width, uint16_t *row);

// Rows of matrices.
void kernel_layer_norm(const float *rows, float *out, size_t count, size_t width, const float *weight, const float *bias, float epsilon);
/// out[i, j] = rows[i, j]·gelu(rows[i, width + j]).
void kernel_geglu(const float *rows, float *out, size_t count, size_t width);
/// The same rounded to the nearest bfloat16.
void kernel_geglu_to_bfloat16(const float *rows, uint16_t *out, size_t count, size_t width);

// Elementwise.
void kernel_silu_array(const float *x, float *out, size_t count);
void kernel_gelu_array(const float *x, float *out, size_t count);
void kernel_quick_gelu_array(const float *x, float *out, size_t count);
void kernel_add_array(const float *a, const float *b, float *out, size_t count);
/// out = a + scale·b
void kernel_add_scaled_array(const float *a, const float *b, float scale, float *out, size_t count);
/// Attention inside one window of `tokens` rows [q, k, v], each `heads`·`width` long; `bias` [heads, tokens, tokens] is added
/// to the scores, and −100 between tokens of different `regions`, where these are given.
size_t kernel_window_scratch_floats(size_t tokens, size_t width);
void kernel_window_attention(const float *qkv, size_t tokens, size_t width, size_t heads, float scale, const float *bias, const int32_t *regions, float *out, float *scratch);
/// What is below zero times the slope of its lane, in place.
void kernel_leak_plane(float *plane, size_t pixels, size_t lanes, const float *slopes);

// Number formats of weights, to 32-bit floats.
void kernel_from_float16(const uint16_t *from, float *to, size_t count);
void kernel_from_bfloat16(const uint16_t *from, float *to, size_t count);

/// Rounded to the nearest bfloat16, halves to even.
void kernel_to_bfloat16(const float *from, uint16_t *to, size_t count);

#endif
