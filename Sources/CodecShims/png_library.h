// Between the two halves of the PNG codec.
#ifndef VELATURA_PNG_LIBRARY_H
#define VELATURA_PNG_LIBRARY_H

#include <png.h>
#include <zlib.h>

#include "codec.h"

#define PNG_FUNCTIONS(X)                                                                                             \
    X(png_create_read_struct) X(png_create_write_struct) X(png_create_info_struct) X(png_destroy_read_struct)        \
    X(png_destroy_write_struct) X(png_get_error_ptr) X(png_get_io_ptr) X(png_set_read_fn) X(png_set_write_fn)        \
    X(png_set_user_limits) X(png_set_crc_action) X(png_read_info) X(png_get_IHDR) X(png_get_valid) X(png_set_expand) \
    X(png_set_swap) X(png_set_interlace_handling) X(png_read_update_info) X(png_get_rowbytes) X(png_get_channels)    \
    X(png_read_row) X(png_read_end) X(png_get_text) X(png_get_eXIf_1) X(png_get_pHYs) X(png_set_IHDR)                \
    X(png_set_text) X(png_set_eXIf_1) X(png_set_pHYs) X(png_set_benign_errors) X(png_set_compression_level)          \
    X(png_write_info_before_PLTE) X(png_write_info) X(png_write_chunk)

#define PNG_EXTERN(f) extern __typeof__(&f) lazy_##f;
PNG_FUNCTIONS(PNG_EXTERN)

// libpng compresses with zlib, so that where the one is the other is too.
#define ZLIB_FUNCTIONS(X)                                                                                            \
    X(deflateInit2_) X(deflateSetDictionary) X(deflateBound) X(deflate) X(deflateEnd) X(adler32) X(adler32_combine)  \
    X(inflateInit_) X(inflate) X(inflateEnd) X(compress2) X(compressBound)
ZLIB_FUNCTIONS(PNG_EXTERN)

#endif
