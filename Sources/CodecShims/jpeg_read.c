// Reading JPEG.
#include "jpeg_library.h"

#include <jerror.h>
#include <stdlib.h>

/// Scans of a progressive file beyond this many are an attack on patience: each costs a pass over the whole picture.
enum { MOST_SCANS = 500 };

/// Application markers that are kept: libjpeg goes through all of them for each that comes.
enum { MOST_MARKERS = 4096 };

/// A file that is read as it is decoded.
typedef struct {
    struct jpeg_source_mgr manager;
    codec_source source;
    /// Behind what the buffer holds.
    uint64_t place;
    JOCTET buffer[1 << 16];
} jpeg_source;

struct codec_jpeg {
    struct jpeg_decompress_struct info;
    jpeg_source source;
    int started, are_inverted;
    struct jpeg_progress_mgr progress;
    jpeg_blocks blocks;
    jpeg_trap trap;
};

static void count_scans(j_common_ptr info) {
    j_decompress_ptr reader = (j_decompress_ptr)info;
    if (reader->input_scan_number <= MOST_SCANS) return;
    jpeg_trap *trap = (jpeg_trap *)info->err;
    codec_fail(trap->failure, CODEC_UNSUPPORTED, "it has more than %d scans", MOST_SCANS);
    longjmp(trap->trap, 1);
}

static void begin_input(j_decompress_ptr info) { (void)info; }
static void end_input(j_decompress_ptr info) { (void)info; }

/// Once for each buffer, which has room for some thousands more.
static void count_markers(j_decompress_ptr info, jpeg_trap *trap) {
    int count = 0;
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next) count++;
    if (count <= MOST_MARKERS) return;
    codec_fail(trap->failure, CODEC_UNSUPPORTED, "it has more than %d application markers", MOST_MARKERS);
    longjmp(trap->trap, 1);
}

static boolean fill_input(j_decompress_ptr info) {
    jpeg_source *self = (jpeg_source *)info->src;
    jpeg_trap *trap = (jpeg_trap *)info->err;
    count_markers(info, trap);
    size_t count = codec_source_read(&self->source, self->place, self->buffer, sizeof self->buffer, trap->failure);
    if (!count) {
        info->err->msg_code = JWRN_JPEG_EOF;
        info->err->error_exit((j_common_ptr)info);
    }
    self->place += count;
    self->manager.next_input_byte = self->buffer;
    self->manager.bytes_in_buffer = count;
    return TRUE;
}

static void skip_input(j_decompress_ptr info, long count) {
    jpeg_source *self = (jpeg_source *)info->src;
    if (count <= 0) return;
    size_t ready = self->manager.bytes_in_buffer, taken = (size_t)count < ready ? (size_t)count : ready;
    self->manager.next_input_byte += taken;
    self->manager.bytes_in_buffer -= taken;
    self->place += (size_t)count - taken;
}

static void set_source(codec_jpeg *self, const codec_source *source) {
    self->source.source = *source;
    self->source.manager = (struct jpeg_source_mgr){
        .init_source = begin_input,
        .fill_input_buffer = fill_input,
        .skip_input_data = skip_input,
        .resync_to_restart = lazy_jpeg_resync_to_restart,
        .term_source = end_input};
    self->info.src = &self->source.manager;
}

codec_jpeg *codec_jpeg_open(const codec_source *source, codec_header *header, codec_failure *failure) {
    if (codec_jpeg_available(failure)) return NULL;
    codec_jpeg *self = calloc(1, sizeof *self);
    if (!self) return codec_fail(failure, CODEC_OUT_OF_MEMORY, "there is no memory left"), NULL;
    jpeg_set_trap(&self->trap, failure);
    self->info.err = &self->trap.manager;
    if (setjmp(self->trap.trap)) {
        codec_jpeg_close(self);
        return NULL;
    }
    lazy_jpeg_CreateDecompress(&self->info, JPEG_LIB_VERSION, sizeof self->info);
    self->progress.progress_monitor = count_scans;
    self->info.progress = &self->progress;
    set_source(self, source);
    lazy_jpeg_save_markers(&self->info, JPEG_APP0 + 1, 0xFFFF);
    lazy_jpeg_save_markers(&self->info, JPEG_APP0 + 2, 0xFFFF);
    lazy_jpeg_save_markers(&self->info, JPEG_APP0 + 13, 0xFFFF);
    lazy_jpeg_read_header(&self->info, TRUE);
    int components = self->info.num_components;
    if (components != 1 && components != 3 && components != 4) {
        codec_fail(
            failure, CODEC_UNSUPPORTED, "it has %d colour components (neither grey, RGB nor CMYK)", components);
        codec_jpeg_close(self);
        return NULL;
    }
    // YCCK becomes CMYK; Adobe's programs write how much light inks leave.
    self->info.out_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
    self->are_inverted = components == 4 && self->info.saw_Adobe_marker;
    *header = (codec_header){
        .width = self->info.image_width,
        .height = self->info.image_height,
        .channels = (uint32_t)components,
        .inks = components == 4,
        .depth = 8,
        .orientation = 1,
        .passes = 1,
        .band_rows = 1,
        .memory = jpeg_blocks_bytes(&self->info)};
    double units = self->info.density_unit == 1 ? 1 / 0.0254 : self->info.density_unit == 2 ? 100 : 0;
    if (self->info.saw_JFIF_marker && units > 0) {
        header->horizontal_resolution = self->info.X_density * units;
        header->vertical_resolution = self->info.Y_density * units;
    }
    return self;
}

void codec_jpeg_unroll(codec_jpeg *self, int file, uint64_t bytes) {
    jpeg_blocks_begin(&self->blocks, &self->info, file, bytes);
}

int codec_jpeg_rows(codec_jpeg *self, uint32_t y, uint32_t count, void *samples, codec_failure *failure) {
    (void)y;
    self->trap.failure = failure;
    if (setjmp(self->trap.trap)) return -1;
    if (!self->started) {
        self->started = 1;
        lazy_jpeg_start_decompress(&self->info);
    }
    size_t stride = (size_t)self->info.output_width * (size_t)self->info.output_components;
    for (uint32_t row = 0; row < count; row++) {
        JSAMPROW target = (JSAMPROW)samples + row * stride;
        lazy_jpeg_read_scanlines(&self->info, &target, 1);
        for (size_t i = 0; self->are_inverted && i < stride; i++) target[i] = (JSAMPLE)(255 - target[i]);
    }
    return 0;
}

int codec_jpeg_end(codec_jpeg *self, codec_failure *failure) {
    self->trap.failure = failure;
    if (setjmp(self->trap.trap)) return -1;
    lazy_jpeg_finish_decompress(&self->info);
    return 0;
}

size_t codec_jpeg_markers(codec_jpeg *self, int number, codec_span *spans, size_t room) {
    size_t count = 0;
    for (jpeg_saved_marker_ptr marker = self->info.marker_list; marker; marker = marker->next) {
        if (marker->marker != JPEG_APP0 + number) continue;
        if (count < room) spans[count] = (codec_span){marker->data, marker->data_length};
        count++;
    }
    return count;
}

void codec_jpeg_close(codec_jpeg *self) {
    if (!self) return;
    lazy_jpeg_destroy_decompress(&self->info);
    jpeg_blocks_end(&self->blocks);
    free(self);
}
