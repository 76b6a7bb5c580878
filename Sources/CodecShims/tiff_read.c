// Reading TIFF: one page; grey, RGB, palette, and JPEG's YCbCr; strips or tiles; planes together or apart; floats.
#include <stdlib.h>
#include <string.h>

#include "tiff.h"

struct codec_tiff {
    TIFF *tiff;
    tiff_file file;
    codec_header header;
    /// How the samples lie: in tiles or strips of these sizes, of which some are decoded at a time.
    enum { TIFF_BLOCKS, TIFF_PLAIN_ROWS, TIFF_ROWS } reading;
    uint32_t block_width, block_height;
    uint64_t block_bytes;
    uint16_t bits, planes_apart, photometric, file_channels;
    int premultiplied, floats;
    uint16_t *palette[3];
};

/// Strips of more bytes are not decoded whole.
enum { MOST_BLOCK = 1 << 24 };

/// Samples of a pixel that lie together in the file.
static uint32_t together(const codec_tiff *self) { return self->planes_apart ? 1 : self->file_channels; }

/// Bytes of a row of a block.
static uint64_t row_bytes(const codec_tiff *self) {
    return ((uint64_t)self->block_width * together(self) * self->bits + 7) / 8;
}

static const char *photometric_name(uint16_t photometric) {
    switch (photometric) {
    case PHOTOMETRIC_YCBCR: return "YCbCr";
    case PHOTOMETRIC_CIELAB: return "CIELAB";
    case PHOTOMETRIC_ICCLAB: return "ICC Lab";
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV: return "LogLuv";
    case PHOTOMETRIC_CFA: return "raw sensor";
    case PHOTOMETRIC_MASK: return "mask";
    default: return "unknown";
    }
}

