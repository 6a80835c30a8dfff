#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench queue: every row is there, with a figure of each side, and nothing is left."""
import json
import os
import re
import subprocess
import sys
import tempfile

ROWS = {("put alone", 1), ("put", 8), ("put", 64), ("claim and complete", 1),
        ("claim and complete", 8), ("claim and complete", 64), ("put to claim", 1)}


def run(command, *words):
    return subprocess.run([command, "bench", "queue", *words], capture_output=True, text=True,
                          timeout=100, check=False)


def row_faults(done, name):
    if done.returncode:
        yield f"status {done.returncode}: {done.stderr}"
        return
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = {(row["row"], row["in_flight"]) for row in rows}
    if found != ROWS or len(rows) != len(ROWS):
        yield f"rows: {sorted(found)}"
    for row in rows:
        unit = "p50_us" if row["row"] in ("put alone", "put to claim") else "per_s"
        if not all(row[key] > 0 for key in (f"floor_{unit}", f"{name}_{unit}", "ratio")):
            yield f"no figure: {row}"


def server_faults(command, place):
    kind = place.split(":")[0]
    yield from row_faults(run(command, "--json", "--seconds", "2", "--place", place), kind)
    if kind == "postgresql":
        left = subprocess.run(["psql", "-qAt", place, "-c", "SELECT nspname FROM pg_namespace "
                               "WHERE nspname LIKE 'isoworker%'"], capture_output=True, text=True,
                              timeout=60, check=False)
        if left.returncode or left.stdout:
            yield f"schemas are left: {left.stdout}{left.stderr}"


def faults(command):
    with tempfile.TemporaryDirectory(prefix="isw-bench-queue-") as folder:
        done = run(command, "--json", "--seconds", "2", "--folder", folder)
        yield from row_faults(done, "sqlite")
        if os.listdir(folder):
            yield f"left: {os.listdir(folder)}"
        table = run(command, "--seconds", "1", "--folder", folder)
        if table.stdout.count("\n") != len(ROWS) + 7 or \
                not all(said in table.stdout for said in ("The unit behind a row is that of the floor",
                                                          "A ratio above 1 is good")):
            yield f"a table: {table.stdout}"
        # of the very numbers that stand above it, each of which is rounded
        floor, ours = re.search(r"put to claim +1 +(\d+) +(\d+)", table.stdout).groups()
        extra, word = re.search(r"takes (\d+) us (more|less)", table.stdout).groups()
        if abs(int(ours) - int(floor) - int(extra) * (1 if word == "more" else -1)) > 1:
            yield f"what a delivery takes is not of its columns: {table.stdout}"
    missing = run(command, "--folder", "/nowhere/at/all")
    if missing.returncode == 0 or "cannot make a folder in /nowhere/at/all" not in missing.stderr:
        yield f"a folder that is not there: {missing.returncode}: {missing.stderr}"
    if run(command, "--seconds", "0").returncode != os.EX_USAGE:
        yield "--seconds 0 is taken"


if __name__ == "__main__":
    PLACE = os.environ.get("ISW_BROKER_PLACE") # of a server, which runs already
    found = list(server_faults(sys.argv[1], PLACE) if PLACE else faults(sys.argv[1]))
    print("\n".join(found) or "bench queue: every row is there and complete")
    sys.exit(1 if found else 0)
