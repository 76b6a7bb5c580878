// The body of attention.c, compiled once for each width of vectors.
//
// LANES: floats of a vector · ROWS: rows of a product whose sums stay in registers at once · NAME(x): x with a suffix ·
// TARGET: the attribute that allows the instructions · HALF: factors of products are rounded to bfloat16 and taken in
// pairs that share a 32-bit element.
//
// Queries lie side by side in the lanes, TOGETHER to a row: a matrix of scores has a row for every key, sums have one for
// every channel. So softmax is lane by lane, and neither keys nor channels are filled up to whole vectors.

#define INNER TARGET static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

typedef float NAME(vector) __attribute__((vector_size(LANES * 4)));
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

/// The first `count` floats, wherever they lie; zeros for the rest.
INNER V NAME(load_some)(const float *from, size_t count) {
#if LANES == 16
    return (V)_mm512_maskz_loadu_ps(count < LANES ? (__mmask16)((1u << count) - 1) : (__mmask16)-1, from);
#else
    V value = {0};
    if (count >= LANES) memcpy(&value, from, sizeof value);
    else for (size_t i = 0; i < count; i++) value[i] = from[i];
    return value;
#endif
}

/// Writes the first `count` floats, wherever they go.
INNER void NAME(store_some)(float *to, V value, size_t count) {
#if LANES == 16
    _mm512_mask_storeu_ps(to, count < LANES ? (__mmask16)((1u << count) - 1) : (__mmask16)-1, (__m512)value);
#else
    if (count >= LANES) memcpy(to, &value, sizeof value);
    else for (size_t i = 0; i < count; i++) to[i] = value[i];
#endif
}

// Lanes of two rows, `step` apart, that change places: what is right of one goes where the left of the other was.
#define UPPER(lane, step) ((lane) & (step) ? LANES + (lane) - (step) : (lane))
#define LOWER(lane, step) ((lane) & (step) ? LANES + (lane) : (lane) + (step))
#define FOUR(ROW, lane, step) ROW(lane, step), ROW(lane + 1, step), ROW(lane + 2, step), ROW(lane + 3, step)
#if LANES == 16
#define EVERY(ROW, step) FOUR(ROW, 0, step), FOUR(ROW, 4, step), FOUR(ROW, 8, step), FOUR(ROW, 12, step)
#elif LANES == 8
#define EVERY(ROW, step) FOUR(ROW, 0, step), FOUR(ROW, 4, step)
#else
#define EVERY(ROW, step) FOUR(ROW, 0, step)
#endif
#define EXCHANGE(step) \
    UNROLLED for (int r = 0; r < LANES; r++) \
        if (!(r & (step))) { \
            V upper = rows[r], lower = rows[r + (step)]; \
            rows[r] = __builtin_shufflevector(upper, lower, EVERY(UPPER, step)); \
            rows[r + (step)] = __builtin_shufflevector(upper, lower, EVERY(LOWER, step)); \
        }

/// A square of LANES rows, turned over its diagonal.
INNER void NAME(transpose)(V rows[LANES]) {
    EXCHANGE(1)
    EXCHANGE(2)
#if LANES > 4
    EXCHANGE(4)
#endif
#if LANES > 8
    EXCHANGE(8)
#endif
}

/// sum + the products of one element with a vector of them.
INNER V NAME(multiply_add)(V sum, E a, V b) {
#if HALF
    return (V)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
#else
    return sum + a * b;
#endif
}

#if HALF
/// Elements of a vector of first factors and one of second ones.
INNER V NAME(join)(V first, V second) {
    const __m512i neighbours = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return (V)_mm512_permutexvar_epi16(neighbours, (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first));
}
#endif

INNER V NAME(larger)(V a, V b) {
#if LANES == 16
    return (V)_mm512_max_ps((__m512)a, (__m512)b);
#elif LANES == 8
    return (V)_mm256_max_ps((__m256)a, (__m256)b);
#else
    NAME(integers) mask = a > b;
    return (V)((mask & (NAME(integers))a) | (~mask & (NAME(integers))b));
#endif
}

