// The body of winograd.c, compiled once for each width of vectors.
//
// LANES: floats of a vector · MOST: vectors of results that a group has at most · NAME(x): x with a suffix ·
// TARGET: the attribute that allows the instructions.

#define PLACE(vectors) place_floats(vectors, LANES)
#define INNER TARGET static inline __attribute__((always_inline))

typedef float NAME(vector) __attribute__((vector_size(LANES * 4)));
typedef _Float16 NAME(half_vector) __attribute__((vector_size(LANES * 2), aligned(2)));
typedef uint16_t NAME(word_vector) __attribute__((vector_size(LANES * 2), aligned(2)));
typedef uint32_t NAME(bits_vector) __attribute__((vector_size(LANES * 4)));
#define V NAME(vector)

INNER V NAME(load)(const float *from) { return *(const V *)from; }
INNER void NAME(store)(float *to, V value) { *(V *)to = value; }

/// Bᵀ·d: six pixels of a row to their six places.
INNER void NAME(pixels_1d)(const V d[6], V t[6]) {
    V even_a = d[4] - B2 * d[2], odd_a = A * (d[3] - B2 * d[1]);
    V even_b = d[4] - A2 * d[2], odd_b = B * (d[3] - A2 * d[1]);
    t[0] = (A2 * B2) * d[0] - (A2 + B2) * d[2] + d[4];
    t[1] = even_a + odd_a;
    t[2] = even_a - odd_a;
    t[3] = even_b + odd_b;
    t[4] = even_b - odd_b;
    t[5] = (A2 * B2) * d[1] - (A2 + B2) * d[3] + d[5];
}

/// G·g: three weights of a row to their six places.
INNER void NAME(weights_1d)(const V g[3], V u[6]) {
    V even_a = GA * g[0] + (GA * A2) * g[2], odd_a = (GA * A) * g[1];
    V even_b = GB * g[0] + (GB * B2) * g[2], odd_b = (GB * B) * g[1];
    u[0] = G0 * g[0];
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
}

/// Aᵀ·m: six places back to four results of a row.
INNER void NAME(results_1d)(const V m[6], V y[4]) {
    V even_a = m[1] + m[2], odd_a = m[1] - m[2];
    V even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = A * odd_a + B * odd_b;
    y[2] = A2 * even_a + B2 * even_b;
    y[3] = (A2 * A) * odd_a + (B2 * B) * odd_b + m[5];
}

/// Six rows of six pixels, `row` and `column` floats apart, to 36 places that are `place` floats apart.
INNER void NAME(transform_tile)(const float *source, size_t row, size_t column, float *out, size_t place) {
    V middle[6][6];
    for (int x = 0; x < 6; x++) {
        V d[6], t[6];
        for (int y = 0; y < 6; y++) d[y] = NAME(load)(source + y * row + x * column);
        NAME(pixels_1d)(d, t);
        for (int y = 0; y < 6; y++) middle[y][x] = t[y];
    }
    for (int y = 0; y < 6; y++) {
        V t[6];
        NAME(pixels_1d)(middle[y], t);
        for (int x = 0; x < 6; x++) NAME(store)(out + (y * 6 + x) * place, t[x]);
    }
}

TARGET static void NAME(transform)(const winograd_shape *s, const float *source, size_t first, size_t tiles, size_t block, float *pixels) {
    size_t across = (s->out_width + 3) / 4, down = (s->out_height + 3) / 4;
    size_t place = PLACE(s->in_blocks * tiles);
    float *out = pixels + block * tiles * LANES;
    for (size_t i = 0; i < tiles; i++, out += LANES) {
        size_t tile = first + i, item = tile / (across * down);
        ptrdiff_t top = (ptrdiff_t)(tile / across % down * 4) - (ptrdiff_t)s->pad_top;
        ptrdiff_t left = (ptrdiff_t)(tile % across * 4) - (ptrdiff_t)s->pad_left;
        const float *plane = source + (item * s->in_blocks + block) * s->height * s->width * LANES;
        if (top >= 0 && left >= 0 && top + 6 <= (ptrdiff_t)s->height && left + 6 <= (ptrdiff_t)s->width) {
            NAME(transform_tile)(plane + ((size_t)top * s->width + (size_t)left) * LANES, s->width * LANES, LANES, out, place);
            continue;
        }
        float window[36 * LANES] __attribute__((aligned(64)));
        memset(window, 0, sizeof window);
        for (ptrdiff_t y = top < 0 ? -top : 0; y < 6 && top + y < (ptrdiff_t)s->height; y++)
            for (ptrdiff_t x = left < 0 ? -left : 0; x < 6 && left + x < (ptrdiff_t)s->width; x++)
                memcpy(window + (y * 6 + x) * LANES, plane + ((size_t)(top + y) * s->width + (size_t)(left + x)) * LANES, LANES * sizeof *window);
        NAME(transform_tile)(window, 6 * LANES, LANES, out, place);
    }
}