/// Fills what the header says of the samples, or refuses it.
static int describe(codec_tiff *self, codec_failure *failure) {
    TIFF *tiff = self->tiff;
    uint32_t width = 0, height = 0;
    uint16_t format = SAMPLEFORMAT_UINT, channels = 1, extra_count = 0, *extras = NULL, orientation = 1;
    lazy_TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    lazy_TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &self->bits);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &channels);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &self->planes_apart);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra_count, &extras);
    self->planes_apart = self->planes_apart == PLANARCONFIG_SEPARATE;
    self->file_channels = channels;
    if (!width || !height) return codec_fail(failure, CODEC_DAMAGED, "it states no width or no height");
    if (!lazy_TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &self->photometric))
        return codec_fail(failure, CODEC_DAMAGED, "it does not state its colours");

    uint16_t compression = COMPRESSION_NONE;
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    if (!lazy_TIFFIsCODECConfigured(compression))
        return codec_fail(failure, CODEC_UNSUPPORTED, "its compression (%u) is not one that libtiff knows here", compression);
    // libjpeg turns JPEG's own colours into RGB on the way.
    if (compression == COMPRESSION_JPEG && self->photometric == PHOTOMETRIC_YCBCR && !self->planes_apart) {
        lazy_TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        self->photometric = PHOTOMETRIC_RGB;
    }
    int grey = self->photometric == PHOTOMETRIC_MINISBLACK || self->photometric == PHOTOMETRIC_MINISWHITE;
    int indexed = self->photometric == PHOTOMETRIC_PALETTE;
    int inks = self->photometric == PHOTOMETRIC_SEPARATED;
    if (!grey && !indexed && !inks && self->photometric != PHOTOMETRIC_RGB)
        return codec_fail(failure, CODEC_UNSUPPORTED, "its colours are %s", photometric_name(self->photometric));
    self->floats = format == SAMPLEFORMAT_IEEEFP && !indexed;
    if (format == SAMPLEFORMAT_IEEEFP && (indexed || (self->bits != 32 && self->bits != 16)))
        return codec_fail(failure, CODEC_UNSUPPORTED, "its samples are %u-bit floats", self->bits);
    if (!self->floats && format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
        return codec_fail(failure, CODEC_UNSUPPORTED, "its samples are signed or complex numbers");
    int whole_bytes = self->floats || self->bits == 8 || (self->bits == 16 && !indexed);
    int part_bytes = channels == 1 && (self->bits == 1 || self->bits == 2 || self->bits == 4);
    if (!whole_bytes && !part_bytes)
        return codec_fail(failure, CODEC_UNSUPPORTED, "its samples have %u bits", self->bits);

    uint16_t ink_set = INKSET_CMYK;
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &ink_set);
    if (inks && (ink_set != INKSET_CMYK || channels < 4))
        return codec_fail(failure, CODEC_UNSUPPORTED, "its inks are not cyan, magenta, yellow and black");
    int colours = inks ? 4 : self->photometric == PHOTOMETRIC_RGB ? 3 : 1;
    int extra = channels - colours;
    int alpha = extra == 1 && extra_count == 1
                && (extras[0] == EXTRASAMPLE_ASSOCALPHA || extras[0] == EXTRASAMPLE_UNASSALPHA);
    if (extra < 0 || (extra > 0 && !alpha) || (indexed && extra))
        return codec_fail(
            failure, CODEC_UNSUPPORTED, "it has %u channels and does not say that the last is transparency", channels);
    self->premultiplied = alpha && extras[0] == EXTRASAMPLE_ASSOCALPHA;
    if (indexed
        && !lazy_TIFFGetField(tiff, TIFFTAG_COLORMAP, &self->palette[0], &self->palette[1], &self->palette[2]))
        return codec_fail(failure, CODEC_DAMAGED, "it has a palette without colours");

    self->header = (codec_header){
        .width = width,
        .height = height,
        .channels = (uint32_t)((indexed ? 3 : colours) + (alpha ? 1 : 0)),
        .inks = (uint32_t)inks,
        .depth = self->floats ? 32 : self->bits == 16 ? 16 : 8,
        .orientation = orientation};
    uint16_t unit = RESUNIT_INCH;
    // Fax rows may be nearly free; LZW and deflate reach at most about 1400 to 1, JPEG 600 to 1.
    double bytes = (double)width * height * channels * self->bits / 8;
    if (compression == COMPRESSION_NONE) self->header.smallest_file = (uint64_t)bytes;
    else if (
        compression == COMPRESSION_LZW || compression == COMPRESSION_ADOBE_DEFLATE || compression == COMPRESSION_DEFLATE
        || compression == COMPRESSION_PACKBITS || compression == COMPRESSION_JPEG)
        self->header.smallest_file = (uint64_t)(bytes / 2000);

    float across = 0, down = 0;
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    double units = unit == RESUNIT_INCH ? 1 / 0.0254 : unit == RESUNIT_CENTIMETER ? 100 : 0;
    if (units > 0 && lazy_TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &across)
        && lazy_TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &down) && across > 0 && down > 0) {
        self->header.horizontal_resolution = across * units;
        self->header.vertical_resolution = down * units;
    }
    return 0;
}