/// 2ˣ for x ≤ 0: 2^k·2^f, the second by a polynomial. Nothing is left where x is −∞.
INNER V NAME(power_of_two)(V x) {
#if HALF
    // k = ⌊x⌋; to 8e-5, a fiftieth of what rounding the result will take.
    V f = (V)_mm512_reduce_ps((__m512)x, 9);
    V p = f * 0.0780245226f + 0.226067155f;
    p = p * f + 0.69583354f;
    p = p * f + 0.999925219f;
    return (V)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
    // To about 1 ulp, by the Taylor series for |f| ≤ ½. Adding 1.5·2²³ rounds to a whole number, in the sum's low bits.
    NAME(integers) counts = x >= -126.0f;
    x = NAME(larger)(x, (V){0} - 126.0f);
    V shifted = x + 12582912.0f, f = x - (shifted - 12582912.0f);
    V p = f * 1.5252734e-5f + 1.5403530e-4f;
    p = p * f + 1.3333558e-3f;
    p = p * f + 9.6181291e-3f;
    p = p * f + 5.5504109e-2f;
    p = p * f + 2.4022651e-1f;
    p = p * f + 6.9314718e-1f;
    p = p * f + 1.0f;
    return (V)(((NAME(integers))p + ((NAME(integers))shifted << 23)) & (counts | (NAME(integers))(x != x)));
#endif
}

/// to[rows, vectors] = shrink[vectors]·to + aᵀ[rows, inner]·b[inner, vectors]; the old values count only where `shrink` is.
/// Where `peak` is, it becomes the largest of itself and all rows.
///
/// `a` holds its rows side by side, `a_stride` elements from inner index to inner index; rows of `b` and `to` are TOGETHER apart.
INNER void NAME(product)(
    const E *a, size_t a_stride, const float *b, float *to, size_t inner, int rows, int vectors, const float *shrink, float *peak
) {
    V sum[ROWS][VECTORS];
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++)
            sum[r][v] = shrink ? NAME(load)(to + r * TOGETHER + v * LANES) * NAME(load)(shrink + v * LANES) : (V){0};
    for (size_t i = 0; i < inner; i++, a += a_stride, b += TOGETHER) {
        V column[VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++) column[v] = NAME(load)(b + v * LANES);
        UNROLLED for (int r = 0; r < rows; r++) {
            E value = a[r];
            UNROLLED for (int v = 0; v < vectors; v++) sum[r][v] = NAME(multiply_add)(sum[r][v], value, column[v]);
        }
    }
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++) NAME(store)(to + r * TOGETHER + v * LANES, sum[r][v]);
    if (!peak) return;
    UNROLLED for (int v = 0; v < vectors; v++) {
        V most = NAME(load)(peak + v * LANES);
        UNROLLED for (int r = 0; r < rows; r++) most = NAME(larger)(most, sum[r][v]);
        NAME(store)(peak + v * LANES, most);
    }
}

#define PRODUCT(rows, vectors) \
    case (rows) * 4 + (vectors): NAME(product)(a, a_stride, b, to, inner, rows, vectors, shrink, peak); break;
#define PRODUCTS(rows) PRODUCT(rows, 1) PRODUCT(rows, 2) PRODUCT(rows, 3)

/// The same for up to ROWS rows and VECTORS vectors.
TARGET static void NAME(products)(
    const E *a, size_t a_stride, const float *b, float *to, size_t inner, size_t rows, size_t vectors, const float *shrink,
    float *peak
) {
    switch (rows * 4 + vectors) {
        PRODUCTS(1) PRODUCTS(2) PRODUCTS(3) PRODUCTS(4)
#if ROWS > 4
        PRODUCTS(5) PRODUCTS(6) PRODUCTS(7) PRODUCTS(8)
#endif
    }
}

