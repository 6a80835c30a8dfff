#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What ends, or takes too long, under the Azure Functions host. With a worker that has no host between
itself and that one it costs others their calls, and the third time the app; with `isoworker azure` it
costs nobody anything, whatever functions do."""
import subprocess
import tempfile
import threading
import time
import unittest

from azure import MISSING, SUCCESS, App, Data, FunctionsHost
from harness import main, wait_until

if not MISSING:
    from azure_rpc import Channel, Message, TimedOut, WorkerExited

FAILURE, CANCELLED = 0, 2


class Gate:
    """A file that functions wait for to go."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.name = self.file.name
        return self

    def open(self):
        if self.file:
            self.file.close()
        self.file = None

    def __exit__(self, *_):
        self.open()


class Process:
    """What a process is to the one that has started it."""

    def __init__(self, over):
        self.code, self.over, self.ended = None, over, threading.Event()
        self.pid = 0

    def end(self, code):
        self.code = self.code if self.ended.is_set() else code
        self.ended.set()
        self.over(code)

    def kill(self):
        self.end(-9)

    def poll(self):
        return self.code

    def wait(self, timeout=None):
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired("", timeout)
        return self.code


def without_host():
    """A language worker without a host between: what its functions do, it does. Their names say what
    that is: it ends with 0 or 1, or never answers, or at once."""

    class Bare(Channel):
        def spawn(self):
            self.process = Process(lambda code: self.let_go or self.host.exited(self, code))
            threading.Thread(target=self.run, daemon=True).start()
            self.host.note(self, Message(start_stream={"worker_id": self.id}))

        def run(self):
            while (message := self.send.get()) is not None:
                getattr(self, message.WhichOneof("one"), lambda _: None)(message)

        def tell(self, kind, **content):
            self.host.note(self, Message(**{kind: {"result": {"status": 1}, **content}}))

        def worker_init_request(self, _):
            self.tell("worker_init_response", capabilities={"HandlesInvocationCancelMessage": "1"})

        def functions_metadata_request(self, _):
            binding = '{"name": "in", "type": "queueTrigger", "direction": "in"}'
            self.tell("function_metadata_response", function_metadata_results=[
                {"name": name, "function_id": name, "raw_bindings": [binding]}
                for name in ("ends0", "ends1", "hangs", "answers")])

        def function_load_request(self, message):
            self.tell("function_load_response",
                      function_id=message.function_load_request.function_id)

        def invocation_request(self, message):
            name = message.invocation_request.function_id
            if name.startswith("ends"):
                threading.Thread(target=self.process.end, args=(int(name[4:]),)).start()
            elif name == "answers":
                self.tell("invocation_response",
                          invocation_id=message.invocation_request.invocation_id)

    class BareHost(FunctionsHost):
        channel = Bare

    return BareHost


@unittest.skipIf(MISSING, MISSING)
class Model(unittest.TestCase):
    """Of the host of these tests: the real one was seen to do these."""

    def host(self, **rest):
        return without_host()([], expect=None, terminate_s=0.01, grace_s=0.05,
                              restart_every_s=0.05, **rest)

    def test_an_exit_fails_all_that_runs_and_the_third_ends_the_host(self):
        with self.host() as host:
            host.begin()
            for count in (1, 2, 3):
                neighbour = host.start("hangs")
                for identifier in (host.start("ends1"), neighbour):
                    with self.assertRaises(WorkerExited):
                        host.answer(identifier)
                host.wait(lambda: host.restarts == count or host.ended or None, "a restart")
            self.assertEqual((host.restarts, host.ended), (2, True))

    def test_an_exit_with_0_is_not_looked_at_and_a_timeout_restarts(self):
        with self.host(timeout_s=0.2) as host:
            host.begin()
            with self.assertRaises(TimedOut):
                host.invoke("ends0")
            host.wait(lambda: (host.restarts, host.errors) == (1, 0) or None, "a restart")

    def test_a_timeout_ends_the_process_and_neighbours_hang_to_their_own_time(self):
        with self.host(timeout_s=0.3, processes=2) as host:
            host.begin()
            late = host.start("hangs")  # at A
            self.assertEqual(host.invoke("answers").status, SUCCESS)  # at B
            time.sleep(0.1)  # as long as the neighbour has behind the other one
            neighbour = host.start("hangs")  # at A
            with self.assertRaises(TimedOut):
                host.answer(late)
            self.assertNotIn(neighbour, host.done)
            with self.assertRaises(TimedOut):
                host.answer(neighbour)
            self.assertEqual(host.invoke("answers").status, SUCCESS)

    def test_what_the_real_one_would_not_take_is_a_fault(self):
        for said, words in (
                ({"invocation_response": {"invocation_id": "x", "result": {"status": 1}}},
                 "which that process does not have"),
                ({"invocation_response": {"invocation_id": "x"}}, "a failure without a message"),
                ({"function_load_response": {"function_id": "x"}}, "nobody asked for"),
                ({"invocation_request": {}}, "which a worker does not send"),
                ({"invocation_response": {"return_value": {"collection_sint64": {"sint64": [1]}}}},
                 "which is not taken"),
                ({"invocation_response": {"return_value": {"http": {"status_code": "7"}}}},
                 "has the status 7"),
                ({"function_metadata_response": {"function_metadata_results": [
                    {"name": "a.b", "raw_bindings": []}]}}, "is no name of a function"),
                ({"function_metadata_response": {"function_metadata_results": [
                    {"name": "a", "raw_bindings": [
                        '{"name": "a_b", "type": "blobTrigger", "direction": "in"}']}]}},
                 "is no name of a binding"),
                ({"function_metadata_response": {"function_metadata_results": [
                    {"name": "a", "retry_options": {"max_retry_count": 1}, "raw_bindings": [
                        '{"name": "a", "type": "blobTrigger", "direction": "in"}']}]}},
                 "say no interval")):
            with self.host() as host:
                host.note(host.channels[0], Message(**said))
                self.assertTrue(any(words in fault for fault in host.faults), host.faults)
                host.faults.clear()
            with self.host() as host:
                host.note(host.channels[0], Message.FromString(b"\xf8\x3e\x01"))
                self.assertIn("fields that StreamingMessage does not have", host.faults[0])
                host.faults.clear()


