// The body of attention.c, compiled once for each width of vectors.
//
// LANES: floats of a vector · NAME(x): x with a suffix · TARGET: the attribute that allows the instructions ·
// HALF: factors of products are rounded to bfloat16 and taken in pairs that share a 32-bit element.

#define INNER TARGET static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define PANEL (VECTORS * LANES)

typedef float NAME(vector) __attribute__((vector_size(LANES * 4)));
typedef float NAME(loose_vector) __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t NAME(integers) __attribute__((vector_size(LANES * 4)));
#define V NAME(vector)
#if HALF
typedef uint32_t NAME(element);
#define FACTORS 2
#else
typedef float NAME(element);
#define FACTORS 1
#endif
#define E NAME(element)
/// Elements of so many factors.
#define ELEMENTS(count) (((count) + FACTORS - 1) / FACTORS)

INNER V NAME(load)(const float *from) { return *(const V *)from; }
INNER void NAME(store)(float *to, V value) { *(V *)to = value; }
/// sum + the products of one element with a vector of them.
INNER V NAME(multiply_add)(V sum, E a, V b) {
#if HALF
    return (V)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
#else
    return sum + a * b;
#endif
}

/// An element of its factors; the second counts only where factors go in pairs.
INNER E NAME(join)(float first, float second) {
#if HALF
    return (uint32_t)nearest_bfloat16(second) << 16 | nearest_bfloat16(first);
#else
    (void)second;
    return first;
#endif
}

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
/// `inner` and strides count elements: `a_stride` from row to row, `b_stride` from inner index to inner index.
INNER void NAME(product)(
    const E *a, size_t a_stride, const E *b, size_t b_stride, float *to, size_t to_stride, size_t inner, int rows,
    int vectors, const float *scale
) {
    V sum[ROWS][VECTORS];
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] = scale ? NAME(load)(to + r * to_stride + v * LANES) * scale[r] : (V){0};
    for (size_t i = 0; i < inner; i++, b += b_stride) {
        V column[VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++) column[v] = NAME(load)((const float *)b + v * LANES);
        UNROLLED for (int r = 0; r < rows; r++) {
            E value = a[r * a_stride + i];
            UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] = NAME(multiply_add)(sum[r][v], value, column[v]);
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
    const E *a, size_t a_stride, const E *b, size_t b_stride, float *to, size_t to_stride, size_t inner, size_t rows,
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

/// Keys to panels of PANEL, transposed: [panels, width, PANEL]; values to [keys, padded width]. Elements hold neighbours
/// along the inner index of their product. What is past the end is zero.
TARGET static void NAME(pack)(const float *key, const float *value, size_t stride, size_t keys, size_t width, float *packed) {
    size_t padded_width = (width + LANES - 1) / LANES * LANES;
    E *panels = (E *)packed, *values = panels + whole_keys(keys) * ELEMENTS(width);
    for (size_t start = 0; start < whole_keys(keys); start += PANEL)
        for (size_t i = 0; i < width; i += FACTORS)
            for (size_t j = start; j < start + PANEL; j++, panels++) {
                const float *from = key + j * stride + i;
                *panels = j < keys ? NAME(join)(from[0], FACTORS > 1 && i + 1 < width ? from[1] : 0) : 0;
            }
    for (size_t j = 0; j < keys; j += FACTORS)
        for (size_t i = 0; i < padded_width; i++, values++) {
            const float *from = value + j * stride + i;
            *values = i < width ? NAME(join)(from[0], FACTORS > 1 && j + 1 < keys ? from[stride] : 0) : 0;
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

/// Scores of one query to powers of two under the largest met so far, as elements. Tells by how much older sums shrink.
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
#if HALF
    // In place: what is written trails what is read.
    for (size_t j = 0; j < whole; j += LANES)
        *(__m256bh *)((uint16_t *)scores + j) = _mm512_cvtneps_pbh((__m512)NAME(load)(scores + j));
#endif
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
    const E *panels = (const E *)packed, *values = panels + whole_keys(keys) * ELEMENTS(width);
    E *queries = (E *)scratch;
    float *scores = scratch + rows * padded_width, *sums = scores + rows * BLOCK;
    float *most = sums + rows * padded_width, *total = most + rows, *shrink = total + rows;
    // The exponential is a power of two here: log₂e goes into the scale.
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < width; i += FACTORS) {
            const float *from = query + r * stride + i;
            float factor = scale * 1.44269504f;
            queries[r * padded_width + i / FACTORS] =
                NAME(join)(from[0] * factor, FACTORS > 1 && i + 1 < width ? from[1] * factor : 0);
        }
        most[r] = -INFINITY;
        total[r] = 0;
    }
    size_t needed = visible >= 0 && (size_t)visible + rows < keys ? (size_t)visible + rows : keys;
    for (size_t start = 0; start < needed; start += BLOCK) {
        size_t count = keys - start < BLOCK ? keys - start : BLOCK, whole = (count + PANEL - 1) / PANEL * PANEL;
        for (size_t j = 0; j < whole; j += PANEL)
            NAME(products)(
                queries, padded_width, panels + (start + j) * ELEMENTS(width), PANEL, scores + j, BLOCK, ELEMENTS(width), rows,
                VECTORS, NULL);
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
                (const E *)scores, BLOCK, values + start / FACTORS * padded_width + v, padded_width, sums + v, padded_width,
                ELEMENTS(count), rows, vectors, start > 0 ? shrink : NULL);
        }
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < width; i++) out[r * stride + i] = sums[r * padded_width + i] / total[r];
}

#undef E
#undef ELEMENTS
#undef FACTORS
#undef PRODUCT
#undef PRODUCTS
#undef PANEL
#undef UNROLLED
#undef INNER
#undef V
