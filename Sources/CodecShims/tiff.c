// TIFF by libtiff: the library, and files in memory. Standard: Adobe TIFF 6.0.
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

static uint64_t size_of(const tiff_memory *memory) { return memory->out ? memory->out->count : memory->source.count; }

static tmsize_t read_proc(thandle_t handle, void *bytes, tmsize_t count) {
    tiff_memory *memory = handle;
    uint64_t size = size_of(memory);
    if (count <= 0 || memory->place >= size) return 0;
    uint64_t rest = size - memory->place;
    size_t taken = (uint64_t)count < rest ? (size_t)count : (size_t)rest;
    memcpy(bytes, (memory->out ? memory->out->bytes : memory->source.bytes) + memory->place, taken);
    memory->place += taken;
    return (tmsize_t)taken;
}

static tmsize_t write_proc(thandle_t handle, void *bytes, tmsize_t count) {
    tiff_memory *memory = handle;
    if (!memory->out || count < 0 || codec_buffer_write(memory->out, memory->place, bytes, (size_t)count)) {
        memory->failed = 1;
        return 0;
    }
    memory->place += (uint64_t)count;
    return count;
}

static toff_t seek_proc(thandle_t handle, toff_t offset, int whence) {
    tiff_memory *memory = handle;
    uint64_t base = whence == SEEK_CUR ? memory->place : whence == SEEK_END ? size_of(memory) : 0;
    return memory->place = base + offset;
}

static int close_proc(thandle_t handle) { return (void)handle, 0; }
static toff_t size_proc(thandle_t handle) { return size_of(handle); }
static int map_proc(thandle_t handle, void **base, toff_t *size) { return (void)handle, (void)base, (void)size, 0; }
static void unmap_proc(thandle_t handle, void *base, toff_t size) { (void)handle, (void)base, (void)size; }

TIFF *tiff_open_memory(tiff_memory *memory, const char *mode) {
    return lazy_TIFFClientOpen(
        "picture", mode, memory, read_proc, write_proc, seek_proc, close_proc, size_proc, map_proc, unmap_proc);
}