INNER V NAME(load_weight)(const void *packed, size_t index, winograd_format format) {
    switch (format) {
    case winograd_float16: return __builtin_convertvector(*(const NAME(half_vector) *)((const uint16_t *)packed + index), V);
    case winograd_bfloat16: return (V)(__builtin_convertvector(*(const NAME(word_vector) *)((const uint16_t *)packed + index), NAME(bits_vector)) << 16);
    default: return NAME(load)((const float *)packed + index);
    }
}

/// Weights of `channels` input channels × `vectors` blocks, 9 each, to [36, channels, vectors].
INNER void NAME(transform_weights)(const void *packed, size_t from, size_t channels, size_t vectors, winograd_format format, float *out) {
    size_t place = PLACE(channels * vectors);
    for (size_t i = 0; i < channels * vectors; i++) {
        size_t at = from + (i / vectors * 9 * vectors + i % vectors) * LANES;
        V middle[6][3];
        for (size_t x = 0; x < 3; x++) {
            V g[3], u[6];
            for (size_t y = 0; y < 3; y++) g[y] = NAME(load_weight)(packed, at + (y * 3 + x) * vectors * LANES, format);
            NAME(weights_1d)(g, u);
            for (int y = 0; y < 6; y++) middle[y][x] = u[y];
        }
        for (size_t y = 0; y < 6; y++) {
            V u[6];
            NAME(weights_1d)(middle[y], u);
            for (size_t x = 0; x < 6; x++) NAME(store)(out + (y * 6 + x) * place + i * LANES, u[x]);
        }
    }
}

/// sums[rows, vectors] (+)= pixels[rows, channels]·weights[channels, vectors], held in registers meanwhile.
///
/// Pixels lie in blocks of LANES channels, `block` floats apart.
INNER void NAME(product)(const float *pixels, size_t block, const float *weights, float *sums, size_t channels, int continues, int rows, int vectors) {
    V sum[ROWS][MOST];
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++)
        _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)
            sum[r][v] = (V){0};
    for (size_t c = 0; c < channels; c += LANES, pixels += block)
        for (size_t lane = 0; lane < LANES; lane++, weights += vectors * LANES) {
            V weight[MOST];
            _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) weight[v] = NAME(load)(weights + v * LANES);
            _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {
                float pixel = pixels[(size_t)r * LANES + lane];
                _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) sum[r][v] += pixel * weight[v];
            }
        }
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++)
        _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)
            NAME(store)(sums + (r * vectors + v) * LANES, continues ? NAME(load)(sums + (r * vectors + v) * LANES) + sum[r][v] : sum[r][v]);
}

INNER void NAME(products)(const float *pixels, size_t block, const float *weights, float *sums, size_t tiles, size_t channels, int continues, int vectors) {
    size_t t = 0;
    for (; t + ROWS <= tiles; t += ROWS)
        NAME(product)(pixels + t * LANES, block, weights, sums + t * vectors * LANES, channels, continues, ROWS, vectors);
    pixels += t * LANES;
    sums += t * vectors * LANES;
    switch (tiles - t) {
    case 5: NAME(product)(pixels, block, weights, sums, channels, continues, 5, vectors); break;
    case 4: NAME(product)(pixels, block, weights, sums, channels, continues, 4, vectors); break;
    case 3: NAME(product)(pixels, block, weights, sums, channels, continues, 3, vectors); break;
    case 2: NAME(product)(pixels, block, weights, sums, channels, continues, 2, vectors); break;
    case 1: NAME(product)(pixels, block, weights, sums, channels, continues, 1, vectors); break;
    }
}

