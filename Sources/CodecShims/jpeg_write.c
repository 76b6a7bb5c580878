// Writing JPEG.
// For memmem.
#define _GNU_SOURCE
#include "jpeg_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Pictures of at most so many pixels get Huffman tables of their own, for which all coefficients have to be kept.
enum { MOST_KEPT = 1 << 24 };

/// A file that is written as it is encoded.
typedef struct {
    struct jpeg_destination_mgr manager;
    codec_sink sink;
    uint64_t place;
    JOCTET buffer[1 << 16];
} jpeg_destination;

struct codec_jpeg_writer {
    struct jpeg_compress_struct info;
    jpeg_destination destination;
    jpeg_trap trap;
};

static void begin_output(j_compress_ptr info) {
    jpeg_destination *self = (jpeg_destination *)info->dest;
    self->manager.next_output_byte = self->buffer;
    self->manager.free_in_buffer = sizeof self->buffer;
}

static void put(j_compress_ptr info, size_t count) {
    jpeg_destination *self = (jpeg_destination *)info->dest;
    jpeg_trap *trap = (jpeg_trap *)info->err;
    if (codec_sink_write(&self->sink, self->place, self->buffer, count, trap->failure)) longjmp(trap->trap, 1);
    self->place += count;
}

static boolean empty_output(j_compress_ptr info) {
    put(info, sizeof((jpeg_destination *)info->dest)->buffer);
    begin_output(info);
    return TRUE;
}

static void end_output(j_compress_ptr info) {
    jpeg_destination *self = (jpeg_destination *)info->dest;
    put(info, sizeof self->buffer - self->manager.free_in_buffer);
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

codec_jpeg_writer *codec_jpeg_create(
    const codec_header *header, const codec_extras *extras, int quality, codec_sink sink, codec_failure *failure) {
    if (codec_jpeg_available(failure)) return NULL;
    codec_jpeg_writer *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    j_compress_ptr info = &self->info;
    jpeg_set_trap(&self->trap, failure);
    info->err = &self->trap.manager;
    self->destination.sink = sink;
    if (setjmp(self->trap.trap)) {
        codec_jpeg_discard(self);
        return NULL;
    }
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
    info->optimize_coding = (uint64_t)header->width * header->height <= MOST_KEPT;
    // Colour at full resolution: halving it shows on painted edges.
    info->comp_info[0].h_samp_factor = info->comp_info[0].v_samp_factor = 1;
    double across, down;
    int centimetres = codec_resolution(header, &across, &down);
    if (centimetres >= 0 && across < 65535 && down < 65535) {
        info->density_unit = centimetres ? 2 : 1;
        info->X_density = (UINT16)(across + 0.5);
        info->Y_density = (UINT16)(down + 0.5);
    }
    lazy_jpeg_start_compress(info, TRUE);
    static const char exif[6] = "Exif\0";
    write_marker(info, 1, exif, sizeof exif, extras->exif);
    write_xmp(info, extras->xmp);
    write_profile(info, extras->profile);
    static const char photoshop[14] = "Photoshop 3.0";
    write_marker(info, 13, photoshop, sizeof photoshop, extras->photoshop);
    return self;
}

int codec_jpeg_write(codec_jpeg_writer *self, uint32_t count, const void *samples, codec_failure *failure) {
    self->trap.failure = failure;
    if (setjmp(self->trap.trap)) return -1;
    size_t stride = (size_t)self->info.image_width * (size_t)self->info.input_components;
    for (uint32_t row = 0; row < count; row++) {
        JSAMPROW source = (JSAMPROW)samples + row * stride;
        lazy_jpeg_write_scanlines(&self->info, &source, 1);
    }
    return 0;
}

int codec_jpeg_finish(codec_jpeg_writer *self, codec_failure *failure) {
    self->trap.failure = failure;
    if (setjmp(self->trap.trap)) return -1;
    lazy_jpeg_finish_compress(&self->info);
    return 0;
}

void codec_jpeg_discard(codec_jpeg_writer *self) {
    if (!self) return;
    lazy_jpeg_destroy_compress(&self->info);
    free(self);
}
