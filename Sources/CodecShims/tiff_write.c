// Writing TIFF: strips of about 256 KiB, deflate or LZW, horizontal predictor, unassociated alpha.
#include <stdlib.h>
#include <string.h>

#include "tiff.h"

static void set_tags(TIFF *tiff, const codec_header *header, const codec_extras *extras, int lzw, uint32_t rows) {
    uint16_t extra = EXTRASAMPLE_UNASSALPHA;
    lazy_TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, header->width);
    lazy_TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, header->height);
    lazy_TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, (int)header->depth);
    lazy_TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, (int)header->channels);
    lazy_TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    lazy_TIFFSetField(
        tiff, TIFFTAG_PHOTOMETRIC, header->channels < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
    lazy_TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    lazy_TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    lazy_TIFFSetField(tiff, TIFFTAG_COMPRESSION, lzw ? COMPRESSION_LZW : COMPRESSION_ADOBE_DEFLATE);
    lazy_TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
    lazy_TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
    if (header->channels % 2 == 0) lazy_TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
    if (header->horizontal_resolution > 0 && header->vertical_resolution > 0) {
        lazy_TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        lazy_TIFFSetField(tiff, TIFFTAG_XRESOLUTION, header->horizontal_resolution * 0.0254);
        lazy_TIFFSetField(tiff, TIFFTAG_YRESOLUTION, header->vertical_resolution * 0.0254);
    }
    if (extras->profile.count)
        lazy_TIFFSetField(tiff, TIFFTAG_ICCPROFILE, (uint32_t)extras->profile.count, extras->profile.bytes);
    if (extras->xmp.count)
        lazy_TIFFSetField(tiff, TIFFTAG_XMLPACKET, (uint32_t)extras->xmp.count, extras->xmp.bytes);
}

int codec_tiff_encode(
    const codec_header *header, const void *samples, const codec_extras *extras, int lzw, codec_buffer *out,
    codec_failure *failure) {
    if (codec_tiff_available(failure)) return -1;
    size_t stride = (size_t)header->width * header->channels * (header->depth / 8);
    uint32_t rows = stride >= 1 << 18 ? 1 : (uint32_t)((1 << 18) / stride);
    if (rows > header->height) rows = header->height;
    // Classic TIFF counts to 4 GiB.
    int big = (double)stride * header->height > 3.9e9;
    tiff_memory memory = {.out = out};
    uint8_t *strip = malloc(stride * rows);
    tiff_forget_complaint();
    TIFF *tiff = strip ? tiff_open_memory(&memory, big ? "w8" : "w") : NULL;
    int good = tiff != NULL;
    if (good) {
        set_tags(tiff, header, extras, lzw, rows);
        for (uint32_t y = 0, index = 0; good && y < header->height; y += rows, index++) {
            uint32_t count = header->height - y < rows ? header->height - y : rows;
            // The predictor may work in place, and the samples are not ours to change.
            memcpy(strip, (const uint8_t *)samples + y * stride, stride * count);
            good = lazy_TIFFWriteEncodedStrip(tiff, index, strip, (tmsize_t)(stride * count)) >= 0;
        }
        // Closing writes the directory.
        lazy_TIFFClose(tiff);
    }
    free(strip);
    if (good && !memory.failed) return 0;
    if (!strip || memory.failed) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    return codec_fail(failure, CODEC_DAMAGED, "%s", tiff_complaint());
}
