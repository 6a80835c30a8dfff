# SPDX-License-Identifier: Apache-2.0
"""Processes that give way to others while calls come: those that are sent away by hand."""
import os
import signal
import unittest

from harness import Client, Host, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, process_of, report

QUIET = "logging: {level: warning}\n"


class Leaving(unittest.TestCase):
    def test_nobody_fails_while_processes_are_sent_away(self):
        with Host(worker(more="processes: 2"), top=ADMIN) as host:
            with Load(host) as load:
                for count in range(1, 11):
                    pids = {p["pid"] for p in report(host)["processes"] if p["state"] == "ready"}
                    os.kill(max(pids), signal.SIGTERM)
                    wait_until(lambda: [p["state"] for p in report(host)["processes"]] ==
                               ["ready", "ready"] and
                               max(pids) not in {p["pid"] for p in report(host)["processes"]})
                    wait_until(lambda count=count: load.total > 20 * count)
            self.assertEqual(load.failures, [])
            self.assertEqual(samples_of(host)['isoworker_host_worker_restarts_total{worker="test"}'],
                             10)

    def test_a_successor_starts_while_the_last_call_goes_on(self):
        with Host(worker()) as host:
            stream = Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                  "Transfer-Encoding: chunked")
            stream.chunk(b"one")
            host.wait_for("heard one")
            before = process_of(host)["pid"]
            os.kill(before, signal.SIGTERM)
            wait_until(lambda: len(report(host)["processes"]) == 2)
            self.assertNotEqual(int(host.get("pid")[1].split()[0]), before)
            rows = {p["state"]: p for p in report(host)["processes"]}
            self.assertEqual((rows["leaving"]["pid"], rows["leaving"]["in_flight"]), (before, 1))
            self.assertEqual(rows["leaving"]["detail"], "it leaves by itself")
            self.assertEqual((rows["ready"]["process"], rows["ready"]["restarts"]), ("test", 1))
            stream.chunk(b"two")
            stream.chunk(b"")
            stream.wait_for(b"<one>")
            stream.wait_for(b"<two>")
            wait_until(lambda: len(report(host)["processes"]) == 1)
            host.wait_for(f"worker test: pid {before} gets no more calls: it leaves by itself")
            self.assertNotIn("error    ", host.log())
            stream.close()

    def test_one_that_does_not_finish_makes_room_when_it_is_needed(self):
        with Host(worker(), top="host: {function_timeout: 0, cancel_grace: 200ms}") as host:
            streams = []
            for count in range(1, 7):
                streams.append(Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                            "Transfer-Encoding: chunked"))
                streams[-1].chunk(b"n%d" % count)
                host.wait_for(f"heard n{count}")
                os.kill(next(p["pid"] for p in report(host)["processes"]
                             if p["state"] == "ready"), signal.SIGTERM)
                wait_until(lambda: [p["state"] for p in report(host)["processes"]
                                    ].count("ready") == 1)
                self.assertEqual(host.get("hello/x")[0], 200)
            host.wait_for("pid [0-9]+ has not finished since it was to end .* are cancelled")
            self.assertLessEqual(len(report(host)["processes"]), 5)
            for stream in streams:
                stream.close()


if __name__ == "__main__":
    main()
