// Writing TIFF: strips of about 256 KiB, deflate or LZW, with a predictor, unassociated alpha.
#include <stdlib.h>
#include <string.h>

#include "tiff.h"

static void set_tags(TIFF *tiff, const codec_header *header, const codec_extras *extras, int lzw, uint32_t rows) {
    uint16_t extra = EXTRASAMPLE_UNASSALPHA;
    lazy_TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, header->width);
    lazy_TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, header->height);
    lazy_TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, (int)header->depth);
    lazy_TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, (int)header->channels);
    lazy_TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, header->depth == 32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    lazy_TIFFSetField(
        tiff, TIFFTAG_PHOTOMETRIC,
        header->inks ? PHOTOMETRIC_SEPARATED : header->channels < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    if (header->inks) lazy_TIFFSetField(tiff, TIFFTAG_INKSET, INKSET_CMYK);
    lazy_TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    lazy_TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    lazy_TIFFSetField(tiff, TIFFTAG_COMPRESSION, lzw ? COMPRESSION_LZW : COMPRESSION_ADOBE_DEFLATE);
    // Beyond level 4 zlib takes three times as long for a few hundredths of the size.
    if (!lzw) lazy_TIFFSetField(tiff, TIFFTAG_ZIPQUALITY, 4);
    lazy_TIFFSetField(
        tiff, TIFFTAG_PREDICTOR, header->depth == 32 ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
    lazy_TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
    // Of four inks alpha is the fifth.
    if (header->inks ? header->channels == 5 : header->channels % 2 == 0)
        lazy_TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
    double across, down;
    int centimetres = codec_resolution(header, &across, &down);
    if (centimetres >= 0) {
        lazy_TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, centimetres ? RESUNIT_CENTIMETER : RESUNIT_INCH);
        lazy_TIFFSetField(tiff, TIFFTAG_XRESOLUTION, across);
        lazy_TIFFSetField(tiff, TIFFTAG_YRESOLUTION, down);
    }
    if (extras->profile.count)
        lazy_TIFFSetField(tiff, TIFFTAG_ICCPROFILE, (uint32_t)extras->profile.count, extras->profile.bytes);
    if (extras->xmp.count)
        lazy_TIFFSetField(tiff, TIFFTAG_XMLPACKET, (uint32_t)extras->xmp.count, extras->xmp.bytes);
}

int codec_tiff_is_big(const codec_header *header, const codec_extras *extras, int lzw) {
    // Where nothing can be made smaller, deflate adds a few bytes to a strip and LZW codes of up to 12 bits for 8.
    double samples = (double)header->width * header->channels * (header->depth / 8) * header->height;
    double strips = header->height < samples / (1 << 18) ? header->height : samples / (1 << 18) + 1;
    double all = (lzw ? 1.5 : 1.001) * samples + strips * 64 + (double)extras->profile.count
        + (double)extras->exif.count + (double)extras->xmp.count + 4096;
    // Classic TIFF counts to 4 GiB.
    return all >= 4294967296.0;
}

struct codec_tiff_writer {
    TIFF *tiff;
    tiff_file file;
    size_t stride;
    uint32_t height, strip_rows;
    /// Rows of the strip that is being filled, and strips before it.
    uint8_t *strip;
    uint32_t filled, strips;
};

codec_tiff_writer *codec_tiff_create(
    const codec_header *header, const codec_extras *extras, int lzw, int big, codec_sink sink, codec_failure *failure) {
    if (codec_tiff_available(failure)) return NULL;
    codec_tiff_writer *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    self->stride = (size_t)header->width * header->channels * (header->depth / 8);
    self->height = header->height;
    self->strip_rows = self->stride >= 1 << 18 ? 1 : (uint32_t)((1 << 18) / self->stride);
    if (self->strip_rows > header->height) self->strip_rows = header->height;
    big = big || codec_tiff_is_big(header, extras, lzw);
    self->file = (tiff_file){.sink = sink, .is_written = 1, .failure = failure};
    self->strip = malloc(self->stride * self->strip_rows);
    tiff_forget_complaint();
    // What libtiff writes goes behind the EXIF data, whose places count from the file's start; its header over theirs.
    codec_span exif = extras->exif;
    int order = exif.count > 8 ? exif.bytes[0] : 0;
    if (order && !codec_sink_write(&sink, 0, exif.bytes, exif.count, failure))
        self->file.count = (exif.count + 15) / 16 * 16;
    const char *mode = order == 'M' ? (big ? "wb8" : "wb") : order == 'I' ? (big ? "wl8" : "wl") : big ? "w8" : "w";
    if (self->strip && failure->status == CODEC_OK) self->tiff = tiff_open(&self->file, mode);
    if (!self->strip) codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    else if (!self->tiff && failure->status == CODEC_OK) codec_fail(failure, CODEC_DAMAGED, "%s", tiff_complaint());
    if (failure->status != CODEC_OK) {
        codec_tiff_discard(self);
        return NULL;
    }
    set_tags(self->tiff, header, extras, lzw, self->strip_rows);
    return self;
}

/// Writes the strip that has been filled.
static int write_strip(codec_tiff_writer *self) {
    tmsize_t count = (tmsize_t)(self->stride * self->filled);
    if (lazy_TIFFWriteEncodedStrip(self->tiff, self->strips, self->strip, count) < 0)
        return codec_fail(self->file.failure, CODEC_DAMAGED, "%s", tiff_complaint());
    self->strips++;
    self->filled = 0;
    return self->file.failure->status == CODEC_OK ? 0 : -1;
}

int codec_tiff_write(codec_tiff_writer *self, uint32_t count, const void *samples, codec_failure *failure) {
    self->file.failure = failure;
    tiff_forget_complaint();
    for (uint32_t y = 0; y < count;) {
        uint32_t room = self->strip_rows - self->filled, rows = count - y < room ? count - y : room;
        // The predictor may work in place, and the samples are not ours to change.
        memcpy(
            self->strip + self->filled * self->stride, (const uint8_t *)samples + y * self->stride,
            rows * self->stride);
        self->filled += rows;
        y += rows;
        if (self->filled == self->strip_rows && write_strip(self)) return -1;
    }
    return 0;
}

int codec_tiff_finish(codec_tiff_writer *self, codec_failure *failure) {
    self->file.failure = failure;
    tiff_forget_complaint();
    if (self->filled && write_strip(self)) return -1;
    if (self->strips != (self->height + self->strip_rows - 1) / self->strip_rows)
        return codec_fail(failure, CODEC_DAMAGED, "it lacks rows");
    // Closing writes the directory.
    lazy_TIFFClose(self->tiff);
    self->tiff = NULL;
    return failure->status == CODEC_OK ? 0 : -1;
}

void codec_tiff_discard(codec_tiff_writer *self) {
    if (!self) return;
    // Closing may still write, which then is in vain.
    codec_failure ignored = {0};
    self->file.failure = &ignored;
    if (self->tiff) lazy_TIFFClose(self->tiff);
    free(self->strip);
    free(self);
}