/// Up to LANES rows of `width` floats, `stride` apart, times a factor, to elements by columns: `step` elements from column
/// to column, ROWS of a column side by side, `panel` elements from one such part to the next. Rows that are missing are zero.
INNER void NAME(turn)(
    const float *from, size_t stride, size_t rows, size_t width, float factor, E *to, size_t step, size_t panel
) {
    for (size_t i = 0; i < width; i += LANES * FACTORS, to += LANES * step) {
        size_t left = width - i;
        V square[LANES];
        UNROLLED for (size_t r = 0; r < LANES; r++) {
            const float *row = from + r * stride + i;
            square[r] = r < rows ? NAME(load_some)(row, left) * factor : (V){0};
#if HALF
            V more = r < rows && left > LANES ? NAME(load_some)(row + LANES, left - LANES) * factor : (V){0};
            square[r] = (V)_mm512_cvtne2ps_pbh((__m512)more, (__m512)square[r]);
#endif
        }
        NAME(transpose)(square);
        UNROLLED for (size_t e = 0; e < LANES; e++)
            UNROLLED for (size_t part = 0; part * ROWS < LANES; part++)
                if (e < ELEMENTS(left) && part * ROWS < rows)
                    memcpy(to + e * step + part * panel, (const E *)&square[e] + part * ROWS, ROWS * sizeof(E));
    }
}

/// Keys to panels of ROWS, transposed: [panels, width, ROWS]; values to [keys, width]. Elements hold neighbours along the
/// inner index of their product. What is past the end is zero.
TARGET static void NAME(pack)(const float *key, const float *value, size_t stride, size_t keys, size_t width, float *packed) {
    E *panels = (E *)packed, *values = panels + whole_keys(keys) * ELEMENTS(width);
    for (size_t j = 0; j < keys; j += LANES) {
        size_t rows = keys - j < LANES ? keys - j : LANES;
        NAME(turn)(key + j * stride, stride, rows, width, 1, panels + j * ELEMENTS(width), ROWS, ROWS * ELEMENTS(width));
    }
    for (size_t j = 0; j < keys; j += FACTORS, values += width)
        for (size_t i = 0; i < width; i += LANES) {
            V elements = NAME(load_some)(value + j * stride + i, width - i);
#if HALF
            elements = NAME(join)(elements, j + 1 < keys ? NAME(load_some)(value + (j + 1) * stride + i, width - i) : (V){0});
#endif
            NAME(store_some)((float *)values + i, elements, width - i);
        }
}

/// Scores of a vector of queries, a row for each key, to powers of two under the largest met so far: elements, over the
/// same rows, added to the queries' total. `most` is the largest of earlier keys, and becomes how much older sums shrink.
INNER void NAME(normalize)(float *scores, size_t count, const float *peak, float *most, float *total) {
    V largest = NAME(load)(peak), added = {0};
    // In place: what is written trails what is read.
    float *to = scores;
    for (size_t j = 0; j < count; j += FACTORS, to += TOGETHER) {
        V weight = NAME(power_of_two)(NAME(load)(scores + j * TOGETHER) - largest);
        added += weight;
#if HALF
        V next = {0};
        if (j + 1 < count) next = NAME(power_of_two)(NAME(load)(scores + (j + 1) * TOGETHER) - largest);
        added += next;
        weight = NAME(join)(weight, next);
#endif
        NAME(store)(to, weight);
    }
    V shrink = NAME(power_of_two)(NAME(load)(most) - largest);
    NAME(store)(total, NAME(load)(total) * shrink + added);
    NAME(store)(most, shrink);
}

/// Scores of a block of keys, the first of them `start`, to −∞ where query r does not see them: past visible + r.
TARGET static void NAME(hide)(
    float *scores, size_t start, size_t count, size_t rows, size_t visible, const float *before, float *peak
) {
    for (size_t r = 0; r < rows; r++) {
        peak[r] = before[r];
        for (size_t j = 0; j < count; j++) {
            float *score = scores + j * TOGETHER + r;
            if (start + j > visible + r) *score = -INFINITY;
            if (*score > peak[r]) peak[r] = *score;
        }
    }
}

