// PNG by libpng 1.6. Standard: https://www.w3.org/TR/png-3/
#include <png.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "lazy_libraries.h"

#define PNG_FUNCTIONS(X)                                                                                             \
    X(png_create_read_struct) X(png_create_write_struct) X(png_create_info_struct) X(png_destroy_read_struct)        \
    X(png_destroy_write_struct) X(png_get_error_ptr) X(png_get_io_ptr) X(png_set_read_fn) X(png_set_write_fn)        \
    X(png_set_user_limits) X(png_set_crc_action) X(png_read_info) X(png_get_IHDR) X(png_get_valid) X(png_set_expand) \
    X(png_set_swap) X(png_set_interlace_handling) X(png_read_update_info) X(png_get_rowbytes) X(png_get_channels)    \
    X(png_read_row) X(png_read_end) X(png_get_text) X(png_get_iCCP) X(png_get_eXIf_1) X(png_get_pHYs)                \
    X(png_set_IHDR) X(png_set_text) X(png_set_iCCP) X(png_set_eXIf_1) X(png_set_pHYs) X(png_set_compression_level)   \
    X(png_set_benign_errors) X(png_write_info) X(png_write_row) X(png_write_end)
LAZY_DECLARE(PNG_FUNCTIONS)

static const char *const names[] = {"libpng16.so.16", "libpng16.so", "libpng16.16.dylib", "libpng16.dylib",
                                    "/opt/homebrew/lib/libpng16.dylib", "/usr/local/lib/libpng16.dylib", NULL};
static const lazy_symbol symbols[] = {LAZY_TABLE(PNG_FUNCTIONS){0}};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_library(void) { missing = lazy_open(names, symbols, missing_text, sizeof missing_text); }

int codec_png_available(codec_failure *failure) {
    pthread_once(&opened, open_library);
    return missing ? codec_fail(failure, CODEC_LIBRARY_MISSING, "%s", missing_text) : 0;
}

struct codec_png {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count, offset;
    int cut_short;
    uint32_t height;
    codec_failure *failure;
    jmp_buf trap;
};

