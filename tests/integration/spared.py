# SPDX-License-Identifier: Apache-2.0
"""A crash costs what was begun, and nothing else."""
import http.client
import os
import signal
import threading
import time
import unittest

from harness import Host, main, wait_until, worker
from operators import report

ONE_THREAD = "worker: {concurrency: 1, max_in_flight: 16}\nmiddleware:\n  - error_handling\n"
PATIENT = "restart_delay: 1ms\nrestart_delay_max: 10ms\ngive_up_after: 1000"


def pid_of(host):
    return int(host.get("pid")[1].split()[0])


def in_flight(host):
    return sum(process["in_flight"] for process in report(host)["processes"])


class Load:
    """Connections that ask again and again; `lost` has each answer that was no success."""

    def __init__(self, host, path, connections):
        self.host, self.path = host, path
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.lost, self.count = [], 0
        self.threads = [threading.Thread(target=self.ask) for _ in range(connections)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=30)
        while not self.stop.is_set():
            connection.request("GET", "/api/" + self.path)
            answer = connection.getresponse()
            text = answer.read()
            with self.lock:
                self.count += 1
                if answer.status != 200:
                    self.lost.append((answer.status, text))
        connection.close()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


def kill_under_load(host, path, connections, kills):
    load = Load(host, path, connections)
    for _ in range(kills):
        before = load.count
        wait_until(lambda: load.count > before + 50)
        os.kill(pid_of(host), signal.SIGKILL)
    before = load.count
    wait_until(lambda: load.count > before + 50)
    load.end()
    return load


class Spared(unittest.TestCase):
    def crash(self, more):
        """A call that runs and five that wait behind it in the same process, which is killed."""
        with Host(worker(more=more), chain=ONE_THREAD) as host:
            pid = pid_of(host)
            running = host.start("GET", "once?ms=20000")
            host.wait_for_naps(1)
            behind = [host.start("GET", "hello/x") for _ in range(5)]
            wait_until(lambda: in_flight(host) == 6)
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(running()[0], 502)
            statuses = [finish()[0] for finish in behind]
            self.assertEqual(host.get("hello/x")[0], 200)
            failed = sum(function["failures"] for function in report(host)["functions"])
            self.assertEqual(failed, 1 + statuses.count(502))
            return statuses

    def test_what_was_not_begun_is_placed_again(self):
        self.assertEqual(self.crash(""), [200] * 5)

    def test_on_the_message_lane_all_of_it_counts_as_begun(self):
        self.assertEqual(self.crash("link: {lane: message}"), [502] * 5)

    def test_an_idempotent_call_waits_for_the_restart_of_its_only_process(self):
        with Host(worker()) as host:
            finish = host.start("GET", "again?ms=1000")
            victim = host.wait_for_naps(1)[0]
            os.kill(victim, signal.SIGKILL)
            status, body, _ = finish()
            self.assertEqual(status, 200)
            self.assertNotEqual(int(body), victim)
            host.wait_for("again: tried again")

    def test_what_ends_each_process_is_not_tried_for_ever(self):
        with Host(worker(more=PATIENT)) as host:
            finish = host.start("GET", "again?ms=20000")
            for count in (1, 2):
                os.kill(host.wait_for_naps(count)[-1], signal.SIGKILL)
            self.assertEqual(finish()[0], 502)
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_kills_under_load_cost_idempotent_functions_nothing(self):
        with Host(worker(more=PATIENT)) as host:
            self.assertEqual(kill_under_load(host, "pid", 32, 10).lost, [])

    def test_kills_under_load_cost_others_what_was_begun(self):
        """One thread begins one at a time."""
        with Host(worker(more=PATIENT), chain=ONE_THREAD) as host:
            lost = kill_under_load(host, "hello/x", 16, 10).lost
            self.assertLessEqual(len(lost), 10)
            self.assertLessEqual({status for status, _ in lost}, {502})

    def test_a_body_that_follows_is_not_sent_twice(self):
        with Host(worker(), chain=ONE_THREAD) as host:
            pid = pid_of(host)
            running = host.start("GET", "once?ms=20000")
            host.wait_for_naps(1)
            upload = threading.Thread(target=lambda: answers.append(
                host.request("PUT", "swallow", iter([b"x" * 1000] * 10))[0]))
            answers = []
            upload.start()
            wait_until(lambda: in_flight(host) == 2)
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(running()[0], 502)
            upload.join(30)
            self.assertEqual(answers, [502])


if __name__ == "__main__":
    main()
