// CLIP's vocabulary, inside the program: the merges of openai/CLIP (clip/LICENSE), from which its numbers follow.
#ifndef VELATURA_VOCABULARY_H
#define VELATURA_VOCABULARY_H

#include <stddef.h>

/// The lines of merges.txt, and how many bytes they are.
const unsigned char *clip_merges(size_t *count);

#endif