static void on_read_error(png_structp png, png_const_charp message) {
    codec_png *self = lazy_png_get_error_ptr(png);
    codec_fail(self->failure, self->cut_short ? CODEC_TRUNCATED : CODEC_DAMAGED, "%s", message);
    longjmp(self->trap, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    codec_png *self = lazy_png_get_io_ptr(png);
    if (count > self->count - self->offset) {
        self->cut_short = 1;
        on_read_error(png, "the file ends early");
    }
    memcpy(out, self->bytes + self->offset, count);
    self->offset += count;
}

codec_png *codec_png_open(const uint8_t *bytes, size_t count, codec_header *header, codec_failure *failure) {
    if (codec_png_available(failure)) return NULL;
    codec_png *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    self->bytes = bytes;
    self->count = count;
    self->failure = failure;
    if (setjmp(self->trap)) {
        codec_png_close(self);
        return NULL;
    }
    self->png = lazy_png_create_read_struct(PNG_LIBPNG_VER_STRING, self, on_read_error, on_warning);
    if (self->png) self->info = lazy_png_create_info_struct(self->png);
    if (!self->info) {
        codec_fail(failure, CODEC_LIBRARY_MISSING, "libpng is not a version that can be used");
        codec_png_close(self);
        return NULL;
    }
    lazy_png_set_read_fn(self->png, self, read_bytes);
    // The caller has limits of its own, with better words.
    lazy_png_set_user_limits(self->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    lazy_png_set_crc_action(self->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    lazy_png_read_info(self->png, self->info);

    int depth, colour, interlace;
    uint32_t width, height;
    lazy_png_get_IHDR(self->png, self->info, &width, &height, &depth, &colour, &interlace, NULL, NULL);
    int bits_a_pixel = depth * lazy_png_get_channels(self->png, self->info);
    // Deflate cannot shrink by more than 1032 to 1. The product has 31 + 31 + 6 bits, so it is formed in floats.
    double smallest = (double)width * height * bits_a_pixel / 8 / 1040;
    *header = (codec_header){.width = width, .height = height, .orientation = 1, .smallest_file = (uint64_t)smallest};

    lazy_png_set_expand(self->png);
    if (depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) lazy_png_set_swap(self->png);
    header->depth = depth == 16 ? 16 : 8;
    int coloured = (colour & PNG_COLOR_MASK_COLOR) != 0;
    int alpha = (colour & PNG_COLOR_MASK_ALPHA) || lazy_png_get_valid(self->png, self->info, PNG_INFO_tRNS);
    header->channels = (coloured ? 3 : 1) + (alpha ? 1 : 0);
    self->height = height;

    uint32_t across, down;
    int unit;
    if (lazy_png_get_pHYs(self->png, self->info, &across, &down, &unit) && unit == PNG_RESOLUTION_METER) {
        header->horizontal_resolution = across;
        header->vertical_resolution = down;
    }
    return self;
}

int codec_png_decode(codec_png *self, void *samples, codec_failure *failure) {
    self->failure = failure;
    if (setjmp(self->trap)) return -1;
    int passes = lazy_png_set_interlace_handling(self->png);
    lazy_png_read_update_info(self->png, self->info);
    size_t stride = lazy_png_get_rowbytes(self->png, self->info);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < self->height; y++)
            lazy_png_read_row(self->png, (png_bytep)samples + y * stride, NULL);
    // The end holds later texts, and its absence tells of a file cut short.
    lazy_png_read_end(self->png, self->info);
    return 0;
}

codec_span codec_png_profile(codec_png *self) {
    png_charp name;
    png_bytep bytes;
    int compression;
    uint32_t count;
    if (!lazy_png_get_iCCP(self->png, self->info, &name, &compression, &bytes, &count)) return (codec_span){0};
    return (codec_span){bytes, count};
}

codec_span codec_png_exif(codec_png *self) {
    png_bytep bytes;
    uint32_t count;
    if (!lazy_png_get_eXIf_1(self->png, self->info, &count, &bytes)) return (codec_span){0};
    return (codec_span){bytes, count};
}

size_t codec_png_text_count(codec_png *self) {
    png_textp texts;
    int count = 0;
    lazy_png_get_text(self->png, self->info, &texts, &count);
    return count > 0 ? (size_t)count : 0;
}

int codec_png_text_at(codec_png *self, size_t index, const char **keyword, codec_span *text, codec_text_kind *kind) {
    png_textp texts;
    int count = 0;
    lazy_png_get_text(self->png, self->info, &texts, &count);
    if (count < 0 || index >= (size_t)count) return -1;
    int international = texts[index].compression >= PNG_ITXT_COMPRESSION_NONE;
    *keyword = texts[index].key;
    text->bytes = (const uint8_t *)texts[index].text;
    text->count = international ? texts[index].itxt_length : texts[index].text_length;
    *kind = international ? CODEC_TEXT_UTF8 : CODEC_TEXT_LATIN1;
    return 0;
}

void codec_png_close(codec_png *self) {
    if (!self) return;
    if (self->png) lazy_png_destroy_read_struct(&self->png, &self->info, NULL);
    free(self);
}

typedef struct {
    png_structp png;
    png_infop info;
    codec_buffer *out;
    codec_failure *failure;
    png_text *texts;
    jmp_buf trap;
} png_writer;

static void on_write_error(png_structp png, png_const_charp message) {
    png_writer *self = lazy_png_get_error_ptr(png);
    codec_fail(self->failure, CODEC_DAMAGED, "%s", message);
    longjmp(self->trap, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    png_writer *self = lazy_png_get_io_ptr(png);
    if (codec_buffer_write(self->out, self->out->count, bytes, count)) {
        codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        longjmp(self->trap, 1);
    }
}

static void flush(png_structp png) { (void)png; }

static void set_texts(png_writer *self, const codec_extras *extras) {
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

static void write_picture(
    png_writer *self, const codec_header *header, const void *samples, const codec_extras *extras, int level) {
    static const int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                  PNG_COLOR_TYPE_RGB_ALPHA};
    lazy_png_set_write_fn(self->png, self, write_bytes, flush);
    lazy_png_set_user_limits(self->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // A profile that libpng dislikes must not stop the picture from being written.
    lazy_png_set_benign_errors(self->png, 1);
    lazy_png_set_compression_level(self->png, level);
    lazy_png_set_IHDR(
        self->png, self->info, header->width, header->height, (int)header->depth, colours[header->channels - 1],
        PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (header->horizontal_resolution > 0 && header->vertical_resolution > 0)
        lazy_png_set_pHYs(
            self->png, self->info, (uint32_t)(header->horizontal_resolution + 0.5),
            (uint32_t)(header->vertical_resolution + 0.5), PNG_RESOLUTION_METER);
    if (extras->profile.count)
        lazy_png_set_iCCP(
            self->png, self->info, "ICC profile", PNG_COMPRESSION_TYPE_BASE, extras->profile.bytes,
            (uint32_t)extras->profile.count);
    if (extras->exif.count)
        lazy_png_set_eXIf_1(self->png, self->info, (uint32_t)extras->exif.count, (png_bytep)extras->exif.bytes);
    set_texts(self, extras);
    lazy_png_write_info(self->png, self->info);
    if (header->depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) lazy_png_set_swap(self->png);
    size_t stride = (size_t)header->width * header->channels * (header->depth / 8);
    for (uint32_t y = 0; y < header->height; y++)
        lazy_png_write_row(self->png, (png_const_bytep)samples + y * stride);
    lazy_png_write_end(self->png, self->info);
}

int codec_png_encode(
    const codec_header *header, const void *samples, const codec_extras *extras, int level, codec_buffer *out,
    codec_failure *failure) {
    if (codec_png_available(failure)) return -1;
    png_writer self = {.out = out, .failure = failure};
    png_writer *volatile writer = &self;
    int result = -1;
    if (setjmp(self.trap) == 0) {
        self.png = lazy_png_create_write_struct(PNG_LIBPNG_VER_STRING, &self, on_write_error, on_warning);
        if (self.png) self.info = lazy_png_create_info_struct(self.png);
        if (self.info) {
            write_picture(&self, header, samples, extras, level);
            // Reached only when nothing jumped.
            free(self.texts);
            lazy_png_destroy_write_struct(&self.png, &self.info);
            return 0;
        }
        codec_fail(failure, CODEC_LIBRARY_MISSING, "libpng is not a version that can be used");
    }
    free(writer->texts);
    if (writer->png) lazy_png_destroy_write_struct(&writer->png, &writer->info);
    return result;
}
