// What Swift cannot say about libpng, libjpeg, libtiff and libwebp: setjmp error traps, variadic calls, structs that are macros.
//
// Each format has the same few functions. A reader's `open` reads what stands before the samples, so that the caller can
// refuse a picture before room for it is made; `rows` fills the caller's samples, in one call or many; `end` reads what
// stands behind them. A writer's `create` writes what stands before the samples, `write` takes rows, `finish` ends the
// file. `close` may be called at any time. Nothing is written to standard error. Functions that fail return NULL or −1 and
// fill a `codec_failure`, which must live as long as the reader or writer does, or until the next call brings another.
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
    CODEC_READ_FAILED,
    CODEC_WRITE_FAILED,
} codec_status;

typedef struct {
    codec_status status;
    /// The system's number for why reading or writing failed.
    int system_error;
    /// What is wrong, in words that continue a sentence.
    char text[240];
} codec_failure;

/// A picture's shape. Samples are interleaved rows from top to bottom, 16-bit ones in the machine's byte order.
typedef struct {
    uint32_t width, height;
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha (never premultiplied); of inks 4, or 5 with alpha.
    uint32_t channels;
    /// Colours are cyan, magenta, yellow and black, 0 for no ink. Of writers only TIFF's has them.
    uint32_t inks;
    /// 8 or 16; 32 where samples are floats, of which 1 is white.
    uint32_t depth;
    /// 1…8 as in EXIF and TIFF; 1 where the format says nothing of it.
    uint32_t orientation;
    /// Pixels per metre, 0 where unknown.
    double horizontal_resolution, vertical_resolution;
    /// The fewest bytes that a file of this header can need, 0 where that cannot be told.
    uint64_t smallest_file;
    /// How often the rows are gone through, from top to bottom: 1, or more where a file has parts of every row apart. Each
    /// time but the first, the samples must be as the time before left them.
    uint32_t passes;
    /// Rows lie in the file in groups of so many; asking for other numbers of them costs time.
    uint32_t band_rows;
    /// Bytes that reading takes beside the caller's samples, where they are many.
    uint64_t memory;
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

/// Where a reader finds its bytes: in memory, or where `bytes` is NULL in a file, which it reads as it goes. Either must
/// outlive the reader. Of a file that has become shorter meanwhile, the rest is missing.
typedef struct {
    const uint8_t *bytes;
    int file;
    uint64_t count;
} codec_source;

/// Where a writer puts its bytes: in a buffer, or where there is none in an empty file that can be read too.
typedef struct {
    codec_buffer *buffer;
    int file;
} codec_sink;

typedef enum { CODEC_TEXT_LATIN1, CODEC_TEXT_UTF8, CODEC_TEXT_UTF8_COMPRESSED } codec_text_kind;

typedef struct {
    const char *keyword, *text;
    codec_text_kind kind;
} codec_text;

/// One of PNG's chunks that say what colours mean.
typedef struct {
    char name[5];
    codec_span body;
} codec_chunk;

/// Beside the samples: spans without bytes are left out of the file.
typedef struct {
    codec_span profile, exif, xmp;
    /// Written to PNG alone, as they are.
    const codec_chunk *chunks;
    size_t chunk_count;
    /// Photoshop's resources, of which IPTC's texts are one. Written in JPEG alone.
    codec_span photoshop;
    const codec_text *texts;
    size_t text_count;
} codec_extras;

/// 0 when the library can be used, else −1 with its name in the failure.
int codec_png_available(codec_failure *failure);
int codec_jpeg_available(codec_failure *failure);
int codec_tiff_available(codec_failure *failure);
int codec_webp_available(codec_failure *failure);

/// Copies up to `count` bytes from `place` on and returns how many: fewer are the end. A failure of the disk is recorded
/// and reads as the end.
size_t codec_source_read(
    const codec_source *source, uint64_t place, void *bytes, size_t count, codec_failure *failure);
/// Writes all of `count` bytes at `place`, which may lie behind the end. Returns 0, or −1 with the failure recorded.
int codec_sink_write(
    const codec_sink *sink, uint64_t place, const void *bytes, size_t count, codec_failure *failure);
/// As codec_source_read, of what was written.
size_t codec_sink_read(const codec_sink *sink, uint64_t place, void *bytes, size_t count, codec_failure *failure);

typedef struct codec_png codec_png;
codec_png *codec_png_open(const codec_source *source, codec_header *header, codec_failure *failure);
/// Fills `count` rows from `y` on. Rows come in their order, `header.passes` times.
int codec_png_rows(codec_png *reader, uint32_t y, uint32_t count, void *samples, codec_failure *failure);
int codec_png_end(codec_png *reader, codec_failure *failure);
/// Bytes without a count where there is one that cannot be unpacked.
codec_span codec_png_profile(codec_png *reader);
/// The body of the first chunk of that name, one of cICP, mDCV, cLLI, sRGB, gAMA and cHRM.
codec_span codec_png_chunk(codec_png *reader, const char *name);
codec_span codec_png_exif(codec_png *reader);
/// Texts, wherever in the file they stand. `text_at` returns 0 and fills its results, or −1 when there is no such text.
size_t codec_png_text_count(codec_png *reader);
int codec_png_text_at(codec_png *reader, size_t index, const char **keyword, codec_span *text, codec_text_kind *kind);
void codec_png_close(codec_png *reader);

typedef struct codec_png_writer codec_png_writer;
/// `level` is zlib's, 0…9. The bytes do not depend on `threads`, nor on how many rows come at once.
codec_png_writer *codec_png_create(
    const codec_header *header, const codec_extras *extras, int level, int threads, codec_sink sink,
    codec_failure *failure);
int codec_png_write(codec_png_writer *writer, uint32_t count, const void *samples, codec_failure *failure);
int codec_png_finish(codec_png_writer *writer, codec_failure *failure);
void codec_png_discard(codec_png_writer *writer);

typedef struct codec_jpeg codec_jpeg;
codec_jpeg *codec_jpeg_open(const codec_source *source, codec_header *header, codec_failure *failure);
/// Before the first rows: what `header.memory` tells of is to lie in a new file of so many bytes, which outlives the reader.
void codec_jpeg_unroll(codec_jpeg *reader, int file, uint64_t bytes);
int codec_jpeg_rows(codec_jpeg *reader, uint32_t y, uint32_t count, void *samples, codec_failure *failure);
int codec_jpeg_end(codec_jpeg *reader, codec_failure *failure);
/// Until the first rows: how many application markers `number` (1 EXIF and XMP, 2 ICC, 13 Photoshop) there are; as many of
/// them as there is room for are put into `spans`.
size_t codec_jpeg_markers(codec_jpeg *reader, int number, codec_span *spans, size_t room);
void codec_jpeg_close(codec_jpeg *reader);

typedef struct codec_jpeg_writer codec_jpeg_writer;
/// Grey or RGB, 8 bits, colour at full resolution. `quality` is libjpeg's, 1…100. Texts are not written.
codec_jpeg_writer *codec_jpeg_create(
    const codec_header *header, const codec_extras *extras, int quality, codec_sink sink, codec_failure *failure);
int codec_jpeg_write(codec_jpeg_writer *writer, uint32_t count, const void *samples, codec_failure *failure);
int codec_jpeg_finish(codec_jpeg_writer *writer, codec_failure *failure);
void codec_jpeg_discard(codec_jpeg_writer *writer);

typedef struct codec_tiff codec_tiff;
/// `directory` is where the page's begins, 0 for the first one's.
codec_tiff *codec_tiff_open(
    const codec_source *source, uint64_t directory, codec_header *header, codec_failure *failure);
/// As PNG's, `pass` counting from 0.
int codec_tiff_rows(
    codec_tiff *reader, uint32_t pass, uint32_t y, uint32_t count, void *samples, codec_failure *failure);
codec_span codec_tiff_profile(codec_tiff *reader);
codec_span codec_tiff_xmp(codec_tiff *reader);
void codec_tiff_close(codec_tiff *reader);

typedef struct codec_tiff_writer codec_tiff_writer;
/// Whether a file may become too large for a classic TIFF, so that it is a BigTIFF.
int codec_tiff_is_big(const codec_header *header, const codec_extras *extras, int lzw);
/// Deflate, or LZW, with the horizontal predictor, floats with their own. EXIF data stand at the file's start with all their
/// places as they were and in their byte order; that the file's directory points to them is left to the caller. Texts are
/// not written. BigTIFF where `big` is set, and where the file may become too large for a classic TIFF.
codec_tiff_writer *codec_tiff_create(
    const codec_header *header, const codec_extras *extras, int lzw, int big, codec_sink sink, codec_failure *failure);
int codec_tiff_write(codec_tiff_writer *writer, uint32_t count, const void *samples, codec_failure *failure);
int codec_tiff_finish(codec_tiff_writer *writer, codec_failure *failure);
void codec_tiff_discard(codec_tiff_writer *writer);

typedef struct codec_webp codec_webp;
/// The file is held in memory, and decoded whole when the first rows are asked for.
codec_webp *codec_webp_open(const codec_source *source, codec_header *header, codec_failure *failure);
int codec_webp_rows(codec_webp *reader, uint32_t y, uint32_t count, void *samples, codec_failure *failure);
/// The chunk with this name of four letters, or an empty span.
codec_span codec_webp_chunk(codec_webp *reader, const char *name);
void codec_webp_close(codec_webp *reader);

#endif
