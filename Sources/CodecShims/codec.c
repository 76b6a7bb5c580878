#include "codec.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int codec_fail(codec_failure *failure, codec_status status, const char *format, ...) {
    if (failure->status != CODEC_OK) return -1;
    failure->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    // Libraries break their lines, and may repeat what the file says: any white space and what commands a terminal is a blank.
    char *end = failure->text;
    for (const char *from = failure->text; *from; from++) {
        int is_blank = (unsigned char)*from <= ' ' || *from == 0x7F;
        if (is_blank && (end == failure->text || end[-1] == ' ')) continue;
        *end++ = is_blank ? ' ' : *from;
    }
    *end = 0;
    return -1;
}

static size_t read_file(int file, uint64_t place, uint8_t *bytes, size_t count, codec_failure *failure) {
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(file, bytes + done, count - done, (off_t)(place + done));
        if (got == 0) break;
        if (got > 0) {
            done += (size_t)got;
        } else if (errno != EINTR) {
            int error = errno;
            codec_fail(failure, CODEC_READ_FAILED, "%s", strerror(error));
            failure->system_error = error;
            break;
        }
    }
    return done;
}

size_t codec_source_read(
    const codec_source *source, uint64_t place, void *bytes, size_t count, codec_failure *failure) {
    if (place >= source->count) return 0;
    if (count > source->count - place) count = (size_t)(source->count - place);
    if (!source->bytes) return read_file(source->file, place, bytes, count, failure);
    memcpy(bytes, source->bytes + place, count);
    return count;
}

/// Writes `count` bytes at `place`, growing the buffer as needed. Returns −1 when there is no room.
static int write_buffer(codec_buffer *buffer, uint64_t place, const void *bytes, size_t count) {
    if (place > SIZE_MAX / 2 || count > SIZE_MAX / 2 - place) return -1;
    size_t end = (size_t)place + count;
    if (end > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 1 << 16;
        while (capacity < end) capacity += capacity / 2;
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) return -1;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    // A writer may seek past the end; what lies between is zero.
    if (place > buffer->count) memset(buffer->bytes + buffer->count, 0, place - buffer->count);
    if (count) memcpy(buffer->bytes + place, bytes, count);
    if (end > buffer->count) buffer->count = end;
    return 0;
}

int codec_sink_write(
    const codec_sink *sink, uint64_t place, const void *bytes, size_t count, codec_failure *failure) {
    if (sink->buffer) {
        if (write_buffer(sink->buffer, place, bytes, count) == 0) return 0;
        return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left");
    }
    for (size_t done = 0; done < count;) {
        ssize_t put = pwrite(sink->file, (const uint8_t *)bytes + done, count - done, (off_t)(place + done));
        if (put >= 0) {
            done += (size_t)put;
        } else if (errno != EINTR) {
            int error = errno;
            codec_fail(failure, CODEC_WRITE_FAILED, "%s", strerror(error));
            failure->system_error = error;
            return -1;
        }
    }
    return 0;
}

size_t codec_sink_read(const codec_sink *sink, uint64_t place, void *bytes, size_t count, codec_failure *failure) {
    if (!sink->buffer) return read_file(sink->file, place, bytes, count, failure);
    codec_source written = {.bytes = sink->buffer->bytes, .count = sink->buffer->count};
    return codec_source_read(&written, place, bytes, count, failure);
}

/// The value in units of so many metres; whole where the header's was rounded from a whole one to pixels a metre.
static double in_units(double metres, double unit) {
    double value = metres * unit, whole = round(value);
    return fabs(value - whole) < 1e-4 || (metres == round(metres) && round(whole / unit) == metres) ? whole : value;
}

int codec_resolution(const codec_header *header, double *across, double *down) {
    double x = header->horizontal_resolution, y = header->vertical_resolution;
    // What single precision and the formats' own fractions can hold.
    if (!(x > 0 && y > 0 && x < 1e9 && y < 1e9)) return -1;
    *across = in_units(x, 0.0254), *down = in_units(y, 0.0254);
    if (*across == round(*across) && *down == round(*down)) return 0;
    double near_x = in_units(x, 0.01), near_y = in_units(y, 0.01);
    if (near_x != round(near_x) || near_y != round(near_y)) return 0;
    *across = near_x, *down = near_y;
    return 1;
}

void codec_buffer_free(codec_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (codec_buffer){0};
}
