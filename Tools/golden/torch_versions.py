"""Makes Tests/Golden/torch/versions: one small state as several releases of torch write it, in both of their forms; and one archive with
the fields of zip64.

Each release needs a Python environment of its own, thrown away afterwards (torch==1.13.1, 2.0.1 and 2.4.1 with numpy<2, Python 3.11):

    python Tools/golden/torch_versions.py /tmp/torch-1.13.1/bin/python /tmp/torch-2.0.1/bin/python …
"""
import subprocess
import sys
import zipfile
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "Tests" / "Golden" / "torch" / "versions"

# Numbers that need no generator, so that every release has the same.
WRITE = """
import sys
from collections import OrderedDict
import torch
def numbers(*shape):
    count = 1
    for side in shape: count *= side
    return (torch.arange(count, dtype=torch.float64) * 0.37 - 1.5).reshape(shape).float()
base = numbers(4, 6)
state = OrderedDict([
    ("f32", base), ("f16", numbers(3, 5).half()), ("bf16", numbers(7).bfloat16()), ("f64", numbers(2, 2).double()),
    ("i64", torch.arange(-2, 5)), ("u8", torch.tensor([0, 255], dtype=torch.uint8)), ("bool", torch.tensor([True, False, True])),
    ("scalar", torch.tensor(2.5)), ("empty", torch.zeros(0, 3)), ("transposed", base.t()), ("rows", base[1:3]), ("columns", base[:, 2:5]),
    ("parameter", torch.nn.Parameter(numbers(2, 3))),
    ("channels-last", numbers(1, 3, 2, 2).contiguous(memory_format=torch.channels_last)),
])
out, version = sys.argv[1], torch.__version__.split("+")[0]
# As training programs write them.
checkpoint = dict(epoch=3, global_step=470000, state_dict=state, callbacks={"best": None})
torch.save(checkpoint, f"{out}/{version}.ckpt")
torch.save(checkpoint, f"{out}/{version}-legacy.ckpt", _use_new_zipfile_serialization=False)
layer = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
torch.save(layer.state_dict(), f"{out}/{version}-module.pt")
"""


def zip64(source, target):
    """The same records with every size and place in the fields that archives of 4 GB and more need."""
    zipfile.ZIP64_LIMIT = zipfile.ZIP_FILECOUNT_LIMIT = 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    # Python leaves small numbers in the old last record too.
    bytes_ = bytearray(target.read_bytes())
    bytes_[-14:-2] = b"\xff" * 12
    target.write_bytes(bytes_)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for python in sys.argv[1:]:
        subprocess.run([python, "-c", WRITE, str(OUT)], check=True)
    from safetensors.torch import save_file
    import torch

    newest = sorted(OUT.glob("[0-9]*[0-9].ckpt"))[-1]
    state = torch.load(newest)["state_dict"]
    save_file({k: v.detach().contiguous().clone() for k, v in state.items()}, str(OUT / "state.safetensors"))
    zip64(newest, OUT / "zip64.ckpt")


if __name__ == "__main__":
    main()
