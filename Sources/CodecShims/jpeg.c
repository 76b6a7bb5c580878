// JPEG by libjpeg-turbo or libjpeg: the library, and its errors. Standard: ITU-T T.81; EXIF in APP1: CIPA DC-008.
#include "jpeg_library.h"

#include <jerror.h>
#include <pthread.h>
#include <string.h>

#include "lazy_libraries.h"

#define JPEG_DEFINE(f) __typeof__(&f) lazy_##f;
JPEG_FUNCTIONS(JPEG_DEFINE)

// The structs differ between the versions of libjpeg, so only the one whose header was compiled in will do.
static const lazy_symbol symbols[] = {LAZY_TABLE(JPEG_FUNCTIONS){0}};
static const char *const names[] = {
#if JPEG_LIB_VERSION >= 80
    "libjpeg.so.8",  "libjpeg.8.dylib",
#elif JPEG_LIB_VERSION >= 70
    "libjpeg.so.7",  "libjpeg.7.dylib",
#else
    "libjpeg.so.62", "libjpeg.62.dylib",
#endif
    "libjpeg.so",    "libjpeg.dylib",    "/opt/homebrew/lib/libjpeg.dylib", "/usr/local/lib/libjpeg.dylib", NULL};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_library(void) { missing = lazy_open(names, symbols, missing_text, sizeof missing_text); }

int codec_jpeg_available(codec_failure *failure) {
    pthread_once(&opened, open_library);
    return missing ? codec_fail(failure, CODEC_LIBRARY_MISSING, "%s", missing_text) : 0;
}

static void on_error(j_common_ptr info) {
    jpeg_trap *trap = (jpeg_trap *)info->err;
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    size_t length = strlen(message);
    if (length && message[length - 1] == '.') message[length - 1] = 0;
    int kind = info->err->msg_code;
    if (kind == JERR_BAD_PRECISION)
        codec_fail(trap->failure, CODEC_UNSUPPORTED, "it has %d bits a channel", info->err->msg_parm.i[0]);
    if (kind == JERR_SOF_UNSUPPORTED)
        codec_fail(trap->failure, CODEC_UNSUPPORTED, "it is of the lossless or the hierarchical sort");
    if (kind == JERR_ARITH_NOTIMPL)
        codec_fail(trap->failure, CODEC_UNSUPPORTED, "it is arithmetic-coded, which the libjpeg here does not know");
    int early = kind == JWRN_JPEG_EOF || kind == JERR_INPUT_EMPTY;
    codec_fail(trap->failure, early ? CODEC_TRUNCATED : CODEC_DAMAGED, "%s", message);
    longjmp(trap->trap, 1);
}

/// libjpeg paints grey over what it cannot read and calls it a warning. We would rather say so.
static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC: on_error(info);
    default: break;
    }
}

void jpeg_set_trap(jpeg_trap *trap, codec_failure *failure) {
    lazy_jpeg_std_error(&trap->manager);
    trap->manager.error_exit = on_error;
    trap->manager.emit_message = on_message;
    trap->failure = failure;
}