@unittest.skipIf(MISSING, MISSING)
class Moot(unittest.TestCase):
    def untouched(self, host, pid):
        """Nothing of it has come to that host, which has the same process still."""
        self.assertEqual((host.restarts, host.errors, host.process.pid), (0, 0, pid))
        self.assertEqual(host.invoke("same", [("trigger", Data(int=3))]).value.int, 3)

    def test_what_a_function_does_to_its_process_is_answered_and_restarts_nothing(self):
        with App() as host:
            host.begin()
            pid = host.process.pid
            for function in ("dies", "leaves", "dies", "leaves"):
                answer = host.invoke(function, [("trigger", Data(string=""))])
                self.assertEqual((answer.status, answer.error.type), (FAILURE, "ISW_E_WORKER_LOST"))
            self.untouched(host, pid)

    def test_what_takes_too_long_is_ended_here_and_restarts_nothing(self):
        with Gate() as gate, App(top="host: {cancel_grace: 50ms, function_timeout: 200ms}") as host:
            host.begin()
            pid = host.process.pid
            for function in ("waits", "sticks"):
                answer = host.invoke(function, [("trigger", Data(string=gate.name))])
                self.assertNotEqual(answer.status, SUCCESS, function)
            self.untouched(host, pid)

    def test_what_takes_longer_than_that_host_waits_is_answered_within_its_grace(self):
        with App(top="host: {function_timeout: 0}", timeout_s=0.3) as host:
            host.begin()
            pid = host.process.pid
            self.assertEqual(host.invoke("waits", [("trigger", Data(string=""))]).status, CANCELLED)
            self.assertEqual(host.http("pages", "GET", "pages/slowly").status, CANCELLED)
            with Gate() as gate:
                path = "stays?gate=" + gate.name
                self.assertEqual(host.http("stays", "GET", path).status, CANCELLED)
                self.assertNotIn("is free", host.log_text())
            self.untouched(host, pid)

    def test_a_forwarded_request_that_is_cancelled_is_answered_with_its_invocation(self):
        with App(top="host: {function_timeout: 0}", timeout_s=0.3,
                 arguments=["--http", "forward"]) as host, Gate() as gate:
            host.begin()
            pid = host.process.pid
            late = host.begin_forwarded("stays")
            status, _, _ = host.forward(late, "GET", "stays?gate=" + gate.name)
            self.assertGreaterEqual(status, 400)
            self.assertEqual(host.answer(late).status, CANCELLED)
            self.assertNotIn("is free", host.log_text())
            gate.open()
            host.wait_log("is free")
            lost = host.begin_forwarded("stays")  # whose request does not come
            self.assertEqual(host.answer(lost).status, CANCELLED)
            self.untouched(host, pid)

    def test_one_that_waits_for_a_process_is_cancelled_as_well(self):
        one = "worker: {concurrency: 1, max_in_flight: 1}\nmiddleware: [error_handling]\n"
        with App(arguments=["--http", "forward"], chain=one) as host, Gate() as gate:
            host.begin()
            first = host.start("sticks", [("trigger", Data(string=gate.name))])
            host.wait_log("sticks")
            asked = host.begin_forwarded("pages")
            thread = threading.Thread(target=host.forward, args=(asked, "GET", "pages/one"))
            thread.start()
            queued = host.start("same", [("trigger", Data(int=1))])
            wait_until(lambda: host.status()["host"]["waiting"] == 2)
            for identifier in (asked, queued):
                host.cancel(identifier)
                self.assertEqual(host.answer(identifier).status, CANCELLED)
            thread.join()
            gate.open()
            self.assertEqual(host.answer(first).status, SUCCESS)

    def test_several_processes_are_called_in_turn_and_each_has_its_functions(self):
        with App(processes=2) as host:
            host.begin()
            pids = [host.invoke("where").value.int for _ in range(4)]
            self.assertEqual(pids, [one.process.pid for one in host.channels] * 2)


if __name__ == "__main__":
    main()
