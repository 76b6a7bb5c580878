// The miniature model, inside the program: the files of `model/`, by their names in that folder.
#ifndef VELATURA_MINIATURE_H
#define VELATURA_MINIATURE_H

#include <stddef.h>

typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t count;
} miniature_file;

/// All files; the last has no name.
const miniature_file *miniature_files(void);

/// The upscaler of the same kind: a safetensors file, see `upscaler/MODEL_CARD.md`.
const unsigned char *miniature_upscaler(size_t *count);

#endif
