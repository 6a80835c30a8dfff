#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Queues under faults: trials, each from a seed, judged by Jepsen's total-queue rule.

    run.py BIN WORKER [--trials N] [--seconds S] [--seed S] [--store PLACE | --server KIND]
                      [--only FAULT,...] [--keep]

Producers put numbered messages into a queue over HTTP while its host and its workers are killed, stopped
and continued, its disk is filled and its clock set, and while some messages crash, hang and fail by
themselves. What was acknowledged must be completed or, if it is poison, be among the dead exactly once;
none runs twice at the same time; only what was in hand at a fault runs again; each message that is done
with has put exactly one output. A trial that fails prints its seed and leaves its folder. With --server,
nats or postgresql, messages lie on a server that is begun for it, which two hosts share, and which is
killed, stopped and cut off, too. SEED in PLACE is that of the trial, so that each has a store of its own:
"postgresql://USER@HOST/NAME?schema=trial_SEED".
"""
import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import time

import apart
import servers
import trial

FIGURES = {"trials": "trials", "failed": "failed", "messages": "acknowledged messages", "refused": "refused messages",
           "again": "runs made again", "lost": "lost", "doubled": "doubled outputs",
           "twice": "ran twice at once", "lent": "on two hosts, after a lease", "dead": "dead",
           "bystanders": "of these by mere company"}


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=os.path.abspath)
    parser.add_argument("worker", type=os.path.abspath)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--store")
    parser.add_argument("--server", choices=sorted(servers.KINDS))
    parser.add_argument("--only", metavar="FAULT,...")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args(words)
    for path in os.path.join(options.bin, "isoworker"), options.worker:
        if not (os.path.isfile(path) and os.access(path, os.X_OK)):
            parser.error(f"there is no program {path}; `cmake --preset dev && cmake --build --preset dev` "
                         "makes build/dev/bin and build/dev/tests/workers/test_witness")
    return options


def say_left_out(options, kinds):
    if not kinds:
        print("left out: full disks; that needs the rights of root, and of mounts in a namespace")
    if options.server and "net" not in kinds:
        print("left out: cut networks, for a link that is cut; that needs the rights of root, of "
              "namespaces of the network, and Debian's iproute2")
    if not options.clock:
        print("left out: clocks that are set; that needs faults_clock.so beside the worker")


def prepare(options):
    kinds = apart.enter()
    shim = os.path.join(os.path.dirname(options.worker), "faults_clock.so")
    options.clock = shim if os.path.exists(shim) else None
    options.kinds = {"disk"} if "mount" in kinds and not options.store and not options.server else {}
    say_left_out(options, kinds)
    options.shared = servers.Shared(options.server, kinds) if options.server else None


def show(total, faults, seconds):
    print()
    for key, name in FIGURES.items():
        print(f"{name:<30}{total[key]:>10}")
    for name, count in sorted(faults.items()):
        print(f"{'fault: ' + name.replace('_', ' '):<30}{count:>10}")
    print(f"{'seconds':<30}{seconds:>10.0f}", flush=True)


def run_one(options, seed, total, faults):
    """What was wrong, as sentences."""
    one, wrong = trial.Trial(options, seed), ["it was not over"]
    try:
        wrong, figures = one.run()
        total.update(figures)
    except (AssertionError, subprocess.TimeoutExpired) as fault:
        wrong = [str(fault), *one.wrong]
    finally:
        one.end(options.keep or bool(wrong))
    total["refused"] += sum(one.refused.values())
    faults.update(one.faults)
    if wrong:
        print(f"seed {seed}, in {one.folder}:\n  " + "\n  ".join(wrong[:20]), flush=True)
    elif options.shared:
        options.shared.forget(seed)
    return wrong


def run_trials(options, seed, total, faults, begin):
    while total["trials"] < options.trials and time.monotonic() - begin < options.seconds:
        total["failed"] += bool(run_one(options, seed + total["trials"], total, faults))
        total["trials"] += 1
        text = f"{total['trials']} trials, {total['failed']} failed"
        if sys.stderr.isatty():
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
        elif total["trials"] % 25 == 0:
            print(f"{text}, {time.monotonic() - begin:.0f} s", flush=True)


def main(words):
    options = parse(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was begun ends with it
    prepare(options)
    begin = time.monotonic()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    total, faults = collections.Counter(), collections.Counter()
    try:
        run_trials(options, seed, total, faults, begin)
    except KeyboardInterrupt:
        print("ended before its time: the trial of that moment does not count")
    finally:
        if options.shared:
            options.shared.remove()
        show(total, faults, time.monotonic() - begin)
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
