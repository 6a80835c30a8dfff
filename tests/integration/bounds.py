# SPDX-License-Identifier: Apache-2.0
"""Bounds on a worker: processes that leak, burn and leave, what becomes of them and of their calls,
and what operators are told of it."""
import os
import re
import subprocess
import time
import unittest

from harness import BIN, Host, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, ask, process_of, report

GREEDY = BIN + "/../tests/workers/test_greedy"
SANITIZED = bool(os.environ.get("ISOWORKER_SANITIZE"))  # which takes memory of its own
ENDS = 'isoworker_host_process_ends_total{worker="test",cause="%s"}'


def greedy(more="", top="", **options):
    return Host(worker("test", [GREEDY], more), top=ADMIN + "\n" + top, **options)


def ends(host, cause):
    return samples_of(host)[ENDS % cause]


def naps_of(pid):
    """How often its threads have slept."""
    count = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            count += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", file.read()).group(1))
    return count


def naps_in(host, seconds):
    """How many times a second they do."""
    first = naps_of(host.process.pid)
    begin = time.monotonic()
    wait_until(lambda: time.monotonic() > begin + seconds)
    return (naps_of(host.process.pid) - first) / (time.monotonic() - begin)


def check(host):
    """What `isoworker check` says of the folder of a host that need not run."""
    done = subprocess.run([BIN + "/isoworker", "check", host.folder.name], capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def faults(test, more):
    host = greedy(more)
    code, said = check(host)
    host.folder.cleanup()
    test.assertEqual(code, 78, said)
    return said


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
class Memory(unittest.TestCase):
    def test_one_that_grows_above_its_limit_is_killed_and_another_serves(self):
        with greedy("memory_limit: 64MiB") as host:
            before = int(host.get("who")[1])
            status, body = host.get("leak?mib=4000")
            self.assertEqual(status, 502, body)
            host.wait_for(r"worker test: its memory, [0-9.]+ MiB, is above memory_limit \(64.0 MiB\)")
            wait_until(lambda: host.get("who")[0] == 200)
            self.assertNotEqual(int(host.get("who")[1]), before)
            wait_until(lambda: process_of(host)["state"] == "ready")
            process = process_of(host)
            self.assertEqual((process["last_end_cause"], process["last_end_pid"],
                              process["memory_limit_bytes"]), ("memory_limit", before, 64 << 20))
            self.assertEqual(ends(host, "memory_limit"), 1)
            self.assertEqual(sum(ends(host, cause) for cause in ("killed", "signal", "exit")), 0)
            shown = ask(host, "status")
            self.assertRegex(shown, r"  test: memory_limit 64\.0 MiB; at most [0-9.]+ MiB of memory")
            self.assertRegex(shown, rf"  test: pid {before} ended .* ago \(memory_limit\): its memory")

    def test_at_nine_tenths_another_takes_over_and_no_call_is_lost(self):
        with Host(worker(more="memory_limit: 200MiB"), top=ADMIN) as host:
            with Load(host) as load:
                before = int(host.get("leak?ms=182")[1].split()[0])
                host.wait_for(f"takes over from pid {before}, since its memory is at nine tenths of")
                wait_until(lambda: ends(host, "recycled") == 1)
                reached = load.total
                wait_until(lambda: load.total > reached + 20)
            self.assertEqual(load.failures, [])
            self.assertEqual(process_of(host)["last_end"],
                             "its memory is at nine tenths of memory_limit")
            self.assertEqual(ends(host, "memory_limit"), 0)

    def test_one_that_is_too_large_from_its_start_is_not_replaced_by_its_like(self):
        with greedy("recycle_after: {memory: 4MiB}\nenvironment: {TEST_LEAK: 8}") as host:
            host.wait_for(r"worker test: pid \d+ has [0-9.]+ MiB from its start, which is at "
                          r"recycle_after.memory already; no other process takes over for that")
            self.assertEqual(process_of(host)["restarts"], 0)

    def test_at_rest_it_is_looked_at_once_a_second_and_busy_more_often(self):
        with greedy("memory_limit: 256MiB") as host:
            host.get("who")
            wait_until(lambda: naps_in(host, 1) < 4)
            burning = host.start("GET", "burn?ms=1500")
            wait_until(lambda: naps_in(host, 1) > 5)
            burning()


class Recycling(unittest.TestCase):
    def test_after_so_many_invocations_another_takes_over_and_no_call_is_lost(self):
        with Host(worker(more="processes: 2\nrecycle_after: {invocations: 40}"), top=ADMIN) as host:
            with Load(host) as load:
                wait_until(lambda: ends(host, "recycled") >= 4)
            self.assertEqual(load.failures, [])
            self.assertGreater(load.total, 4 * 36)
            self.assertIn("it has answered recycle_after.invocations",
                          {p.get("last_end") for p in report(host)["processes"]})

    def test_of_an_age_another_takes_over_from_it(self):
        with greedy("recycle_after: {age: 1s}") as host:
            before = int(host.get("who")[1])
            wait_until(lambda: ends(host, "recycled") >= 1)
            self.assertNotEqual(int(host.get("who")[1]), before)
            host.wait_for(f"takes over from pid {before}, since it is as old as recycle_after.age")


class Ends(unittest.TestCase):
    def test_the_status_says_why_each_process_ended_last(self):
        with greedy() as host:
            self.assertNotIn("last_end", process_of(host))
            for count, (query, cause, words) in enumerate((
                    ("status=3", "exit", "it exited with status 3"),
                    ("signal=9", "signal", "it was ended by signal 9 (Killed)"),
                    ("status=3", "exit", "it exited with status 3")), 1):
                pid = int(host.get("who")[1])
                self.assertEqual(host.get("leave?" + query)[0], 502)
                wait_until(lambda count=count: process_of(host)["restarts"] == count and
                           process_of(host)["state"] == "ready")
                process = process_of(host)
                self.assertEqual((process["last_end_cause"], process["last_end"],
                                  process["last_end_pid"]), (cause, words, pid))
            self.assertEqual((ends(host, "exit"), ends(host, "signal")), (2, 1))
            ask(host, "restart")
            wait_until(lambda: ends(host, "replaced") == 1)
            self.assertEqual(process_of(host)["last_end"], "another process has taken over")

    def test_one_that_does_not_stop_in_time_is_told_as_killed_by_the_host(self):
        with greedy(top="host: {function_timeout: 200ms, cancel_grace: 100ms}") as host:
            self.assertEqual(host.get("burn?ms=20000")[0], 504)
            wait_until(lambda: ends(host, "killed") == 1)
            self.assertIn("did not stop", process_of(host)["last_end"])


class Mistakes(unittest.TestCase):
    def test_what_cannot_hold_is_refused_at_its_place(self):
        said = faults(self, "memory_limit: 8MiB\nrecycle_after: {memory: 8MiB}")
        self.assertRegex(said, r"host.yaml:\d+:\d+: worker \"test\": recycle_after.memory is not "
                               r"below memory_limit")
        said = faults(self, "memory_limit: 1KiB")
        self.assertRegex(said, r"host.yaml:\d+:\d+: .*memory_limit")
        said = faults(self, "recycle_after: {age: 1ms}")
        self.assertRegex(said, r"host.yaml:\d+:\d+: .*age")


if __name__ == "__main__":
    main()
