"""What gobig says that it will take, and what it takes: before it starts (--explain), and after its first tile.

    python3 Tools/bench/estimates.py [--only NAME;…] [options of gobig …]

Run after building velatura, with a Python that has Pillow. Every case is one run. A ratio is what was said over what it took: `before` of the
whole run, `after` of what was left when the first tile was done. Nothing else may run on the machine.
"""
import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image

from images import OURS, ROOT

CASES = {
    "chelsea ×2": ["chelsea.png"],
    "coffee ×2": ["coffee.png"],
    "chelsea ×4": ["chelsea.png", "--scale", "4"],
    "coffee ×2, joint": ["coffee.png", "--mode", "joint"],
    "chelsea ×4, joint": ["chelsea.png", "--scale", "4", "--mode", "joint"],
    "coffee ×2, noise": ["coffee.png", "--noise", "6"],
    "chelsea ×2, repair": ["chelsea.png", "--repair", "half-tile"],
    "coffee ×2, map flat": ["coffee.png", "--map", "flat"],
    "coffee ×2, upscaler": ["coffee.png", "--upscaler", "miniature"],
    "coffee ×2, mask": ["coffee.png", "--mask", "MASK"],
    "chelsea ×2, report": ["chelsea.png", "--report"],
}


def lines(words):
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    began = time.monotonic()
    for line in process.stdout:
        yield time.monotonic() - began, json.loads(line)
    if process.wait() != 0:
        raise SystemExit(f"{words} failed")
    yield time.monotonic() - began, {"event": "end"}


def run(words):
    """Ratios before and after, the seconds in all, and how they are spread over stages."""
    said = next(event["seconds"] for _, event in lines(words + ["--explain"]) if event["event"] == "plan")
    left, stages, last, began = None, {}, 0, False
    for at, event in lines(words):
        stage = event.get("stage", event["event"]).split(" of ")[0].rstrip("0123456789 ")
        stages[stage] = stages.get(stage, 0) + at - last
        last = at
        if event["event"] != "progress":
            continue
        began = began or event["stage"].startswith("tile 1 ")
        # Where all is painted as one, a tenth of the way stands for a tile.
        is_first_done = not event["stage"].startswith("tile 1 ") if not event["stage"].endswith(" of 1") else event["done"] >= 100
        if left is None and began and is_first_done and event.get("seconds_left") is not None:
            left = (at, event["seconds_left"])
    took = last
    after = left[1] / (took - left[0]) if left else float("nan")
    return said / took, after, took, stages


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default=";".join(CASES))
    options.add_argument("--stages", action="store_true", help="also tell where time went")
    wish, more = options.parse_known_args()
    print("| run | took | before | after the first tile |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in [case for case in CASES if any(case == one for one in wish.only.split(";"))]:
            sample, *rest = CASES[case]
            source = ROOT / "samples" / sample
            if "MASK" in rest:
                size = Image.open(source).size
                mask = Image.new("L", size)
                mask.paste(255, (0, 0, size[0] // 2, size[1]))
                mask.save(folder / "mask.png")
                rest[rest.index("MASK")] = folder / "mask.png"
            result = folder / "result.png"
            before, after, took, stages = run(
                [OURS, "gobig", source, "-o", result, "--seed", "7", "--skip", "60", "--overwrite", "--json"] + rest + more)
            print(f"| {case} | {took:.1f} s | {before:.2f} | {after:.2f} |", flush=True)
            if wish.stages:
                print("  ", {stage: round(seconds, 2) for stage, seconds in stages.items()}, flush=True)


if __name__ == "__main__":
    main()
