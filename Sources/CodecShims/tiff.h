// Between the two halves of the TIFF codec.
#ifndef VELATURA_TIFF_H
#define VELATURA_TIFF_H

#include <tiffio.h>

#include "codec.h"

#define TIFF_FUNCTIONS(X)                                                                                             \
    X(TIFFClientOpen) X(TIFFClose) X(TIFFGetField) X(TIFFGetFieldDefaulted) X(TIFFSetField) X(TIFFIsTiled)            \
    X(TIFFReadEncodedStrip) X(TIFFReadEncodedTile) X(TIFFWriteEncodedStrip) X(TIFFStripSize64) X(TIFFTileSize64)      \
    X(TIFFComputeStrip) X(TIFFComputeTile) X(TIFFSetErrorHandler) X(TIFFSetWarningHandler) X(TIFFIsCODECConfigured)   \
    X(TIFFReadScanline) X(TIFFScanlineSize64) X(TIFFGetStrileOffset) X(TIFFGetStrileByteCount) X(TIFFIsByteSwapped)   \
    X(TIFFSetSubDirectory)

#define TIFF_EXTERN(f) extern __typeof__(&f) lazy_##f;
TIFF_FUNCTIONS(TIFF_EXTERN)

/// A file that libtiff reads from `source`, or one that it writes to `sink`.
typedef struct {
    codec_source source;
    codec_sink sink;
    /// The written file's length.
    uint64_t count;
    uint64_t place;
    int is_written;
    /// Of whoever calls libtiff.
    codec_failure *failure;
} tiff_file;

/// Opens a file; `mode` as TIFFOpen's.
TIFF *tiff_open(tiff_file *file, const char *mode);

/// The last thing that libtiff complained of on this thread, or a general line.
const char *tiff_complaint(void);
void tiff_forget_complaint(void);

#endif
