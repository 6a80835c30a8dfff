#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench: every case has a row for every mode, and every row has every key.

Nothing here asserts a time: they differ from machine to machine and from run to run.
"""
import json
import subprocess
import sys
from pathlib import Path

CASES = ["nng", "unix", "futex-ring", "grpc", "microhttpd", "message", "ring", "message+chain",
         "ring+chain", "ring+chain+auth", "in-process+chain"]
MODES = ["back-to-back", "silence", "pipelined"]
KEYS = ["case", "mode", "payload_bytes", "in_flight", "p50_us", "p99_us", "per_s",
        "ratio_p50_to_nng", "ratio_per_s_to_nng"]


def bench(program, *options):
    return subprocess.run([program, "bench", *options], capture_output=True, text=True,
                          check=False, timeout=100)


def row_faults(row):
    if list(row) != KEYS:
        return [f"keys {list(row)}"]
    return [f"{row['case']}, {row['mode']}: {key} is {row[key]}" for key in KEYS[2:]
            if not row[key] > 0]


def cases_of(program):
    """gRPC is measured where it is built, which is where its program lies."""
    built = Path(program).with_name("isoworker-bench-grpc").exists()
    return [case for case in CASES if built or case != "grpc"]


def main(program):
    done = bench(program, "--json", "--seconds", "1", "--payload", "100,65536")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    faults = [fault for row in rows for fault in row_faults(row)]
    seen = [(row["case"], row["mode"], row["payload_bytes"]) for row in rows]
    wanted = [(case, mode, size) for size in (100, 65536) for mode in MODES
              for case in cases_of(program)]
    if done.returncode != 0:
        faults.append(f"exit status {done.returncode}: {done.stderr}")
    if seen != wanted:
        faults.append(f"rows {seen}")
    for options in (["--payload", "0"], ["--payload", "1,,2"], ["--seconds", "x"], ["word"]):
        if bench(program, *options).returncode != 64:
            faults.append(f"{options} is not refused")
    print("\n".join(faults) or f"bench: {len(rows)} rows, each complete")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
