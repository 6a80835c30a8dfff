# SPDX-License-Identifier: Apache-2.0
"""What the processes of a worker share: limits, circuits and answers hold for all of them."""
import os
import signal
import threading
import unittest

from harness import Host, main, wait_until, worker
from operators import ADMIN, report

ONE_AT_A_TIME = "worker: {concurrency: 1, max_in_flight: 1}\n"


def chain(*entries):
    return ONE_AT_A_TIME + "middleware:\n" + "".join(
        f"  - {entry}\n" for entry in ("error_handling",) + entries)


def ask_all(host, path, threads, each):
    """Status and body of threads * each requests."""
    answers = []

    def work():
        for _ in range(each):
            answers.append(host.get(path)[:2])

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    return answers


def replace(host, number):
    """The process of that number is killed, and another one is ready in its place."""
    before = report(host)["processes"][number]["pid"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: report(host)["processes"][number]["state"] == "ready" and
               report(host)["processes"][number]["pid"] != before)


class Shared(unittest.TestCase):
    def test_a_limit_of_four_processes_is_one_limit(self):
        with Host(worker(more="processes: 4"), top=ADMIN,
                  chain=chain("rate_limit: {rate: 200, per: 1h}")) as host:
            answers = ask_all(host, "pid", 8, 50)
            passed = [body.split()[0] for status, body in answers if status == 200]
            self.assertEqual(len(passed), 200)
            self.assertEqual(len(set(passed)), 4)
            self.assertEqual({status for status, _ in answers}, {200, 429})
            replace(host, 0)
            self.assertEqual({status for status, _ in ask_all(host, "pid", 4, 5)}, {429})

    def test_one_process_replays_what_another_one_answers(self):
        with Host(worker(more="processes: 4"), top=ADMIN,
                  chain=chain("idempotency: {methods: [GET]}")) as host:
            headers = {"idempotency-key": "k"}
            answers = []
            first = threading.Thread(target=lambda: answers.append(
                host.request("GET", "once?ms=1000", headers=headers)))
            first.start()
            host.wait_for("napping in")
            self.assertEqual(host.request("GET", "once?ms=1000", headers=headers)[0], 409)
            first.join()
            self.assertEqual(answers[0][0], 200)
            self.assertEqual(sum("napping" in line for line in host.lines), 1)
            for number in range(4):
                replace(host, number)
                again = host.request("GET", "once?ms=1000", headers=headers)
                self.assertEqual(again[:2], answers[0][:2])
            self.assertEqual(sum("napping" in line for line in host.lines), 1)

    def test_a_key_is_free_again_when_its_process_was_killed(self):
        with Host(worker(more="processes: 2"), top=ADMIN,
                  chain=chain("idempotency: {methods: [GET]}")) as host:
            headers = {"idempotency-key": "k"}
            answers = []
            first = threading.Thread(target=lambda: answers.append(
                host.request("GET", "once?ms=20000", headers=headers)))
            first.start()
            os.kill(host.wait_for_naps(1)[0], signal.SIGKILL)
            first.join()
            self.assertEqual(answers[0][0], 502)
            # Its link is closed a little before the process is no more.
            wait_until(lambda: host.request("GET", "once?ms=1", headers=headers)[0] == 200)

    def test_a_circuit_opens_by_what_several_processes_saw(self):
        with Host(worker(), top=ADMIN,
                  chain=chain("circuit_breaker: {failures: 3, open_for: 1h}")) as host:
            for _ in range(3):
                self.assertEqual(host.get("mistake/redirect")[0], 500)
                replace(host, 0)
            self.assertEqual(host.get("mistake/redirect")[0], 503)


if __name__ == "__main__":
    main()