TARGET static void NAME(head)(
    const float *query, size_t stride, size_t rows, const float *packed, size_t keys, size_t width, float scale, ptrdiff_t visible,
    float *out, float *scratch
) {
    const E *panels = (const E *)packed, *values = panels + whole_keys(keys) * ELEMENTS(width);
    float *queries = scratch, *scores = queries + ELEMENTS(width) * TOGETHER, *sums = scores + BLOCK * TOGETHER;
    // The largest score that each query has met, and the sum of its weights under it.
    float *peak = sums + width * TOGETHER, *total = peak + TOGETHER, *shrink = total + TOGETHER;
    size_t vectors = (rows + LANES - 1) / LANES;
    // The exponential is a power of two here: log₂e goes into the scale. Lanes without a query have one of zeros.
    if (rows < TOGETHER) memset(queries, 0, ELEMENTS(width) * TOGETHER * sizeof *queries);
    for (size_t r = 0; r < rows; r += LANES)
        NAME(turn)(query + r * stride, stride, rows - r, width, scale * 1.44269504f, (E *)queries + r, TOGETHER, ROWS);
    for (size_t r = 0; r < TOGETHER; r++) {
        peak[r] = -INFINITY;
        total[r] = 0;
    }
    size_t needed = visible >= 0 && (size_t)visible + rows < keys ? (size_t)visible + rows : keys;
    for (size_t start = 0; start < needed; start += BLOCK) {
        size_t count = needed - start < BLOCK ? needed - start : BLOCK;
        memcpy(shrink, peak, TOGETHER * sizeof *peak);
        for (size_t v = 0; v < vectors; v += VECTORS) {
            size_t some = vectors - v < VECTORS ? vectors - v : VECTORS, lane = v * LANES;
            for (size_t j = 0; j < count; j += ROWS)
                NAME(products)(
                    panels + (start + j) * ELEMENTS(width), ROWS, queries + lane, scores + j * TOGETHER + lane, ELEMENTS(width),
                    count - j < ROWS ? count - j : ROWS, some, NULL, peak + lane);
        }
        if (visible >= 0) NAME(hide)(scores, start, count, rows, visible, shrink, peak);
        for (size_t v = 0; v < vectors * LANES; v += LANES)
            NAME(normalize)(scores + v, count, peak + v, shrink + v, total + v);
        for (size_t v = 0; v < vectors; v += VECTORS) {
            size_t some = vectors - v < VECTORS ? vectors - v : VECTORS, lane = v * LANES;
            for (size_t i = 0; i < width; i += ROWS)
                NAME(products)(
                    values + start / FACTORS * width + i, width, scores + lane, sums + i * TOGETHER + lane, ELEMENTS(count),
                    width - i < ROWS ? width - i : ROWS, some, start > 0 ? shrink + lane : NULL, NULL);
        }
    }
    for (size_t first = 0; first < rows; first += LANES) {
        V share = 1 / NAME(load)(total + first);
        for (size_t i = 0; i < width; i += LANES) {
            V square[LANES];
            UNROLLED for (size_t e = 0; e < LANES; e++)
                square[e] = i + e < width ? NAME(load)(sums + (i + e) * TOGETHER + first) * share : (V){0};
            NAME(transpose)(square);
            UNROLLED for (size_t r = 0; r < LANES; r++)
                if (first + r < rows) NAME(store_some)(out + (first + r) * stride + i, square[r], width - i);
        }
    }
}

#undef E
#undef ELEMENTS
#undef FACTORS
#undef UPPER
#undef LOWER
#undef FOUR
#undef EVERY
#undef EXCHANGE
#undef PRODUCT
#undef PRODUCTS
#undef UNROLLED
#undef INNER
#undef V
