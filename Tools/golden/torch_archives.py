"""Makes Tests/Golden/torch: small archives that torch.save writes, in both of its forms, and legacy ones made by hand; and float8."""
import io
import pickle
import struct
import zipfile
from collections import OrderedDict

import torch
from safetensors.torch import save_file

from common import folder, seeded

g = seeded(600)


def r(*shape):
    return torch.randn(*shape, generator=g)


def state():
    """Every number format, strides of all kinds, shared and empty storages."""
    base = r(4, 6)
    return OrderedDict([
        ("f32", base), ("f16", r(3, 5).half()), ("bf16", r(7).bfloat16()), ("f64", r(2, 2).double()), ("i64", torch.arange(-2, 5)),
        ("i32", torch.arange(3, dtype=torch.int32)), ("i16", torch.tensor([-3, 300], dtype=torch.int16)),
        ("i8", torch.tensor([-128, 127], dtype=torch.int8)), ("u8", torch.tensor([0, 255], dtype=torch.uint8)),
        ("bool", torch.tensor([True, False, True])), ("scalar", torch.tensor(2.5)), ("empty", torch.zeros(0, 3)),
        ("transposed", base.T), ("rows", base[1:3]), ("columns", base[:, 2:5]), ("every-other", base[::2, 1::2]),
        ("repeated", r(3, 1).expand(3, 4)), ("permuted", r(2, 3, 4).permute(2, 0, 1)), ("parameter", torch.nn.Parameter(r(2, 3))),
        ("channels-last", r(1, 3, 2, 2).contiguous(memory_format=torch.channels_last)),
    ])


class Legacy(pickle.Pickler):
    """Storages as torch before 1.6 referred to them: whole ones, and views into others."""

    def persistent_id(self, thing):
        return thing.identity if isinstance(thing, Storage) else None


class Storage:
    def __init__(self, *identity):
        self.identity = ("storage", *identity)


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self.arguments = (storage, offset, size, stride, False, OrderedDict())

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


def legacy_with_views(path):
    """One storage of ten numbers; one tensor looks into all of it, two into views, one of them strided."""
    numbers = torch.arange(10, dtype=torch.float32) * 1.5
    whole = Storage(torch.FloatStorage, "root", "cpu", 10, None)
    view = Storage(torch.FloatStorage, "root", "cpu", 10, ("view", 3, 6))
    tensors = {"whole": Tensor(whole, 0, (2, 5), (5, 1)), "view": Tensor(view, 0, (6,), (1,)), "turned": Tensor(view, 1, (2, 2), (1, 2))}
    buffer = io.BytesIO()
    for thing in (0x1950a86a20f9469cfc6c, 1001, dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4))):
        pickle.dump(thing, buffer, protocol=2)
    Legacy(buffer, protocol=2).dump(tensors)
    pickle.dump(["root"], buffer, protocol=2)
    buffer.write(struct.pack("<q", 10) + numbers.numpy().tobytes())
    path.write_bytes(buffer.getvalue())
    save_file({"whole": numbers.reshape(2, 5), "view": numbers[3:9].clone(), "turned": numbers[[4, 6, 5, 7]].reshape(2, 2)},
              str(path.with_suffix(".safetensors")))


def main():
    out = folder("torch")
    tensors = state()
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, str(out / "state.safetensors"))
    torch.save(tensors, out / "zip.pt")
    torch.save(tensors, out / "legacy.pt", _use_new_zipfile_serialization=False)
    # As training programs write them: the tensors in an inner dictionary, and much beside.
    checkpoint = dict(epoch=3, global_step=470000, state_dict=dict(tensors, state_dict={}), callbacks={"best": None, "score": 0.5},
                      optimizer_states=[dict(state={0: dict(step=3, exp_avg=r(2))}, param_groups=[dict(lr=1e-4, params=[0])])], lr_schedulers=[])
    torch.save(checkpoint, out / "trained.ckpt")
    torch.save(checkpoint, out / "trained-legacy.ckpt", _use_new_zipfile_serialization=False)
    # With a protocol of later Pythons.
    torch.save(tensors, out / "protocol4.pt", pickle_protocol=4)
    legacy_with_views(out / "views.pt")

    codes = torch.arange(256, dtype=torch.uint8)
    float8 = {"e4m3": codes.clone().view(torch.float8_e4m3fn), "e5m2": codes.view(torch.float8_e5m2)}
    torch.save(float8, out / "float8.pt")
    save_file(float8 | {f"{k} as f32": v.float() for k, v in float8.items()}, str(out / "float8.safetensors"))

    # A hypernetwork's way: whole-number keys, tuples, texts.
    torch.save({320: ({"linear.0.weight": r(2, 2)}, {"linear.0.weight": r(2, 2)}), "step": 7, "name": "it", "layer_structure": [1, 2.5, 1],
                "activation_func": None, "is_layer_norm": False}, out / "hypernetwork.pt")
    # An embedding's way: a dictionary of parameters that keeps them in an attribute, and a device.
    torch.save({"string_to_token": {"*": torch.tensor(265)}, "string_to_param": torch.nn.ParameterDict({"*": r(2, 4)}), "name": "it",
                "device": torch.device("cpu"), "dtype": torch.float16, "size": torch.Size([2, 4])}, out / "embedding.pt")
    module = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
    torch.jit.save(module, out / "script.pt")
    with zipfile.ZipFile(out / "zip.pt") as source, zipfile.ZipFile(out / "compressed.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    for file in sorted(out.iterdir()):
        print(file.name, file.stat().st_size)


if __name__ == "__main__":
    main()
