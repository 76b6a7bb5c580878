// Writing PNG: libpng writes what stands before the samples. Those are filtered and deflated here, a block on each thread,
// each block with the 32 KiB before it as its dictionary, so that the joined blocks are one stream.
//
// Source: RFC 1950 and 1951; the way of joining is pigz's (M. Adler).
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "png_library.h"
#include "threads.h"

/// Filtered bytes of a block are at least as many, and those before it that it may repeat.
enum { BLOCK = 1 << 18, WINDOW = 1 << 15 };

/// One block on its way through a thread.
typedef struct {
    const uint8_t *bytes;
    size_t before, count;
    uint8_t *out;
    size_t out_count;
    uint32_t adler;
    int is_last, failed;
} block;

struct codec_png_writer {
    png_structp png;
    png_infop info;
    codec_sink sink;
    uint64_t place;
    png_text *texts;
    /// A profile on its way into the file.
    uint8_t *packed;
    int level, threads, is_swapped;
    size_t stride, pixel_bytes;
    /// Rows that still have to come.
    uint32_t rows_left;
    /// Rows as the file has them, behind the one before them.
    uint8_t *rows;
    /// Filtered rows that are not compressed yet, behind as much of what lies before them as a block can repeat.
    uint8_t *filtered;
    size_t before, count;
    uint32_t adler;
    int begun;
    codec_failure *failure;
    jmp_buf trap;
};

