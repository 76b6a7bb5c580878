"""Makes Tests/Golden/hypernetworks: files as AUTOMATIC1111's web UI writes them with what their networks make of a few rows, and a UNet
with two hypernetworks. The networks are stated anew in PyTorch from how that tool describes them."""
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.modules import activation as activations

from common import GOLDEN, folder, report, save, seeded, write_json

OUT = folder("hypernetworks")
WIDTH = 6

# The tool's own names first, then every module of torch that acts on each value by itself.
ACTIVATIONS = {"linear": None, "relu": nn.ReLU, "leakyrelu": nn.LeakyReLU, "elu": nn.ELU, "swish": nn.Hardswish, "tanh": nn.Tanh,
               "sigmoid": nn.Sigmoid}
ACTIVATIONS |= {name.lower(): getattr(activations, name) for name in (
    "ReLU6", "RReLU", "PReLU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Hardtanh", "Hardshrink", "Softshrink",
    "Tanhshrink", "LogSigmoid", "Softplus", "Softsign")}


def network(width, structure, activation, norm, output, dropout):
    """Matrices with an activation behind each but the last (behind that too where the output is activated), then a normalisation, then
    dropout."""
    layers = []
    for i in range(len(structure) - 1):
        layers.append(nn.Linear(int(width * structure[i]), int(width * structure[i + 1])))
        last = i == len(structure) - 2
        if ACTIVATIONS[activation] and (output or not last):
            layers.append(ACTIVATIONS[activation]())
        if norm:
            layers.append(nn.LayerNorm(int(width * structure[i + 1])))
        if dropout and dropout[i + 1] > 0:
            layers.append(nn.Dropout(dropout[i + 1]))
    return nn.Sequential(*layers).eval()


def filled(net, g):
    for p in net.parameters():
        p.copy_(torch.randn(p.shape, generator=g) * (0.5 if p.dim() > 1 else 0.3) + (0.6 if p.dim() == 1 and p.shape == net[0].bias.shape else 0))
    return net


def state(net, old=False):
    names = {f"linear.{k}": v.clone() for k, v in net.state_dict().items()}
    if old:
        names = {k.replace("linear.0", "linear1").replace("linear.1", "linear2"): v for k, v in names.items()}
    return names


class Hypernetwork:
    def __init__(self, widths, seed, structure=(1, 2, 1), activation="linear", norm=False, output=True, dropout=None):
        g = seeded(seed)
        self.says = dict(layer_structure=list(structure), activation_func=activation, is_layer_norm=norm, activate_output=output,
                         dropout_structure=dropout)
        self.nets = {w: [filled(network(w, structure, activation, norm, output, dropout), g) for _ in range(2)] for w in widths}

    def write(self, name, old=False, bare=False, **save_options):
        """Bare: as the first files were, without any settings."""
        archive = {} if bare else dict(step=7, name="it", weight_initialization="Normal", last_layer_dropout=False, use_dropout=False,
                                       sd_checkpoint=None, sd_checkpoint_name=None, optional_info="") | self.says
        for width, (k, v) in self.nets.items():
            archive[width] = (state(k, old), state(v, old))
        torch.save(archive, OUT / f"{name}.pt", **save_options)

    def write_safetensors(self, name):
        tensors = {f"{w}.{i}.{k}": v for w, pair in self.nets.items() for i, net in enumerate(pair) for k, v in state(net).items()}
        save_file(tensors, str(OUT / f"{name}.safetensors"), metadata={k: str(v) for k, v in self.says.items()})

    def __call__(self, keys, values, strength):
        pair = self.nets.get(keys.shape[-1])
        if pair is None:
            return keys, values
        return keys + strength * pair[0](keys), values + strength * pair[1](values)


def kinds():
    g = seeded(840)
    x = 2 * torch.randn(1, 3, WIDTH, generator=g)
    tensors, names = {"x": x}, []
    cases = {f"act-{name}": dict(activation=name, output=bool(i % 2)) for i, name in enumerate(ACTIVATIONS)}
    cases |= {
        "norm": dict(activation="relu", norm=True),
        "norm-dropout": dict(activation="swish", norm=True, structure=(1, 1.5, 2, 1), dropout=[0, 0.3, 0.1, 0]),
        "dropout": dict(activation="tanh", structure=(1, 2, 2, 1), dropout=[0, 0.3, 0, 0], output=False),
        "deep": dict(activation="mish", structure=(1, 2, 0.5, 2, 1), output=False),
        "flat": dict(structure=(1, 1)),
    }
    for seed, (name, options) in enumerate(cases.items(), 841):
        net = Hypernetwork([WIDTH], seed, **options)
        net.write(name)
        tensors[f"{name} key"], tensors[f"{name} value"] = net(x, x, 0.7)
        names.append(name)
    bare = Hypernetwork([WIDTH], 880)
    bare.write("bare", old=True, bare=True, _use_new_zipfile_serialization=False)
    half = Hypernetwork([WIDTH], 881, activation="elu", norm=True)
    half.write_safetensors("named")
    for name, net, ending in (("bare", bare, "pt"), ("named", half, "safetensors")):
        tensors[f"{name} key"], tensors[f"{name} value"] = net(x, x, 0.7)
        names.append(f"{name}.{ending}")
    save(OUT / "kinds.safetensors", **tensors)
    write_json(OUT / "kinds.json", [n if "." in n else f"{n}.pt" for n in names])


def attend(attention, nets, x, context):
    """diffusers' plain attention, with hypernetworks between context and keys, context and values."""
    keys = values = x if context is None else context
    for net, strength in nets:
        keys, values = net(keys, values, strength)
    parts = [f(t).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
             for f, t in ((attention.to_q, x), (attention.to_k, keys), (attention.to_v, values))]
    mixed = nn.functional.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(-2)
    return attention.to_out[0](mixed)


def whole():
    """A UNet with two hypernetworks one after the other, the second for some widths only."""
    model = UNet2DConditionModel.from_pretrained(GOLDEN / "unet-sd1" / "unet", torch_dtype=torch.float32).eval()
    inputs = load_file(GOLDEN / "unet-sd1" / "reference.safetensors")
    first = Hypernetwork([24, 8, 12, 16], 890, activation="leakyrelu", norm=True)
    second = Hypernetwork([24, 12], 891, activation="gelu", output=False)
    first.write("unet-first")
    second.write("unet-second")
    nets = [(first, 0.4), (second, -0.3)]
    for name, module in model.named_modules():
        if name.endswith(("attn1", "attn2")):
            module.forward = lambda x, encoder_hidden_states=None, attention_mask=None, module=module, **_: attend(
                module, nets, x, encoder_hidden_states)
    output = model(inputs["sample"], inputs["timestep"], inputs["encoder_hidden_states"]).sample
    report("unet", output)
    save(OUT / "unet-expected.safetensors", output=output)


if __name__ == "__main__":
    kinds()
    whole()
