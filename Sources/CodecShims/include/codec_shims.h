// What Swift cannot say about libpng, libjpeg and libtiff: setjmp error traps, variadic calls, structs that are macros.
//
// Each format has the same few functions. `open` reads the header only, so that the caller can refuse a picture before
// room for it is made; `decode` fills the caller's samples; `close` may be called at any time. Nothing is written to
// standard error. Functions that fail return NULL or −1 and fill a `codec_failure`.
#ifndef VELATURA_CODEC_SHIMS_H
#define VELATURA_CODEC_SHIMS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    CODEC_OK = 0,
    CODEC_LIBRARY_MISSING,
    CODEC_TRUNCATED,
    CODEC_DAMAGED,
    CODEC_UNSUPPORTED,
    CODEC_OUT_OF_MEMORY,
} codec_status;

typedef struct {
    codec_status status;
    /// What is wrong, in words that continue a sentence.
    char text[240];
} codec_failure;

/// A picture's shape. Samples are interleaved rows from top to bottom, 16-bit ones in the machine's byte order.
typedef struct {
    uint32_t width, height;
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha (never premultiplied).
    uint32_t channels;
    /// 8 or 16.
    uint32_t depth;
    /// 1…8 as in EXIF and TIFF; 1 where the format says nothing of it.
    uint32_t orientation;
    /// Pixels per metre, 0 where unknown.
    double horizontal_resolution, vertical_resolution;
    /// The fewest bytes that a file of this header can need, 0 where that cannot be told.
    uint64_t smallest_file;
} codec_header;

/// Bytes that belong to someone else; those of a reader live until it is closed.
typedef struct {
    const uint8_t *bytes;
    size_t count;
} codec_span;

/// Bytes that belong to the caller, to be given back with `codec_buffer_free`.
typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
} codec_buffer;

void codec_buffer_free(codec_buffer *buffer);

typedef enum { CODEC_TEXT_LATIN1, CODEC_TEXT_UTF8, CODEC_TEXT_UTF8_COMPRESSED } codec_text_kind;

typedef struct {
    const char *keyword, *text;
    codec_text_kind kind;
} codec_text;

/// Beside the samples: spans without bytes are left out of the file.
typedef struct {
    codec_span profile, exif, xmp;
    const codec_text *texts;
    size_t text_count;
} codec_extras;

/// 0 when the library can be used, else −1 with its name in the failure.
int codec_png_available(codec_failure *failure);
int codec_jpeg_available(codec_failure *failure);
int codec_tiff_available(codec_failure *failure);

typedef struct codec_png codec_png;
codec_png *codec_png_open(const uint8_t *bytes, size_t count, codec_header *header, codec_failure *failure);
int codec_png_decode(codec_png *reader, void *samples, codec_failure *failure);
codec_span codec_png_profile(codec_png *reader);
codec_span codec_png_exif(codec_png *reader);
/// Texts, known after decoding. `text_at` returns 0 and fills its results, or −1 when there is no such text.
size_t codec_png_text_count(codec_png *reader);
int codec_png_text_at(codec_png *reader, size_t index, const char **keyword, codec_span *text, codec_text_kind *kind);
void codec_png_close(codec_png *reader);
/// `level` is zlib's, 0…9.
int codec_png_encode(
    const codec_header *header, const void *samples, const codec_extras *extras, int level, codec_buffer *out,
    codec_failure *failure);

typedef struct codec_jpeg codec_jpeg;
codec_jpeg *codec_jpeg_open(const uint8_t *bytes, size_t count, codec_header *header, codec_failure *failure);
int codec_jpeg_decode(codec_jpeg *reader, void *samples, codec_failure *failure);
/// Until decoding: application marker `number` (1 EXIF and XMP, 2 ICC) at `index` among those, or an empty span.
codec_span codec_jpeg_marker(codec_jpeg *reader, int number, size_t index);
void codec_jpeg_close(codec_jpeg *reader);
/// Grey or RGB, 8 bits, colour at full resolution. `quality` is libjpeg's, 1…100. Texts are not written.
int codec_jpeg_encode(
    const codec_header *header, const void *samples, const codec_extras *extras, int quality, codec_buffer *out,
    codec_failure *failure);

typedef struct codec_tiff codec_tiff;
codec_tiff *codec_tiff_open(const uint8_t *bytes, size_t count, codec_header *header, codec_failure *failure);
int codec_tiff_decode(codec_tiff *reader, void *samples, codec_failure *failure);
codec_span codec_tiff_profile(codec_tiff *reader);
codec_span codec_tiff_xmp(codec_tiff *reader);
void codec_tiff_close(codec_tiff *reader);
/// Deflate, or LZW, with the horizontal predictor. Texts and EXIF are not written.
int codec_tiff_encode(
    const codec_header *header, const void *samples, const codec_extras *extras, int lzw, codec_buffer *out,
    codec_failure *failure);

#endif
