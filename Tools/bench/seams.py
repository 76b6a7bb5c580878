"""How much gobig's boundaries show on the samples: the two figures of its report, over boundaries and over other lines.

    python3 Tools/bench/seams.py [--scales 2,4] [--samples coffee.png,…] [options of gobig …]

Run after building velatura. fine is to be at most 1.1 times, broad at most 1.25 times what other lines have.
"""
import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

from images import OURS, ROOT


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--scales", default="2,4")
    options.add_argument("--samples", default="coffee.png,chelsea.png,rocket.jpg")
    wish, more = options.parse_known_args()
    print("| picture | fine, 95th percentile | other lines | ratio | broad, median | other lines | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for sample in wish.samples.split(","):
            for scale in wish.scales.split(","):
                words = [OURS, "gobig", ROOT / "samples" / sample, "-o", Path(folder) / "result.png", "--scale", scale,
                         "--seed", "7", "--report", "--overwrite", "--json"] + more
                told = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
                notes = [json.loads(line).get("text", "") for line in told.splitlines()]
                note = next(text for text in notes if " seams: fine " in text)
                fine, fine_other, broad, broad_other = (float(n) for n in re.findall(r"\d+\.?\d*", note.split("seams:")[1]))
                print(f"| {sample} ×{scale} | {fine:.2f} | {fine_other:.2f} | {fine / fine_other:.2f} "
                      f"| {broad:.2f} | {broad_other:.2f} | {broad / broad_other:.2f} |", flush=True)


if __name__ == "__main__":
    main()
