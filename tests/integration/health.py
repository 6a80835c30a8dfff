# SPDX-License-Identifier: Apache-2.0
"""What an application says of itself: services that are to be there before the first call, health
checks, what becomes of calls meanwhile, and what operators are told."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BIN, CHAIN, Host, main, wait_until, worker
from metrics import samples_of
from operators import ADMIN, admin, ask, process_of, report, run

HEALTHY = BIN + "/../tests/workers/test_healthy"
MODULE = BIN + "/../tests/workers/healthy.so"
QUICK = "health: {every: 20ms, timeout: 300ms, failures: 1}\n"
BEATS = "host: {heartbeat: 100ms}\n"


class Sick(Host):
    """A host with the worker that is as its files say."""

    def __init__(self, more="", top="", files=(), quick=QUICK, beats=BEATS, **options):
        super().__init__(worker("test", [HEALTHY], quick + more), top=ADMIN + "\n" + beats + top,
                         **options)
        for name, text in files:
            self.put(name, text)

    def put(self, name, text):
        """At once, so that nobody reads half of it."""
        self.write(name + ".new", text)
        os.replace(*(os.path.join(self.folder.name, file) for file in (name + ".new", name)))

    def take(self, name):
        os.unlink(os.path.join(self.folder.name, name))

    def pid(self):
        status, body = self.get("who")
        assert status == 200, body
        return int(body.split()[0])

    def rows(self):
        return {row["pid"]: row for row in report(self)["processes"]}


def counts(host, queue):
    """How many messages of it are claimed, and ready."""
    code, out, err = run("queue", "list", queue, "-C", host.folder.name, "--json")
    assert code == 0, err
    row = json.loads(out)["queues"][0]
    return row["claimed"], row["ready"]


class Starts(unittest.TestCase):
    def test_what_is_eager_is_there_before_the_first_call_and_goes_after_the_last(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")

            def lines():
                with open(trace) as file:
                    return file.read().split()

            with Sick(f"environment: [TRACE={trace}]") as host:
                self.assertEqual(lines(), ["open", "begin"])
                self.assertRegex(host.get("who")[1], r"^\d+ the store$")
                self.assertEqual(lines(), ["open", "begin"])
            self.assertEqual(lines(), ["open", "begin", "end", "close"])

    def test_a_template_has_made_nothing_for_those_that_it_forks(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "trace")
            with Sick(f"start: warm\nenvironment: [TRACE={trace}]") as host:
                before = host.pid()
                ask(host, "restart")
                self.assertNotEqual(host.pid(), before)
                wait_until(lambda: process_of(host).get("health") == "healthy")
            with open(trace) as file:
                self.assertEqual(sorted(file.read().split()),
                                 ["begin", "begin", "close", "close", "end", "end", "open", "open"])

    def test_a_start_that_fails_says_which_service_and_is_tried_again(self):
        more = "restart_delay: 10ms\nrestart_delay_max: 20ms\ngive_up_after: 1000"
        with Sick(more, files=[("start", "fail the disk is away")]) as host:
            host.wait_for("worker test: it exited with status 69: .*service store: the disk is away; "
                          "starts again in")
            host.put("start", "")
            self.assertEqual(host.get("who")[0], 200)

    def test_a_start_that_fails_for_its_configuration_is_not(self):
        with Sick(files=[("start", "config there is no such table")], settled=None,
                  expect=78) as host:
            host.wait_for(r"worker test: given up: it refused its configuration \(status 78\): "
                          ".*service store: there is no such table")
            host.wait_for("<end>")

    def test_a_start_that_hangs_is_ended_by_start_timeout(self):
        more = "start_timeout: 300ms\ngive_up_after: 1"
        with Sick(more, files=[("start", "hang")], settled=None, expect=69) as host:
            host.wait_for(r"did not say hello within 300 ms \(start_timeout, with the eager services")
            host.wait_for("<end>")

    def test_an_end_that_hangs_is_ended_by_stop_timeout(self):
        with Sick("stop_timeout: 300ms", files=[("end", "hang")]) as host:
            self.assertEqual(host.get("who")[0], 200)
            host.process.terminate()
            host.wait_for(r"error +host: worker test: it did not end within 300 ms \(stop_timeout\), "
                          "while the host stops")

    def test_an_end_has_the_time_of_stop_timeout(self):
        with Sick("stop_timeout: 60s", files=[("end", "hang")]) as host:
            self.assertEqual(host.get("who")[0], 200)
            host.process.terminate()
            begun = time.monotonic()
            wait_until(lambda: time.monotonic() > begun + 2.5)  # the standard is two seconds
            host.take("end")
            host.wait_for("stopped")
            self.assertNotIn("did not end", host.log())

    def test_a_program_lists_its_services_and_makes_those_for_one_call(self):
        with tempfile.TemporaryDirectory() as folder:
            def say(*words, expect=0):
                done = subprocess.run([HEALTHY, *words], cwd=folder, capture_output=True, text=True,
                                      timeout=30, check=False)
                self.assertEqual(done.returncode, expect, done.stderr)
                return done.stdout + done.stderr

            shown = say("--describe")
            self.assertRegex(shown, r"services \(3\):\n  store +char: one, made at the start\n"
                                    r"  hook +one, made at the start\n"
                                    r"  disk +a health check; needs store\n")
            self.assertEqual([(s["name"], s["lifetime"], s["needs"])
                              for s in json.loads(say("--describe", "--json"))["services"]],
                             [("store", "eager_singleton", []), ("hook", "eager_singleton", []),
                              ("disk", "health_check", ["store"])])
            self.assertIn("3 functions, 2 services made at the start, 1 health check\n",
                          say("--check"))
            self.assertIn("the store", say("invoke", "who"))
            with open(os.path.join(folder, "start"), "w") as file:
                file.write("fail the disk is away")
            self.assertIn("3 functions", say("--check"))  # which makes none
            self.assertIn("service store: the disk is away", say("invoke", "who", expect=69))


class Health(unittest.TestCase):
    def test_one_that_is_unhealthy_gets_no_calls_until_it_is_healthy_again(self):
        with Sick("processes: 2") as host:
            first = host.pid()
            host.put("held", "")
            held = host.start("GET", "hold")
            holder = int(re.search(r"holding in (\d+)", host.wait_for(r"holding in \d+"))[1])
            host.put(f"sick.{holder}", "the disk is full")
            host.wait_for(r"worker test\[\d\]: pid \d+ is unhealthy, and gets no new calls: health check disk: "
                          "the disk is full")
            self.assertEqual({host.pid() for _ in range(20)} & {holder}, set())
            row = host.rows()[holder]
            self.assertEqual((row["state"], row["health"], row["detail"], row["in_flight"]),
                             ("unhealthy", "unhealthy", "health check disk: the disk is full", 1))
            self.assertRegex(ask(host, "status"), r"unhealthy")
            status, body = admin(host, "GET", "/ready")
            self.assertEqual((status, body["reasons"]), (200, []))
            self.assertRegex(body["warnings"][0], r"worker test\[\d\] is unhealthy, and gets no new "
                                                  "calls: health check disk: the disk is full")
            name = f'isoworker_host_process_healthy{{worker="test",process="{row["process"]}"}}'
            self.assertEqual(samples_of(host)[name], 0)
            host.take("held")
            self.assertEqual(held()[:2], (200, f"{holder} the store"))
            host.take(f"sick.{holder}")
            host.wait_for(r"worker test\[\d\]: pid \d+ is healthy again after \d+ ms, and gets calls")
            self.assertEqual(samples_of(host)[name], 1)
            self.assertEqual(host.rows()[holder]["state"], "ready")
            self.assertEqual(admin(host, "GET", "/ready")[1]["warnings"], [])
            self.assertEqual(first in host.rows(), True)

    def test_no_call_fails_while_they_fall_ill_and_recover(self):
        with Sick("processes: 2") as host:
            seen = []
            over = threading.Event()

            def ask_on():
                while not over.is_set() and len(seen) < 100000:
                    seen.append(host.get("who"))

            clients = [threading.Thread(target=ask_on, daemon=True) for _ in range(3)]
            for client in clients:
                client.start()
            for turn in range(10):  # every third time both, so that calls wait
                pids = list(host.rows()) if turn % 3 == 0 else [sorted(host.rows())[turn % 2]]
                for pid in pids:
                    host.put(f"sick.{pid}", "tired")
                wait_until(lambda pids=pids: all(host.rows()[pid]["state"] == "unhealthy"
                                                 for pid in pids))
                for pid in pids:
                    host.take(f"sick.{pid}")
                wait_until(lambda: all(r["state"] == "ready" for r in host.rows().values()))
            over.set()
            for client in clients:
                client.join(30)
            self.assertEqual([answer for answer in seen if answer[0] != 200], [])
            self.assertGreater(len(seen), 20)

    def test_calls_wait_while_all_are_unhealthy(self):
        with Sick("processes: 2") as host:
            host.put("sick", "no database")
            wait_until(lambda: all(r["state"] == "unhealthy" for r in host.rows().values()))
            status, body = admin(host, "GET", "/ready")
            self.assertEqual(status, 503)
            self.assertRegex(body["reasons"][0], "worker test: no process serves, the first one is "
                                                 "unhealthy: health check disk: no database")
            call = host.start("GET", "who")
            wait_until(lambda: report(host)["host"]["waiting"] == 1)
            host.take("sick")
            self.assertEqual(call()[0], 200)

    def test_calls_that_have_waited_long_enough_get_503(self):
        with Sick("queue: {wait: 200ms}") as host:
            host.put("sick", "no database")
            host.wait_for("worker test: pid .* is unhealthy")
            status, body, headers = host.request("GET", "who")
            self.assertEqual(status, 503)
            self.assertGreaterEqual(int(headers["Retry-After"]), 1)
            self.assertNotIn(b"no database", body)  # which is for operators
            host.take("sick")
            host.wait_for("healthy again")
            self.assertEqual(host.get("who")[0], 200)

    def test_one_that_is_unhealthy_from_its_start_is_ready_for_when_it_is_not(self):
        with Sick(files=[("sick", "no database")]) as host:
            host.wait_for("worker test: pid .* is unhealthy, and gets no new calls: health check disk: no data")
            self.assertEqual(admin(host, "GET", "/startup")[0], 200)  # it has started
            self.assertEqual(admin(host, "GET", "/ready")[0], 503)
            call = host.start("GET", "who")
            wait_until(lambda: report(host)["host"]["waiting"] == 1)
            host.take("sick")
            self.assertEqual(call()[0], 200)
            self.assertEqual(process_of(host)["restarts"], 0)

    def test_a_check_that_hangs_is_a_failure(self):
        with Sick() as host:
            host.put("sick", "hang")
            host.wait_for("worker test: pid .* is unhealthy, .*: health check disk has not ended within 300 ms")
            host.take("sick")
            host.wait_for("worker test: pid .* is healthy again")
            self.assertEqual(host.get("who")[0], 200)

    def test_a_first_check_that_hangs_is_noticed_without_heartbeats(self):
        with Sick(files=[("sick", "hang")], beats="host: {heartbeat: 0}\n") as host:
            host.wait_for("worker test: pid .* is unhealthy, .*: its first health check is not over")
            host.take("sick")
            self.assertEqual(host.get("who")[0], 200)

    def test_it_is_no_room_for_messages_until_it_is_healthy_again(self):
        with Sick("processes: 2\n", files=[("held", "")],
                  chain="worker: {concurrency: 2, max_in_flight: 2}\n" + CHAIN) as host:
            sick = next(iter(host.rows()))
            host.put(f"sick.{sick}", "the disk is full")
            wait_until(lambda: host.rows()[sick]["state"] == "unhealthy")
            for i in range(8):
                self.assertEqual(run("queue", "put", "keep", str(i), "-C", host.folder.name)[0], 0)
            wait_until(lambda: counts(host, "keep") == (2, 6))
            host.take(f"sick.{sick}")
            wait_until(lambda: counts(host, "keep") == (4, 4))
            host.take("held")
            wait_until(lambda: counts(host, "keep") == (0, 0))

    def test_one_that_stays_unhealthy_is_replaced_with_no_call_lost(self):
        with Sick("restart_delay_max: 100ms",
                  quick=QUICK.replace("1}", "1, restart_after: 100ms}")) as host:
            before = host.pid()
            host.put("held", "")
            held = host.start("GET", "hold")
            host.wait_for("holding in")
            host.put(f"sick.{before}", "it leaks")
            host.wait_for(rf"worker test: pid \d+ takes over from pid {before}, since it has been "
                          "unhealthy for health.restart_after")
            self.assertNotEqual(host.pid(), before)
            host.take("held")
            self.assertEqual(held()[:2], (200, f"{before} the store"))
            wait_until(lambda: len(host.rows()) == 1)
            row = process_of(host)
            self.assertEqual((row["last_end_pid"], row["last_end_cause"]), (before, "unhealthy"))

    def test_when_fewer_are_needed_the_unhealthy_one_goes(self):
        one_each = "worker: {concurrency: 1, max_in_flight: 1}\n"
        with Sick("processes: {min: 1, max: 2, keep: 1s}", chain=one_each) as host:
            host.put("held", "")
            held = [host.start("GET", "hold"), host.start("GET", "hold")]
            wait_until(lambda: host.log().count("holding in") == 2)
            host.take("held")
            self.assertEqual([call()[0] for call in held], [200, 200])
            last = host.pid()  # who was busy last would stay
            host.put(f"sick.{last}", "tired")
            host.wait_for(r"worker test.*: pid .* is unhealthy, and gets no new calls")
            wait_until(lambda: len(host.rows()) == 1)
            self.assertNotIn(last, host.rows())
            self.assertEqual(host.get("who")[0], 200)

    def test_one_that_recovers_in_time_is_not_replaced(self):
        quick = QUICK.replace("1}", "1, restart_after: 1h}")
        with Sick(quick=quick) as host:
            before = host.pid()
            host.put("sick", "no database")
            host.wait_for("worker test: pid .* is unhealthy")
            host.take("sick")
            host.wait_for("worker test: pid .* is healthy again")
            self.assertEqual(host.pid(), before)

    def test_a_successor_that_is_unhealthy_does_not_take_over(self):
        with Sick("start_timeout: 2s") as host:
            before = host.pid()
            host.put("sick.but", str(before))
            code, out, err = run("restart", host.folder.name)
            self.assertNotEqual(code, 0)
            self.assertRegex(out + err, "did not become ready.*it said hello but was not healthy "
                                        f"within 2000 ms: health check disk: not {before}")
            self.assertEqual(host.pid(), before)
            self.assertEqual(process_of(host)["state"], "ready")


class Inside(unittest.TestCase):
    def host(self, more="", **options):
        host = Host(worker("test", ["isoworker", "worker", "./healthy.so"],
                           "isolation: none\n" + more), top=ADMIN + "\n" + BEATS, **options)
        os.chmod(host.folder.name, 0o700)
        shutil.copyfile(MODULE, os.path.join(host.folder.name, "healthy.so"))
        os.chmod(os.path.join(host.folder.name, "healthy.so"), 0o755)
        return host

    def test_a_worker_in_the_hosts_process_has_them_too(self):
        with self.host(QUICK) as host:
            self.assertRegex(host.get("who")[1], r"^\d+ the store$")
            host.write("sick", "no database")
            host.wait_for("worker test: pid .* is unhealthy, .*: health check disk: ")
            os.unlink(os.path.join(host.folder.name, "sick"))
            host.wait_for("worker test: pid .* is healthy again")
            self.assertEqual(host.get("who")[0], 200)

    def test_but_nobody_can_take_over_from_it(self):
        with self.host("health: {restart_after: 1s}", settled=None, expect=78) as host:
            host.wait_for(r'host.yaml:\d+:\d+: worker "test" has isolation: none, which has no '
                          "health.restart_after: no other process can take over from it")
            host.wait_for("<end>")


if __name__ == "__main__":
    main()
