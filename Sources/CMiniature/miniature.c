#include "miniature.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed, which compilers of this age all know

#define FILE_BYTES(name) static const _Alignas(64) unsigned char name[] =
FILE_BYTES(model_index) {
#embed "model/model_index.json"
};
FILE_BYTES(scheduler) {
#embed "model/scheduler/scheduler_config.json"
};
FILE_BYTES(text_config) {
#embed "model/text_encoder/config.json"
};
FILE_BYTES(text_weights) {
#embed "model/text_encoder/model.safetensors"
};
FILE_BYTES(vocabulary) {
#embed "model/tokenizer/vocab.json"
};
FILE_BYTES(merges) {
#embed "model/tokenizer/merges.txt"
};
FILE_BYTES(unet_config) {
#embed "model/unet/config.json"
};
FILE_BYTES(unet_weights) {
#embed "model/unet/diffusion_pytorch_model.safetensors"
};
FILE_BYTES(upscaler) {
#embed "upscaler/upscaler.safetensors"
};

static const miniature_file files[] = {
    {"model_index.json", model_index, sizeof model_index},
    {"scheduler/scheduler_config.json", scheduler, sizeof scheduler},
    {"text_encoder/config.json", text_config, sizeof text_config},
    {"text_encoder/model.safetensors", text_weights, sizeof text_weights},
    {"tokenizer/vocab.json", vocabulary, sizeof vocabulary},
    {"tokenizer/merges.txt", merges, sizeof merges},
    {"unet/config.json", unet_config, sizeof unet_config},
    {"unet/diffusion_pytorch_model.safetensors", unet_weights, sizeof unet_weights},
    {0},
};

const miniature_file *miniature_files(void) { return files; }

const unsigned char *miniature_upscaler(size_t *count) {
    *count = sizeof upscaler;
    return upscaler;
}
