// For memmem.
#define _GNU_SOURCE
// JPEG by libjpeg-turbo or libjpeg. Standard: ITU-T T.81; EXIF in APP1: CIPA DC-008.
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "lazy_libraries.h"

#define JPEG_FUNCTIONS(X)                                                                                             \
    X(jpeg_std_error) X(jpeg_CreateDecompress) X(jpeg_mem_src) X(jpeg_save_markers) X(jpeg_read_header)               \
    X(jpeg_start_decompress) X(jpeg_read_scanlines) X(jpeg_finish_decompress) X(jpeg_destroy_decompress)              \
    X(jpeg_CreateCompress) X(jpeg_set_defaults) X(jpeg_set_quality) X(jpeg_start_compress) X(jpeg_write_marker)       \
    X(jpeg_write_scanlines) X(jpeg_finish_compress) X(jpeg_destroy_compress)
LAZY_DECLARE(JPEG_FUNCTIONS)

// The structs differ between the versions of libjpeg, so only the one whose header was compiled in will do.
static const lazy_symbol symbols[] = {LAZY_TABLE(JPEG_FUNCTIONS){0}};
static const char *const names[] = {
#if JPEG_LIB_VERSION >= 80
    "libjpeg.so.8",  "libjpeg.8.dylib",
#elif JPEG_LIB_VERSION >= 70
    "libjpeg.so.7",  "libjpeg.7.dylib",
#else
    "libjpeg.so.62", "libjpeg.62.dylib",
#endif
    "libjpeg.so",    "libjpeg.dylib",    "/opt/homebrew/lib/libjpeg.dylib", "/usr/local/lib/libjpeg.dylib", NULL};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_library(void) { missing = lazy_open(names, symbols, missing_text, sizeof missing_text); }

int codec_jpeg_available(codec_failure *failure) {
    pthread_once(&opened, open_library);
    return missing ? codec_fail(failure, CODEC_LIBRARY_MISSING, "%s", missing_text) : 0;
}

/// Scans of a progressive file beyond this many are an attack on patience: each costs a pass over the whole picture.
enum { MOST_SCANS = 500 };

typedef struct {
    struct jpeg_error_mgr manager;
    codec_failure *failure;
    jmp_buf trap;
} jpeg_trap;

static void on_error(j_common_ptr info) {
    jpeg_trap *trap = (jpeg_trap *)info->err;
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    size_t length = strlen(message);
    if (length && message[length - 1] == '.') message[length - 1] = 0;
    int early = info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JERR_INPUT_EMPTY;
    codec_fail(trap->failure, early ? CODEC_TRUNCATED : CODEC_DAMAGED, "%s", message);
    longjmp(trap->trap, 1);
}

/// libjpeg paints grey over what it cannot read and calls it a warning. We would rather say so.
static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC: on_error(info);
    default: break;
    }
}

static void set_trap(jpeg_trap *trap, codec_failure *failure) {
    lazy_jpeg_std_error(&trap->manager);
    trap->manager.error_exit = on_error;
    trap->manager.emit_message = on_message;
    trap->failure = failure;
}

struct codec_jpeg {
    struct jpeg_decompress_struct info;
    struct jpeg_progress_mgr progress;
    jpeg_trap trap;
};

static void count_scans(j_common_ptr info) {
    j_decompress_ptr reader = (j_decompress_ptr)info;
    if (reader->input_scan_number <= MOST_SCANS) return;
    jpeg_trap *trap = (jpeg_trap *)info->err;
    codec_fail(trap->failure, CODEC_UNSUPPORTED, "it has more than %d scans", MOST_SCANS);
    longjmp(trap->trap, 1);
}

