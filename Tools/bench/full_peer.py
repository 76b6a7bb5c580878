"""One network of a full-size model run by PyTorch or OpenVINO. Prints one JSON line: median seconds and peak memory.

    python Tools/bench/full_peer.py FOLDER torch|openvino f32|bf16 step|encode|decode [--threads N] [--rounds N]
"""
import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel


class Network(torch.nn.Module):
    """What is measured as a function of tensors alone."""

    def __init__(self, folder, part):
        super().__init__()
        self.part = part
        kind, name = (UNet2DConditionModel, "unet") if part == "step" else (AutoencoderKL, "vae")
        self.model = kind.from_pretrained(folder / name).float().eval()

    def forward(self, *inputs):
        if self.part == "step":
            return self.model(*inputs, return_dict=False)[0]
        if self.part == "encode":
            return self.model.encode(inputs[0], return_dict=False)[0].mean
        return self.model.decode(inputs[0], return_dict=False)[0]


INPUTS = {
    "step": lambda: (torch.randn(2, 4, 64, 64), torch.tensor(500.0), torch.randn(2, 77, 768)),
    "encode": lambda: (torch.rand(1, 3, 512, 512) * 2 - 1,),
    "decode": lambda: (torch.randn(1, 4, 64, 64),),
}


def in_torch(network, inputs, precision):
    if precision == "bf16":
        network = network.bfloat16()
        inputs = [x.bfloat16() for x in inputs]
    return lambda: network(*inputs)


def in_openvino(network, inputs, precision, threads):
    import openvino

    converted = openvino.convert_model(network, example_input=inputs, input=[tuple(x.shape) for x in inputs])
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": 1}
    request = openvino.Core().compile_model(converted, "CPU", options).create_infer_request()
    arrays = [x.numpy() for x in inputs]
    return lambda: request.infer(arrays)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("peer", choices=["torch", "openvino"])
    parser.add_argument("precision", choices=["f32", "bf16"])
    parser.add_argument("part", choices=list(INPUTS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network, inputs = Network(options.folder, options.part), INPUTS[options.part]()
    if options.peer == "torch":
        run = in_torch(network, inputs, options.precision)
    else:
        run = in_openvino(network, inputs, options.precision, options.threads)
        del network
    run()
    seconds = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"bench": options.part, "median": statistics.median(seconds), "peak": peak}))


if __name__ == "__main__":
    main()
