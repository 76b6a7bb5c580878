// Where libjpeg keeps the coefficients of a file whose scans each cover all of the picture: in a file of ours instead of in
// memory, by taking the place of two functions of its memory manager.
#include <stdlib.h>
#include <sys/mman.h>

#include "jpeg_library.h"

/// Bytes after which what has been gone through is no longer held in memory.
enum { HELD = 1 << 25 };

/// One component's blocks, rows of them behind one another. libjpeg knows the type by its name alone.
struct jvirt_barray_control {
    JBLOCK *blocks;
    size_t bytes, row_bytes;
    JBLOCKROW *rows;
    JDIMENSION row_count;
    /// Where in them was let go last.
    size_t released;
    struct jvirt_barray_control *next;
};

static size_t array_bytes(JDIMENSION blocks_per_row, JDIMENSION row_count) {
    // Arrays begin at whole pages, however large these are.
    size_t bytes = (size_t)blocks_per_row * row_count * sizeof(JBLOCK);
    return (bytes + 0xFFFF) & ~(size_t)0xFFFF;
}

uint64_t jpeg_blocks_bytes(j_decompress_ptr info) {
    if (!lazy_jpeg_has_multiple_scans(info)) return 0;
    uint64_t bytes = 0;
    for (int c = 0; c < info->num_components; c++) {
        // As libjpeg asks for them: whole groups that are coded together.
        const jpeg_component_info *part = &info->comp_info[c];
        JDIMENSION across = (JDIMENSION)part->h_samp_factor, down = (JDIMENSION)part->v_samp_factor;
        bytes += array_bytes(
            (part->width_in_blocks + across - 1) / across * across, (part->height_in_blocks + down - 1) / down * down);
    }
    return bytes;
}

static void fail(j_common_ptr info, const char *what) {
    jpeg_trap *trap = (jpeg_trap *)info->err;
    codec_fail(trap->failure, CODEC_OUT_OF_MEMORY, "%s", what);
    longjmp(trap->trap, 1);
}

static jvirt_barray_ptr request(
    j_common_ptr info, int pool, boolean zeroed, JDIMENSION blocks_per_row, JDIMENSION row_count, JDIMENSION most) {
    (void)pool, (void)zeroed, (void)most;
    jpeg_blocks *self = info->client_data;
    struct jvirt_barray_control *array = calloc(1, sizeof *array);
    if (!array) fail(info, "there is no memory left");
    array->bytes = array_bytes(blocks_per_row, row_count);
    array->row_bytes = (size_t)blocks_per_row * sizeof(JBLOCK);
    array->row_count = row_count;
    array->rows = calloc(row_count ? row_count : 1, sizeof *array->rows);
    // A new file reads as zeros, which is what is asked for.
    void *place = MAP_FAILED;
    if (array->rows && array->bytes && self->used + array->bytes <= self->bytes)
        place = mmap(NULL, array->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, self->file, (off_t)self->used);
    if (place == MAP_FAILED) {
        free(array->rows);
        free(array);
        fail(info, "its coefficients find no room");
    }
    self->used += array->bytes;
    array->blocks = place;
    for (JDIMENSION y = 0; y < row_count; y++)
        array->rows[y] = (JBLOCKROW)((char *)place + (size_t)y * array->row_bytes);
    array->next = self->arrays;
    self->arrays = array;
    return array;
}

static JBLOCKARRAY access_rows(
    j_common_ptr info, jvirt_barray_ptr array, JDIMENSION first, JDIMENSION count, boolean writable) {
    (void)writable;
    if (first > array->row_count || count > array->row_count - first) fail(info, "its coefficients make no sense");
    size_t place = first * array->row_bytes;
    size_t passed = place > array->released ? place - array->released : array->released - place;
    if (passed > HELD) {
        // They stay in the file, and come back from there when they are touched.
        madvise(array->blocks, array->bytes, MADV_DONTNEED);
        array->released = place;
    }
    return array->rows + first;
}

void jpeg_blocks_begin(jpeg_blocks *self, j_decompress_ptr info, int file, uint64_t bytes) {
    self->file = file;
    self->bytes = bytes;
    info->client_data = self;
    info->mem->request_virt_barray = request;
    info->mem->access_virt_barray = access_rows;
}

void jpeg_blocks_end(jpeg_blocks *self) {
    while (self->arrays) {
        struct jvirt_barray_control *array = self->arrays;
        self->arrays = array->next;
        munmap(array->blocks, array->bytes);
        free(array->rows);
        free(array);
    }
}
