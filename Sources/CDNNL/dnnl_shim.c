#include "dnnl_shim.h"

#include "lazy_libraries.h"

#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_version.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V3 (DNNL_VERSION_MAJOR >= 3)

// Functions both interfaces have, and those that only one has.
#define COMMON_FUNCTIONS(X) \
    X(dnnl_version) X(dnnl_get_effective_cpu_isa) X(dnnl_engine_create) X(dnnl_stream_create) X(dnnl_stream_wait) \
    X(dnnl_primitive_attr_create) X(dnnl_primitive_attr_destroy) X(dnnl_primitive_attr_set_scratchpad_mode) \
    X(dnnl_primitive_attr_set_post_ops) X(dnnl_post_ops_create) X(dnnl_post_ops_destroy) X(dnnl_post_ops_append_sum) \
    X(dnnl_primitive_desc_query) X(dnnl_primitive_desc_query_md) X(dnnl_primitive_desc_destroy) \
    X(dnnl_primitive_create) X(dnnl_primitive_execute) X(dnnl_primitive_destroy) X(dnnl_reorder_primitive_desc_create) \
    X(dnnl_memory_create) X(dnnl_memory_destroy) X(dnnl_memory_desc_get_size) X(dnnl_memory_desc_equal)
#if V3
#define FUNCTIONS(X) COMMON_FUNCTIONS(X) X(dnnl_memory_desc_create_with_tag) X(dnnl_memory_desc_destroy) \
    X(dnnl_memory_desc_clone) X(dnnl_convolution_forward_primitive_desc_create) X(dnnl_matmul_primitive_desc_create) \
    X(dnnl_primitive_desc_next_impl)
typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t const_layout;
#define BY_ADDRESS(l) (l)
#define LIBRARY "libdnnl.so.3"
#else
#define FUNCTIONS(X) COMMON_FUNCTIONS(X) X(dnnl_memory_desc_init_by_tag) X(dnnl_dilated_convolution_forward_desc_init) \
    X(dnnl_matmul_desc_init) X(dnnl_primitive_desc_create) X(dnnl_primitive_desc_iterator_create) \
    X(dnnl_primitive_desc_iterator_fetch) X(dnnl_primitive_desc_iterator_next) X(dnnl_primitive_desc_iterator_destroy)
typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *const_layout;
#define BY_ADDRESS(l) (&(l))
#define LIBRARY "libdnnl.so.2"
#endif

LAZY_DECLARE(FUNCTIONS)

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static char open_failure[200];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
    static const char *const names[] = {LIBRARY, "libdnnl.dylib", NULL};
    static const lazy_symbol symbols[] = {LAZY_TABLE(FUNCTIONS) {0}};
    if (lazy_open(names, symbols, open_failure, sizeof open_failure)) return;
    if (lazy_dnnl_version()->major != DNNL_VERSION_MAJOR)
        snprintf(open_failure, sizeof open_failure, "the library %s is version %d but this program was built for %d",
                 names[0], lazy_dnnl_version()->major, DNNL_VERSION_MAJOR);
    else if (lazy_dnnl_engine_create(&engine, dnnl_cpu, 0) || lazy_dnnl_stream_create(&stream, engine, dnnl_stream_default_flags))
        snprintf(open_failure, sizeof open_failure, "the library %s does not start on this processor", names[0]);
}

int dnnl_shim_open(char *message, size_t capacity) {
    pthread_once(&once, open_library);
    if (!open_failure[0]) return 0;
    snprintf(message, capacity, "%s", open_failure);
    return -1;
}

void dnnl_shim_version(int version[3]) {
    version[0] = version[1] = version[2] = 0;
    if (!engine) return;
    const dnnl_version_t *v = lazy_dnnl_version();
    version[0] = v->major, version[1] = v->minor, version[2] = v->patch;
}

