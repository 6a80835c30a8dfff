# SPDX-License-Identifier: Apache-2.0
"""What a host does when workers crash, hang, lie, or are too slow."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import NO_CHAIN, PATIENCE_S, SOURCE, Client, Host, is_alive, main, wait_until, worker
from operators import report


CONCURRENT = "worker: {concurrency: 4}\nmiddleware:\n  - error_handling\n"


def is_refused(host):
    try:
        socket.create_connection(("127.0.0.1", host.port), 5).close()
        return False
    except OSError:
        return True


class Faults(unittest.TestCase):
    def test_a_crash_is_answered_and_the_next_request_succeeds(self):
        with Host(worker(more="processes: 2")) as host:
            status, body, headers = host.request("POST", "crash")
            self.assertEqual(status, 502)
            self.assertEqual(headers["Content-Type"], "application/problem+json")
            self.assertIn(b"invocation_id", body)
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_single_process_comes_back_after_a_crash(self):
        with Host(worker()) as host:
            self.assertEqual(host.request("POST", "crash")[0], 502)
            wait_until(lambda: host.get("hello/x")[0] == 200)

    def test_kill_under_load_loses_no_answer(self):
        """32 connections for a while, and a kill -9 again and again."""
        with Host(worker(more="processes: 2\ngive_up_after: 1000")) as host:
            stop = time.monotonic() + 3
            results = []

            def load():
                while time.monotonic() < stop:
                    begin = time.monotonic()
                    status, body, _ = host.request("GET", "pid")
                    results.append((status, body, time.monotonic() - begin))

            threads = [threading.Thread(target=load) for _ in range(32)]
            for thread in threads:
                thread.start()
            kills = 0
            while time.monotonic() < stop and kills < 200:
                status, body = host.get("pid")
                if status == 200:
                    os.kill(int(body.split()[0]), signal.SIGKILL)
                    kills += 1
                time.sleep(0.05)
            for thread in threads:
                thread.join(60)
            statuses = {status for status, _, _ in results}
            self.assertGreater(kills, 5)
            self.assertGreater(len(results), 100)
            self.assertLessEqual(statuses, {200, 502, 503})
            self.assertLess(max(seconds for _, _, seconds in results), 30)
            wait_until(lambda: host.get("hello/x")[0] == 200)

    def test_what_was_in_flight_is_answered_at_once(self):
        with Host(worker()) as host:
            pid = int(host.get("pid")[1].split()[0])
            waiting = [host.start("GET", "once?ms=20000") for _ in range(5)]
            host.wait_for_naps(5)
            begin = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            for finish in waiting:
                self.assertEqual(finish()[0], 502)
            self.assertLess(time.monotonic() - begin, 5)

    def test_an_answer_that_was_given_outlives_the_process_that_gave_it(self):
        body = os.urandom(6 * 1024 * 1024)
        with Host(worker()) as host, socket.socket() as client:
            pid = int(host.get("pid")[1].split()[0])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(PATIENCE_S)
            client.connect(("127.0.0.1", host.port))
            client.sendall(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
            got = client.recv(1000)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: host.get("hello/x")[0] == 200 and
                       int(host.get("pid")[1].split()[0]) != pid)
            while piece := client.recv(1 << 20):
                got += piece
            self.assertTrue(got.startswith(b"HTTP/1.1 200 "))
            self.assertTrue(got.split(b"\r\n\r\n", 1)[1] == body)

    def test_an_idempotent_invocation_is_tried_elsewhere(self):
        with Host(worker(more="processes: 2")) as host:
            finish = host.start("GET", "again?ms=1500")
            victim = host.wait_for_naps(1)[0]
            os.kill(victim, signal.SIGKILL)
            status, body, _ = finish()
            self.assertEqual(status, 200)
            self.assertNotEqual(int(body), victim)
            host.wait_for("again: tried again")

    def test_a_function_that_heeds_its_deadline_costs_no_process(self):
        with Host(worker()) as host:
            before = host.get("pid")[1]
            naps = [host.start("GET", "nap?ms=20000") for _ in range(10)]
            for status, body, seconds in [finish() for finish in naps]:
                self.assertEqual(status, 504)
                self.assertIn('"error":"ISW_E_TIMEOUT"', body)
                self.assertLess(seconds, 5)
            self.assertEqual(host.get("pid")[1], before)

    def test_what_a_function_says_after_its_deadline_bears_its_name(self):
        with Host(worker(), arguments=["--json"]) as host:
            for _ in range(10):  # whoever notices first
                self.assertEqual(host.get("nap?ms=20000")[0], 504)
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("stopped")
            lines = [json.loads(line) for line in host.lines if "ISW_E_TIMEOUT: woken" in line]
            self.assertEqual(len({line["invocation_id"] for line in lines}), 10)
            self.assertEqual({line["function"] for line in lines}, {"nap"})

    def test_a_deadline_is_504_without_a_chain_too(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            naps = [host.start("GET", "nap?ms=20000") for _ in range(10)]
            self.assertEqual({finish()[0] for finish in naps}, {504})

    def test_a_deadline_that_is_obeyed_is_an_error_in_the_log(self):
        with Host(worker(), chain=NO_CHAIN, top="logging: {level: warning}") as host:
            self.assertEqual(host.get("nap?ms=20000")[0], 504)
            host.wait_for("error .*Function.nap: ISW_E_TIMEOUT")

    def test_a_function_that_does_not_costs_its_process_only(self):
        with Host(worker(more="processes: 2"), top="host: {cancel_grace: 200ms}") as host:
            pids = set(children(host))
            status, body, seconds = host.start("GET", "stubborn?ms=20000")()
            self.assertEqual(status, 504)
            self.assertLess(seconds, 5)
            host.wait_for("function [a-z_]+ did not stop 200 ms after it was cancelled")
            wait_until(lambda: sum(is_alive(pid) for pid in pids) == 1)
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_worker_that_dies_while_the_host_stops_is_named(self):
        with Host(worker(), top="host: {shutdown_grace: 20s}") as host:
            finish = host.start("GET", "nap?ms=20000")
            pid = host.wait_for_naps(1)[0]
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("waiting for 1 invocation in flight")
            os.kill(pid, signal.SIGKILL)
            self.assertIn(finish()[0], (502, 503))
            host.wait_for("worker test: it was ended by signal 9.*, while the host stops")

    def test_neighbours_of_a_killed_process_get_definite_answers(self):
        with Host(worker(), top="host: {cancel_grace: 200ms}") as host:
            stubborn = host.start("GET", "stubborn?ms=20000")
            once = host.start("GET", "once?ms=20000")
            host.wait_for_naps(1)
            self.assertEqual(stubborn()[0], 504)
            self.assertEqual(once()[0], 502)

    def test_a_stopped_worker_is_found_by_its_heartbeat(self):
        with Host(worker(more="processes: 2"), top="host: {heartbeat: 200ms}") as host:
            pid = int(host.get("pid")[1].split()[0])
            os.kill(pid, signal.SIGSTOP)
            host.wait_for("it has not answered for")
            wait_until(lambda: not is_alive(pid))
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_worker_that_never_gives_memory_back_is_found_by_its_heartbeat(self):
        with Host(worker(more="processes: 2"), top="host: {heartbeat: 100ms}") as host:
            self.assertEqual(host.request("POST", "hoard", b"x" * 65536)[0], 200)
            host.wait_for("it keeps memory of invocations that it has answered")
            body = os.urandom(1024 * 1024)
            self.assertEqual(host.request("POST", "echo", body)[:2], (200, body))

    def test_a_crash_loop_is_given_up(self):
        command = ["sh", "-c", "echo no such library >&2; exit 3"]
        broken = worker("broken", command, "give_up_after: 3\nrestart_delay: 10ms")
        with Host(broken + worker()) as host:
            host.wait_for("broken stderr: no such library")
            host.wait_for("worker broken: given up after too many ends in a row: it exited with "
                          "status 3")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_terminate_lets_what_is_in_flight_finish(self):
        with Host(worker(), top="http: {prefix: api}") as host:
            pid = int(host.get("pid")[1].split()[0])
            finish = host.start("GET", "once?ms=1000")
            host.wait_for_naps(1)
            host.process.send_signal(signal.SIGTERM)
            status, body, _ = finish()
            self.assertEqual((status, int(body)), (200, pid))
            host.wait_for("host: stopped")

    def test_a_second_signal_does_not_wait(self):
        with Host(worker()) as host:
            finish = host.start("GET", "once?ms=20000")
            host.wait_for_naps(1)
            host.process.send_signal(signal.SIGINT)
            host.wait_for("waiting for 1 invocation in flight")
            host.process.send_signal(signal.SIGINT)
            self.assertEqual(finish()[0], 503)
            host.wait_for("host: stopped")

    def test_a_third_signal_does_not_wait_for_those_who_do_not_obey(self):
        top = "host: {cancel_grace: 60s, function_timeout: 60s}"
        with Host(worker(), chain=CONCURRENT, top=top) as host:
            finish = host.start("GET", "deaf?ms=60000")
            host.wait_for_naps(1)
            begin = time.monotonic()
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("waiting for 1 invocation in flight")
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("cancelling 1 invocation,")
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(finish()[0], 503)
            host.wait_for("deaf is lost")
            host.wait_for("host: stopped")
            self.assertLess(time.monotonic() - begin, 20)

    def test_functions_are_told_that_the_host_stops_and_answer(self):
        for lane in ("ring", "message"):
            top = "host: {shutdown_grace: 100ms, cancel_grace: 30s}"
            with Host(worker(more=f"link: {{lane: {lane}}}\nprocesses: 2"), top=top) as host:
                naps = [host.start("GET", "once?ms=60000") for _ in range(8)]
                host.wait_for_naps(8)
                events = Client(host, "GET /api/watch HTTP/1.1\nHost: a")
                events.wait_for(b"begins")
                host.process.send_signal(signal.SIGTERM)
                for finish in naps:
                    status, body, _ = finish()
                    self.assertEqual(status, 503)
                    self.assertIn('"error":"ISW_E_UNAVAILABLE"', body)
                host.wait_for("cancelling 9 invocations, which have 30000 ms to answer")
                host.wait_for("once: ISW_E_UNAVAILABLE: woken .*reason=shutdown")
                host.wait_for("host: stopped")
                self.assertNotIn("is lost", host.log())

    def test_a_foreign_worker_that_says_cancelled_is_given_the_reason(self):
        liar = worker("liar", [SOURCE + "/integration/lying_worker.py"])
        top = "host: {shutdown_grace: 100ms, cancel_grace: 30s}"
        with Host(liar, top=top) as host:
            waits = host.start("GET", "lie/obeys")
            wait_until(lambda: report(host)["host"]["in_flight"] == 1)
            host.process.send_signal(signal.SIGTERM)
            status, body, _ = waits()
            self.assertEqual(status, 503)
            self.assertIn('"error":"ISW_E_UNAVAILABLE"', body)

    def test_what_does_not_obey_the_stop_is_answered_and_named(self):
        top = "host: {shutdown_grace: 100ms, cancel_grace: 200ms}"
        with Host(worker(), top=top, chain=CONCURRENT) as host:
            deaf = host.start("GET", "deaf?ms=60000")
            host.wait_for_naps(1)
            host.process.send_signal(signal.SIGTERM)
            status, body, seconds = deaf()
            self.assertEqual(status, 503)
            self.assertIn("the host stops", body)
            host.wait_for(r"warning +host: deaf is lost: .*\([0-9a-f]{32}\)")

    def test_a_body_that_is_still_coming_in_is_waited_for(self):
        with Host(worker(), top="host: {shutdown_grace: 60s}") as host:
            client = Client(host, "POST /api/echo HTTP/1.1\nHost: a\nContent-Length: 10\n"
                                  "Expect: 100-continue")
            client.wait_for(b"100 Continue")
            host.process.send_signal(signal.SIGTERM)
            wait_until(lambda: is_refused(host))
            client.sock.sendall(b"0123456789")
            client.wait_for(b"200 OK")
            client.wait_for(b"0123456789")

    def test_a_worker_that_is_terminated_by_hand_finishes_and_is_replaced(self):
        with Host(worker(more="processes: 2")) as host:
            finish = host.start("GET", "once?ms=1000")
            leaving = host.wait_for_naps(1)[0]
            os.kill(leaving, signal.SIGTERM)
            self.assertEqual(finish()[0], 200)
            wait_until(lambda: not is_alive(leaving))
            wait_until(lambda: len(children(host)) == 2)
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_worker_that_breaks_the_protocol_is_closed_and_its_callers_answered(self):
        liar = worker("liar", [SOURCE + "/integration/lying_worker.py"],
                      "give_up_after: 100\nrestart_delay_max: 50ms")
        with Host(liar + worker()) as host:
            for lie in ("unknown_id", "twice", "garbage", "wrong_kind", "huge_length",
                        "credit_of_nonsense"):
                wait_until(lambda: host.get("lie/truth")[0] == 200)
                self.assertIn(host.get("lie/" + lie)[0], (200, 502), lie)
                self.assertEqual(host.get("hello/x")[0], 200)
            host.wait_for("a response that nobody waits for")

    def test_what_follows_a_breach_is_not_believed(self):
        liar = worker("liar", [SOURCE + "/integration/lying_worker.py"], "give_up_after: 100")
        with Host(liar) as host:
            self.assertEqual(host.get("lie/truth")[0], 200)
            self.assertEqual(host.get("lie/truth_after_a_lie")[0], 502)

    def test_a_worker_that_floods_its_output_does_not_hold_the_host(self):
        flood = "yes $(printf %8000d 0) | head -c 4000000; exec sleep 1000"
        loud = worker("loud", ["sh", "-c", flood], "start_timeout: 2s\ngive_up_after: 1")
        with Host(loud + worker()) as host:
            self.assertEqual(host.get("hello/x")[0], 200)
            host.wait_for("worker loud: given up.*did not say hello")

    def test_large_answers_pass_a_function_that_takes_long(self):
        body = os.urandom(4 * 1024 * 1024)
        with Host(worker(), top="host: {heartbeat: 500ms, function_timeout: 60s}") as host:
            long = host.start("GET", "once?ms=4000")
            pid = host.wait_for_naps(1)[0]
            back = [None] * 8

            def echo(number):
                back[number] = host.request("POST", "echo", body)[:2] == (200, body)

            threads = [threading.Thread(target=echo, args=(i,)) for i in range(len(back))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            self.assertEqual(back, [True] * len(back))
            self.assertEqual(long()[:2], (200, str(pid)))

    def test_a_worker_that_is_recycled_while_idle_is_never_given_up(self):
        with Host(worker(more="give_up_after: 2")) as host:
            for _ in range(4):
                wait_until(lambda: len(children(host)) == 1 and host.get("hello/x")[0] == 200)
                pid = children(host)[0]
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: not is_alive(pid))
            wait_until(lambda: host.get("hello/x")[0] == 200)

    def test_a_worker_that_nobody_calls_hears_from_its_host(self):
        with Host(worker(), top="host: {heartbeat: 100ms}") as host:
            before = children(host)
            time.sleep(1.5)  # longer than a worker bears silence
            self.assertEqual(children(host), before)
            self.assertNotIn("the host fell silent", host.log())

    def test_a_host_that_was_stopped_blames_no_worker(self):
        with Host(worker(), top="host: {heartbeat: 100ms}") as host:
            before = host.get("pid")[1]
            host.process.send_signal(signal.SIGSTOP)
            time.sleep(0.6)  # more heartbeats than a host waits, fewer than a worker does
            host.process.send_signal(signal.SIGCONT)
            self.assertEqual(host.get("pid")[1], before)

    def test_a_console_that_nobody_reads_holds_nothing_up(self):
        with Host(worker(), chain="middleware: [logging]") as host:
            host.paused.set()
            for _ in range(1500):
                self.assertEqual(host.get("hello/x")[0], 200)
            host.paused.clear()
            wait_until(lambda: host.get("hello/x")[0] == 200
                       and "lines were dropped since nobody read them" in host.log())

    def test_log_lines_cannot_be_forged(self):
        with Host(worker(), arguments=[]) as host:
            host.get("forge")
            line = host.wait_for(r"Function\.forge: first")
            self.assertIn(r"first\n12:00:00.000 error host: forged \x1b[31m line", line)
            self.assertIn(r"printed \x1b[31m by hand", host.wait_for("printed"))
            self.assertNotIn("\x1b", host.log())


def children(host):
    """The pids of the host's workers."""
    names = subprocess.run(["pgrep", "-P", str(host.process.pid), "-x", "test_functions"],
                           capture_output=True, text=True).stdout.split()
    return [int(name) for name in names if is_alive(name)]


if __name__ == "__main__":
    main()
