#include "vocabulary.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed, which compilers of this age all know

static const unsigned char merges[] = {
#embed "clip/merges.txt"
};

const unsigned char *clip_merges(size_t *count) {
    *count = sizeof merges;
    return merges;
}
