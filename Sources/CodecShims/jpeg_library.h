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

/// Coefficients that lie in a file.
typedef struct {
    int file;
    /// Of the file, and those that are taken.
    uint64_t bytes, used;
    struct jvirt_barray_control *arrays;
} jpeg_blocks;

/// What the coefficients of all of a picture take; 0 where its rows come without.
uint64_t jpeg_blocks_bytes(j_decompress_ptr info);
/// Before decoding: they are to lie in a new file of so many bytes, which outlives the reader.
void jpeg_blocks_begin(jpeg_blocks *self, j_decompress_ptr info, int file, uint64_t bytes);
void jpeg_blocks_end(jpeg_blocks *self);

#endif
