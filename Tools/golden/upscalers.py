"""Makes Tests/Golden/upscalers: what spandrel's RRDBNet, SRVGG and SwinIR make of pictures of odd size.

Weights follow from their names, as in checkpoints.py, so that only names and shapes are committed (in networks.json, under the
names that trainers give); a few small networks are whole torch archives."""
import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.SwinIR import SwinIR

from checkpoints import values
from common import folder, report, save, seeded, write_json


def trunk_names(state, style):
    """ESRGAN's first names, which spandrel keeps, as later writers have them."""
    numbers = sorted({int(k.split(".")[1]) for k in state if k.startswith("model.") and ".sub." not in k})[1:]
    names = {number: f"conv_up{place + 1}" for place, number in enumerate(numbers[:-2])}
    names |= {0: "conv_first", numbers[-2]: "conv_hr", numbers[-1]: "conv_last"}
    last = max(int(k.split(".")[3]) for k in state if ".sub." in k)
    result = {}
    for key, value in state.items():
        parts = key.split(".")
        if ".sub." not in key:
            name = f"{names[int(parts[1])]}.{parts[2]}"
        elif int(parts[3]) == last and len(parts) == 5:
            name = f"conv_body.{parts[4]}"
        else:
            name = f"body.{parts[3]}.{parts[4].lower()}." + ".".join(p for p in parts[5:] if p != "0")
        if style == "trunk":
            for new, old in [("conv_body", "trunk_conv"), ("conv_hr", "HRconv"), ("conv_up", "upconv"), (".rdb", ".RDB")]:
                name = name.replace(new, old)
            name = name.replace("body.", "RRDB_trunk.", 1) if name.startswith("body.") else name
        result[name] = value
    return result


def picture(channels, height, width, seed):
    return torch.rand(1, channels, height, width, generator=seeded(seed))


# Random attention and dense blocks drown the picture: those layers count for less, as they do once trained.
GAINS = {"attn.proj.weight": 0.3, "mlp.fc2.weight": 0.3, "relative_position_bias_table": 2.0}


def fill(model, style):
    """Fill a network by the formula, and give its state under its trainers' names."""
    state = model.state_dict()
    renamed = state if style == "own" else trunk_names(state, style)
    learnt = {name for name, _ in model.named_parameters()}
    for key, (name, value) in zip(state, renamed.items()):
        if key in learnt:
            gain = next((g for end, g in GAINS.items() if name.endswith(end)), 1.0)
            value.copy_(values(name, list(value.shape)) * gain)
    return renamed


def main():
    out = folder("upscalers")
    references, networks = {}, {}

    def reference(name, model, x):
        y = model.eval()(x)
        references[f"{name}.in"], references[f"{name}.out"] = x, y
        print(f"{name}: {list(y.shape)} std {y.std():.3f}")

    def describe(name, state):
        networks[name] = {k: list(v.shape) for k, v in state.items() if v.is_floating_point() and "attn_mask" not in k}

    rrdb = [  # name, names, arguments, size
        ("rrdb-old-x4", "own", dict(num_filters=32, num_blocks=2, scale=4), (13, 10)),
        ("rrdb-trunk-x4", "trunk", dict(num_filters=24, num_blocks=1, scale=4), (9, 11)),
        ("rrdb-new-x1", "new", dict(num_filters=16, num_blocks=1, scale=1), (17, 14)),
        ("rrdb-new-x8", "new", dict(num_filters=16, num_blocks=1, scale=8), (5, 7)),
        ("rrdb-unshuffle-x2", "new", dict(num_filters=16, num_blocks=1, scale=4, in_nc=12, shuffle_factor=2), (15, 13)),
        ("rrdb-unshuffle-x1", "new", dict(num_filters=16, num_blocks=1, scale=4, in_nc=48, shuffle_factor=4), (19, 22)),
        ("rrdb-plus-x4", "own", dict(num_filters=16, num_blocks=1, scale=4, plus=True), (9, 8)),
        ("rrdb-grey-x2", "own", dict(num_filters=16, num_blocks=1, scale=2, in_nc=1, out_nc=1), (11, 9)),
    ]
    for number, (name, style, arguments, size) in enumerate(rrdb):
        model = ESRGAN(**arguments)
        describe(name, fill(model, style))
        unshuffle = arguments.get("shuffle_factor") or 1
        reference(name, model, picture(arguments.get("in_nc", 3) // unshuffle**2, *size, 1700 + number))

    for number, (name, activation, scale, features, layers) in enumerate([
        ("compact-prelu-x4", "prelu", 4, 24, 6), ("compact-relu-x2", "relu", 2, 12, 3), ("compact-leaky-x3", "leakyrelu", 3, 10, 2),
        ("compact-prelu-x1", "prelu", 1, 16, 2),
    ]):
        model = Compact(num_feat=features, num_conv=layers, upscale=scale, act_type=activation)
        state = fill(model, "own")
        reference(name, model, picture(3, 11, 14, 1720 + number))
        if activation == "prelu":
            describe(name, state)
        else:
            torch.save({"act_type": activation, "params": state}, out / f"{name}.pth")

    for number, (name, arguments, size) in enumerate([
        ("swin-classical-x2", dict(upsampler="pixelshuffle", upscale=2, embed_dim=20, depths=[2, 2], num_heads=[2, 2], window_size=8), (19, 13)),
        ("swin-classical-x3", dict(upsampler="pixelshuffle", upscale=3, embed_dim=16, depths=[2], num_heads=[4], window_size=4), (9, 10)),
        ("swin-light-x4", dict(upsampler="pixelshuffledirect", upscale=4, embed_dim=24, depths=[2, 3], num_heads=[3, 2], window_size=4), (14, 11)),
        ("swin-real-x4", dict(upsampler="nearest+conv", upscale=4, embed_dim=16, depths=[2], num_heads=[2], window_size=4), (9, 7)),
        ("swin-real-large-x4", dict(upsampler="nearest+conv", upscale=4, embed_dim=32, depths=[2], num_heads=[4], window_size=4, resi_connection="3conv"), (6, 9)),
        ("swin-jpeg-x1", dict(upsampler="", upscale=1, embed_dim=18, depths=[2], num_heads=[3], window_size=7, img_range=255.0), (15, 20)),
    ]):
        model = SwinIR(img_size=2 * arguments["window_size"], mlp_ratio=2.0, **arguments)
        state = fill(model, "own")
        reference(name, model, picture(3, *size, 1740 + number))
        describe(name, state)
        if name == "swin-jpeg-x1":
            # With all that is saved although it follows from the window's size.
            torch.save({"params": state}, out / f"{name}.pth")

    save(out / "reference.safetensors", **references)
    write_json(out / "networks.json", networks, indent=None)


if __name__ == "__main__":
    main()
