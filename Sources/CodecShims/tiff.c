// TIFF by libtiff: the library, and the files that it reads and writes. Standard: Adobe TIFF 6.0.
#include "tiff.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lazy_libraries.h"

#define TIFF_DEFINE(f) __typeof__(&f) lazy_##f;
TIFF_FUNCTIONS(TIFF_DEFINE)

static const char *const names[] = {
#if TIFFLIB_VERSION >= 20220520  // 4.4.0; 4.5.0 raised the number, and distributions differ on when
    "libtiff.so.6",    "libtiff.so.5",
#else
    "libtiff.so.5",    "libtiff.so.6",
#endif
    "libtiff.so",      "libtiff.6.dylib", "libtiff.dylib", "/opt/homebrew/lib/libtiff.dylib",
    "/usr/local/lib/libtiff.dylib", NULL};
static const lazy_symbol symbols[] = {LAZY_TABLE(TIFF_FUNCTIONS){0}};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];
static _Thread_local char complaint[160];

static void on_error(const char *module, const char *format, va_list arguments) {
    (void)module;
    // The first complaint names the cause.
    if (!complaint[0]) vsnprintf(complaint, sizeof complaint, format, arguments);
}

static void open_library(void) {
    missing = lazy_open(names, symbols, missing_text, sizeof missing_text);
    if (missing) return;
    lazy_TIFFSetErrorHandler(on_error);
    lazy_TIFFSetWarningHandler(NULL);
}

int codec_tiff_available(codec_failure *failure) {
    pthread_once(&opened, open_library);
    return missing ? codec_fail(failure, CODEC_LIBRARY_MISSING, "%s", missing_text) : 0;
}

const char *tiff_complaint(void) {
    size_t length = strlen(complaint);
    if (length && complaint[length - 1] == '.') complaint[length - 1] = 0;
    return complaint[0] ? complaint : "libtiff cannot read it";
}

void tiff_forget_complaint(void) { complaint[0] = 0; }

static uint64_t size_of(const tiff_file *file) { return file->is_written ? file->count : file->source.count; }

static tmsize_t read_proc(thandle_t handle, void *bytes, tmsize_t count) {
    tiff_file *file = handle;
    if (count <= 0) return 0;
    size_t got = file->is_written
                     ? codec_sink_read(&file->sink, file->place, bytes, (size_t)count, file->failure)
                     : codec_source_read(&file->source, file->place, bytes, (size_t)count, file->failure);
    file->place += got;
    return (tmsize_t)got;
}

static tmsize_t write_proc(thandle_t handle, void *bytes, tmsize_t count) {
    tiff_file *file = handle;
    if (!file->is_written || count < 0
        || codec_sink_write(&file->sink, file->place, bytes, (size_t)count, file->failure))
        return 0;
    file->place += (uint64_t)count;
    if (file->place > file->count) file->count = file->place;
    return count;
}

static toff_t seek_proc(thandle_t handle, toff_t offset, int whence) {
    tiff_file *file = handle;
    uint64_t base = whence == SEEK_CUR ? file->place : whence == SEEK_END ? size_of(file) : 0;
    return file->place = base + offset;
}

static int close_proc(thandle_t handle) { return (void)handle, 0; }
static toff_t size_proc(thandle_t handle) { return size_of(handle); }
static int map_proc(thandle_t handle, void **base, toff_t *size) { return (void)handle, (void)base, (void)size, 0; }
static void unmap_proc(thandle_t handle, void *base, toff_t size) { (void)handle, (void)base, (void)size; }

TIFF *tiff_open(tiff_file *file, const char *mode) {
    return lazy_TIFFClientOpen(
        "picture", mode, file, read_proc, write_proc, seek_proc, close_proc, size_proc, map_proc, unmap_proc);
}