/// The results of one tile and one block, from 36 places that are `place` floats apart.
INNER void NAME(results)(const winograd_shape *s, const float *sums, size_t place, const float *bias, size_t tile, size_t out_block, int accumulate, float *destination) {
    size_t across = (s->out_width + 3) / 4, down = (s->out_height + 3) / 4;
    size_t item = tile / (across * down), top = tile / across % down * 4, left = tile % across * 4;
    V offset = bias ? NAME(load)(bias + out_block * LANES) : (V){0};
    V middle[4][6];
    for (size_t x = 0; x < 6; x++) {
        V m[6], y[4];
        for (size_t i = 0; i < 6; i++) m[i] = NAME(load)(sums + (i * 6 + x) * place);
        NAME(results_1d)(m, y);
        for (int i = 0; i < 4; i++) middle[i][x] = y[i];
    }
    float *plane = destination + (item * s->out_blocks + out_block) * s->out_height * s->out_width * LANES;
    size_t rows = s->out_height - top < 4 ? s->out_height - top : 4;
    size_t columns = s->out_width - left < 4 ? s->out_width - left : 4;
    for (size_t i = 0; i < rows; i++) {
        V y[4];
        NAME(results_1d)(middle[i], y);
        float *out = plane + ((top + i) * s->out_width + left) * LANES;
        for (size_t x = 0; x < columns; x++, out += LANES) {
            V value = y[x] + offset;
            NAME(store)(out, accumulate ? NAME(load)(out) + value : value);
        }
    }
}

INNER void NAME(multiply_vectors)(const winograd_shape *s, const float *pixels, const void *packed, const float *bias, size_t first, size_t tiles, size_t first_block, int vectors, int accumulate, float *destination, float *scratch) {
    size_t inputs = s->in_blocks * LANES;
    size_t place = PLACE(tiles * (size_t)vectors);
    float *sums = scratch, *weights = scratch + 36 * place;
    for (size_t from = 0; from < inputs; from += CHUNK) {
        size_t channels = inputs - from < CHUNK ? inputs - from : CHUNK;
        size_t at = (first_block * inputs + from * (size_t)vectors) * 9 * LANES;
        switch (s->format) {
        case winograd_float16: NAME(transform_weights)(packed, at, channels, vectors, winograd_float16, weights); break;
        case winograd_bfloat16: NAME(transform_weights)(packed, at, channels, vectors, winograd_bfloat16, weights); break;
        default: NAME(transform_weights)(packed, at, channels, vectors, winograd_float32, weights);
        }
        for (size_t p = 0; p < 36; p++)
            NAME(products)(
                pixels + p * PLACE(s->in_blocks * tiles) + from / LANES * tiles * LANES, tiles * LANES, weights + p * PLACE(channels * vectors),
                sums + p * place, tiles, channels, from > 0, vectors);
    }
    for (size_t t = 0; t < tiles; t++)
        for (size_t v = 0; v < (size_t)vectors; v++)
            NAME(results)(s, sums + (t * vectors + v) * LANES, place, bias, first + t, first_block + v, accumulate, destination);
}

TARGET static void NAME(multiply)(const winograd_shape *s, const float *pixels, const void *packed, const float *bias, size_t first, size_t tiles, size_t first_block, size_t vectors, int accumulate, float *destination, float *scratch) {
    switch (vectors) {
#if MOST >= 4
    case 4: NAME(multiply_vectors)(s, pixels, packed, bias, first, tiles, first_block, 4, accumulate, destination, scratch); break;
    case 3: NAME(multiply_vectors)(s, pixels, packed, bias, first, tiles, first_block, 3, accumulate, destination, scratch); break;
#endif
    case 2: NAME(multiply_vectors)(s, pixels, packed, bias, first, tiles, first_block, 2, accumulate, destination, scratch); break;
    default: NAME(multiply_vectors)(s, pixels, packed, bias, first, tiles, first_block, 1, accumulate, destination, scratch);
    }
}

#undef V
#undef INNER
#undef PLACE