static void on_write_error(png_structp png, png_const_charp message) {
    codec_png_writer *self = lazy_png_get_error_ptr(png);
    codec_fail(self->failure, CODEC_DAMAGED, "%s", message);
    longjmp(self->trap, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    codec_png_writer *self = lazy_png_get_io_ptr(png);
    if (codec_sink_write(&self->sink, self->place, bytes, count, self->failure)) longjmp(self->trap, 1);
    self->place += count;
}

static void flush(png_structp png) { (void)png; }

static void set_texts(codec_png_writer *self, const codec_extras *extras) {
    if (!extras->text_count) return;
    self->texts = calloc(extras->text_count, sizeof *self->texts);
    if (!self->texts) {
        codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        longjmp(self->trap, 1);
    }
    for (size_t index = 0; index < extras->text_count; index++) {
        const codec_text *text = &extras->texts[index];
        png_text *target = &self->texts[index];
        target->compression = text->kind == CODEC_TEXT_LATIN1 ? PNG_TEXT_COMPRESSION_NONE
                              : text->kind == CODEC_TEXT_UTF8 ? PNG_ITXT_COMPRESSION_NONE
                                                              : PNG_ITXT_COMPRESSION_zTXt;
        target->key = (png_charp)text->keyword;
        target->text = (png_charp)text->text;
        target->lang = "";
        target->lang_key = "";
    }
    lazy_png_set_text(self->png, self->info, self->texts, (int)extras->text_count);
}

/// Writes a profile packed by our own hand: libpng would drop those that it dislikes.
static void write_profile(codec_png_writer *self, codec_span profile) {
    static const char name[] = "ICC profile";
    uLong room = lazy_compressBound((uLong)profile.count);
    uint8_t *bytes = malloc(sizeof name + 1 + room);
    if (!bytes) {
        codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        longjmp(self->trap, 1);
    }
    memcpy(bytes, name, sizeof name);
    bytes[sizeof name] = PNG_COMPRESSION_TYPE_BASE;
    if (lazy_compress2(bytes + sizeof name + 1, &room, profile.bytes, (uLong)profile.count, 9) == Z_OK) {
        // Freed by whoever catches what goes wrong meanwhile.
        self->packed = bytes;
        lazy_png_write_chunk(self->png, (png_const_bytep) "iCCP", bytes, sizeof name + 1 + room);
    }
    self->packed = NULL;
    free(bytes);
}

static void write_header(codec_png_writer *self, const codec_header *header, const codec_extras *extras) {
    static const int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                  PNG_COLOR_TYPE_RGB_ALPHA};
    lazy_png_set_write_fn(self->png, self, write_bytes, flush);
    lazy_png_set_user_limits(self->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // A text that libpng dislikes must not stop the picture from being written.
    lazy_png_set_benign_errors(self->png, 1);
    lazy_png_set_compression_level(self->png, self->level);
    lazy_png_set_IHDR(
        self->png, self->info, header->width, header->height, (int)header->depth, colours[header->channels - 1],
        PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (header->horizontal_resolution > 0 && header->vertical_resolution > 0
        && header->horizontal_resolution < PNG_UINT_31_MAX && header->vertical_resolution < PNG_UINT_31_MAX)
        lazy_png_set_pHYs(
            self->png, self->info, (uint32_t)(header->horizontal_resolution + 0.5),
            (uint32_t)(header->vertical_resolution + 0.5), PNG_RESOLUTION_METER);
    if (extras->exif.count)
        lazy_png_set_eXIf_1(self->png, self->info, (uint32_t)extras->exif.count, (png_bytep)extras->exif.bytes);
    set_texts(self, extras);
    lazy_png_write_info_before_PLTE(self->png, self->info);
    for (size_t i = 0; i < extras->chunk_count; i++)
        lazy_png_write_chunk(
            self->png, (png_const_bytep)extras->chunks[i].name, extras->chunks[i].body.bytes,
            extras->chunks[i].body.count);
    if (extras->profile.count) write_profile(self, extras->profile);
    lazy_png_write_info(self->png, self->info);
}

/// Room for so many rows at once: a few blocks for every thread.
static size_t rows_at_once(const codec_png_writer *self) {
    size_t bytes = (size_t)BLOCK * 4 * (size_t)self->threads;
    return bytes / self->stride + 1;
}

static size_t rows_in_block(const codec_png_writer *self) { return BLOCK / (self->stride + 1) + 1; }

codec_png_writer *codec_png_create(
    const codec_header *header, const codec_extras *extras, int level, int threads, codec_sink sink,
    codec_failure *failure) {
    if (codec_png_available(failure)) return NULL;
    codec_png_writer *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    self->sink = sink;
    self->failure = failure;
    self->level = level < 0 ? 0 : level > 9 ? 9 : level;
    self->threads = threads < 1 ? 1 : threads;
    self->is_swapped = header->depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    self->pixel_bytes = (size_t)header->channels * (header->depth / 8);
    self->stride = header->width * self->pixel_bytes;
    self->rows_left = header->height;
    self->adler = 1;
    if (setjmp(self->trap)) {
        codec_png_discard(self);
        return NULL;
    }
    self->rows = calloc(rows_at_once(self) + 1, self->stride);
    self->filtered = malloc(WINDOW + (rows_at_once(self) + rows_in_block(self)) * (self->stride + 1));
    if (!self->rows || !self->filtered) {
        codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        longjmp(self->trap, 1);
    }
    self->png = lazy_png_create_write_struct(PNG_LIBPNG_VER_STRING, self, on_write_error, on_warning);
    if (self->png) self->info = lazy_png_create_info_struct(self->png);
    if (!self->info) {
        codec_fail(failure, CODEC_LIBRARY_MISSING, "libpng is not a version that can be used");
        longjmp(self->trap, 1);
    }
    write_header(self, header, extras);
    return self;
}

/// One row through one of the five filters. `pixel` is how many bytes before lies the same channel.
///
/// Source: PNG, section 9.2.
static void filter_row(int kind, const uint8_t *row, const uint8_t *above, size_t count, size_t pixel, uint8_t *out) {
    switch (kind) {
    case 1:
        for (size_t i = 0; i < pixel; i++) out[i] = row[i];
        for (size_t i = pixel; i < count; i++) out[i] = (uint8_t)(row[i] - row[i - pixel]);
        break;
    case 2:
        for (size_t i = 0; i < count; i++) out[i] = (uint8_t)(row[i] - above[i]);
        break;
    case 3:
        for (size_t i = 0; i < pixel; i++) out[i] = (uint8_t)(row[i] - above[i] / 2);
        for (size_t i = pixel; i < count; i++) out[i] = (uint8_t)(row[i] - (row[i - pixel] + above[i]) / 2);
        break;
    case 4:
        for (size_t i = 0; i < pixel; i++) out[i] = (uint8_t)(row[i] - above[i]);
        for (size_t i = pixel; i < count; i++) {
            int16_t a = row[i - pixel], b = above[i], c = above[i - pixel];
            int16_t pa = (int16_t)(b - c), pb = (int16_t)(a - c), pc = (int16_t)(pa + pb);
            pa = pa < 0 ? -pa : pa;
            pb = pb < 0 ? -pb : pb;
            pc = pc < 0 ? -pc : pc;
            int16_t near = pb <= pc ? b : c, least = pb <= pc ? pb : pc;
            near = pa <= least ? a : near;
            out[i] = (uint8_t)(row[i] - near);
        }
        break;
    default: memcpy(out, row, count);
    }
}

/// How far the bytes lie from zero, taken as signed: small where they compress well.
static uint64_t distance(const uint8_t *bytes, size_t count) {
    uint64_t sum = 0;
    for (size_t start = 0; start < count; start += 1 << 16) {
        size_t end = count - start < 1 << 16 ? count : start + (1 << 16);
        uint32_t part = 0;
        for (size_t i = start; i < end; i++) {
            int8_t value = (int8_t)bytes[i];
            part += (uint32_t)(value < 0 ? -value : value);
        }
        sum += part;
    }
    return sum;
}

typedef struct {
    const codec_png_writer *writer;
    uint8_t *scratch, *out;
    block *blocks;
} work;

/// Writes one row's filter and filtered bytes: those of the filter that leaves the smallest sum.
static void choose_filter(void *context, size_t index, size_t worker) {
    const work *work = context;
    const codec_png_writer *self = work->writer;
    size_t stride = self->stride;
    const uint8_t *row = self->rows + (index + 1) * stride, *above = row - stride;
    uint8_t *out = work->out + index * (stride + 1), *scratch = work->scratch + worker * stride;
    uint64_t least = UINT64_MAX;
    // The chosen one is made anew at the end unless it was the last that was tried.
    int best = 0, made = -1;
    for (int kind = self->level == 0 ? 5 : 0; kind < 5; kind++) {
        filter_row(kind, row, above, stride, self->pixel_bytes, scratch);
        uint64_t sum = distance(scratch, stride);
        made = kind;
        if (sum < least) least = sum, best = kind;
    }
    out[0] = (uint8_t)best;
    if (made == best) memcpy(out + 1, scratch, stride);
    else filter_row(best, row, above, stride, self->pixel_bytes, out + 1);
}

static void deflate_block(void *context, size_t index, size_t worker) {
    (void)worker;
    const work *work = context;
    block *block = &work->blocks[index];
    z_stream stream = {0};
    block->failed = 1;
    int strategy = Z_FILTERED;
    if (lazy_deflateInit2_(
            &stream, work->writer->level, Z_DEFLATED, -15, 9, strategy, ZLIB_VERSION, (int)sizeof stream))
        return;
    if (block->before)
        lazy_deflateSetDictionary(&stream, block->bytes - block->before, (unsigned)block->before);
    size_t room = lazy_deflateBound(&stream, block->count) + 16;
    block->out = malloc(room);
    if (block->out) {
        stream.next_in = (Bytef *)block->bytes;
        stream.avail_in = (unsigned)block->count;
        stream.next_out = block->out;
        stream.avail_out = (unsigned)room;
        int code = lazy_deflate(&stream, block->is_last ? Z_FINISH : Z_SYNC_FLUSH);
        block->failed = block->is_last ? code != Z_STREAM_END : code != Z_OK || stream.avail_in;
        block->out_count = room - stream.avail_out;
    }
    lazy_deflateEnd(&stream);
    block->adler = (uint32_t)lazy_adler32(1, block->bytes, (unsigned)block->count);
}

/// Writes `bytes` as data chunks, the first with the stream's head before it, the last with its checksum behind it.
static void write_block(codec_png_writer *self, block *block) {
    static const uint8_t heads[] = {0x01, 0x01, 0x5e, 0x5e, 0x5e, 0x5e, 0x9c, 0xda, 0xda, 0xda};
    size_t head = self->begun ? 0 : 2, tail = block->is_last ? 4 : 0;
    uint8_t *bytes = realloc(block->out, head + block->out_count + tail);
    if (!bytes) {
        codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        longjmp(self->trap, 1);
    }
    block->out = bytes;
    if (head) {
        memmove(bytes + head, bytes, block->out_count);
        bytes[0] = 0x78;
        bytes[1] = heads[self->level];
        self->begun = 1;
    }
    self->adler = (uint32_t)lazy_adler32_combine(self->adler, block->adler, (z_off_t)block->count);
    for (size_t i = 0; i < tail; i++) bytes[head + block->out_count + i] = (uint8_t)(self->adler >> (24 - 8 * i));
    lazy_png_write_chunk(self->png, (png_const_bytep) "IDAT", bytes, head + block->out_count + tail);
}

/// Compresses and writes the whole blocks among the filtered rows; all of them once the last row is there.
static void write_blocks(codec_png_writer *self, work *work) {
    size_t size = rows_in_block(self) * (self->stride + 1);
    size_t blocks = self->rows_left ? self->count / size : (self->count + size - 1) / size;
    if (!blocks) return;
    work->blocks = calloc(blocks, sizeof *work->blocks);
    if (!work->blocks) {
        codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        longjmp(self->trap, 1);
    }
    for (size_t index = 0; index < blocks; index++) {
        block *block = &work->blocks[index];
        size_t place = index * size, before = self->before + place;
        block->bytes = self->filtered + WINDOW + place;
        block->before = before < WINDOW ? before : WINDOW;
        block->count = self->count - place < size ? self->count - place : size;
        block->is_last = !self->rows_left && index == blocks - 1;
    }
    threads_for(blocks, (size_t)self->threads, deflate_block, work);
    // What jumps must not leave the blocks behind.
    jmp_buf outer;
    memcpy(&outer, &self->trap, sizeof outer);
    volatile size_t written = 0;
    int jumped = setjmp(self->trap);
    if (!jumped)
        for (; written < blocks; written++) {
            if (work->blocks[written].failed) {
                codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
                longjmp(self->trap, 1);
            }
            write_block(self, &work->blocks[written]);
        }
    memcpy(&self->trap, &outer, sizeof outer);
    for (size_t index = 0; index < blocks; index++) free(work->blocks[index].out);
    free(work->blocks);
    if (jumped) longjmp(self->trap, 1);

    size_t done = blocks * size < self->count ? blocks * size : self->count, before = self->before + done;
    self->before = before < WINDOW ? before : WINDOW;
    memmove(
        self->filtered + WINDOW - self->before, self->filtered + WINDOW + done - self->before,
        self->before + self->count - done);
    self->count -= done;
}

int codec_png_write(codec_png_writer *self, uint32_t count, const void *samples, codec_failure *failure) {
    self->failure = failure;
    if (count > self->rows_left) return codec_fail(failure, CODEC_DAMAGED, "it has more rows than it was to have");
    uint8_t *volatile scratch = malloc(self->stride * (size_t)self->threads);
    if (!scratch) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    if (setjmp(self->trap)) {
        free(scratch);
        return -1;
    }
    size_t most = rows_at_once(self), stride = self->stride;
    for (uint32_t y = 0; y < count;) {
        size_t rows = count - y < most ? count - y : most;
        const uint8_t *source = (const uint8_t *)samples + y * stride;
        uint8_t *target = self->rows + stride;
        if (self->is_swapped)
            for (size_t i = 0; i < rows * stride; i += 2) target[i] = source[i + 1], target[i + 1] = source[i];
        else memcpy(target, source, rows * stride);
        work work = {.writer = self, .scratch = scratch, .out = self->filtered + WINDOW + self->count};
        threads_for(rows, (size_t)self->threads, choose_filter, &work);
        memcpy(self->rows, self->rows + rows * stride, stride);
        self->count += rows * (stride + 1);
        self->rows_left -= (uint32_t)rows;
        y += (uint32_t)rows;
        write_blocks(self, &work);
    }
    free(scratch);
    return 0;
}

int codec_png_finish(codec_png_writer *self, codec_failure *failure) {
    self->failure = failure;
    if (setjmp(self->trap)) return -1;
    if (self->rows_left) return codec_fail(failure, CODEC_DAMAGED, "it lacks %u rows", self->rows_left);
    lazy_png_write_chunk(self->png, (png_const_bytep) "IEND", NULL, 0);
    return 0;
}

void codec_png_discard(codec_png_writer *self) {
    if (!self) return;
    if (self->png) lazy_png_destroy_write_struct(&self->png, &self->info);
    free(self->texts);
    free(self->packed);
    free(self->rows);
    free(self->filtered);
    free(self);
}
