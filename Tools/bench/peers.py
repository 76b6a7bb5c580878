"""Velatura beside PyTorch and OpenVINO on a full-size model, each in a process of its own, in turn; prints medians and ratios.

    python Tools/bench/peers.py FOLDER [--rounds N] [--threads N] [--without NAME,NAME]

FOLDER is what full_model.py makes; it is made where it is missing. velatura-bench must be built. --without leaves out those
whose names hold a word, such as PyTorch.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
OURS = ROOT / ".build" / "release" / "velatura-bench"
PARTS = {"step": "one guided UNet step", "encode": "encoding 512²", "decode": "decoding 512²"}


def lines(command):
    output = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if output.returncode:
        sys.exit(f"{Path(str(command[0])).name} failed:\n{output.stderr.strip()}")
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def ours(*options):
    def run(folder, precision, threads):
        found = lines([OURS, "steps", "--json", "--model", folder, "--rounds", 3, "--precision", precision,
                       "--threads", threads, *options])
        return {line["bench"]: line for line in found if line["bench"] in PARTS}
    return run


def peer(name):
    def run(folder, precision, threads):
        return {part: lines([sys.executable, HERE / "full_peer.py", folder, name, precision, part, "--threads", threads])[0]
                for part in PARTS}
    return run


CONTESTANTS = {
    "Velatura f32": (ours(), "f32"), "Velatura f32 in 4.5 GB": (ours("--memory-limit", "4.5GB"), "f32"),
    "Velatura auto": (ours(), "auto"), "OpenVINO f32": (peer("openvino"), "f32"),
    "OpenVINO bf16": (peer("openvino"), "bf16"), "PyTorch f32": (peer("torch"), "f32"), "PyTorch bf16": (peer("torch"), "bf16"),
}
# What is claimed of whom against whom.
RATIOS = [("Velatura f32", "OpenVINO f32"), ("Velatura f32 in 4.5 GB", "OpenVINO f32"), ("Velatura auto", "OpenVINO bf16"), ("Velatura f32", "OpenVINO bf16"),
          ("Velatura f32", "PyTorch f32"), ("Velatura auto", "PyTorch bf16")]
# Twenty steps at skip 50, with guidance.
RUN = {"encode": 1, "step": 10, "decode": 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--without", default="")
    options = parser.parse_args()
    absent = [word for word in options.without.split(",") if word]
    contestants = {who: how for who, how in CONTESTANTS.items() if not any(word in who for word in absent)}
    if not (options.folder / "model_index.json").exists():
        subprocess.run([sys.executable, HERE / "full_model.py", options.folder], check=True)
    folder = options.folder.resolve()
    runs = {who: [] for who in contestants}
    for _ in range(options.rounds):
        for who, (run, precision) in contestants.items():
            runs[who].append(run(folder, precision, options.threads))
    print(f"Stable Diffusion 1.5's shapes, random weights, {options.threads} threads, median of {options.rounds} in turn")
    seconds = {who: {part: statistics.median(run[part]["median"] for run in all_runs) for part in PARTS}
               for who, all_runs in runs.items()}
    for part, title in PARTS.items():
        for who, all_runs in runs.items():
            peak = statistics.median(run[part]["peak"] for run in all_runs) / 1e9
            print(f"  {title}, {who}: {seconds[who][part]:.2f} s, peak memory {peak:.1f} GB")
    whole = {who: sum(count * seconds[who][part] for part, count in RUN.items()) for who in contestants}
    for who, total in whole.items():
        print(f"  an image-to-image run (1 encoding, 10 guided steps, 1 decoding, added up), {who}: {total:.1f} s")
    for one, other in RATIOS:
        if one in contestants and other in contestants:
            ratios = [f"{title} {seconds[one][part] / seconds[other][part]:.2f}" for part, title in PARTS.items()]
            print(f"  {one} takes of {other}'s time: {', '.join(ratios)}, the run {whole[one] / whole[other]:.2f}")


if __name__ == "__main__":
    main()