/// Settles how the samples are read.
static int measure(codec_tiff *self, codec_failure *failure) {
    TIFF *tiff = self->tiff;
    codec_header *header = &self->header;
    int tiled = lazy_TIFFIsTiled(tiff);
    self->block_width = header->width;
    self->block_height = header->height;
    self->block_bytes = tiled ? lazy_TIFFTileSize64(tiff) : lazy_TIFFStripSize64(tiff);
    if (tiled) {
        lazy_TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &self->block_width);
        lazy_TIFFGetField(tiff, TIFFTAG_TILELENGTH, &self->block_height);
    } else {
        lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &self->block_height);
        if (self->block_height > header->height) self->block_height = header->height;
    }
    uint64_t stride = row_bytes(self);
    // A tile far larger than the picture is a lie told to make us ask for memory.
    uint64_t most = (uint64_t)header->width * header->height * together(self) * 2 * 4 + (1 << 26);
    if (!self->block_width || !self->block_height || !self->block_bytes || self->block_bytes > most
        || stride * self->block_height > self->block_bytes)
        return codec_fail(failure, CODEC_DAMAGED, "its strips or tiles have an impossible size");

    header->passes = 1;
    header->band_rows = self->block_height;
    header->memory = self->block_bytes;
    if (tiled || self->block_bytes <= MOST_BLOCK) return 0;
    // A strip that is too long to be decoded at once gives one row after the other.
    uint16_t compression = COMPRESSION_NONE, order = FILLORDER_MSB2LSB;
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    lazy_TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &order);
    self->reading = compression == COMPRESSION_NONE && order == FILLORDER_MSB2LSB ? TIFF_PLAIN_ROWS : TIFF_ROWS;
    self->block_bytes = lazy_TIFFScanlineSize64(tiff);
    if (self->block_bytes < stride)
        return codec_fail(failure, CODEC_DAMAGED, "its strips or tiles have an impossible size");
    header->band_rows = 1;
    header->memory = self->reading == TIFF_ROWS ? self->file.source.count : 0;
    if (self->reading == TIFF_ROWS && self->planes_apart) header->passes = self->file_channels;
    // Inks become colours row by row, so all of a row must be there.
    if (header->passes > 1 && header->inks)
        return codec_fail(failure, CODEC_UNSUPPORTED, "its inks lie apart, in strips too long to be read together");
    return 0;
}

codec_tiff *codec_tiff_open(
    const codec_source *source, uint64_t directory, codec_header *header, codec_failure *failure) {
    if (codec_tiff_available(failure)) return NULL;
    codec_tiff *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    self->file.source = *source;
    self->file.failure = failure;
    tiff_forget_complaint();
    self->tiff = tiff_open(&self->file, "rm");
    if (!self->tiff) codec_fail(failure, CODEC_DAMAGED, "%s", tiff_complaint());
    if (self->tiff && directory && !lazy_TIFFSetSubDirectory(self->tiff, directory))
        codec_fail(failure, CODEC_DAMAGED, "%s", tiff_complaint());
    if (!self->tiff || failure->status != CODEC_OK || describe(self, failure) || measure(self, failure)) {
        codec_tiff_close(self);
        return NULL;
    }
    *header = self->header;
    return self;
}

/// A half-precision number. Source: IEEE 754, binary16.
static float half(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
    // Numbers below the normal ones count in steps of 2^-24.
    if (exponent == 0) return (sign ? -1.0f : 1.0f) * (float)fraction / (1 << 24);
    uint32_t whole = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    float value;
    memcpy(&value, &whole, sizeof value);
    return value;
}

/// Puts one row of a block, as the file has it, where it belongs among the samples.
static void place_row(codec_tiff *self, const uint8_t *row, uint32_t count, int plane, void *out) {
    uint8_t *out8 = out;
    uint16_t *out16 = out;
    float *floats = out;
    uint32_t channels = self->header.channels;
    uint32_t near = together(self);
    int inverted = self->photometric == PHOTOMETRIC_MINISWHITE;
    if (self->floats) {
        for (uint32_t x = 0; x < count; x++)
            for (uint32_t c = 0; c < near; c++) {
                size_t index = (size_t)x * near + c;
                float value = self->bits == 16 ? half(((const uint16_t *)row)[index]) : ((const float *)row)[index];
                uint32_t channel = c + (uint32_t)plane;
                floats[x * channels + channel] = inverted && channel == 0 ? 1 - value : value;
            }
        return;
    }
    if (self->bits == 16) {
        const uint16_t *words = (const uint16_t *)row;
        for (uint32_t x = 0; x < count; x++)
            for (uint32_t c = 0; c < near; c++) {
                uint16_t value = words[x * near + c];
                uint32_t channel = c + (uint32_t)plane;
                out16[x * channels + channel] = inverted && channel == 0 ? 65535 - value : value;
            }
        return;
    }
    if (self->photometric == PHOTOMETRIC_PALETTE || self->bits < 8) {
        unsigned mask = (1u << self->bits) - 1;
        for (uint32_t x = 0; x < count; x++) {
            size_t bit = (size_t)x * self->bits;
            unsigned value = row[bit / 8] >> (8 - self->bits - bit % 8) & mask;
            if (self->photometric == PHOTOMETRIC_PALETTE)
                for (int c = 0; c < 3; c++) out8[x * 3 + (uint32_t)c] = (uint8_t)(self->palette[c][value] >> 8);
            else
                out8[x] = (uint8_t)((inverted ? mask - value : value) * (255 / mask));
        }
        return;
    }
    for (uint32_t x = 0; x < count; x++)
        for (uint32_t c = 0; c < near; c++) {
            uint8_t value = row[x * near + c];
            uint32_t channel = c + (uint32_t)plane;
            out8[x * channels + channel] = inverted && channel == 0 ? 255 - value : value;
        }
}

