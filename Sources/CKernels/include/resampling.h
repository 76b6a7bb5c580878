// The sums of a resize: of rows (down) and of columns (across), in the order of the taps.
//
// Bytes are weighed in whole numbers of 22 fractional bits and rounded as Pillow rounds them; floats are summed in double
// without fused products, so that every processor has the same bytes.
#ifndef VELATURA_RESAMPLING_H
#define VELATURA_RESAMPLING_H

#include <stddef.h>
#include <stdint.h>

/// Rows that are summed across at once.
enum { resample_byte_lanes = 32, resample_float_lanes = 16 };

/// out[i] = Σ rows[tap][i]·weights[tap] for `count` columns.
void resample_down_bytes(
    const uint8_t *const *rows, const int32_t *weights, size_t taps, uint8_t *out, size_t count);
void resample_down_floats(
    const float *const *rows, const double *weights, size_t taps, float *out, size_t count);

/// Up to so many rows as there are lanes, each of `width` pixels, to rows of `target` that lie behind one another in `out`.
///
/// Result pixel x sums counts[x] pixels from starts[x] on, with the weights from weights[x·stride] on. `scratch` has room
/// for `width` pixels of each lane.
void resample_across_bytes(
    const uint8_t *const *rows, size_t row_count, size_t width, size_t channels, const ptrdiff_t *starts,
    const ptrdiff_t *counts, const int32_t *weights, size_t stride, size_t target, uint8_t *out, uint8_t *scratch);
void resample_across_floats(
    const float *const *rows, size_t row_count, size_t width, size_t channels, const ptrdiff_t *starts,
    const ptrdiff_t *counts, const double *weights, size_t stride, size_t target, float *out, float *scratch);

/// Floats to the nearest whole number of 0…65535, halves upwards.
void resample_words(const float *samples, uint16_t *out, size_t count);

#endif
