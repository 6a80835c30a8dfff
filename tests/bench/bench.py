#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench: every case has a row for every mode, and every row has every key, as has the
table of packing; with --full so has every further table, each as short as it gets.

Nothing here asserts a time: they differ from machine to machine and from run to run.
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CASES = ["nng", "unix", "futex-ring", "grpc", "microhttpd", "message", "ring", "message+chain",
         "ring+chain", "message+chain+auth", "ring+chain+auth", "ring+ten", "in-process+chain"]
MODES = ["back-to-back", "silence", "pipelined"]
KEYS = ["case", "mode", "payload_bytes", "in_flight", "p50_us", "p99_us", "per_s", "cpu_us",
        "ratio_p50_to_nng", "ratio_per_s_to_nng"]


def bench(program, *options):
    # ThreadSanitizer has every process wait for a second at its end, and here are hundreds of them.
    tsan = os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"
    return subprocess.run([program, "bench", *options], capture_output=True, text=True,
                          check=False, timeout=100, env={**os.environ, "TSAN_OPTIONS": tsan})


# Each further table: its cases, the keys that its rows have, and those of their values that differ.
PEERS = ["nng", "grpc", "message+chain", "ring+chain"]
LANES = ["message+chain", "ring+chain"]
RING = ["ring+chain"]
TIMES = ["p50_us", "p99_us", "per_s"]
TO_ONE = ["ratio_p50_to_one", "ratio_per_s_to_one"]
GROWTH = ["functions", "workers", "payload_bytes", "in_flight", *TIMES, "cpu_us", *TO_ONE]
PACKING = (RING, ["workers", "in_flight", "p50_us", "per_s", "cpu_us", "ratio_per_s_to_one"],
           [(("workers", workers), ("in_flight", 64)) for workers in (1, 8)])
FULL = {
    "spawn": ([*PEERS, "ring+chain+warm"], ["spawns", "payload_bytes", "p50_us", "p99_us", "ratio_p50_to_nng"], [()]),
    "memory": (PEERS, ["invocations", "payload_bytes", "in_flight", "resident_kib", "shared_kib"],
               [(("invocations", 10000),)]),
    "http": (["microhttpd", "isoworker"],
             ["in_flight", "threads", "p50_us", "per_s", "ratio_p50_to_microhttpd",
              "ratio_per_s_to_microhttpd"], [()]),
    "functions": (RING, GROWTH, [(("functions", functions), ("workers", workers))
                                 for functions, workers in ((1, 1), (100, 1), (10000, 1),
                                                            (10000, 16))]),
    "workers": (RING, GROWTH, [(("workers", workers), ("in_flight", in_flight))
                               for in_flight in (1, 64) for workers in (1, 2, 4, 8)]),
    "packing": PACKING,
    "in-flight": (RING, ["in_flight", "payload_bytes", *TIMES, *TO_ONE],
                  [(("in_flight", number),) for number in (1, 8, 64, 512, 4096, 10000)]),
    "middleware": (["in-process", "ring"],
                   ["middleware", "payload_bytes", "in_flight", *TIMES, "ns_per_middleware"],
                   [(("middleware", number),) for number in (0, 1, 2, 4, 8, 16)]),
    "syscalls": (LANES, ["invocations", "payload_bytes", "in_flight", "host_calls",
                         "worker_calls", "host_switches", "worker_switches"],
                 [(("in_flight", in_flight),) for in_flight in (1, 64)]),
}
# What may be 0 or below, and what a machine may not allow to be counted or a point may not have.
SMALL = {"shared_kib", "host_calls", "worker_calls", "host_switches", "worker_switches",
         "middleware", "ns_per_middleware"}
ABSENT = {"shared_kib", "host_calls", "worker_calls", "ns_per_middleware"}


def row_faults(row):
    if list(row) != KEYS:
        return [f"keys {list(row)}"]
    return [f"{row['case']}, {row['mode']}: {key} is {row[key]}" for key in KEYS[2:]
            if not row[key] > 0]


def cases_of(program):
    """Some peers are programs of their own, and are measured where those are built."""
    missing = {case for case in ("grpc", "microhttpd")
               if not Path(program).with_name(f"isoworker-bench-{case}").exists()}
    return [case for case in CASES if case not in missing]


def usual_faults(program):
    done = bench(program, "--json", "--seconds", "1", "--payload", "100,65536")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    packing = [row for row in rows if row["mode"] == "packing"]
    rows = [row for row in rows if row["mode"] != "packing"]
    faults = [fault for row in rows for fault in row_faults(row)]
    faults += table_faults(program, "packing", packing)
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
    return faults


def value_faults(row):
    for key, value in list(row.items())[2:]:
        if value is None:
            right = key in ABSENT
        else:
            right = value > 0 or key in SMALL
        if not right:
            yield f"{row['case']}, {row['mode']}: {key} is {value}"


def table_faults(program, mode, rows):
    cases, keys, points = FULL[mode]
    built = [case for case in cases if case in cases_of(program) or case not in CASES]
    if mode == "http" and "microhttpd" not in built: # it is that one beside ours, or nothing
        built = []
    for case in built:
        for point in points:
            found = [row for row in rows if row["case"] == case and set(point) <= set(row.items())]
            if len(found) != 1:
                yield f"{mode}: {len(found)} rows of {case} with {dict(point)}"
    if len(rows) != len(built) * len(points):
        yield f"{mode}: {len(rows)} rows"
    for row in rows:
        if list(row) != ["case", "mode", *keys]:
            yield f"{mode}: keys {list(row)}"
        yield from value_faults(row)


def full_faults(program):
    done = bench(program, "--full", "--json", "--seconds", "1", "--payload", "100")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    usual = [row for row in rows if row["mode"] in MODES]
    faults = [fault for row in usual for fault in row_faults(row)]
    if done.returncode != 0:
        faults.append(f"exit status {done.returncode}: {done.stderr}")
    if len(usual) != len(cases_of(program)) * len(MODES):
        faults.append(f"{len(usual)} rows of the main table")
    if {row["mode"] for row in rows} - set(MODES) - set(FULL):
        faults.append("a mode that this test does not know")
    for mode in FULL:
        if mode != "packing" and (mode != "http" or shutil.which("wrk")):
            faults += table_faults(program, mode, [row for row in rows if row["mode"] == mode])
    return faults


def main(program, full):
    faults = full_faults(program) if full else usual_faults(program)
    print("\n".join(faults) or "bench: every row is there and complete")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--full" in sys.argv))
