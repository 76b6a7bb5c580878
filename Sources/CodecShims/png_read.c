// Reading PNG.
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "png_library.h"

/// Pieces of the file beyond this many stay where they are.
enum { MOST_PIECES = 1000 };

/// What may be said of colours: bytes of a profile, and of a chunk of numbers.
enum { MOST_PROFILE = 1 << 25, MOST_NUMBERS = 32 };

/// Bytes of all texts, unpacked. libpng has a limit for each, of which a small file can have a thousand.
enum { MOST_TEXT = 1 << 26 };

static const char colour_names[] = "cICPmDCVcLLIsRGBgAMAcHRM";

typedef struct {
    uint64_t start, end;
} piece;

struct codec_png {
    png_structp png;
    png_infop info;
    codec_source source;
    /// The file's pieces in the order in which they are read, and the place in the one that is being read.
    piece *pieces;
    size_t piece_count, piece_index;
    uint64_t place;
    /// What of the file is held ready.
    uint8_t buffer[1 << 16];
    uint64_t buffer_place;
    size_t buffer_count;
    int cut_short, started;
    /// Texts that were counted, and their bytes.
    int counted_texts;
    size_t text_bytes;
    /// Where the packed profile lies, and what it was unpacked to.
    piece packed;
    uint8_t *profile;
    size_t profile_count;
    /// Chunks of numbers, in the order of their names.
    struct {
        uint8_t bytes[MOST_NUMBERS];
        size_t count;
    } numbers[6];
    codec_failure *failure;
    jmp_buf trap;
};

