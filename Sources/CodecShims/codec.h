// Shared by the three codecs.
#ifndef VELATURA_CODEC_H
#define VELATURA_CODEC_H

#include "codec_shims.h"

/// Records the first failure; later ones are usually its consequences. Always returns −1.
int codec_fail(codec_failure *failure, codec_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Copies up to `count` bytes from `place` on and returns how many: fewer are the end. A failure of the disk is recorded
/// and reads as the end.
size_t codec_source_read(
    const codec_source *source, uint64_t place, void *bytes, size_t count, codec_failure *failure);

/// Writes all of `count` bytes at `place`, which may lie behind the end. Returns 0, or −1 with the failure recorded.
int codec_sink_write(
    const codec_sink *sink, uint64_t place, const void *bytes, size_t count, codec_failure *failure);

/// As codec_source_read, of what was written.
size_t codec_sink_read(const codec_sink *sink, uint64_t place, void *bytes, size_t count, codec_failure *failure);

/// The MD5 sum of some bytes, as 32 digits.
void codec_md5(const uint8_t *bytes, size_t count, char digits[33]);

#endif
