#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench hosts: every row is there, beside its floor, and nothing is left."""
import glob
import json
import os
import subprocess
import sys

FLOORS = {"run": "bare-http", "custom-forward": "bare-http", "custom-json": "bare-custom",
          "custom-forward-inside": "bare-http", "azure": "grpc", "azure-inside": "grpc",
          "azure-forward": "grpc-forward", "lambda": "loop",
          "lambda-inside": "loop", "lambda-url": "loop-url", "lambda-url-inside": "loop-url"}
ANSWERS = {name: floor for name, floor in FLOORS.items() if name.startswith("lambda")}
FLOORS |= {f"{name}-answer": f"{floor}-answer" for name, floor in ANSWERS.items()}
ROWS = {"ring", *FLOORS, *FLOORS.values()}


def run(command, *words):
    return subprocess.run([command, "bench", "hosts", *words], capture_output=True, text=True,
                          timeout=100, check=False)


def row_faults(done, wanted):
    if done.returncode:
        yield f"status {done.returncode}: {done.stderr}"
        return
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = [(row["row"], row["in_flight"]) for row in rows]
    if sorted(found) != sorted((name, n) for name in wanted for n in (1, 16)):
        yield f"rows: {sorted(found)}"
    for row in rows:
        whole = not row["row"].endswith("-answer")
        if not all(row[key] > 0 for key in ("p50_us", "p99_us", "per_s")[:3 if whole else 2]):
            yield f"no figure: {row}"
        floor = FLOORS.get(row["row"])
        if floor not in wanted: # or it has none
            floor = None
        if row.get("floor") != floor:
            yield f"another floor than {floor}: {row}"
        if floor and not all(row[key] > 0 for key in ("p50_ratio", "rate_ratio")[:1 + whole]):
            yield f"no ratio: {row}"


def faults(command, with_grpc):
    before = set(glob.glob("/tmp/isoworker-bench-*"))
    wanted = ROWS - (set() if with_grpc else {"grpc", "grpc-forward"})
    yield from row_faults(run(command, "--json", "--seconds", "1"), wanted)
    left = set(glob.glob("/tmp/isoworker-bench-*")) - before
    if left:
        yield f"left: {left}"
    table = run(command, "--seconds", "1", "--row", "lambda")
    if table.stdout.count("isoworker lambda, JSON") != 2 or "so many times" not in table.stdout:
        yield f"a table: {table.stdout}{table.stderr}"
    unknown = run(command, "--row", "lambada")
    if unknown.returncode != os.EX_USAGE or 'no row "lambada"; there are' not in unknown.stderr:
        yield f"a row that is not there: {unknown.returncode}: {unknown.stderr}"


if __name__ == "__main__":
    GRPC = sys.argv[2] == "grpc"
    found = list(faults(sys.argv[1], GRPC))
    print("\n".join(found) or "bench hosts: every row is there and complete")
    if not found and not GRPC:
        print("grpc and grpc-forward: skipped, gRPC is not built")
    sys.exit(1 if found else 0)
