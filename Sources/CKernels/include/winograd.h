// Winograd's F(4×4, 3×3): a 3×3 convolution of stride 1 with a quarter of the multiplications.
//
// Every tile of 4×4 results is computed from the 6×6 pixels that it sees, in a space where the convolution is 36 products of
// matrices, one for each place of the tile: transform pixels, transform weights, multiply, transform back.
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4.3.
//
// Maps are blocked: [N, ⌈C/B⌉, H, W, B] with B = 16 or 8 channels (`lanes`) side by side and zeros past the last.
// Weights stay in the precision of their file and are transformed, a piece at a time, where they are used: 36 values for 9
// never lie in memory, and the transform costs what one more tile in twenty would.
//
// **Order.** Each result sums its channels one by one, first to last, whatever the cuts between pieces are: neither their
// size nor the threads that run them can change a byte.
#ifndef VELATURA_WINOGRAD_H
#define VELATURA_WINOGRAD_H

#include <stddef.h>

typedef enum { winograd_float32, winograd_float16, winograd_bfloat16 } winograd_format;

typedef struct {
    size_t lanes;                    ///< 16 or 8
    size_t in_blocks, out_blocks;    ///< channels, in whole blocks of `lanes`
    size_t batch;
    size_t height, width;            ///< of the source
    size_t out_height, out_width;
    size_t pad_top, pad_left;        ///< rows and columns of zeros before the source; what lies past its end is zero too
    winograd_format format;          ///< of the packed weights
} winograd_shape;

/// Whether this processor runs it with so many lanes.
int winograd_available(size_t lanes);

/// Groups of output blocks that are computed together, and the blocks of one.
size_t winograd_groups(winograd_shape shape);

/// Tiles of all items: ⌈out_height/4⌉·⌈out_width/4⌉·batch.
size_t winograd_tiles(winograd_shape shape);

/// Bytes of packed weights.
size_t winograd_packed_bytes(winograd_shape shape);

/// Packs group `group` of weights [outputs, inputs, 3, 3], row-major and in `shape`'s format, any alignment.
void winograd_pack(winograd_shape shape, size_t group, const void *weights, size_t outputs, size_t inputs, void *packed);

/// Floats of the transformed pixels of `tiles` tiles, all input blocks.
size_t winograd_pixels_floats(winograd_shape shape, size_t tiles);

/// Transforms block `block` of the pixels that tiles `first ..< first + tiles` see, into its part of `pixels`.
void winograd_transform(winograd_shape shape, const float *source, size_t first, size_t tiles, size_t block, float *pixels);

/// Floats of working memory that `winograd_multiply` wants for `tiles` tiles.
size_t winograd_scratch_floats(winograd_shape shape, size_t tiles);

/// The results of one group of output blocks for tiles `first ..< first + tiles`, whose transformed `pixels` are whole.
///
/// `bias` holds whole blocks, or is NULL. With `accumulate` the results are added to what the destination holds.
void winograd_multiply(
    winograd_shape shape, const float *pixels, const void *packed, const float *bias, size_t first, size_t tiles,
    size_t group, int accumulate, float *destination, float *scratch);

#endif
