"""Makes Tests/Golden/adapters: one random adapter of each kind with the weights that LyCORIS or PEFT makes of it, and a UNet and a
text encoder with a LoRA, as diffusers and PEFT apply it."""
import json

import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin, StableDiffusionXLLoraLoaderMixin
from lycoris.modules.full import FullModule
from lycoris.modules.ia3 import IA3Module
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTextModel

from common import GOLDEN, folder, save, seeded, write_json

OUT = folder("adapters")
MODULE = "mid_block.resnets.0.conv1"  # any name: a key of the base file
FLAT = "lora_unet_" + MODULE.replace(".", "_")


def linear(outputs, inputs, g):
    layer = nn.Linear(inputs, outputs)
    layer.weight.copy_(torch.randn(outputs, inputs, generator=g))
    layer.bias.copy_(torch.randn(outputs, generator=g))
    return layer


def conv(outputs, inputs, kernel, g):
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    layer.weight.copy_(torch.randn(layer.weight.shape, generator=g))
    layer.bias.copy_(torch.randn(outputs, generator=g))
    return layer


def filled(module, g):
    for name, p in sorted(module.named_parameters()):
        if not name.startswith("org_"):
            p.copy_(torch.randn(p.shape, generator=g).abs() + 0.2 if "dora" in name else 0.5 * torch.randn(p.shape, generator=g))
    return module


def lycoris(kind, layer, g, multiplier=1.0, **options):
    """(tensors of the file, the layer's weight and bias with the adapter in it)"""
    module = filled(kind("x", layer, **options), g)
    if kind is FullModule:
        tensors = {f"{FLAT}.diff": module.weight.clone(), f"{FLAT}.diff_b": module.bias.clone()}
        return tensors, layer.weight + multiplier * module.weight, layer.bias + multiplier * module.bias
    tensors = {f"{FLAT}.{k}": v.clone() for k, v in module.state_dict().items() if not k.startswith("org_")}
    shape = layer.weight.shape
    # Of LoHa and LoKr what their forward pass takes: merging, LyCORIS multiplies by alpha / rank once more.
    diff = module.get_weight(shape) if kind in (LohaModule, LokrModule) else module.get_diff_weight(1.0, shape=shape)[0]
    weight = layer.weight + diff.reshape(shape)
    if options.get("weight_decompose"):
        weight = module.apply_weight_decompose(weight)
    # The web UI's rule for all: m times the whole change.
    return tensors, layer.weight + multiplier * (weight - layer.weight), layer.bias