codec_jpeg *codec_jpeg_open(const uint8_t *bytes, size_t count, codec_header *header, codec_failure *failure) {
    if (codec_jpeg_available(failure)) return NULL;
    codec_jpeg *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    set_trap(&self->trap, failure);
    self->info.err = &self->trap.manager;
    if (setjmp(self->trap.trap)) {
        codec_jpeg_close(self);
        return NULL;
    }
    lazy_jpeg_CreateDecompress(&self->info, JPEG_LIB_VERSION, sizeof self->info);
    self->progress.progress_monitor = count_scans;
    self->info.progress = &self->progress;
    lazy_jpeg_mem_src(&self->info, (unsigned char *)bytes, count);
    lazy_jpeg_save_markers(&self->info, JPEG_APP0 + 1, 0xFFFF);
    lazy_jpeg_save_markers(&self->info, JPEG_APP0 + 2, 0xFFFF);
    lazy_jpeg_read_header(&self->info, TRUE);
    if (self->info.num_components != 1 && self->info.num_components != 3) {
        codec_fail(
            failure, CODEC_UNSUPPORTED, "it has %d colour components (%s)", self->info.num_components,
            self->info.num_components == 4 ? "CMYK" : "neither grey nor RGB");
        codec_jpeg_close(self);
        return NULL;
    }
    self->info.out_color_space = self->info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    *header = (codec_header){
        .width = self->info.image_width,
        .height = self->info.image_height,
        .channels = self->info.num_components == 1 ? 1 : 3,
        .depth = 8,
        .orientation = 1};
    double units = self->info.density_unit == 1 ? 1 / 0.0254 : self->info.density_unit == 2 ? 100 : 0;
    if (self->info.saw_JFIF_marker && units > 0) {
        header->horizontal_resolution = self->info.X_density * units;
        header->vertical_resolution = self->info.Y_density * units;
    }
    return self;
}

int codec_jpeg_decode(codec_jpeg *self, void *samples, codec_failure *failure) {
    self->trap.failure = failure;
    if (setjmp(self->trap.trap)) return -1;
    lazy_jpeg_start_decompress(&self->info);
    size_t stride = (size_t)self->info.output_width * (size_t)self->info.output_components;
    while (self->info.output_scanline < self->info.output_height) {
        JSAMPROW row = (JSAMPROW)samples + self->info.output_scanline * stride;
        lazy_jpeg_read_scanlines(&self->info, &row, 1);
    }
    lazy_jpeg_finish_decompress(&self->info);
    return 0;
}

codec_span codec_jpeg_marker(codec_jpeg *self, int number, size_t index) {
    for (jpeg_saved_marker_ptr marker = self->info.marker_list; marker; marker = marker->next)
        if (marker->marker == JPEG_APP0 + number && index-- == 0)
            return (codec_span){marker->data, marker->data_length};
    return (codec_span){0};
}

void codec_jpeg_close(codec_jpeg *self) {
    if (!self) return;
    lazy_jpeg_destroy_decompress(&self->info);
    free(self);
}

/// A destination that grows; libjpeg's own leaks when it is left by a jump.
typedef struct {
    struct jpeg_destination_mgr manager;
    codec_buffer *out;
    JOCTET chunk[1 << 15];
} growing_destination;

typedef struct {
    struct jpeg_compress_struct info;
    growing_destination destination;
    jpeg_trap trap;
} jpeg_writer;

static void begin_output(j_compress_ptr info) {
    growing_destination *self = (growing_destination *)info->dest;
    self->manager.next_output_byte = self->chunk;
    self->manager.free_in_buffer = sizeof self->chunk;
}

