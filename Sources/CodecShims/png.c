// PNG by libpng 1.6 and zlib: the libraries. Standard: https://www.w3.org/TR/png-3/
#include "png_library.h"

#include <pthread.h>

#include "lazy_libraries.h"

#define PNG_DEFINE(f) __typeof__(&f) lazy_##f;
PNG_FUNCTIONS(PNG_DEFINE)
ZLIB_FUNCTIONS(PNG_DEFINE)

static const char *const png_names[] = {"libpng16.so.16", "libpng16.so", "libpng16.16.dylib", "libpng16.dylib",
                                        "/opt/homebrew/lib/libpng16.dylib", "/usr/local/lib/libpng16.dylib", NULL};
static const lazy_symbol png_symbols[] = {LAZY_TABLE(PNG_FUNCTIONS){0}};
static const char *const zlib_names[] = {"libz.so.1", "libz.so", "libz.1.dylib", "libz.dylib", NULL};
static const lazy_symbol zlib_symbols[] = {LAZY_TABLE(ZLIB_FUNCTIONS){0}};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_libraries(void) {
    missing = lazy_open(png_names, png_symbols, missing_text, sizeof missing_text);
    if (!missing) missing = lazy_open(zlib_names, zlib_symbols, missing_text, sizeof missing_text);
}

int codec_png_available(codec_failure *failure) {
    pthread_once(&opened, open_libraries);
    return missing ? codec_fail(failure, CODEC_LIBRARY_MISSING, "%s", missing_text) : 0;
}
