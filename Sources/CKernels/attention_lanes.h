// The body of attention.c, compiled once for each width of vectors.
//
// LANES: floats of a vector · NAME(x): x with a suffix · TARGET: the attribute that allows the instructions.

#define INNER TARGET static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define PANEL (VECTORS * LANES)

typedef float NAME(vector) __attribute__((vector_size(LANES * 4)));
typedef float NAME(loose_vector) __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t NAME(integers) __attribute__((vector_size(LANES * 4)));
#define V NAME(vector)

INNER V NAME(load)(const float *from) { return *(const V *)from; }
INNER void NAME(store)(float *to, V value) { *(V *)to = value; }
INNER V NAME(larger)(V a, V b) {
    NAME(integers) mask = a > b;
    return (V)((mask & (NAME(integers))a) | (~mask & (NAME(integers))b));
}

/// 2ˣ for x ≤ 0 to about 1 ulp: 2^k·2^f with |f| ≤ ½, the second by its Taylor series. Below 2⁻¹²⁶ it is that.
INNER V NAME(power_of_two)(V x) {
    x = NAME(larger)(x, (V){0} - 126.0f);
    // Adding 1.5·2²³ rounds to a whole number, in the sum's low bits.
    V shifted = x + 12582912.0f, f = x - (shifted - 12582912.0f);
    V p = f * 1.5252734e-5f + 1.5403530e-4f;
    p = p * f + 1.3333558e-3f;
    p = p * f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    return (V)((NAME(integers))p + ((NAME(integers))shifted << 23));
}

/// to[rows, vectors] = scale[rows]·to + a[rows, inner]·b[inner, vectors]; the old values count only where `continues`.
///
/// `a_stride`, `to_stride`: floats from row to row; `b_stride`: from inner index to inner index.
INNER void NAME(product)(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *to, size_t to_stride, size_t inner, int rows,
    int vectors, const float *scale
) {
    V sum[ROWS][VECTORS];
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] = scale ? NAME(load)(to + r * to_stride + v * LANES) * scale[r] : (V){0};
    for (size_t i = 0; i < inner; i++, b += b_stride) {
        V column[VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++) column[v] = NAME(load)(b + v * LANES);
        UNROLLED for (int r = 0; r < rows; r++) {
            float value = a[r * a_stride + i];
            UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] += value * column[v];
        }
    }
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++) NAME(store)(to + r * to_stride + v * LANES, sum[r][v]);
}

#define PRODUCT(rows, vectors) \
    case (rows) * 8 + (vectors): NAME(product)(a, a_stride, b, b_stride, to, to_stride, inner, rows, vectors, scale); break;
#define PRODUCTS(rows) PRODUCT(rows, 1) PRODUCT(rows, 2) PRODUCT(rows, 3) PRODUCT(rows, 4)

/// The same for any number of rows and up to VECTORS vectors.
TARGET static void NAME(products)(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *to, size_t to_stride, size_t inner, size_t rows,
    size_t vectors, const float *scale
) {
    while (rows > 0) {
        size_t count = rows < ROWS ? rows : ROWS;
        switch (count * 8 + vectors) { PRODUCTS(1) PRODUCTS(2) PRODUCTS(3) PRODUCTS(4) PRODUCTS(5) PRODUCTS(6) }
        a += count * a_stride;
        to += count * to_stride;
        if (scale) scale += count;
        rows -= count;
    }
}

/// Keys to panels of PANEL, transposed: [panels, width, PANEL]; values to [keys, padded width]. What is past the end is zero.
TARGET static void NAME(pack)(const float *key, const float *value, size_t stride, size_t keys, size_t width, float *packed) {
    size_t padded_width = (width + LANES - 1) / LANES * LANES;
    float *values = packed + whole_keys(keys) * width;
    for (size_t start = 0; start < whole_keys(keys); start += PANEL, packed += PANEL * width)
        for (size_t i = 0; i < width; i++)
            for (size_t j = 0; j < PANEL; j++) packed[i * PANEL + j] = start + j < keys ? key[(start + j) * stride + i] : 0;
    for (size_t j = 0; j < keys; j++) {
        memcpy(values + j * padded_width, value + j * stride, width * sizeof *values);
        for (size_t i = width; i < padded_width; i++) values[j * padded_width + i] = 0;
    }
}