static void append(j_compress_ptr info, size_t count) {
    growing_destination *self = (growing_destination *)info->dest;
    if (codec_buffer_write(self->out, self->out->count, self->chunk, count) == 0) return;
    jpeg_trap *trap = (jpeg_trap *)info->err;
    codec_fail(trap->failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    longjmp(trap->trap, 1);
}

static boolean empty_output(j_compress_ptr info) {
    append(info, sizeof((growing_destination *)info->dest)->chunk);
    begin_output(info);
    return TRUE;
}

static void end_output(j_compress_ptr info) {
    growing_destination *self = (growing_destination *)info->dest;
    append(info, sizeof self->chunk - self->manager.free_in_buffer);
}

/// Writes `body` behind `heading` in one application marker, if it is short enough for one.
static void write_marker(j_compress_ptr info, int number, const char *heading, size_t heading_count, codec_span body) {
    size_t count = heading_count + body.count;
    if (!body.count || count > 65533) return;
    uint8_t *bytes = malloc(count);
    if (!bytes) return;
    memcpy(bytes, heading, heading_count);
    memcpy(bytes + heading_count, body.bytes, body.count);
    lazy_jpeg_write_marker(info, JPEG_APP0 + number, bytes, (unsigned)count);
    free(bytes);
}

/// An ICC profile is cut into numbered pieces. Source: ICC.1:2022, annex B.4.
static void write_profile(j_compress_ptr info, codec_span profile) {
    enum { PIECE = 65519 };
    size_t pieces = (profile.count + PIECE - 1) / PIECE;
    if (pieces > 255) return;
    for (size_t piece = 0; piece < pieces; piece++) {
        char heading[14] = "ICC_PROFILE";
        heading[12] = (char)(piece + 1);
        heading[13] = (char)pieces;
        size_t rest = profile.count - piece * PIECE;
        codec_span body = {profile.bytes + piece * PIECE, rest < PIECE ? rest : PIECE};
        write_marker(info, 2, heading, sizeof heading, body);
    }
}

/// A packet that is too long for one marker stands in numbered pieces behind a short one that names them.
/// Source: Adobe, "XMP Specification, Part 3" (2020), section 1.1.3.1.
static void write_xmp(j_compress_ptr info, codec_span xmp) {
    static const char heading[] = "http://ns.adobe.com/xap/1.0/";
    if (sizeof heading + xmp.count <= 65533) {
        write_marker(info, 1, heading, sizeof heading, xmp);
        return;
    }
    // Without its wrapping.
    const uint8_t *begin = memmem(xmp.bytes, xmp.count, "<x:xmpmeta", 10);
    const uint8_t *end = memmem(xmp.bytes, xmp.count, "</x:xmpmeta>", 12);
    if (begin && end > begin) xmp = (codec_span){begin, (size_t)(end + 12 - begin)};
    char sum[33];
    codec_md5(xmp.bytes, xmp.count, sum);
    char packet[512];
    int length = snprintf(
        packet, sizeof packet,
        "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
        "<rdf:Description rdf:about=\"\" xmlns:xmpNote=\"http://ns.adobe.com/xmp/note/\" "
        "xmpNote:HasExtendedXMP=\"%s\"/></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>",
        sum);
    write_marker(info, 1, heading, sizeof heading, (codec_span){(const uint8_t *)packet, (size_t)length});
    enum { PIECE = 65400 };
    for (size_t offset = 0; offset < xmp.count; offset += PIECE) {
        uint8_t place[75] = "http://ns.adobe.com/xmp/extension/";
        memcpy(place + 35, sum, 32);
        for (int i = 0; i < 4; i++) {
            place[67 + i] = (uint8_t)(xmp.count >> (24 - 8 * i));
            place[71 + i] = (uint8_t)(offset >> (24 - 8 * i));
        }
        size_t rest = xmp.count - offset;
        write_marker(
            info, 1, (const char *)place, sizeof place,
            (codec_span){xmp.bytes + offset, rest < PIECE ? rest : PIECE});
    }
}

static void write_picture(
    jpeg_writer *self, const codec_header *header, const void *samples, const codec_extras *extras, int quality) {
    j_compress_ptr info = &self->info;
    lazy_jpeg_CreateCompress(info, JPEG_LIB_VERSION, sizeof *info);
    self->destination.manager.init_destination = begin_output;
    self->destination.manager.empty_output_buffer = empty_output;
    self->destination.manager.term_destination = end_output;
    info->dest = &self->destination.manager;
    info->image_width = header->width;
    info->image_height = header->height;
    info->input_components = (int)header->channels;
    info->in_color_space = header->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    lazy_jpeg_set_defaults(info);
    lazy_jpeg_set_quality(info, quality, TRUE);
    info->optimize_coding = TRUE;
    // Colour at full resolution: halving it shows on painted edges.
    info->comp_info[0].h_samp_factor = info->comp_info[0].v_samp_factor = 1;
    if (header->horizontal_resolution > 0 && header->vertical_resolution > 0) {
        info->density_unit = 1;
        info->X_density = (UINT16)(header->horizontal_resolution * 0.0254 + 0.5);
        info->Y_density = (UINT16)(header->vertical_resolution * 0.0254 + 0.5);
    }
    lazy_jpeg_start_compress(info, TRUE);
    static const char exif[6] = "Exif\0";
    write_marker(info, 1, exif, sizeof exif, extras->exif);
    write_xmp(info, extras->xmp);
    write_profile(info, extras->profile);
    size_t stride = (size_t)header->width * header->channels;
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = (JSAMPROW)samples + info->next_scanline * stride;
        lazy_jpeg_write_scanlines(info, &row, 1);
    }
    lazy_jpeg_finish_compress(info);
}

int codec_jpeg_encode(
    const codec_header *header, const void *samples, const codec_extras *extras, int quality, codec_buffer *out,
    codec_failure *failure) {
    if (codec_jpeg_available(failure)) return -1;
    jpeg_writer *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    set_trap(&self->trap, failure);
    self->info.err = &self->trap.manager;
    self->destination.out = out;
    if (setjmp(self->trap.trap) == 0) write_picture(self, header, samples, extras, quality);
    lazy_jpeg_destroy_compress(&self->info);
    free(self);
    return failure->status == CODEC_OK ? 0 : -1;
}
