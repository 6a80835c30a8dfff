#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench models: both models have a value in every row, and what was tried with them came
out as it does: a process takes itself along, and what is in the host's takes the host.

Nothing here asserts a time.
"""
import glob
import json
import os
import subprocess
import sys

NUMBERS = ["p50_us", "per_s", "http_per_s", "memory_mib", "start_ms"]
LEFT = "/tmp/isoworker-bench-*/isoworker-bench-functions.so"  # a bench beside has folders, too
WORDS = ["crash", "leak", "hang", "overwrite", "refused", "debug"]


def models(program, *options):
    # ThreadSanitizer has every process wait for a second at its end.
    tsan = os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"
    return subprocess.run([program, "bench", "models", *options], capture_output=True, text=True,
                          check=False, timeout=110, env={**os.environ, "TSAN_OPTIONS": tsan})


def check_words(rows, sanitized):
    assert rows["crash"]["process"].startswith("the worker's process, and the call beside it (50")
    assert rows["crash"]["none"].startswith("the host: it ended "), rows["crash"]
    if not sanitized:  # whose memory is elsewhere, and larger
        assert rows["overwrite"]["process"].startswith("the worker's process"), rows["overwrite"]
        assert rows["overwrite"]["none"].startswith("the host"), rows["overwrite"]
        assert rows["leak"]["process"].startswith("64 MiB, 0 of them in the host; 6"), rows["leak"]
        assert rows["leak"]["none"].startswith("64 MiB, 64 of them in the host"), rows["leak"]
    assert rows["hang"]["process"].startswith("its call (504); the worker's process is replaced")
    assert "others are answered no more" in rows["hang"]["none"], rows["hang"]
    assert rows["refused"]["process"] == "nothing", rows["refused"]
    assert {"processes", "environment", "give_up_after", "memory_limit", "recycle_after",
            "link.lane"} <= set(rows["refused"]["none"].split(", ")), rows["refused"]


def main(program):
    before = set(glob.glob(LEFT))
    done = models(program, "--json", "--seconds", "3")
    assert done.returncode == 0, done
    rows = {row["row"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert list(rows) == NUMBERS + WORDS, list(rows)
    for name in NUMBERS:
        assert rows[name]["process"] > 0 and rows[name]["none"] > 0, rows[name]
    check_words(rows, bool(os.environ.get("ISOWORKER_SANITIZE")))
    assert set(glob.glob(LEFT)) <= before, "a folder was left"
    refused = models(program, "--seconds", "0")
    assert refused.returncode == 64 and "--seconds takes" in refused.stderr, refused


main(sys.argv[1])