INNER float NAME(largest)(V v) {
    float most = v[0];
    for (int i = 1; i < LANES; i++) most = v[i] > most ? v[i] : most;
    return most;
}

INNER float NAME(total)(V v) {
    float sum = 0;
    for (int i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

/// Scores of one query to powers of two under the largest met so far. Tells by how much older sums shrink.
INNER float NAME(normalize)(float *scores, size_t seen, size_t whole, float *most, float *sum) {
    for (size_t j = seen; j < whole; j++) scores[j] = -INFINITY;
    V peak = NAME(load)(scores);
    for (size_t j = LANES; j < whole; j += LANES) peak = NAME(larger)(peak, NAME(load)(scores + j));
    float largest = NAME(largest)(peak);
    if (largest < *most) largest = *most;
    V added = {0};
    for (size_t j = 0; j < whole; j += LANES) {
        V weight = NAME(power_of_two)(NAME(load)(scores + j) - largest);
        NAME(store)(scores + j, weight);
        added += weight;
    }
    // What nobody may see weighs nothing, not the least that a power of two can be.
    for (size_t j = seen; j < whole; j++) {
        added[j % LANES] -= scores[j];
        scores[j] = 0;
    }
    float shrink = NAME(power_of_two)((V){0} + (*most - largest))[0];
    *sum = *sum * shrink + NAME(total)(added);
    *most = largest;
    return shrink;
}

TARGET static void NAME(head)(
    const float *query, size_t stride, size_t rows, const float *packed, size_t keys, size_t width, float scale, ptrdiff_t visible,
    float *out, float *scratch
) {
    size_t padded_width = (width + LANES - 1) / LANES * LANES;
    const float *values = packed + whole_keys(keys) * width;
    float *queries = scratch, *scores = queries + rows * padded_width, *sums = scores + rows * BLOCK;
    float *most = sums + rows * padded_width, *total = most + rows, *shrink = total + rows;
    // The exponential is a power of two here: log₂e goes into the scale.
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < width; i++) queries[r * padded_width + i] = query[r * stride + i] * (scale * 1.44269504f);
        most[r] = -INFINITY;
        total[r] = 0;
    }
    size_t needed = visible >= 0 && (size_t)visible + rows < keys ? (size_t)visible + rows : keys;
    for (size_t start = 0; start < needed; start += BLOCK) {
        size_t count = keys - start < BLOCK ? keys - start : BLOCK, whole = (count + PANEL - 1) / PANEL * PANEL;
        for (size_t j = 0; j < whole; j += PANEL)
            NAME(products)(queries, padded_width, packed + (start + j) * width, PANEL, scores + j, BLOCK, width, rows, VECTORS, NULL);
        for (size_t r = 0; r < rows; r++) {
            size_t seen = count;
            if (visible >= 0) {
                size_t last = (size_t)visible + r + 1;
                seen = last <= start ? 0 : last - start < count ? last - start : count;
            }
            if (seen == 0) {
                memset(scores + r * BLOCK, 0, whole * sizeof *scores);
                shrink[r] = 1;
            } else {
                shrink[r] = NAME(normalize)(scores + r * BLOCK, seen, whole, most + r, total + r);
            }
        }
        for (size_t v = 0; v < padded_width; v += PANEL) {
            size_t vectors = (padded_width - v < PANEL ? padded_width - v : PANEL) / LANES;
            NAME(products)(
                scores, BLOCK, values + start * padded_width + v, padded_width, sums + v, padded_width, count, rows, vectors,
                start > 0 ? shrink : NULL);
        }
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < width; i++) out[r * stride + i] = sums[r * padded_width + i] / total[r];
}

#undef PRODUCT
#undef PRODUCTS
#undef PANEL
#undef UNROLLED
#undef INNER
#undef V
