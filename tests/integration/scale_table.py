#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The long form of scaling.py and warm.py: prints tables of what clients wait for while a worker has
to have more processes, spawned and forked by a template, and ends with 1 if a call failed, or more
than the rules in `main` say. `cmake --build BUILD --target scale_table` runs it; it takes a minute or
two.

usage: scale_table.py [COUNT]     calls to a worker without a process, 200 of each by default
"""
import os
import re
import selectors
import socket
import sys
import time

from harness import PATIENCE_S, Host, wait_until, worker
from metrics import samples_of
from operators import ADMIN, report

TOP = ADMIN + "\nlogging: {level: debug}"
CHAIN = "worker: {{concurrency: {0}, max_in_flight: {0}}}\nmiddleware:\n  - error_handling\n"
LOW, HIGH = 10, 100  # calls at once
MANY, FEW = 48, 16   # that a process takes: 3 of these processes for the calls, or 9
NAP_MS = 20          # that each takes
WAITS = re.compile(r'isoworker_host_queue_wait_seconds_bucket\{.*le="([^"]+)"')
STARTS = ("spawn", "warm")


def at(times, part):
    times = sorted(times)
    return times[min(len(times) - 1, int(part * len(times)))]


def table(heads):
    widths = [max(9, len(head)) for head in heads]
    widths[0] = 34

    def row(*cells):
        print("  ".join(f"{cell:>{width}}" if number else f"{cell:<{width}}"
                        for number, (cell, width) in enumerate(zip(cells, widths))), flush=True)

    row(*heads)
    return row


class Clients:
    """As many connections as are wanted, each with one call after the other, in one thread."""

    def __init__(self, host):
        self.host = host
        self.selector = selectors.DefaultSelector()
        self.free = []
        self.begun = {}
        self.failures = 0
        self.seconds = []

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.host.port), PATIENCE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(sock, selectors.EVENT_READ)
        return sock

    def ask(self, path):
        sock = self.free.pop() if self.free else self.connect()
        self.begun[sock] = time.monotonic()
        sock.sendall(f"GET /api/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def heed(self, seconds):
        for key, _ in self.selector.select(max(0, seconds)):
            answer = key.fileobj.recv(65536)
            self.failures += not answer.startswith(b"HTTP/1.1 200 ")
            self.seconds.append(time.monotonic() - self.begun.pop(key.fileobj))
            self.free.append(key.fileobj)

    def keep(self, count, seconds, path=f"once?ms={NAP_MS}"):
        """So many calls at once for so long; then they end. How long each took."""
        until = time.monotonic() + seconds
        self.seconds = []
        while time.monotonic() < until or self.begun:
            while time.monotonic() < until and len(self.begun) < count:
                self.ask(path)
            self.heed(until - time.monotonic() if time.monotonic() < until else 1)
        return self.seconds

    def close(self):
        for sock in self.free:
            self.selector.unregister(sock)
            sock.close()
        self.selector.close()


def begin(start, processes, **options):
    return Host(worker(more=f"start: {start}\nprocesses: {{{processes}}}"), top=TOP, **options)


def is_settled(host, start):
    return start == "spawn" or report(host)["templates"][0]["state"] == "ready"


def waits_of(host):
    """How many calls have waited at most so many milliseconds, by the host's own clock."""
    found = ((WAITS.match(name), value) for name, value in samples_of(host).items())
    return {float(match.group(1)) * 1000: value for match, value in found if match}


def longest(before, after):
    """The bound in milliseconds below which all waits of between are."""
    more = {bound: after[bound] - before.get(bound, 0) for bound in after}
    most = max(more.values())
    return min(bound for bound, count in more.items() if count == most), int(most)


def ups_and_downs(host, since=0):
    changes = [re.search(r"worker test: (\d+) processes are wanted, (\d+) were", line)
               for line in host.lines[since:]]
    pairs = [(int(match.group(1)), int(match.group(2))) for match in changes if match]
    return (sum(max(0, now - before) for now, before in pairs),
            sum(max(0, before - now) for now, before in pairs))


