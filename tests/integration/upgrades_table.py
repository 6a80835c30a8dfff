#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The long form of upgrades.py: prints a table of what clients of every kind see of hosts that follow
each other, and ends with 1 if anything failed. `cmake --build BUILD --target upgrades_table` runs it.

usage: upgrades_table.py [COUNT]     upgrades, 200 by default
"""
import sys
import time

from load import Load
from rolls_table import HEAD, SECONDS_MAX, row, tell
from upgrades import AllKinds, hosts_in, secure_line

KINDS = {"short": "GET, connection kept", "anew": "GET, connection of its own",
         "secure_kept": "GET over TLS, connection kept", "secure_anew": "GET over TLS, of its own",
         "frames": "GET over HTTP/2", "longer": "GET that takes 20 ms",
         "upload": "PUT in pieces", "download": "GET of 192 KiB in pieces"}


class Split(AllKinds):
    """The same, with times and failures by kind of client."""

    def __enter__(self):
        self.by_kind = {name: Load(self.host) for name in KINDS}
        return super().__enter__()

    def once(self, one, connection=None):
        of = self.by_kind[one.__name__]
        before = len(self.failures)
        begin = time.monotonic()
        super().once(one, connection)
        of.seconds.append(time.monotonic() - begin)
        of.total += 1
        of.failures += [text for text in self.failures[before:] if text.startswith(one.__name__)]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    row(HEAD)
    failed = 0
    most = 0
    with secure_line() as host:
        begin = time.monotonic()
        with Split(host, SECONDS_MAX) as load:
            for _ in range(count):
                host.upgrade()
                most = max(most, len(hosts_in(host.folder.name)))
        seconds = time.monotonic() - begin
        for name, what in KINDS.items():
            failed += tell(what, count, seconds, load.by_kind[name])
    print(f"{count} upgrades in {seconds:.1f} s, at most {most} hosts at a time, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