const char *dnnl_shim_instruction_set(void) {
    if (!engine) return "generic";
    // The sets are nested bit masks; later versions only add to the end.
    int isa = lazy_dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16) return "avx512_core_bf16";
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core) return "avx512_core";
    if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2) return "avx2";
    if ((isa & dnnl_cpu_isa_sse41) == dnnl_cpu_isa_sse41) return "sse41";
    return "generic";
}

struct dnnl_shim_operation {
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    layout plain_weights, bias;
    int has_bias;
};

static int make_typed_layout(layout *l, int rank, const dnnl_dim_t *dims, dnnl_data_type_t type, dnnl_format_tag_t tag) {
#if V3
    return lazy_dnnl_memory_desc_create_with_tag(l, rank, dims, type, tag);
#else
    return lazy_dnnl_memory_desc_init_by_tag(l, rank, dims, type, tag);
#endif
}

static int make_layout(layout *l, int rank, const dnnl_dim_t *dims, dnnl_format_tag_t tag) {
    return make_typed_layout(l, rank, dims, dnnl_f32, tag);
}

static void drop_layout(layout *l) {
#if V3
    if (*l) lazy_dnnl_memory_desc_destroy(*l);
    *l = NULL;
#else
    (void)l;
#endif
}

static const_layout asked(const dnnl_shim_operation *o, dnnl_query_t what) {
    return lazy_dnnl_primitive_desc_query_md(o->description, what, 0);
}

/// Attributes of every operation: scratch memory comes from us; optionally the destination is added to.
static dnnl_primitive_attr_t make_attributes(int accumulate) {
    dnnl_primitive_attr_t attributes = NULL;
    if (lazy_dnnl_primitive_attr_create(&attributes)) return NULL;
    lazy_dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (accumulate) {
        dnnl_post_ops_t after = NULL;
        lazy_dnnl_post_ops_create(&after);
#if V3
        lazy_dnnl_post_ops_append_sum(after, 1.0f, 0, dnnl_data_type_undef);
#else
        lazy_dnnl_post_ops_append_sum(after, 1.0f);
#endif
        lazy_dnnl_primitive_attr_set_post_ops(attributes, after);
        lazy_dnnl_post_ops_destroy(after);
    }
    return attributes;
}

static dnnl_shim_operation *finish(dnnl_shim_operation *o, int status, const char *what, char *message, size_t capacity) {
    if (!status) status = lazy_dnnl_primitive_create(&o->primitive, o->description);
    if (!status) return o;
    snprintf(message, capacity, "oneDNN has no %s of this form here (status %d)", what, status);
    dnnl_shim_destroy(o);
    return NULL;
}

/// oneDNN prefers F(2×2, 3×3) to F(4×4, 3×3) or not by the number of threads. Only the second is used, so that values do not
/// depend on that number.
static int unwanted(const dnnl_shim_operation *o) { return strstr(dnnl_shim_implementation(o), "wino_2x3") != NULL; }