/// Divides associated alpha out of the colours.
static void divide_float_alpha(uint32_t channels, float *samples, size_t pixels) {
    for (size_t pixel = 0; pixel < pixels; pixel++, samples += channels) {
        float alpha = samples[channels - 1];
        if (alpha > 0 && alpha != 1)
            for (uint32_t c = 0; c + 1 < channels; c++) samples[c] /= alpha;
    }
}

/// Divides associated alpha out of the colours, rounding to nearest.
static void divide_alpha(codec_tiff *self, void *samples, size_t pixels) {
    uint32_t channels = self->header.channels, most = self->header.depth == 16 ? 65535 : 255;
    if (self->floats) {
        divide_float_alpha(channels, samples, pixels);
        return;
    }
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        uint8_t *bytes = (uint8_t *)samples + pixel * channels;
        uint16_t *words = (uint16_t *)samples + pixel * channels;
        uint64_t alpha = most == 255 ? bytes[channels - 1] : words[channels - 1];
        if (alpha == 0 || alpha == most) continue;
        for (uint32_t c = 0; c + 1 < channels; c++) {
            uint64_t value = ((most == 255 ? bytes[c] : words[c]) * (uint64_t)most + alpha / 2) / alpha;
            if (value > most) value = most;
            if (most == 255) bytes[c] = (uint8_t)value;
            else words[c] = (uint16_t)value;
        }
    }
}

/// Where rows go that are decoded: `count` of them from `y` on.
typedef struct {
    uint32_t y, count;
    void *samples;
} row_target;

static void place_at(
    codec_tiff *self, const uint8_t *row, uint32_t x, uint32_t y, uint32_t columns, int plane, const row_target *target) {
    size_t first = ((size_t)(y - target->y) * self->header.width + x) * self->header.channels;
    place_row(self, row, columns, plane, (uint8_t *)target->samples + first * (self->header.depth / 8));
}

static int complain(codec_failure *failure) { return codec_fail(failure, CODEC_DAMAGED, "%s", tiff_complaint()); }

/// Rows of strips or tiles that are decoded whole.
static int read_blocks(codec_tiff *self, int plane, uint8_t *block, const row_target *target, codec_failure *failure) {
    TIFF *tiff = self->tiff;
    uint32_t width = self->header.width, height = self->header.height, end = target->y + target->count;
    uint64_t stride = row_bytes(self);
    int tiled = lazy_TIFFIsTiled(tiff);
    for (uint64_t top = target->y / self->block_height * self->block_height; top < end; top += self->block_height)
        for (uint64_t left = 0; left < width; left += self->block_width) {
            uint32_t x = (uint32_t)left, y = (uint32_t)top;
            uint32_t rows = height - y < self->block_height ? height - y : self->block_height;
            uint32_t columns = width - x < self->block_width ? width - x : self->block_width;
            tmsize_t wanted = (tmsize_t)(tiled ? self->block_bytes : stride * rows);
            tmsize_t read =
                tiled ? lazy_TIFFReadEncodedTile(
                            tiff, lazy_TIFFComputeTile(tiff, x, y, 0, (uint16_t)plane), block, wanted)
                      : lazy_TIFFReadEncodedStrip(tiff, lazy_TIFFComputeStrip(tiff, y, (uint16_t)plane), block, wanted);
            if (read < wanted) return complain(failure);
            for (uint32_t row = y < target->y ? target->y - y : 0; row < rows && y + row < end; row++)
                place_at(self, block + row * stride, x, y + row, columns, plane, target);
        }
    return 0;
}

