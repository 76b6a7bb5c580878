// Between the two halves of the JPEG codec.
#ifndef VELATURA_JPEG_LIBRARY_H
#define VELATURA_JPEG_LIBRARY_H

#include <stdio.h>

#include <jpeglib.h>

#include <setjmp.h>

#include "codec.h"

#define JPEG_FUNCTIONS(X)                                                                                             \
    X(jpeg_std_error) X(jpeg_CreateDecompress) X(jpeg_resync_to_restart) X(jpeg_save_markers) X(jpeg_read_header)     \
    X(jpeg_has_multiple_scans) X(jpeg_start_decompress) X(jpeg_read_scanlines) X(jpeg_finish_decompress)              \
    X(jpeg_destroy_decompress) X(jpeg_CreateCompress) X(jpeg_set_defaults) X(jpeg_set_quality) X(jpeg_start_compress) \
    X(jpeg_write_marker) X(jpeg_write_scanlines) X(jpeg_finish_compress) X(jpeg_destroy_compress)

#define JPEG_EXTERN(f) extern __typeof__(&f) lazy_##f;
JPEG_FUNCTIONS(JPEG_EXTERN)

/// Where libjpeg's errors lead: to `trap`, with the failure recorded.
typedef struct {
    struct jpeg_error_mgr manager;
    codec_failure *failure;
    jmp_buf trap;
} jpeg_trap;

void jpeg_set_trap(jpeg_trap *trap, codec_failure *failure);

#endif
