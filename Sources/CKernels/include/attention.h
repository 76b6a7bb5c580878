// Scaled dot-product attention of one head, fused: scores, softmax and the weighted sum of values in one pass over the keys,
// a block of them at a time, so that no matrix of scores is ever made.
// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018); Dao et al., "FlashAttention" (2022).
//
// Every query's sums run over its keys in one order, whatever rows are computed together: no cutting of the work can
// change a byte.
#ifndef VELATURA_ATTENTION_H
#define VELATURA_ATTENTION_H

#include <stddef.h>

/// Floats of one head's packed keys and values.
size_t attention_packed_floats(size_t keys, size_t width);

/// Packs one head's keys and values, `keys` rows of `width` floats, `stride` floats apart; rounded to bfloat16 where that is
/// asked and the processor multiplies it. `packed` and working memory are 64-byte aligned.
void attention_pack(const float *key, const float *value, size_t stride, size_t keys, size_t width, int bfloat16, float *packed);

/// Most queries that are computed together.
size_t attention_rows(void);

/// Floats of working memory.
size_t attention_scratch_floats(size_t width);

/// out = softmax(scale·query·keyᵀ)·value for up to attention_rows() queries, `stride` floats apart as are the results.
///
/// `bfloat16` as it was packed; queries and weights are rounded too then, sums never. With `visible` ≥ 0, query i sees only
/// the first visible + i + 1 keys.
void attention_head(
    const float *query, size_t stride, size_t rows, const float *packed, size_t keys, size_t width, float scale,
    ptrdiff_t visible, int bfloat16, float *out, float *scratch);

#endif
