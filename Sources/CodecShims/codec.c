#include "codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int codec_fail(codec_failure *failure, codec_status status, const char *format, ...) {
    if (failure->status != CODEC_OK) return -1;
    failure->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return -1;
}

int codec_buffer_write(codec_buffer *buffer, size_t place, const void *bytes, size_t count) {
    if (count > SIZE_MAX / 2 - place) return -1;
    size_t end = place + count;
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

void codec_buffer_free(codec_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (codec_buffer){0};
}