/// Rows of long strips that are not compressed, from where they lie in the file.
static int read_plain_rows(codec_tiff *self, int plane, uint8_t *row, const row_target *target, codec_failure *failure) {
    uint64_t stride = row_bytes(self);
    for (uint32_t y = target->y; y < target->y + target->count; y++) {
        uint32_t strip = lazy_TIFFComputeStrip(self->tiff, y, (uint16_t)plane);
        uint64_t place = (uint64_t)(y % self->block_height) * stride;
        if (place + stride > lazy_TIFFGetStrileByteCount(self->tiff, strip))
            return codec_fail(failure, CODEC_DAMAGED, "its strip %u is too short", strip);
        place += lazy_TIFFGetStrileOffset(self->tiff, strip);
        if (codec_source_read(&self->file.source, place, row, (size_t)stride, failure) < stride)
            return codec_fail(failure, CODEC_TRUNCATED, "the file ends early");
        uint64_t width = self->bits / 8;
        if (width > 1 && lazy_TIFFIsByteSwapped(self->tiff))
            for (uint64_t i = 0; i + width <= stride; i += width)
                for (uint64_t near = i, far = i + width - 1; near < far; near++, far--) {
                    uint8_t first = row[near];
                    row[near] = row[far];
                    row[far] = first;
                }
        place_at(self, row, 0, y, self->header.width, plane, target);
    }
    return 0;
}

/// Rows of long strips, decoded one after the other.
static int read_rows(codec_tiff *self, int plane, uint8_t *row, const row_target *target, codec_failure *failure) {
    for (uint32_t y = target->y; y < target->y + target->count; y++) {
        if (lazy_TIFFReadScanline(self->tiff, row, y, (uint16_t)plane) < 0) return complain(failure);
        place_at(self, row, 0, y, self->header.width, plane, target);
    }
    return 0;
}

int codec_tiff_rows(
    codec_tiff *self, uint32_t pass, uint32_t y, uint32_t count, void *samples, codec_failure *failure) {
    self->file.failure = failure;
    uint8_t *block = calloc(1, self->block_bytes);
    if (!block) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    tiff_forget_complaint();
    row_target target = {.y = y, .count = count, .samples = samples};
    // A pass is either all planes or one of them.
    int planes = self->planes_apart ? self->file_channels : 1;
    int first = self->header.passes > 1 ? (int)pass : 0, end = self->header.passes > 1 ? first + 1 : planes;
    int failed = 0;
    for (int plane = first; plane < end && !failed; plane++)
        failed = self->reading == TIFF_BLOCKS       ? read_blocks(self, plane, block, &target, failure)
                 : self->reading == TIFF_PLAIN_ROWS ? read_plain_rows(self, plane, block, &target, failure)
                                                    : read_rows(self, plane, block, &target, failure);
    free(block);
    if (failed) return -1;
    if (self->premultiplied && pass + 1 == self->header.passes)
        divide_alpha(self, samples, (size_t)self->header.width * count);
    return 0;
}

static codec_span field(codec_tiff *self, uint32_t tag) {
    uint32_t count = 0;
    const void *bytes = NULL;
    if (!lazy_TIFFGetField(self->tiff, tag, &count, &bytes) || !bytes) return (codec_span){0};
    return (codec_span){bytes, count};
}

codec_span codec_tiff_profile(codec_tiff *self) { return field(self, TIFFTAG_ICCPROFILE); }
codec_span codec_tiff_xmp(codec_tiff *self) { return field(self, TIFFTAG_XMLPACKET); }

void codec_tiff_close(codec_tiff *self) {
    if (!self) return;
    if (self->tiff) lazy_TIFFClose(self->tiff);
    free(self);
}
