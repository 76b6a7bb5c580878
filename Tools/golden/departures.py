"""Makes Tests/Golden/departures: the networks of Tests/Golden/unet-*, run otherwise than they were trained: diffusers' FreeU, tomesd's
token merging, DeepCache's deep features of an earlier call."""
from types import SimpleNamespace

import torch
from DeepCache.extension.deepcache import DeepCacheSDHelper
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from safetensors.torch import load_file
from tomesd.merge import bipartite_soft_matching_random2d

from common import GOLDEN, folder, report, save, seeded

OUT = folder("departures")
FREEU = dict(b1=1.3, b2=1.4, s1=0.9, s2=0.2)
# name: (ratio, halvings of the latents' size where the finest attention is)
MERGING = {"sd1": (0.5, 0), "sd1-odd": (0.6, 0), "sdxl": (0.3, 1), "miniature": (0.75, 2)}
BRANCHES = {"sd1": (0, 1, 2, 3, 5), "sdxl": (0, 4), "miniature": (2,)}


def unet(name):
    model = UNet2DConditionModel.from_pretrained(GOLDEN / f"unet-{name}" / "unet", torch_dtype=torch.float32).eval()
    return model, load_file(GOLDEN / f"unet-{name}" / "reference.safetensors")


def run(model, inputs, sample=None, time=None):
    added = {k: inputs[k] for k in ("text_embeds", "time_ids") if k in inputs}
    return model(inputs["sample"] if sample is None else sample, inputs["timestep"] if time is None else time,
                 inputs["encoder_hidden_states"], added_cond_kwargs=added).sample


def merge_tokens(model, size, ratio, halvings):
    """Self-attention over merged tokens in every block whose tokens are of the finest attention's size; tomesd has the matching, with
    the places of use_rand=False."""
    height, width = size
    for _ in range(halvings):
        height, width = (height + 1) // 2, (width + 1) // 2

    def patch(block):
        state = {}
        attend = block.attn1.forward

        def remember(module, arguments):
            x = arguments[0]
            state["pair"] = None
            if x.shape[1] == height * width:
                state["pair"] = bipartite_soft_matching_random2d(x, width, height, 2, 2, int(x.shape[1] * ratio), no_rand=True)

        def forward(x, *args, **kwargs):
            if state["pair"] is None:
                return attend(x, *args, **kwargs)
            merge, unmerge = state["pair"]
            return unmerge(attend(merge(x), *args, **kwargs))

        block.norm1.register_forward_pre_hook(remember)
        block.attn1.forward = forward

    for block in model.modules():
        if isinstance(block, BasicTransformerBlock):
            patch(block)


def free_u():
    tensors = {}
    for name in ("sd1", "sd1-odd", "sdxl", "miniature", "plain-heads"):
        model, inputs = unet(name)
        model.enable_freeu(**FREEU)
        tensors[name] = run(model, inputs)
        report(f"freeu {name}", tensors[name])
    # Sides of one pixel in the deepest level.
    model, inputs = unet("sd1-odd")
    model.enable_freeu(**FREEU)
    thin = inputs["sample"][:, :, :3, :].contiguous()
    tensors["thin"] = run(model, inputs, sample=thin)
    save(OUT / "freeu.safetensors", **tensors)


def merging():
    tensors = {}
    for name, (ratio, halvings) in MERGING.items():
        model, inputs = unet(name)
        merge_tokens(model, inputs["sample"].shape[-2:], ratio, halvings)
        tensors[name] = run(model, inputs)
        report(f"merging {name}", tensors[name])
    save(OUT / "merging.safetensors", **tensors)


def deep():
    tensors = {}
    for seed, (name, branches) in enumerate(BRANCHES.items(), 820):
        model, inputs = unet(name)
        g = seeded(seed)
        samples = [torch.randn(inputs["sample"].shape, generator=g) for _ in range(2)]
        tensors[f"{name} first"], tensors[f"{name} second"] = samples
        times = [torch.tensor(801.0), torch.tensor(401.0)]
        for branch in branches:
            helper = DeepCacheSDHelper(SimpleNamespace(unet=model, scheduler=SimpleNamespace(timesteps=[t.item() for t in times])))
            helper.set_params(cache_interval=2, cache_branch_id=branch)
            helper.enable()
            outputs = [run(model, inputs, sample=x, time=t) for x, t in zip(samples, times)]
            helper.disable()
            tensors[f"{name} {branch}"] = outputs[1]
            report(f"deep {name} {branch}", outputs[1])
    save(OUT / "deep.safetensors", **tensors)


def main():
    free_u()
    merging()
    deep()


if __name__ == "__main__":
    main()
