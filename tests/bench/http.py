#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""isoworker bench http: every stack whose programs are here has every row, each as short as it
gets; what is sent is answered, and every request is counted once.

Nothing here asserts a time: they differ from machine to machine and from run to run.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS = ["isoworker", "isoworker-two"]
NGINX = ["nginx-fastcgi", "nginx-mhd"]
BARE = ["microhttpd", "epoll"]
LOAD = {"get-1": 1, "get-64": 64, "get-256": 256, "get-2ms": 1, "post-16": 16, "kills": 32}
FULL = {"get-16": 16, "get-1000": 1000}
STATE = {"threads": "threads", "start": "first_ms"}
COUNTS = ["connections", "payload_bytes", "requests", "answered", "refused", "lost"]
TIMES = ["p50_us", "p99_us", "per_s"]
COSTS = ["cpu_us", "switches"]
MAIN = {"get-1": "p50_us", "get-2ms": "p50_us", **STATE}


def bench(program, *options):
    tsan = os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"
    return subprocess.run([program, "bench", "http", *options], capture_output=True, text=True,
                          check=False, timeout=110, env={**os.environ, "TSAN_OPTIONS": tsan})


def stacks(program):
    """Those that can be measured here, in the order of the tables."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    library = Path(program).with_name("isoworker-bench-microhttpd").exists()
    there = {"epoll", *OURS}
    there |= {"microhttpd"} if library else set()
    there |= {"nginx-fastcgi"} if shutil.which("nginx", path=path) else set()
    there |= {"nginx-mhd"} if library and shutil.which("nginx", path=path) else set()
    there |= {"haproxy-mhd"} if library and shutil.which("haproxy", path=path) else set()
    return [name for name in [*OURS, "nginx-fastcgi", "haproxy-mhd", "nginx-mhd", *BARE]
            if name in there]


def keys_of(row):
    values = [STATE[row]] if row in STATE else [*TIMES, *(COSTS if row != "kills" else [])]
    ranged = [key + end for key in values for end in ("", "_least", "_most")]
    return ["case", "mode", "rounds", *(COUNTS if row not in STATE else []),
            *(["killed"] if row == "kills" else []), *ranged,
            f"ratio_{MAIN.get(row, 'per_s')}_to_isoworker"]


def row_faults(row):
    name = f"{row['case']}, {row['mode']}"
    if list(row) != keys_of(row["mode"]):
        yield f"{name}: keys {list(row)}"
        return
    for key, value in list(row.items())[2:]:
        if not (value > 0 or key in ("refused", "lost", "payload_bytes")
                or key.startswith("switches")):
            yield f"{name}: {key} is {value}"
    for key in row:
        if key + "_least" in row and not row[key + "_least"] <= row[key] <= row[key + "_most"]:
            yield f"{name}: {key} is not in its range"
    if row["mode"] in STATE:
        return
    if row["requests"] != row["answered"] + row["refused"] + row["lost"]:
        yield f"{name}: {row['requests']} requests are not what became of them"
    if row["connections"] != {**LOAD, **FULL}[row["mode"]]:
        yield f"{name}: {row['connections']} connections"
    if row["mode"] != "kills" and row["answered"] != row["requests"]:
        yield f"{name}: {row['refused']} refused, {row['lost']} lost"


def run(program, wanted, *options):
    """The faults of a run that is to have these rows."""
    done = bench(program, "--json", "--seconds", "1", *options)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    faults = [fault for row in rows for fault in row_faults(row)]
    seen = [(row["mode"], row["case"]) for row in rows]
    if done.returncode != 0:
        faults.append(f"exit status {done.returncode}: {done.stderr}")
    if sorted(seen) != sorted(wanted):
        faults.append(f"rows {sorted(set(seen) ^ set(wanted))} are missing or too many")
    return faults


def usual(program):
    """Every stack with every row; a row of kills only where a front stands before the worker."""
    return run(program, [(row, case) for row in [*LOAD, *STATE] for case in stacks(program)
                         if row != "kills" or case not in BARE])


def chosen(program):
    """The rows and stacks that --only names, those of --full too, and what it does not know."""
    wanted = [(row, case) for row in FULL for case in ("isoworker", "epoll")]
    faults = run(program, wanted, "--only", "isoworker,epoll,get-16,get-1000")
    for options in (["--only", "get-3"], ["--seconds", "0"], ["--worker", "/nowhere"], ["word"]):
        if bench(program, *options).returncode not in (64, 66):
            faults.append(f"{options} is not refused")
    return faults


def table(program):
    """What people read has a table for each row and one of all, and names who is not here."""
    done = bench(program, "--seconds", "1", "--only", "isoworker,epoll,get-1,threads")
    heads = [line.split(":")[0] for line in done.stdout.split("\n\n")]
    missing = [name for name in [*NGINX, "haproxy-mhd"] if name not in stacks(program)]
    faults = [f"heads {heads}"] if [head.strip() for head in heads[:3]] != [
        "get-1", "threads", "all"] else []
    faults += [f"{name} is not named as missing" for name in missing
               if f"\n{name}: not installed (Debian: " not in done.stdout
               and f"\n{name}: its worker is not built (Debian: " not in done.stdout]
    if "\nunit: not " not in done.stdout:
        faults.append("unit is not named")
    return faults


def below(session):
    """The processes of a session that have not ended, each with its command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(stat[3]) == session and stat[0] != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue # it has just ended
    return found


def folder_of(session, front):
    """The folder of a stack, once a process of it runs that program; None when that takes long."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for words in below(session).values():
            named = re.search(r"/tmp/isoworker-bench-\w+", " ".join(words))
            if named and Path(words[0].split(":")[0]).name == front: # "nginx: master process .."
                return Path(named[0])
    return None


def stopped(program):
    """A bench that is asked to end, or killed, leaves no process; if it was asked, no folder."""
    fronts = [("isoworker", "isoworker")]
    fronts += [("nginx", "nginx-fastcgi")] if "nginx-fastcgi" in stacks(program) else []
    fronts += [("haproxy", "haproxy-mhd")] if "haproxy-mhd" in stacks(program) else []
    faults = []
    for front, stack in fronts:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            with subprocess.Popen([program, "bench", "http", "--seconds", "300", "--only",
                                   f"{stack},get-1"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True) as run_:
                folder = folder_of(run_.pid, front)
                run_.send_signal(sent)
                run_.wait(timeout=60)
            until = time.monotonic() + 30
            while below(run_.pid) and time.monotonic() < until:
                time.sleep(0.01)
            left = below(run_.pid)
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            if not folder or left or (folder.exists() and sent == signal.SIGTERM):
                faults.append(f"{stack}, {sent.name}: {folder} and {left} are left")
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
    return faults


def other_worker(program):
    """--worker runs that program, with no arguments."""
    worker = Path(program).with_name("isoworker-bench-worker")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "worker"
        script.write_text(f"#!/bin/sh\ntouch {folder}/$#\nexec {worker} serve-http 1\n")
        script.chmod(0o700)
        faults = run(program, [(row, "isoworker") for row in ("get-1", "post-16")], "--only",
                     "isoworker,get-1,post-16", "--worker", str(script))
        if not (Path(folder) / "0").exists():
            faults.append("the worker was not started without arguments")
    return faults


def main(program, which):
    faults = {"usual": usual, "chosen": chosen, "table": table, "stopped": stopped,
              "worker": other_worker}[which](program)
    print("\n".join(faults) or "bench http: every row is there and complete")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
