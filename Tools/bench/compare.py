"""Velatura and PyTorch do the same work in turn, each in a process of its own; prints the medians and their ratio.

Run with a Python that has what Tools/golden/requirements.txt names, after building velatura-bench:
    python Tools/bench/compare.py [--rounds N] [--threads N]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / ".build" / "release" / "velatura-bench"
PEER = Path(__file__).with_name("peer.py")
PARTS = {"step": ("steps", "median", "one guided step"), "demo": ("demo", "painting", "the demo's three rungs")}


def result(command, part):
    """The JSON line about `part` that a command prints."""
    output = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if output.returncode:
        sys.exit(f"{Path(str(command[0])).name} failed:\n{output.stderr.strip()}")
    lines = (json.loads(line) for line in output.stdout.splitlines() if line.startswith("{"))
    return next(line for line in lines if line["bench"] == part)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    threads = ["--threads", options.threads]
    print(f"Velatura beside PyTorch, f32, {options.threads} threads, median of {options.rounds} rounds in turn")
    for part, (name, key, title) in PARTS.items():
        contestants = {
            "Velatura": [OURS, name, "--json", *threads],
            "PyTorch": [sys.executable, PEER, part, *threads],
            "PyTorch, channels last": [sys.executable, PEER, part, "--channels-last", *threads],
        }
        runs = {who: [] for who in contestants}
        for _ in range(options.rounds):
            for who, command in contestants.items():
                runs[who].append(result(command, part))
        seconds = {who: statistics.median(run[key] for run in all_runs) for who, all_runs in runs.items()}
        for who, all_runs in runs.items():
            peak = statistics.median(run["peak"] for run in all_runs) / 1e6
            print(f"  {title}, {who}: {seconds[who]:.3f} s, peak memory {peak:.0f} MB")
        ratio = seconds["Velatura"] / min(value for who, value in seconds.items() if who != "Velatura")
        print(f"  {title}: Velatura takes {ratio:.2f} of PyTorch's time")


if __name__ == "__main__":
    main()
