#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The long form of rolls.py and scaling.py: prints a table of what clients see of processes that come
and go, and ends with 1 if anything failed. `cmake --build BUILD --target rolls_table` runs it; it
takes some minutes.

usage: rolls_table.py [COUNT]     restarts and scale-downs, 1000 of each by default
"""
import os
import re
import signal
import sys
import time

from harness import Host, wait_until, worker
from load import Load
from operators import ask, report

SECONDS_MAX = 900
FEW = "worker: {concurrency: 2, max_in_flight: 2}\nmiddleware:\n  - error_handling\n"
HEAD = ("what", "times", "took s", "calls", "p50 ms", "p99 ms", "longest ms", "failed")
WIDTHS = (46, 6, 7, 8, 7, 7, 11, 7)


def row(cells):
    print("  ".join(f"{cell:>{width}}" if at else f"{cell:<{width}}"
                    for at, (cell, width) in enumerate(zip(cells, WIDTHS))), flush=True)


def tell(what, times, seconds, load):
    times_ms = sorted(1000 * one for one in load.seconds)
    at = lambda part: times_ms[min(len(times_ms) - 1, int(part * len(times_ms)))]  # noqa: E731
    row((what, times, f"{seconds:.1f}", load.total, f"{at(0.5):.2f}", f"{at(0.99):.2f}",
         f"{times_ms[-1]:.1f}", len(load.failures)))
    for failure in load.failures[:5]:
        print("    " + failure)
    return len(load.failures)


def quiet(what):
    """The same load with nothing happening, to hold the others against."""
    with Host(worker(more="processes: 2")) as host:
        begin = time.monotonic()
        with Load(host, SECONDS_MAX) as load:
            time.sleep(5)
        return tell(what, 0, time.monotonic() - begin, load)


def restarts(what, count):
    with Host(worker(more="processes: 2")) as host:
        begin = time.monotonic()
        with Load(host, SECONDS_MAX) as load:
            for _ in range(count):
                ask(host, "restart")
        return tell(what, count, time.monotonic() - begin, load)


def sent_away(what, count):
    with Host(worker(more="processes: 2")) as host:
        begin = time.monotonic()
        with Load(host, SECONDS_MAX) as load:
            for _ in range(count):
                ready = lambda: [p["pid"] for p in report(host)["processes"]  # noqa: E731
                                 if p["state"] == "ready"]
                wait_until(lambda: len(ready()) == 2)
                pid = min(ready())
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: pid not in ready())
        return tell(what, count, time.monotonic() - begin, load)


def scale_downs(what, count):
    more = "processes: {min: 0, max: 4, target: 0.5, keep: 16ms}"
    with Host(worker(more=more), top="logging: {level: debug}", chain=FEW) as host:
        seen = [0, 0]  # lines of the log, and scale-downs among them

        def downs():
            lines = host.lines[seen[0]:]
            seen[0] += len(lines)
            for line in lines:
                found = re.search(r"worker test: (\d) processes are wanted, (\d) were", line)
                seen[1] += bool(found) and int(found.group(1)) < int(found.group(2))
            return seen[1]

        begin = time.monotonic()
        with Load(host, SECONDS_MAX, pause=0.03) as load:
            wait_until(lambda: downs() >= count, SECONDS_MAX)
        return tell(what, downs(), time.monotonic() - begin, load)


def from_nothing(what, count):
    """One call at a time, to a worker that sleeps."""
    with Host(worker(more="processes: {min: 0, max: 1, keep: 16ms}")) as host:
        load = Load(host)
        begin = time.monotonic()
        for _ in range(count):
            wait_until(lambda: [p["state"] for p in report(host)["processes"]] == ["asleep"])
            load.once(load.short)
        return tell(what, count, time.monotonic() - begin, load)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    row(HEAD)
    failed = quiet("nothing happens")
    failed += restarts("isoworker restart, 2 processes", count)
    failed += sent_away("SIGTERM to one of 2 processes", count)
    failed += scale_downs("one process fewer, of 0 to 4", count)
    failed += from_nothing("first call to a worker without a process", min(count, 200))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
