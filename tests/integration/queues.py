# SPDX-License-Identifier: Apache-2.0
"""Calls that find no place at a process: they wait, bounded in number and time."""
import json
import os
import re
import signal
import socket
import time
import unittest

from harness import SOURCE, Client, Host, main, wait_until, worker
from metrics import samples_of
from operators import ADMIN, ask, report

ONE = "worker: {concurrency: 1, max_in_flight: 1}\nmiddleware:\n  - error_handling\n"


def waiting(host):
    return report(host)["queues"][0]["waiting"]


def wait_for_waiting(host, count):
    wait_until(lambda: waiting(host) == count)


class Queue(unittest.TestCase):
    def test_more_than_the_worker_takes_waits_for_a_place(self):
        with Host(worker(), chain=ONE, top=ADMIN) as host:
            busy = host.start("GET", "once?ms=500")
            host.wait_for_naps(1)
            others = [host.start("GET", "hello/x") for _ in range(5)]
            wait_for_waiting(host, 5)
            shown = report(host)
            self.assertEqual(shown["host"]["waiting"], 5)
            self.assertEqual([f["waiting"] for f in shown["functions"] if f["name"] == "hello"], [5])
            self.assertRegex(ask(host, "status"), "5 of at most 1000 calls wait for a process")
            self.assertEqual(samples_of(host)['isoworker_host_queue_waiting{worker="test"}'], 5)
            self.assertEqual({finish()[0] for finish in [busy, *others]}, {200})
            queue = report(host)["queues"][0]
            self.assertEqual((queue["waiting"], queue["waited"], queue["refused"]), (0, 5, 0))
            self.assertGreater(queue["mean_us"], 0)

    def test_a_full_queue_is_503_at_once_and_the_log_says_what_to_raise(self):
        more = "queue: {limit: 2}"
        with Host(worker(more=more), chain=ONE, top="queue: {limit: 0}\n" + ADMIN) as host:
            busy = host.start("GET", "once?ms=3000")
            host.wait_for_naps(1)
            others = [host.start("GET", "hello/x") for _ in range(2)]
            wait_for_waiting(host, 2)
            begin = time.monotonic()
            for _ in range(3):
                status, body, headers = host.request("GET", "hello/x")
                self.assertEqual((status, headers["Retry-After"]), (503, "1"))
                self.assertEqual(json.loads(body)["error"], "ISW_E_UNAVAILABLE")
            self.assertLess(time.monotonic() - begin, 2)
            host.wait_for("worker test: its queue is full: 2 calls wait .*queue.limit")
            self.assertEqual(host.log().count("its queue is full"), 1)
            samples = samples_of(host)
            self.assertEqual(samples['isoworker_host_queue_refused_total{worker="test"}'], 3)
            reason = 'isoworker_host_calls_refused_total{worker="test",reason="%s"}'
            self.assertEqual([samples[reason % why] for why in
                              ("queue_full", "queue_wait", "caller_left", "worker_gone")],
                             [3, 0, 0, 0])
            self.assertEqual({finish()[0] for finish in [busy, *others]}, {200})
            samples = samples_of(host)
            wait = 'isoworker_host_queue_wait_seconds_%s{worker="test"%s}'
            self.assertEqual((samples[wait % ("count", "")],
                              samples[wait % ("bucket", ',le="+Inf"')],
                              samples[wait % ("bucket", ',le="0.0001"')]), (2, 2, 0))
            self.assertGreater(samples[wait % ("sum", "")], 0.1)
            ended = 'isoworker_host_invocations_total{worker="test",function="hello",outcome="%s"}'
            self.assertEqual((samples[ended % "success"], samples[ended % "refused"]), (2, 3))
            told = report(host)
            hello = next(f for f in told["functions"] if f["name"] == "hello")
            self.assertEqual((hello["invocations"], hello["failures"], hello["refused_calls"]),
                             (2, 0, 3))
            self.assertEqual((told["host"]["failures"], told["host"]["refused"]), (0, 3))
            self.assertIn("3 done, 0 of them failed, 3 refused\n", ask(host, "status"))

    def test_a_function_that_fills_the_queue_keeps_no_other_out(self):
        with Host(worker(), chain=ONE, top="queue: {limit: 4}") as host:
            busy = host.start("GET", "once?ms=2000")
            host.wait_for_naps(1)
            many = [host.start("GET", "once?ms=0") for _ in range(4)]
            wait_for_waiting(host, 4)
            other = host.start("GET", "hello/x")
            self.assertEqual(sorted(finish()[0] for finish in many), [200, 200, 200, 503])
            self.assertEqual((other()[0], busy()[0]), (200, 200))

    def test_a_drain_lets_what_waits_finish(self):
        with Host(worker(), chain=ONE) as host:
            calls = [host.start("GET", "once?ms=1000")]
            host.wait_for_naps(1)
            calls += [host.start("GET", "hello/x") for _ in range(3)]
            wait_for_waiting(host, 3)
            ask(host, "drain")
            self.assertEqual({finish()[0] for finish in calls}, {200})
            self.assertEqual(host.get("hello/x")[0], 503)

    def test_without_a_queue_nothing_waits(self):
        top = "queue: {limit: 0}\nhttp: {access_log: {to: stderr}}"
        with Host(worker(), chain=ONE, top=top) as host:
            busy = host.start("GET", "once?ms=1000")
            host.wait_for_naps(1)
            self.assertEqual(host.get("hello/x")[0], 503)
            host.wait_for('"GET /api/hello/x HTTP/1.1" 503 in=[1-9].* reason="no process of the worker '
                          'takes it now, and none may wait"')
            self.assertEqual(busy()[0], 200)
            self.assertNotIn("its queue is full", host.log())

    def test_what_waits_too_long_is_503(self):
        with Host(worker(more="queue: {wait: 300ms}"), chain=ONE, top=ADMIN) as host:
            busy = host.start("GET", "once?ms=2000")
            host.wait_for_naps(1)
            status, body, seconds = host.start("GET", "hello/x")()
            self.assertEqual(status, 503)
            self.assertIn("the worker had as many invocations as it takes for 3", body)
            self.assertGreater(seconds, 0.25)
            host.wait_for("1 call is answered without it, since .*queue.wait")
            self.assertEqual(report(host)["queues"][0]["expired"], 1)
            self.assertEqual(samples_of(host)['isoworker_host_calls_refused_total{worker="test",'
                                              'reason="queue_wait"}'], 1)
            self.assertEqual(busy()[0], 200)

    def test_a_deadline_ends_the_waiting(self):
        with Host(worker(), chain=ONE) as host:
            busy = host.start("GET", "once?ms=2000")
            host.wait_for_naps(1)
            status, body, seconds = host.start("GET", "nap?ms=0")()  # its timeout is 500 ms
            self.assertEqual((status, json.loads(body)["error"]), (504, "ISW_E_TIMEOUT"))
            self.assertLess(seconds, 1.9)
            self.assertEqual(busy()[0], 200)

    def test_functions_take_turns(self):
        with Host(worker(), chain=ONE) as host:
            busy = host.start("GET", "once?ms=1500")
            host.wait_for_naps(1)
            many = [host.start("GET", "once?ms=100") for _ in range(10)]
            wait_for_waiting(host, 10)
            self.assertEqual(host.get("hello/x")[0], 200)
            self.assertLess(host.log().count("napping in"), 5)
            self.assertEqual({finish()[0] for finish in [busy, *many]}, {200})

    def test_functions_that_block_spread_over_processes(self):
        chain = "worker: {concurrency: 1}\nmiddleware:\n  - error_handling\n"
        with Host(worker(more="processes: 4"), chain=chain) as host:
            for burst in range(1, 4):
                naps = [host.start("GET", "once?ms=500") for _ in range(4)]
                self.assertEqual({finish()[0] for finish in naps}, {200})
                pids = host.wait_for_naps(4 * burst)[-4:]
                self.assertEqual(len(set(pids)), 4, burst)

    def test_a_client_that_leaves_waits_no_more(self):
        with Host(worker(), chain=ONE) as host:
            busy = host.start("GET", "once?ms=1500")
            host.wait_for_naps(1)
            clients = [Client(host, "GET /api/once?ms=0 HTTP/1.1\nHost: x") for _ in range(3)]
            wait_for_waiting(host, 3)
            for client in clients[:2]:
                client.close()
            wait_for_waiting(host, 1)
            self.assertEqual(busy()[0], 200)
            clients[2].wait_for(b"200 OK")
            clients[2].close()
            wait_until(lambda: report(host)["host"]["in_flight"] == 0)
            self.assertEqual(len(host.wait_for_naps(2)), 2)

    def test_a_call_waits_for_a_process_that_starts(self):
        with Host(worker()) as host:
            for count in range(1, 6):
                os.kill(int(host.get("pid")[1].split()[0]), signal.SIGKILL)
                wait_until(lambda count=count: host.log().count("ended by signal 9") == count)
                self.assertEqual(host.get("hello/x")[0], 200)

    def test_nobody_waits_for_a_worker_that_is_given_up(self):
        with Host(worker(more="give_up_after: 1") + worker("other", [SOURCE + "/conformance/worker.py"])) as host:
            self.assertEqual(host.get("hello/x")[0], 200)
            for _ in range(2):
                self.assertEqual(host.request("POST", "crash")[0], 502)
            host.wait_for("given up")
            status, body, seconds = host.start("GET", "hello/x")()
            self.assertEqual(status, 503)
            self.assertLess(seconds, 5)
            self.assertIn("worker test was given up", body)

    def test_a_stop_finishes_what_waits(self):
        with Host(worker(), chain=ONE) as host:
            calls = [host.start("GET", "once?ms=500")]
            host.wait_for_naps(1)
            calls += [host.start("GET", "hello/x") for _ in range(3)]
            wait_for_waiting(host, 3)
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual({finish()[0] for finish in calls}, {200})

    def test_a_stop_that_is_out_of_patience_answers_what_waits(self):
        top = "host: {shutdown_grace: 200ms, cancel_grace: 200ms}"
        with Host(worker(), chain=ONE, top=top) as host:
            host.start("GET", "once?ms=20000")
            host.wait_for_naps(1)
            calls = [host.start("GET", "hello/x") for _ in range(3)]
            wait_for_waiting(host, 3)
            host.process.send_signal(signal.SIGTERM)
            for status, body, _ in [finish() for finish in calls]:
                self.assertEqual(status, 503)
                self.assertIn("the host stops", body)

    def test_a_body_that_waits_is_not_read(self):
        size = 64 << 20
        with Host(worker(), chain=ONE, top="http: {body_timeout: 60s}") as host:
            busy = host.start("GET", "once?ms=3000")
            host.wait_for_naps(1)
            client = Client(host, f"PUT /api/swallow HTTP/1.1\nHost: x\nContent-Length: {size}")
            wait_for_waiting(host, 1)
            client.sock.settimeout(0.2)
            sent = 0
            piece = b"x" * 65536
            try:
                while sent < size:
                    sent += client.sock.send(piece[:size - sent])
            except socket.timeout:
                pass
            self.assertLess(sent, size // 2)  # what sockets hold
            self.assertEqual(waiting(host), 1)
            client.sock.settimeout(30)
            while sent < size:
                sent += client.sock.send(piece[:size - sent])
            client.wait_for(b"200 OK")
            client.close()
            self.assertEqual(busy()[0], 200)

    def test_an_empty_body_in_chunks_waits_too(self):
        with Host(worker(), chain=ONE) as host:
            busy = host.start("GET", "once?ms=1000")
            host.wait_for_naps(1)
            client = Client(host, "PUT /api/swallow HTTP/1.1\nHost: x\nTransfer-Encoding: chunked")
            client.sock.sendall(b"0\r\n\r\n")
            wait_for_waiting(host, 1)
            client.wait_for(b"200 OK")
            client.close()
            self.assertEqual(busy()[0], 200)


if __name__ == "__main__":
    main()