def peft(layer, g, dora=False, rank=3, alpha=5):
    model = get_peft_model(nn.Sequential(layer), LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0"], use_dora=dora))
    for name, p in sorted(model.named_parameters()):
        if "lora_magnitude" in name:
            p.copy_(torch.randn(p.shape, generator=g).abs() + 0.2)
        elif "lora_" in name:
            p.copy_(0.5 * torch.randn(p.shape, generator=g))
    tensors = {}
    for name, p in model.named_parameters():
        if "lora_" in name:
            tensors[f"unet.{MODULE}." + name.split("model.0.")[1].replace(".default", "")] = p.clone()
    base, bias = layer.weight.clone(), layer.bias.clone()
    tensors[f"unet.{MODULE}.alpha"] = torch.tensor(float(alpha))
    merged = model.merge_and_unload()[0].weight.clone()
    return tensors, merged, bias, base


def kinds():
    g = seeded(500)
    case = {}

    def add(name, layer, result, **says):
        tensors, weight, bias = result[:3]
        base = result[3] if len(result) > 3 else layer.weight
        save_file({k: v.contiguous() for k, v in tensors.items()}, str(OUT / f"{name}.safetensors"))
        save(OUT / f"{name}-weights.safetensors", **{f"{MODULE}.weight": base, f"{MODULE}.bias": layer.bias,
                                                     "expected.weight": weight.clone(), "expected.bias": bias.clone()})
        case[name] = says

    def by_lycoris(name, kind, layer, multiplier=1.0, **options):
        options = dict(lora_dim=3, alpha=2.0) | options
        add(name, layer, lycoris(kind, layer, g, multiplier, **options), multiplier=multiplier)

    by_lycoris("lora", LoConModule, linear(7, 5, g))
    by_lycoris("lora-half", LoConModule, linear(7, 5, g), multiplier=-0.5)
    by_lycoris("lora-1x1", LoConModule, conv(6, 5, 1, g), multiplier=0.7)
    by_lycoris("lora-3x3", LoConModule, conv(6, 5, 3, g))
    by_lycoris("locon-cp", LoConModule, conv(6, 5, 3, g), use_tucker=True, multiplier=1.5)
    by_lycoris("loha", LohaModule, linear(7, 5, g), multiplier=0.6)
    by_lycoris("loha-3x3", LohaModule, conv(6, 5, 3, g))
    by_lycoris("loha-cp", LohaModule, conv(6, 5, 3, g), use_tucker=True)
    by_lycoris("lokr", LokrModule, linear(12, 8, g), lora_dim=1, factor=2)
    by_lycoris("lokr-whole", LokrModule, linear(12, 8, g), lora_dim=100, factor=2, multiplier=0.8)
    by_lycoris("lokr-both", LokrModule, linear(24, 36, g), lora_dim=1, factor=6, decompose_both=True)
    by_lycoris("lokr-3x3", LokrModule, conv(12, 8, 3, g), lora_dim=1, factor=2)
    by_lycoris("lokr-cp", LokrModule, conv(12, 8, 3, g), lora_dim=1, factor=2, use_tucker=True)
    by_lycoris("dora", LoConModule, linear(7, 5, g), weight_decompose=True, wd_on_out=False, multiplier=0.7)
    by_lycoris("dora-3x3", LoConModule, conv(6, 5, 3, g), weight_decompose=True, wd_on_out=False)
    by_lycoris("dora-rows", LoConModule, conv(6, 5, 3, g), weight_decompose=True, wd_on_out=True)
    by_lycoris("dora-loha", LohaModule, linear(7, 5, g), weight_decompose=True, wd_on_out=False)
    for name, train in (("ia3-rows", False), ("ia3-inputs", True)):
        by_lycoris(name, IA3Module, linear(7, 5, g), train_on_input=train, multiplier=0.7)
    by_lycoris("full", FullModule, conv(6, 5, 3, g), multiplier=0.7)
    for name, layer, dora in (("peft", linear(7, 5, g), False), ("peft-3x3", conv(6, 5, 3, g), False),
                              ("peft-dora", linear(7, 5, g), True), ("peft-dora-3x3", conv(6, 5, 3, g), True)):
        add(name, layer, peft(layer, g, dora), multiplier=1.0)

    # Parts of a LoRA's rank: stated by hand.
    layer = linear(7, 5, g)
    down, up = torch.randn(4, 5, generator=g), torch.randn(7, 4, generator=g)
    tensors = {f"{FLAT}.lora_down.weight": down, f"{FLAT}.lora_up.weight": up, f"{FLAT}.alpha": torch.tensor(3, dtype=torch.int64)}
    add("lora-rank", layer, (tensors, layer.weight + 0.9 * 3 / 4 * up[:, :2] @ down[:2], layer.bias), multiplier=0.9, rank=2)
    # A model for inpainting under an adapter of four channels.
    wide = conv(6, 9, 3, g)
    down, up = torch.randn(2, 4, 3, 3, generator=g), torch.randn(6, 2, 1, 1, generator=g)
    delta = torch.zeros_like(wide.weight)
    delta[:, :4] = (up.flatten(1) @ down.flatten(1)).reshape(6, 4, 3, 3)
    tensors = {f"{FLAT}.lora_down.weight": down, f"{FLAT}.lora_up.weight": up}
    add("lora-inpaint", wide, (tensors, wide.weight + delta, wide.bias), multiplier=1.0)
    write_json(OUT / "cases.json", case)


def unets():
    """A kohya file, read and fused by diffusers."""
    original = {"down_blocks.1.attentions.0": "input_blocks.4.1", "down_blocks.2.attentions.1": "input_blocks.8.1",
                "mid_block.attentions.0": "middle_block.1", "up_blocks.0.attentions.2": "output_blocks.2.1",
                "up_blocks.1.attentions.1": "output_blocks.4.1"}
    for name, loader in (("sd1", StableDiffusionLoraLoaderMixin), ("sdxl", StableDiffusionXLLoraLoaderMixin)):
        g = seeded(700)
        unet = UNet2DConditionModel.from_pretrained(GOLDEN / f"unet-{name}" / "unet").eval()
        tensors = {}
        for path, module in unet.named_modules():
            if not isinstance(module, (nn.Linear, nn.Conv2d)):
                continue
            if name == "sdxl":
                home = next((h for h in original if path.startswith(h + ".")), None)
                if home is None:
                    continue
                path = path.replace(home, original[home])
            elif "attn" not in path and "ff" not in path and "proj" not in path and "resnets.1" not in path or "time_emb" in path:
                continue
            key = "lora_unet_" + path.replace(".", "_")
            shape = module.weight.shape
            tensors[f"{key}.lora_down.weight"] = torch.randn(2, *shape[1:], generator=g) * (shape[1:].numel() ** -0.5)
            tensors[f"{key}.lora_up.weight"] = torch.randn(shape[0], 2, *[1] * (len(shape) - 2), generator=g) * 0.6
            tensors[f"{key}.alpha"] = torch.tensor(1.5)
        save_file({k: v.contiguous() for k, v in tensors.items()}, str(OUT / f"unet-{name}.safetensors"))
        state, alphas = loader.lora_state_dict(dict(tensors), unet_config=unet.config)[:2]
        loader.load_lora_into_unet(state, alphas, unet)
        assert sum("lora_A" in k for k, _ in unet.named_parameters()) == len(tensors) // 3
        unet.fuse_lora(lora_scale=0.8)
        reference = load_file(GOLDEN / f"unet-{name}" / "reference.safetensors")
        added = {k: reference[k] for k in ("text_embeds", "time_ids") if k in reference}
        output = unet(reference["sample"], reference["timestep"], reference["encoder_hidden_states"], added_cond_kwargs=added).sample
        exact = unet.double()(reference["sample"].double(), reference["timestep"], reference["encoder_hidden_states"].double(),
                              added_cond_kwargs={k: v.double() for k, v in added.items()}).sample
        print("in double precision", (output - exact).abs().max().item(), "away; largest", output.abs().max().item())
        print(name, len(tensors) // 3, "modules, changed by", (output - reference["output"]).abs().mean().item())
        save(OUT / f"unet-{name}-expected.safetensors", output=output)


def text():
    """A file as diffusers writes it for a text encoder, with what PEFT was told in its metadata."""
    g = seeded(800)
    model = CLIPTextModel.from_pretrained(GOLDEN / "text-quick-gelu").eval()
    model = get_peft_model(model, LoraConfig(r=2, lora_alpha=3, target_modules=["q_proj", "v_proj", "out_proj", "fc1"]))
    tensors = {}
    for name, p in sorted(model.named_parameters()):
        if "lora_" in name:
            p.copy_(0.3 * torch.randn(p.shape, generator=g))
            path = name.removeprefix("base_model.model.").removeprefix("text_model.").replace(".default", "")
            tensors["text_encoder.text_model." + path] = p.clone()
    told = {"text_encoder.r": 2, "text_encoder.lora_alpha": 3}
    save_file(tensors, str(OUT / "text.safetensors"), metadata={"lora_adapter_metadata": json.dumps(told)})
    ids = load_file(GOLDEN / "text-quick-gelu" / "reference.safetensors")["input_ids"]
    save(OUT / "text-expected.safetensors", last_hidden_state=model(ids).last_hidden_state)


if __name__ == "__main__":
    kinds()
    unets()
    text()
