// oneDNN's primitives in the few forms that the networks need, the same over its 2.x and 3.x interfaces.
//
// Feature maps are blocked: [N, ⌈C/B⌉, H, W, B] with B channels side by side (oneDNN's nChw16c, nChw8c; B = 1 is plain
// NCHW), lanes past C are zero. Matrices are row-major. Values are 32-bit
// floats but where bfloat16 is said.
// Source: oneAPI Deep Neural Network Library, developer guide, "Convolution", "Matrix Multiplication".
#ifndef VELATURA_DNNL_SHIM_H
#define VELATURA_DNNL_SHIM_H

#include <stddef.h>

/// Opens the library. Returns 0, or −1 with one line in `message`. Safe to call again.
int dnnl_shim_open(char *message, size_t capacity);

/// Version that was opened; all zero before.
void dnnl_shim_version(int version[3]);

/// Best instruction set that oneDNN uses here: "avx512_core_bf16", "avx2", … or "generic".
const char *dnnl_shim_instruction_set(void);

typedef struct {
    int batch, in_channels, in_height, in_width;
    int out_channels, kernel_height, kernel_width, stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    int block;        ///< lanes of the feature maps: 16, 8 or 1
    int bfloat16;     ///< 1: the source is given as bfloat16 and weights are packed so; sums and results stay 32-bit floats
    int winograd;     ///< 1: Winograd's algorithm, 0: direct
    int has_bias;
    int accumulate;   ///< 1: the result is added to what the destination holds
} dnnl_shim_convolution_spec;

typedef struct dnnl_shim_operation dnnl_shim_operation;

/// A convolution ready to run, or NULL with one line in `message` where oneDNN has no such form on this processor.
dnnl_shim_operation *dnnl_shim_convolution(const dnnl_shim_convolution_spec *spec, char *message, size_t capacity);

/// [rows, inner] × [inner, columns] (+ bias[columns]) → [rows, columns]. Weights are given as [columns, inner].
///
/// With `bfloat16` the rows are given as bfloat16 and weights are packed so; sums and results stay 32-bit floats.
dnnl_shim_operation *dnnl_shim_linear(
    int rows, int inner, int columns, int bfloat16, int has_bias, int accumulate, char *message, size_t capacity);

void dnnl_shim_destroy(dnnl_shim_operation *operation);

/// The name of the implementation that oneDNN chose.
const char *dnnl_shim_implementation(const dnnl_shim_operation *operation);

/// Bytes of the weights in the operation's own packed layout, and of its scratch memory.
size_t dnnl_shim_packed_bytes(const dnnl_shim_operation *operation);
size_t dnnl_shim_scratch_bytes(const dnnl_shim_operation *operation);

/// Whether both operations take the very same packed weights.
int dnnl_shim_same_packing(const dnnl_shim_operation *one, const dnnl_shim_operation *other);

/// Packs weights from [O, I, kh, kw] (convolution) or [columns, inner] (linear), row-major.
int dnnl_shim_pack(const dnnl_shim_operation *operation, const float *plain, float *packed);

/// Runs. `source` holds floats, or bfloat16 where the operation wants it. All pointers are 64-byte aligned; `bias` may be
/// NULL when there is none. Returns oneDNN's status, 0 is success.
int dnnl_shim_run(
    const dnnl_shim_operation *operation, const void *source, const float *packed, const float *bias,
    float *destination, float *scratch);

#endif
