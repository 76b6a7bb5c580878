"""Makes Tests/Golden/checkpoints: manifests of small Stable Diffusion models of every family, and runs of diffusers on them.

No weights are written: every value follows from the tensor's original name (see `values`), so that the tests make the same
checkpoints again, in the original layout and as a diffusers folder. What the manifests say of names is checked here against
diffusers' own reading of single files.
"""
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import (AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline,
                       StableDiffusionInpaintPipeline, StableDiffusionXLImg2ImgPipeline, UNet2DConditionModel)
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.utils.logging import disable_progress_bar
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging

from common import GOLDEN, folder, report, seeded, write_json
from img2img import SD, picture

logging.disable_progress_bar()
disable_progress_bar()
CROSS, PLAIN, UP_CROSS, UP_PLAIN = "CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"
FOUR = dict(down_block_types=(CROSS, CROSS, CROSS, PLAIN), up_block_types=(UP_PLAIN, UP_CROSS, UP_CROSS, UP_CROSS))
MASK = np.uint64(0xffffffffffffffff)


def values(key, shape):
    """Weights of a tensor from its original name: SplitMix64 seeded with the name's FNV-1a hash, −1…1, scaled by kind."""
    seed = 0xcbf29ce484222325
    for byte in key.encode():
        seed = (seed ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
        z ^= z >> np.uint64(31)
    unit = ((z >> np.uint64(40)).astype(np.int64) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)
    if key.endswith("bias"):
        result = unit * np.float32(0.15)
    elif len(shape) == 1:
        result = np.float32(1) + unit * np.float32(0.3)
    else:
        result = unit * np.float32(np.sqrt(3 * shape[0] / count))
    for name, gain in (("first_stage_model.quant_conv.weight", 8), ("first_stage_model.decoder.conv_out.weight", 0.6)):
        if key == name:
            result = result * np.float32(gain)
    result = torch.from_numpy(result.reshape(shape))
    # Texts are stored in half the room.
    return result.bfloat16() if key.startswith(("cond_stage_model", "conditioner")) else result


# The original name of each tensor of a diffusers model, and how it lies there: "-" as it is, "1x1" with two sides of one,
# "T" on its side, "0/3" the first third of the rows.

def unet_names(config):
    """UNet: numbered blocks of the way in and out."""
    names = {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
             "time_embedding.linear_2": "time_embed.2", "time_embedding.cond_proj": "time_embedding.cond_proj",  # as diffusers' own converter leaves it
            
             "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
             "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1", "mid_block.resnets.1": "middle_block.2"}
    levels, layers = len(config.block_out_channels), config.layers_per_block
    number = 1
    for level in range(levels):
        for layer in range(layers):
            names[f"down_blocks.{level}.resnets.{layer}"] = f"input_blocks.{number}.0"
            names[f"down_blocks.{level}.attentions.{layer}"] = f"input_blocks.{number}.1"
            number += 1
        names[f"down_blocks.{level}.downsamplers.0.conv"] = f"input_blocks.{number}.0.op"
        number += 1
    number = 0
    for level in range(levels):
        for layer in range(layers + 1):
            names[f"up_blocks.{level}.resnets.{layer}"] = f"output_blocks.{number}.0"
            names[f"up_blocks.{level}.attentions.{layer}"] = f"output_blocks.{number}.1"
            number += 1
        names[f"up_blocks.{level}.upsamplers.0"] = f"output_blocks.{number - 1}.{2 if config.up_block_types[level] == UP_CROSS else 1}"
    return names


RESIDUAL = {"norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3",
            "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection"}


def unet_key(key, names):
    home = max((n for n in names if key.startswith(n + ".")), key=len)
    rest = key[len(home) + 1:]
    if ".resnets." in home:
        part, kind = rest.split(".")
        rest = f"{RESIDUAL[part]}.{kind}"
    return f"model.diffusion_model.{names[home]}.{rest}", "-"


def vae_key(key, levels):
    how = "1x1" if ".attentions." in key and key.endswith("weight") and "group_norm" not in key else "-"
    for level in range(levels):
        key = key.replace(f"encoder.down_blocks.{level}.", f"encoder.down.{level}.").replace(
            f"decoder.up_blocks.{level}.", f"decoder.up.{levels - 1 - level}.")
    for ours, theirs in ((".resnets.", ".block."), (".downsamplers.0.", ".downsample."), (".upsamplers.0.", ".upsample."),
                         ("mid_block.block.0.", "mid.block_1."), ("mid_block.block.1.", "mid.block_2."),
                         ("mid_block.attentions.0.", "mid.attn_1."), (".group_norm.", ".norm."), (".to_q.", ".q."), (".to_k.", ".k."),
                         (".to_v.", ".v."), (".to_out.0.", ".proj_out."), ("conv_shortcut", "nin_shortcut"), ("conv_norm_out", "norm_out")):
        key = key.replace(ours, theirs)
    return "first_stage_model." + key, how


def open_clip_key(key, prefix):
    if key == "text_projection.weight":
        return prefix + "text_projection", "T"
    key = key.removeprefix("text_model.")
    how = "-"
    for part, letter in enumerate("qkv"):
        if f".{letter}_proj." in key:
            key, how = key.replace(f".{letter}_proj.", ".in_proj_"), f"{part}/3"
    for ours, theirs in (("encoder.layers.", "transformer.resblocks."), ("layer_norm", "ln_"), ("mlp.fc1", "mlp.c_fc"),
                         ("mlp.fc2", "mlp.c_proj"), ("self_attn.", "attn."), ("final_ln_", "ln_final"),
                         ("embeddings.token_embedding", "token_embedding"), ("embeddings.position_embedding.weight", "positional_embedding")):
        key = key.replace(ours, theirs)
    return prefix + key.replace("final_layer_norm", "ln_final"), how


def text_config(width, layers, activation, **more):
    return CLIPTextConfig(vocab_size=49408, hidden_size=width, intermediate_size=128, num_hidden_layers=layers,
                          num_attention_heads=width // 64, max_position_embeddings=77, hidden_act=activation,
                          bos_token_id=49406, eos_token_id=49407, pad_token_id=1, **more)


def vae(scale):
    # Four channels to a group at first: fewer, of an even grey, would be little but rounding errors once normalised.
    return AutoencoderKL(block_out_channels=(128, 64, 64, 64), layers_per_block=1, latent_channels=4, norm_num_groups=32,
                         down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, sample_size=64,
                         scaling_factor=scale)


def networks(family):
    """Parts of a model by their folder, each with the function that gives a key's original name."""
    def clip(prefix):
        return lambda key: (prefix + ("text_model." if not key.startswith("text_model.") else "") + key, "-")

    base, _, variant = family.partition("-")
    if base == "sdxl":
        unet = UNet2DConditionModel(
            sample_size=128, block_out_channels=(64, 64, 128), layers_per_block=1, down_block_types=(PLAIN, CROSS, CROSS),
            up_block_types=(UP_CROSS, UP_CROSS, UP_PLAIN), attention_head_dim=[1, 1, 2], transformer_layers_per_block=[1, 1, 2],
            cross_attention_dim=2048, use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816)
        texts = {"text_encoder": (CLIPTextModel(text_config(768, 2, "quick_gelu")), clip("conditioner.embedders.0.transformer.")),
                 "text_encoder_2": (CLIPTextModelWithProjection(text_config(1280, 2, "gelu", projection_dim=1280)),
                                    lambda key: open_clip_key(key, "conditioner.embedders.1.model."))}
    elif base == "sd2":
        unet = UNet2DConditionModel(**FOUR, sample_size=96, block_out_channels=(64, 64, 128, 128), layers_per_block=1,
                                    attention_head_dim=[1, 1, 2, 2], cross_attention_dim=1024, use_linear_projection=True)
        texts = {"text_encoder": (CLIPTextModel(text_config(1024, 2, "gelu")), lambda key: open_clip_key(key, "cond_stage_model.model."))}
    else:
        unet = UNet2DConditionModel(**FOUR, sample_size=64, block_out_channels=(32, 64, 64, 64), layers_per_block=1,
                                    attention_head_dim=8, cross_attention_dim=768, in_channels=9 if variant == "inpaint" else 4,
                                    time_cond_proj_dim=256 if variant == "lcm" else None)
        texts = {"text_encoder": (CLIPTextModel(text_config(768, 2, "quick_gelu")), clip("cond_stage_model.transformer."))}
    names = unet_names(unet.config)
    return {"unet": (unet, lambda key: unet_key(key, names)),
            "vae": (vae(0.13025 if base == "sdxl" else 0.18215), lambda key: vae_key(key, 4))} | texts


def fill(family):
    """Gives the networks their weights. Returns them, the checkpoint in the original layout, and the manifest's lines."""
    parts, original, lines = {}, {}, []
    for part, (model, name) in networks(family).items():
        state = {}
        for key, value in model.state_dict().items():
            if key.endswith("position_ids"):
                continue
            old, how = name(key)
            shape = list(value.shape)
            theirs = shape + [1, 1] if how == "1x1" else shape[::-1] if how == "T" else (
                [3 * shape[0]] + shape[1:] if how.endswith("/3") else shape)
            if old not in original:
                original[old] = values(old, theirs)
            found = original[old]
            if how.endswith("/3"):
                found = found.chunk(3)[int(how[0])]
            elif how == "T":
                found = found.T
            state[key] = found.reshape(shape).float()
            lines.append(f"{part} {key} {'x'.join(map(str, shape))} {old} {how}")
        model.load_state_dict(state, strict=False)
        parts[part] = model.eval()
    if family.startswith("sd2"):
        # The last layer of SD 2's text encoder is in the files, but never used.
        last = "cond_stage_model.model.transformer.resblocks.1."
        for key in [k for k in original if k.startswith(last)]:
            new = key.replace("resblocks.1.", "resblocks.2.")
            original[new] = values(new, list(original[key].shape))
            lines.append(f"- - {'x'.join(map(str, original[new].shape))} {new} -")
    return parts, original, lines


def tokenizer(out, padding):
    tokens = CLIPTokenizer(str(GOLDEN / "tokenizer/clip/vocab.json"), str(GOLDEN / "tokenizer/clip/merges.txt"), pad_token=padding,
                           model_max_length=77)
    tokens.save_pretrained(out)
    return tokens


DDIM = lambda **more: DDIMScheduler(**SD, steps_offset=1, clip_sample=False, set_alpha_to_one=True, **more)
EULER = lambda **more: EulerDiscreteScheduler(**SD, **more)
LAKE, FOG = "a painting of a lake at sunset, oil on canvas", "fog, clouds"
# family, sampler, scheduler, what the file cannot say, steps, skip, guidance, negative
CASES = [
    ("sd1", "ddim", DDIM(), {}, 5, 40, 5, FOG),
    ("sd2-v", "euler", EULER(timestep_spacing="linspace", prediction_type="v_prediction"), dict(prediction="v"), 5, 40, 5, FOG),
    ("sdxl", "euler", EULER(timestep_spacing="linspace"), {}, 5, 40, 5, None),
    ("sd1-inpaint", "ddim", DDIM(), {}, 5, 40, 5, FOG),
    ("sd2-turbo", "euler", EULER(timestep_spacing="trailing"), dict(kind="sd2-turbo", prediction="epsilon"), 4, 50, 0, ""),
    ("sd1-lcm", "ddim", DDIM(timestep_spacing="trailing"), {}, 4, 50, 8.5, ""),
]


def pipeline(family, parts, scheduler, out):
    shared = dict(vae=parts["vae"], unet=parts["unet"], text_encoder=parts["text_encoder"], scheduler=scheduler)
    if family == "sdxl":
        return StableDiffusionXLImg2ImgPipeline(**shared, text_encoder_2=parts["text_encoder_2"], add_watermarker=False,
                                                tokenizer=tokenizer(out / "t1", "<|endoftext|>"), tokenizer_2=tokenizer(out / "t2", "!"))
    kind = StableDiffusionInpaintPipeline if family == "sd1-inpaint" else StableDiffusionImg2ImgPipeline
    return kind(**shared, tokenizer=tokenizer(out / "t1", "!" if family.startswith("sd2") else "<|endoftext|>"), safety_checker=None,
                feature_extractor=None, requires_safety_checker=False)


def check_names(pipe, original, out):
    """The names against diffusers' own reading of the file."""
    pipe.save_pretrained(out / "pipe")
    save_file({k: v.contiguous() for k, v in original.items()}, str(out / "model.safetensors"))
    again = type(pipe).from_single_file(str(out / "model.safetensors"), config=str(out / "pipe"), local_files_only=True)
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        if hasattr(pipe, part):
            theirs = getattr(again, part).state_dict()
            for key, value in getattr(pipe, part).state_dict().items():
                assert torch.equal(theirs[key].float(), value.float()), (part, key)


def main():
    out = folder("checkpoints")
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mean  # the mean; draws nothing
    image = picture().resize((64, 64))
    image.save(out / "init.png")
    entries, manifests = [], {}
    for seed, (family, sampler, scheduler, says, steps, skip, guidance, negative) in enumerate(CASES, 71):
        parts, original, lines = fill(family)
        # Of a variant only what differs from its family.
        base = manifests.setdefault(family.split("-")[0], lines)
        (out / f"{family}.txt").write_text("".join(line + "\n" for line in lines if lines is base or line not in base))
        write_json(out / f"{family}.json", {part: {k: v for k, v in dict(
            model.config if part in ("unet", "vae") else model.config.to_diff_dict(), architectures=[type(model).__name__]).items()
            if not k.startswith("_")} for part, model in parts.items()}, indent=None)
        with tempfile.TemporaryDirectory() as place:
            pipe = pipeline(family, parts, scheduler, Path(place))
            pipe.set_progress_bar_config(disable=True)
            if family != "sd1-lcm":  # diffusers' reader does not know the additional matrix
                check_names(pipe, original, Path(place))
            more = dict(mask_image=Image.new("L", image.size, 255), width=64, height=64) if family == "sd1-inpaint" else {}
            result = pipe(prompt=LAKE, negative_prompt=negative, image=image, strength=(100 - skip) / 100, num_inference_steps=steps,
                          guidance_scale=guidance, generator=seeded(seed), output_type="np", **more).images[0]
        report(f"{family}, {(np.isin(result, (0, 1))).mean():.1%} clipped", torch.from_numpy(result * 4 - 2))
        Image.fromarray((result * 255).round().astype(np.uint8)).save(out / f"{family}.png")
        entries.append(dict(family=family, base=CASES[[c[0].split("-")[0] for c in CASES].index(family.split("-")[0])][0], sampler=sampler, says=says, steps=steps, skip=skip, guidance=guidance, prompt=LAKE,
                            negative=negative, seed=seed,
                            scheduler={k: v for k, v in dict(scheduler.config).items() if not k.startswith("_")} |
                            {"_class_name": type(scheduler).__name__}))
    write_json(out / "cases.json", entries)


if __name__ == "__main__":
    main()