dnnl_shim_operation *dnnl_shim_convolution(const dnnl_shim_convolution_spec *s, char *message, size_t capacity) {
    if (dnnl_shim_open(message, capacity)) return NULL;
    dnnl_shim_operation *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->has_bias = s->has_bias;
    dnnl_format_tag_t tag = s->block == 16 ? dnnl_nChw16c : s->block == 8 ? dnnl_nChw8c : dnnl_nchw;
    int out_height = (s->in_height + s->pad_top + s->pad_bottom - s->kernel_height) / s->stride + 1;
    int out_width = (s->in_width + s->pad_left + s->pad_right - s->kernel_width) / s->stride + 1;
    dnnl_dims_t source_dims = {s->batch, s->in_channels, s->in_height, s->in_width};
    dnnl_dims_t weight_dims = {s->out_channels, s->in_channels, s->kernel_height, s->kernel_width};
    dnnl_dims_t bias_dims = {s->out_channels};
    dnnl_dims_t destination_dims = {s->batch, s->out_channels, out_height, out_width};
    dnnl_dims_t strides = {s->stride, s->stride}, dilates = {0, 0};
    dnnl_dims_t before = {s->pad_top, s->pad_left}, after = {s->pad_bottom, s->pad_right};
    dnnl_alg_kind_t algorithm = s->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;

    layout source = {0}, weights = {0}, destination = {0};
    dnnl_data_type_t type = s->bfloat16 ? dnnl_bf16 : dnnl_f32;
    int status = make_typed_layout(&source, 4, source_dims, type, tag)
        || make_typed_layout(&weights, 4, weight_dims, type, dnnl_format_tag_any)
        || make_layout(&destination, 4, destination_dims, tag) || make_layout(&o->plain_weights, 4, weight_dims, dnnl_oihw)
        || make_layout(&o->bias, 1, bias_dims, dnnl_a);
    dnnl_primitive_attr_t attributes = make_attributes(s->accumulate);
    if (!status) {
#if V3
        status = lazy_dnnl_convolution_forward_primitive_desc_create(&o->description, engine, dnnl_forward_inference,
            algorithm, source, weights, s->has_bias ? o->bias : NULL, destination, strides, dilates, before, after, attributes);
        while (!status && unwanted(o)) status = lazy_dnnl_primitive_desc_next_impl(o->description);
#else
        dnnl_convolution_desc_t wanted;
        status = lazy_dnnl_dilated_convolution_forward_desc_init(&wanted, dnnl_forward_inference, algorithm, &source,
            &weights, s->has_bias ? &o->bias : NULL, &destination, strides, dilates, before, after);
        dnnl_primitive_desc_iterator_t choices = NULL;
        if (!status) status = lazy_dnnl_primitive_desc_iterator_create(&choices, &wanted, attributes, engine, NULL);
        if (!status) o->description = lazy_dnnl_primitive_desc_iterator_fetch(choices);
        while (!status && unwanted(o)) {
            lazy_dnnl_primitive_desc_destroy(o->description);
            status = lazy_dnnl_primitive_desc_iterator_next(choices);
            o->description = status ? NULL : lazy_dnnl_primitive_desc_iterator_fetch(choices);
        }
        if (choices) lazy_dnnl_primitive_desc_iterator_destroy(choices);
#endif
    }
    if (attributes) lazy_dnnl_primitive_attr_destroy(attributes);
    drop_layout(&source), drop_layout(&weights), drop_layout(&destination);
    return finish(o, status, s->winograd ? "Winograd convolution" : "convolution", message, capacity);
}

dnnl_shim_operation *dnnl_shim_linear(
    int rows, int inner, int columns, int bfloat16, int has_bias, int accumulate, char *message, size_t capacity) {
    if (dnnl_shim_open(message, capacity)) return NULL;
    dnnl_shim_operation *o = calloc(1, sizeof *o);
    if (!o) return NULL;
    o->has_bias = has_bias;
    dnnl_dims_t source_dims = {rows, inner}, weight_dims = {inner, columns}, bias_dims = {1, columns};
    dnnl_dims_t destination_dims = {rows, columns};
    layout source = {0}, weights = {0}, destination = {0};
    dnnl_data_type_t type = bfloat16 ? dnnl_bf16 : dnnl_f32;
    int status = make_typed_layout(&source, 2, source_dims, type, dnnl_ab)
        || make_typed_layout(&weights, 2, weight_dims, type, dnnl_format_tag_any)
        || make_layout(&destination, 2, destination_dims, dnnl_ab) || make_layout(&o->plain_weights, 2, weight_dims, dnnl_ba)
        || make_layout(&o->bias, 2, bias_dims, dnnl_ab);
    dnnl_primitive_attr_t attributes = make_attributes(accumulate);
    if (!status) {
#if V3
        status = lazy_dnnl_matmul_primitive_desc_create(&o->description, engine, source, weights, has_bias ? o->bias : NULL,
            destination, attributes);
#else
        dnnl_matmul_desc_t wanted;
        status = lazy_dnnl_matmul_desc_init(&wanted, &source, &weights, has_bias ? &o->bias : NULL, &destination);
        if (!status) status = lazy_dnnl_primitive_desc_create(&o->description, (const_dnnl_op_desc_t)&wanted, attributes, engine, NULL);
#endif
    }
    if (attributes) lazy_dnnl_primitive_attr_destroy(attributes);
    drop_layout(&source), drop_layout(&weights), drop_layout(&destination);
    return finish(o, status, "matrix product", message, capacity);
}

