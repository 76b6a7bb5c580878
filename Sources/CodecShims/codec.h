// Shared by the codecs.
#ifndef VELATURA_CODEC_H
#define VELATURA_CODEC_H

#include "codec_shims.h"

/// Records the first failure; later ones are usually its consequences. Always returns −1.
int codec_fail(codec_failure *failure, codec_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// The header's resolution in whole pixels an inch where it is whole there, else in those a centimetre where it is whole there,
/// else in inches. Returns 0 for inches, 1 for centimetres, −1 where none is known.
int codec_resolution(const codec_header *header, double *across, double *down);

/// The MD5 sum of some bytes, as 32 digits.
void codec_md5(const uint8_t *bytes, size_t count, char digits[33]);

#endif
