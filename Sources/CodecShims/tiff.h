// Between the two halves of the TIFF codec.
#ifndef VELATURA_TIFF_H
#define VELATURA_TIFF_H

#include <tiffio.h>

#include "codec.h"

#define TIFF_FUNCTIONS(X)                                                                                             \
    X(TIFFClientOpen) X(TIFFClose) X(TIFFGetField) X(TIFFGetFieldDefaulted) X(TIFFSetField) X(TIFFIsTiled)            \
    X(TIFFReadEncodedStrip) X(TIFFReadEncodedTile) X(TIFFWriteEncodedStrip) X(TIFFStripSize64) X(TIFFTileSize64)      \
    X(TIFFComputeStrip) X(TIFFComputeTile) X(TIFFSetErrorHandler) X(TIFFSetWarningHandler) X(TIFFIsCODECConfigured)

#define TIFF_EXTERN(f) extern __typeof__(&f) lazy_##f;
TIFF_FUNCTIONS(TIFF_EXTERN)

/// A file in memory: of `source` when reading, growing in `out` when writing.
typedef struct {
    codec_span source;
    codec_buffer *out;
    uint64_t place;
    int failed;
} tiff_memory;

/// Opens a file in memory; `mode` as TIFFOpen's.
TIFF *tiff_open_memory(tiff_memory *memory, const char *mode);

/// The last thing that libtiff complained of on this thread, or a general line.
const char *tiff_complaint(void);
void tiff_forget_complaint(void);

#endif
