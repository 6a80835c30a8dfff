# SPDX-License-Identifier: Apache-2.0
"""As many processes as the load needs: `processes: {min, max, target, keep}` of host.yaml."""
import http.client
import re
import unittest

from harness import WORKER, Host, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, ask, report, run
from rolls import OTHER, Program

FEW = "worker: {concurrency: 2, max_in_flight: 2}\nmiddleware:\n  - error_handling\n"


def states(host):
    return [p["state"] for p in report(host)["processes"]]


def wanted(host):
    return samples_of(host)['isoworker_host_worker_processes{worker="test"}']


def settled(host, count):
    return lambda: states(host) == ["ready"] * count and wanted(host) == count


class Scaling(unittest.TestCase):
    def test_without_calls_there_is_no_process_and_the_next_call_has_one(self):
        with Host(worker(more="processes: {min: 0, max: 2, keep: 200ms}"), top=ADMIN) as host:
            self.assertEqual(host.get("hello/x"), (200, "Hello, x!\n"))
            for _ in range(5):
                wait_until(lambda: states(host) == ["asleep"])
                port = int(re.search(r"admin at http://127.0.0.1:(\d+)", host.log()).group(1))
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("GET", "/ready")
                self.assertEqual(connection.getresponse().status, 200)
                connection.close()
                self.assertEqual(host.get("hello/x"), (200, "Hello, x!\n"))
            self.assertNotIn("error    ", host.log())

    def test_calls_that_find_no_process_free_have_more_of_them_started(self):
        more = "processes: {min: 1, max: 4, target: 1, keep: 300ms}"
        with Host(worker(more=more), chain=FEW, top=ADMIN) as host:
            wait_until(settled(host, 1))
            naps = [host.start("GET", "once?ms=1000") for _ in range(8)]
            pids = host.wait_for_naps(8)
            self.assertEqual(len(set(pids)), 4)
            self.assertEqual({finish()[0] for finish in naps}, {200})
            wait_until(settled(host, 1))

    def test_bursts_closer_than_keep_have_the_same_processes(self):
        more = "processes: {min: 1, max: 4, target: 1, keep: 3s}"
        with Host(worker(more=more), chain=FEW, top=ADMIN) as host:
            pids = set()
            for _ in range(8):
                naps = [host.start("GET", "once?ms=60") for _ in range(8)]
                answers = [finish() for finish in naps]
                self.assertEqual({status for status, _, _ in answers}, {200})
                pids |= {pid for _, pid, _ in answers}
            self.assertLessEqual(len(pids), 4)
            wait_until(settled(host, 1))

    def test_the_first_of_many_is_ready_before_the_last_one_is_begun(self):
        with Host(worker(more="processes: 48"), top=ADMIN + "\nlogging: {level: debug}") as host:
            begun = [at for at, line in enumerate(host.lines) if ": started as pid" in line]
            ready = [at for at, line in enumerate(host.lines) if ": ready after" in line]
            self.assertEqual((len(begun), len(ready)), (48, 48))
            self.assertLess(ready[0], begun[-1])

    def test_a_worker_that_sleeps_is_woken_for_a_restart(self):
        host = Host(worker("test", ["./program"], "processes: {min: 0, max: 2, keep: 100ms}"))
        program = Program(host)
        program.put(WORKER)
        with host:
            wait_until(lambda: states(host) == ["asleep"])
            program.script("echo 'no beans' >&2; exit 3\n")
            code, _, err = run("restart", host.folder.name)
            self.assertEqual(code, 70)
            self.assertIn("no beans", err)
            program.put(OTHER)
            self.assertRegex(ask(host, "restart"), r"test\[0\]: pid \d+ ready after")
            self.assertEqual(host.get("fresh"), (200, "fresh"))
            wait_until(lambda: states(host) == ["asleep"])
            self.assertEqual((host.get("fresh")[0], host.get("pid")[0]), (200, 404))

    def test_nobody_fails_while_processes_come_and_go(self):
        more = "processes: {min: 0, max: 4, target: 0.5, keep: 16ms}"
        with Host(worker(more=more), chain=FEW, top=ADMIN) as host:
            with Load(host, pause=0.03) as load:
                wait_until(lambda: len(load.pids) >= 20)
            self.assertEqual(load.failures, [])
            wait_until(lambda: states(host) == ["asleep"])
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_what_cannot_be_meant_is_refused_at_its_place(self):
        for more, why in (
                ("processes: {min: 2}", "host.yaml:.*processes has no max"),
                ("processes: {min: 3, max: 2}", "min is above max"),
                ("processes: {count: 2, max: 4}", "either a count or a max"),
                ("processes: {max: 4, target: 1.5}", "target is a part of"),
                ("processes: {min: 0, max: 4}\nqueue: {limit: 0}", "queue.limit 0 lets none wait"),
                ("processes: []", "processes.* a whole number or a mapping"),
                ("processes: many", '"processes" must be a whole number')):
            with self.subTest(more):
                host = Host(worker(more=more))
                code, _, err = run("check", host.folder.name)
                host.folder.cleanup()
                self.assertEqual(code, 78, err)
                self.assertRegex(err, why)


if __name__ == "__main__":
    main()
