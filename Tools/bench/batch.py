"""What a batch costs beside painting: 400 pictures of 64x64 through `velatura refine FOLDER`.

    make build && python3 Tools/bench/batch.py

Needs nothing but Python. With --skip 100 nothing is painted, so that the time from one result to the next is what a picture
costs beside it: reading, hashing, planning, the recipe, the journal, writing, renaming. With --skip 50 the memory in use
is read after every result. Files are not waited for (no fsync), as the program itself does not.
"""

import json
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / ".build/release/velatura"
COUNT = 400


def png(path, width, height, seed):
    """A picture of soft noise in RGB."""
    source = random.Random(seed)
    rows = b"".join(b"\0" + bytes(source.randrange(96, 160) for _ in range(width * 3)) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def resident(process):
    """Megabytes that a process holds."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def run(folder, *options):
    """Milliseconds from result to result, and megabytes after each."""
    command = [PROGRAM, "refine", "in", "-o", "out", "--seed", "7", "--json", *options]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    times, memory = [], []
    for line in process.stdout:
        if json.loads(line)["event"] == "result":
            times.append(time.perf_counter())
            memory.append(resident(process))
    assert process.wait() == 0 and len(times) == COUNT, (process.returncode, len(times))
    return [1000 * (b - a) for a, b in zip(times, times[1:])], memory


def main():
    kinds = {"64x64": lambda n: (64, 64), "sides of 48 to 112": lambda n: (48 + n * 7 % 65, 48 + n * 11 % 65)}
    for name, size in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            for number in range(COUNT):
                png(Path(folder) / "in" / f"{number:03}.png", *size(number), number)
            beside, _ = run(folder, "--skip", "100")
            painted, memory = run(folder, "--skip", "50", "--steps", "4")
            began = time.perf_counter()
            again = subprocess.run(
                [PROGRAM, "refine", "in", "-o", "out", "--seed", "7", "--skip", "50", "--steps", "4"],
                cwd=folder, capture_output=True, text=True,
            )
            seconds = time.perf_counter() - began
            assert f"0 made, {COUNT} finished before" in again.stderr, again.stderr
        print(f"{COUNT} pictures, {name}")
        print(f"  beside painting    {statistics.median(beside):6.2f} ms median, {sorted(beside)[-20]:.2f} ms at 95 %")
        print(f"  with two steps     {statistics.median(painted):6.2f} ms median")
        marks = ", ".join(f"{memory[n - 1]:.0f} MB after {n}" for n in (10, 50, 100, 200, 400))
        print(f"  memory             {marks}")
        print(f"  a run that finds all finished took {seconds:.2f} s")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