void dnnl_shim_destroy(dnnl_shim_operation *o) {
    if (!o) return;
    if (o->primitive) lazy_dnnl_primitive_destroy(o->primitive);
    if (o->description) lazy_dnnl_primitive_desc_destroy(o->description);
    drop_layout(&o->plain_weights), drop_layout(&o->bias);
    free(o);
}

const char *dnnl_shim_implementation(const dnnl_shim_operation *o) {
    const char *name = "";
    lazy_dnnl_primitive_desc_query(o->description, dnnl_query_impl_info_str, 0, &name);
    return name;
}

size_t dnnl_shim_packed_bytes(const dnnl_shim_operation *o) {
    return lazy_dnnl_memory_desc_get_size(asked(o, dnnl_query_weights_md));
}

size_t dnnl_shim_scratch_bytes(const dnnl_shim_operation *o) {
    return lazy_dnnl_memory_desc_get_size(asked(o, dnnl_query_scratchpad_md));
}

int dnnl_shim_same_packing(const dnnl_shim_operation *one, const dnnl_shim_operation *other) {
    return lazy_dnnl_memory_desc_equal(asked(one, dnnl_query_weights_md), asked(other, dnnl_query_weights_md));
}

/// Runs a primitive over freshly made handles: they are a few dozen bytes each, and keep operations free of state.
static int execute(dnnl_primitive_t primitive, int count, const int *kinds, const const_layout *layouts, void *const *data) {
    dnnl_exec_arg_t arguments[5];
    int made = 0, status = 0;
    for (; made < count && !status; made++) {
        arguments[made].arg = kinds[made];
        status = lazy_dnnl_memory_create(&arguments[made].memory, layouts[made], engine, data[made]);
        if (status) break;
    }
    if (!status) status = lazy_dnnl_primitive_execute(primitive, stream, count, arguments);
    if (!status) status = lazy_dnnl_stream_wait(stream);
    for (int i = 0; i < made; i++) lazy_dnnl_memory_destroy(arguments[i].memory);
    return status;
}

int dnnl_shim_pack(const dnnl_shim_operation *o, const float *plain, float *packed) {
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t reorder = NULL;
    const_layout to = asked(o, dnnl_query_weights_md);
    int status = lazy_dnnl_reorder_primitive_desc_create(&description, BY_ADDRESS(o->plain_weights), engine, to, engine, NULL);
    if (!status) status = lazy_dnnl_primitive_create(&reorder, description);
    if (!status)
        status = execute(reorder, 2, (int[]){DNNL_ARG_FROM, DNNL_ARG_TO}, (const_layout[]){BY_ADDRESS(o->plain_weights), to},
                         (void *[]){(void *)plain, packed});
    if (reorder) lazy_dnnl_primitive_destroy(reorder);
    if (description) lazy_dnnl_primitive_desc_destroy(description);
    return status;
}

int dnnl_shim_run(
    const dnnl_shim_operation *o, const void *source, const float *packed, const float *bias, float *destination, float *scratch) {
    int kinds[5] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD, DNNL_ARG_BIAS};
    const_layout layouts[5] = {asked(o, dnnl_query_src_md), asked(o, dnnl_query_weights_md), asked(o, dnnl_query_dst_md),
                               asked(o, dnnl_query_scratchpad_md), BY_ADDRESS(o->bias)};
    void *data[5] = {(void *)source, (void *)packed, destination, scratch, (void *)bias};
    return execute(o->primitive, o->has_bias ? 5 : 4, kinds, layouts, data);
}
