// Shared by the three codecs.
#ifndef VELATURA_CODEC_H
#define VELATURA_CODEC_H

#include "codec_shims.h"

/// Records the first failure; later ones are usually its consequences. Always returns −1.
int codec_fail(codec_failure *failure, codec_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Writes `count` bytes at `place`, growing the buffer as needed. Returns −1 when there is no room.
int codec_buffer_write(codec_buffer *buffer, size_t place, const void *bytes, size_t count);

/// The MD5 sum of some bytes, as 32 digits.
void codec_md5(const uint8_t *bytes, size_t count, char digits[33]);

#endif