static void on_read_error(png_structp png, png_const_charp message) {
    codec_png *self = lazy_png_get_error_ptr(png);
    codec_fail(self->failure, self->cut_short ? CODEC_TRUNCATED : CODEC_DAMAGED, "%s", message);
    longjmp(self->trap, 1);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

/// Copies what is there of `count` bytes from `place` on.
static size_t fetch(codec_png *self, uint64_t place, uint8_t *out, size_t count) {
    if (self->source.bytes || count >= sizeof self->buffer)
        return codec_source_read(&self->source, place, out, count, self->failure);
    if (place < self->buffer_place || place + count > self->buffer_place + self->buffer_count) {
        self->buffer_place = place;
        self->buffer_count =
            codec_source_read(&self->source, place, self->buffer, sizeof self->buffer, self->failure);
    }
    size_t ready = self->buffer_count - (size_t)(place - self->buffer_place);
    if (count > ready) count = ready;
    memcpy(out, self->buffer + (place - self->buffer_place), count);
    return count;
}

/// Counts the texts that have come.
static void count_texts(codec_png *self) {
    png_textp texts;
    int count = 0;
    lazy_png_get_text(self->png, self->info, &texts, &count);
    for (; self->counted_texts < count; self->counted_texts++) {
        png_textp text = &texts[self->counted_texts];
        self->text_bytes += text->compression >= PNG_ITXT_COMPRESSION_NONE ? text->itxt_length : text->text_length;
    }
    if (self->text_bytes <= MOST_TEXT) return;
    codec_fail(self->failure, CODEC_UNSUPPORTED, "its texts have more than %d bytes", MOST_TEXT);
    longjmp(self->trap, 1);
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    codec_png *self = lazy_png_get_io_ptr(png);
    count_texts(self);
    while (count) {
        if (self->piece_index < self->piece_count && self->place == self->pieces[self->piece_index].end) {
            self->piece_index++;
            if (self->piece_index < self->piece_count) self->place = self->pieces[self->piece_index].start;
            continue;
        }
        size_t got = 0;
        if (self->piece_index < self->piece_count) {
            uint64_t rest = self->pieces[self->piece_index].end - self->place;
            got = fetch(self, self->place, out, rest < count ? (size_t)rest : count);
        }
        if (!got) {
            self->cut_short = 1;
            on_read_error(png, "the file ends early");
        }
        self->place += got;
        out += got;
        count -= got;
    }
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int is_one_of(const uint8_t *name, const char *names) {
    for (; *names; names += 4)
        if (!memcmp(name, names, 4)) return 1;
    return 0;
}

/// Remembers what a chunk before the samples says of colours.
static void note_colour(codec_png *self, const uint8_t *name, uint64_t place, uint32_t count) {
    if (is_one_of(name, "iCCP") && !self->packed.end) self->packed = (piece){place, place + count};
    for (int i = 0; i < 6; i++) {
        if (memcmp(name, colour_names + i * 4, 4) || self->numbers[i].count || count > MOST_NUMBERS) continue;
        if (codec_source_read(&self->source, place, self->numbers[i].bytes, count, self->failure) == count)
            self->numbers[i].count = count;
    }
}

/// Unpacks the profile: a name, a zero, the way of packing, the packed bytes. libpng would drop profiles that it dislikes.
static void unpack_profile(codec_png *self) {
    uint64_t count = self->packed.end - self->packed.start;
    if (!self->packed.end || count > MOST_PROFILE) return;
    uint8_t *packed = malloc((size_t)count + 1), *room = malloc(1 << 16), *name_end;
    if (packed && room
        && codec_source_read(&self->source, self->packed.start, packed, (size_t)count, self->failure) == count
        && (name_end = memchr(packed, 0, count < 80 ? (size_t)count : 80)) && name_end + 2 < packed + count) {
        z_stream stream = {.next_in = name_end + 2, .avail_in = (unsigned)(packed + count - (name_end + 2))};
        size_t capacity = 1 << 16, made = 0;
        int code = lazy_inflateInit_(&stream, ZLIB_VERSION, (int)sizeof stream);
        if (code == Z_OK) {
            while (code == Z_OK && made <= MOST_PROFILE) {
                if (made == capacity) {
                    uint8_t *grown = realloc(room, capacity *= 2);
                    if (!grown) break;
                    room = grown;
                }
                stream.next_out = room + made;
                stream.avail_out = (unsigned)(capacity - made);
                code = lazy_inflate(&stream, Z_NO_FLUSH);
                made = capacity - stream.avail_out;
            }
            lazy_inflateEnd(&stream);
        }
        if (code == Z_STREAM_END && made <= MOST_PROFILE) {
            self->profile = room;
            self->profile_count = made;
            room = NULL;
        }
    }
    free(room);
    free(packed);
}

/// Puts texts and EXIF that stand behind the samples before them, so that all that is said of a picture is known when its
/// samples begin. Leaves a file alone that is damaged or has neither.
static int arrange(codec_png *self) {
    self->pieces = calloc(2 * MOST_PIECES + 2, sizeof *self->pieces);
    piece *moved = calloc(MOST_PIECES, sizeof *moved);
    if (!self->pieces || !moved) {
        free(moved);
        return codec_fail(self->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    }
    size_t moved_count = 0;
    uint64_t first = 0, readable = self->source.count;
    uint8_t head[8];
    for (uint64_t place = 8; place <= self->source.count;) {
        // Long chunks are stepped over without reading what lies between.
        int near = place + sizeof head <= self->buffer_place + self->buffer_count + 1024;
        size_t got = near ? fetch(self, place, head, sizeof head)
                          : codec_source_read(&self->source, place, head, sizeof head, self->failure);
        uint64_t end = place + 12 + big_endian(head);
        // libpng would make room for all that a chunk claims to have. Data it takes as they come.
        if (got == sizeof head && end > self->source.count && !is_one_of(head + 4, "IDAT")) readable = place;
        if (got < sizeof head || end > self->source.count || is_one_of(head + 4, "IEND")) break;
        if (!first && is_one_of(head + 4, "IDAT")) first = place;
        if (!first) note_colour(self, head + 4, place + 8, big_endian(head));
        if (first && is_one_of(head + 4, "tEXtzTXtiTXteXIf")) {
            if (moved_count && moved[moved_count - 1].end == place) moved[moved_count - 1].end = end;
            else if (moved_count < MOST_PIECES) moved[moved_count++] = (piece){place, end};
        }
        place = end;
    }
    if (moved_count) {
        self->pieces[self->piece_count++] = (piece){0, first};
        memcpy(self->pieces + 1, moved, moved_count * sizeof *moved);
        self->piece_count += moved_count;
    }
    uint64_t from = moved_count ? first : 0;
    for (size_t index = 0; index < moved_count; from = moved[index++].end)
        self->pieces[self->piece_count++] = (piece){from, moved[index].start};
    self->pieces[self->piece_count++] = (piece){from, readable};
    free(moved);
    unpack_profile(self);
    return self->failure->status == CODEC_OK ? 0 : -1;
}

codec_png *codec_png_open(const codec_source *source, codec_header *header, codec_failure *failure) {
    if (codec_png_available(failure)) return NULL;
    codec_png *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    self->source = *source;
    self->failure = failure;
    if (arrange(self)) {
        codec_png_close(self);
        return NULL;
    }
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
    *header = (codec_header){
        .width = width,
        .height = height,
        .orientation = 1,
        .smallest_file = (uint64_t)smallest,
        .passes = interlace == PNG_INTERLACE_NONE ? 1 : 7,
        .band_rows = 1};

    lazy_png_set_expand(self->png);
    if (depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) lazy_png_set_swap(self->png);
    header->depth = depth == 16 ? 16 : 8;
    int coloured = (colour & PNG_COLOR_MASK_COLOR) != 0;
    int alpha = (colour & PNG_COLOR_MASK_ALPHA) || lazy_png_get_valid(self->png, self->info, PNG_INFO_tRNS);
    header->channels = (coloured ? 3 : 1) + (alpha ? 1 : 0);

    uint32_t across, down;
    int unit;
    if (lazy_png_get_pHYs(self->png, self->info, &across, &down, &unit) && unit == PNG_RESOLUTION_METER) {
        header->horizontal_resolution = across;
        header->vertical_resolution = down;
    }
    return self;
}

int codec_png_rows(codec_png *self, uint32_t y, uint32_t count, void *samples, codec_failure *failure) {
    (void)y;
    self->failure = failure;
    if (setjmp(self->trap)) return -1;
    if (!self->started) {
        self->started = 1;
        lazy_png_set_interlace_handling(self->png);
        lazy_png_read_update_info(self->png, self->info);
    }
    size_t stride = lazy_png_get_rowbytes(self->png, self->info);
    for (uint32_t row = 0; row < count; row++)
        lazy_png_read_row(self->png, (png_bytep)samples + row * stride, NULL);
    return 0;
}

int codec_png_end(codec_png *self, codec_failure *failure) {
    self->failure = failure;
    if (setjmp(self->trap)) return -1;
    // The absence of an end tells of a file cut short.
    lazy_png_read_end(self->png, self->info);
    return 0;
}

codec_span codec_png_profile(codec_png *self) {
    static const uint8_t unreadable;
    if (!self->packed.end) return (codec_span){0};
    return self->profile ? (codec_span){self->profile, self->profile_count} : (codec_span){&unreadable, 0};
}

codec_span codec_png_chunk(codec_png *self, const char *name) {
    for (int i = 0; i < 6; i++)
        if (!memcmp(name, colour_names + i * 4, 4) && self->numbers[i].count)
            return (codec_span){self->numbers[i].bytes, self->numbers[i].count};
    return (codec_span){0};
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
    free(self->pieces);
    free(self->profile);
    free(self);
}