# -- What is measured ------------------------------------------------------------------------------

def from_nothing(row, start, count):
    """One call at a time: to a process that is there, and to a worker that sleeps."""
    with begin(start, "min: 0, max: 1, keep: 16ms") as host:
        clients = Clients(host)
        awake = [clients.keep(1, 0.0005, "pid")[0]]
        wait_until(lambda: is_settled(host, start))
        first = []
        for _ in range(count):
            wait_until(lambda: [p["state"] for p in report(host)["processes"]] == ["asleep"])
            clients.ask("pid")
            clients.heed(PATIENCE_S)
            first.append(clients.seconds[-1])
            clients.ask("pid")
            clients.heed(PATIENCE_S)
            awake.append(clients.seconds[-1])
        forked = report(host)["templates"][0]["forked"] if start == "warm" else 0
        clients.close()
    row(f"0 to the first answer, {start}", len(first), forked,
        *(f"{1000 * at(times, part):.2f}" for times in (awake, first) for part in (0.5, 0.99)),
        clients.failures)
    return clients.failures, first, awake


def step(row, start, takes):
    """Ten times as many calls at once."""
    with begin(start, "min: 1, max: 16, target: 0.7, keep: 10s", chain=CHAIN.format(takes)) as host:
        clients = Clients(host)
        wait_until(lambda: is_settled(host, start))
        calm = clients.keep(LOW, 1)
        before = waits_of(host)
        busy = clients.keep(HIGH, 1)
        bound, waited = longest(before, waits_of(host))
        count = len(report(host)["processes"])
        clients.close()
    over = lambda times, part: f"{1000 * at(times, part) - NAP_MS:.2f}"  # noqa: E731
    row(f"{LOW} calls at once to {HIGH}, {start}", len(busy), count - 1, over(calm, 0.5),
        over(calm, 0.99), waited, bound, over(busy, 0.99), over(busy, 1), clients.failures)
    return clients.failures, bound


def wave(row, half_s, keep_s, count=6):
    """So often up and down again, after the first time."""
    with begin("warm", f"min: 1, max: 16, target: 0.7, keep: {int(1000 * keep_s)}ms",
               chain=CHAIN.format(FEW)) as host:
        clients = Clients(host)
        wait_until(lambda: is_settled(host, "warm"))
        clients.keep(HIGH, half_s)
        since = len(host.lines)
        for _ in range(count):
            clients.keep(LOW, half_s)
            clients.keep(HIGH, half_s)
        ups, downs = ups_and_downs(host, since)
        clients.close()
    row(f"{half_s:g} s up, {half_s:g} s down, keep {keep_s:g} s", count, ups, downs, clients.failures)
    return clients.failures, ups, downs


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    failed = 0
    print(f"times in ms, as one client sees them, on {os.cpu_count()} processors")
    row = table(("what", "times", "forked", "awake p50", "p99", "first p50", "p99", "failed"))
    for start in STARTS:
        failed += from_nothing(row, start, count)[0]
    print(f"\ntimes in ms beyond the {NAP_MS} ms that a call takes; waits as the host counts them: all are "
          "below")
    row = table(("what", "calls", "begun", "calm p50", "p99", "waited", "below", "busy p99", "longest",
                 "failed"))
    for takes in (MANY, FEW):
        for start in STARTS:
            failed += step(row, start, takes)[0]
    print(f"\nprocesses that are wanted more and fewer while calls go from {LOW} to {HIGH} and back")
    row = table(("what", "waves", "more", "fewer", "failed"))
    for half_s, keep_s in ((0.25, 2), (1, 2), (2, 1)):
        lost, ups, downs = wave(row, half_s, keep_s)
        failed += lost
        if keep_s > half_s and ups + downs:
            print("    it is to stay as it is over what is shorter than keep")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
