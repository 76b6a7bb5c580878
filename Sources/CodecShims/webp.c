// Reading WebP by libwebp. Container: https://developers.google.com/speed/webp/docs/riff_container
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>

#include "codec.h"
#include "lazy_libraries.h"

#define WEBP_FUNCTIONS(X) X(WebPGetFeaturesInternal) X(WebPInitDecoderConfigInternal) X(WebPDecode)
LAZY_DECLARE(WEBP_FUNCTIONS)

static const char *const names[] = {"libwebp.so.7", "libwebp.so", "libwebp.7.dylib", "libwebp.dylib",
                                    "/opt/homebrew/lib/libwebp.dylib", "/usr/local/lib/libwebp.dylib", NULL};
static const lazy_symbol symbols[] = {LAZY_TABLE(WEBP_FUNCTIONS){0}};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_library(void) { missing = lazy_open(names, symbols, missing_text, sizeof missing_text); }

int codec_webp_available(codec_failure *failure) {
    pthread_once(&opened, open_library);
    return missing ? codec_fail(failure, CODEC_LIBRARY_MISSING, "%s", missing_text) : 0;
}

struct codec_webp {
    /// The whole file, and the copy of it that is ours where it was not in memory.
    const uint8_t *bytes;
    uint8_t *copy;
    size_t count;
    uint32_t width, height, channels;
    /// All samples, where they are not asked for at once.
    uint8_t *samples;
};

static uint32_t little_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static int load(codec_webp *self, const codec_source *source, codec_failure *failure) {
    uint8_t head[12];
    if (codec_source_read(source, 0, head, sizeof head, failure) < sizeof head)
        return codec_fail(failure, CODEC_TRUNCATED, "the file ends early");
    uint64_t promised = (uint64_t)little_endian(head + 4) + 8;
    if (promised > source->count) return codec_fail(failure, CODEC_TRUNCATED, "the file ends early");
    // What stands behind is none of the picture's.
    self->count = (size_t)promised;
    self->bytes = source->bytes;
    if (self->bytes) return 0;
    self->bytes = self->copy = malloc(self->count);
    if (!self->copy) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    if (codec_source_read(source, 0, self->copy, self->count, failure) < self->count)
        return codec_fail(failure, CODEC_TRUNCATED, "the file ends early");
    return 0;
}

static int complain(VP8StatusCode status, codec_failure *failure) {
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY: return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA: return codec_fail(failure, CODEC_TRUNCATED, "its picture ends early");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return codec_fail(failure, CODEC_UNSUPPORTED, "it has a feature that libwebp does not know");
    default: return codec_fail(failure, CODEC_DAMAGED, "its picture makes no sense");
    }
}

codec_webp *codec_webp_open(const codec_source *source, codec_header *header, codec_failure *failure) {
    if (codec_webp_available(failure)) return NULL;
    codec_webp *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    WebPBitstreamFeatures found = {0};
    int failed = load(self, source, failure);
    if (!failed) {
        VP8StatusCode status =
            lazy_WebPGetFeaturesInternal(self->bytes, self->count, &found, WEBP_DECODER_ABI_VERSION);
        if (status != VP8_STATUS_OK) failed = complain(status, failure);
        else if (found.has_animation) failed = codec_fail(failure, CODEC_UNSUPPORTED, "it is an animation");
    }
    if (failed) {
        codec_webp_close(self);
        return NULL;
    }
    self->width = (uint32_t)found.width;
    self->height = (uint32_t)found.height;
    self->channels = found.has_alpha ? 4 : 3;
    uint64_t pixels = (uint64_t)self->width * self->height;
    *header = (codec_header){
        .width = self->width,
        .height = self->height,
        .channels = self->channels,
        .depth = 8,
        .orientation = 1,
        .passes = 1,
        .band_rows = self->height,
        .memory = self->count + pixels * self->channels};
    return self;
}

static int decode(codec_webp *self, uint8_t *samples, codec_failure *failure) {
    WebPDecoderConfig config;
    if (!lazy_WebPInitDecoderConfigInternal(&config, WEBP_DECODER_ABI_VERSION))
        return codec_fail(failure, CODEC_LIBRARY_MISSING, "libwebp is not a version that can be used");
    size_t stride = (size_t)self->width * self->channels;
    // Not premultiplied, so that what transparent pixels hide is kept.
    config.output.colorspace = self->channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = samples;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * self->height;
    VP8StatusCode status = lazy_WebPDecode(self->bytes, self->count, &config);
    return status == VP8_STATUS_OK ? 0 : complain(status, failure);
}

int codec_webp_rows(codec_webp *self, uint32_t y, uint32_t count, void *samples, codec_failure *failure) {
    size_t stride = (size_t)self->width * self->channels;
    if (y == 0 && count == self->height) return decode(self, samples, failure);
    if (!self->samples) {
        self->samples = malloc(stride * self->height);
        if (!self->samples) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
        if (decode(self, self->samples, failure)) return -1;
    }
    memcpy(samples, self->samples + y * stride, count * stride);
    return 0;
}

codec_span codec_webp_chunk(codec_webp *self, const char *name) {
    for (size_t place = 12; place + 8 <= self->count;) {
        uint32_t count = little_endian(self->bytes + place + 4);
        if (count > self->count - place - 8) break;
        if (!memcmp(self->bytes + place, name, 4)) return (codec_span){self->bytes + place + 8, count};
        place += 8 + (size_t)count + (count & 1);
    }
    return (codec_span){0};
}

void codec_webp_close(codec_webp *self) {
    if (!self) return;
    free(self->copy);
    free(self->samples);
    free(self);
}
