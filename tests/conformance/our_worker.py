# SPDX-License-Identifier: Apache-2.0
"""What PROTOCOL.md promises to a host, asked of a worker of the SDK by a host in Python that shares
no code with it. The numbers in comments are sections of the page.

`Worker` is for workers in any language: ISOWORKER_CONFORMING_WORKER names the words of the command
of one that has the functions hello, echo and nap; without it, it is the worker in C."""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from agree import TOKEN, with_worker  # noqa: E402
from peer import (CANCEL, CREDIT, ERROR, E_NOT_FOUND, E_PROTOCOL, GOODBYE, HOST_HELLO,  # noqa: E402
                  HTTP, INVOKE, LOAD, LOADED, LOG, METADATA, METADATA_REQUEST, METRICS, RESPONSE,
                  STATUS, STATUS_REQUEST, TERMINATE, WARMED, WARMUP, field, members, pairs)
from ring import RingPeer  # noqa: E402

COMMAND = (os.environ.get("ISOWORKER_CONFORMING_WORKER") or
           os.environ["ISOWORKER_TEST_WORKER"]).split()
HELLO = (HOST_HELLO, 0, {1: 1, 2: TOKEN[32:]})
FAILED, SUCCESS, CANCELLED = range(3)
EX_USAGE, EX_UNAVAILABLE, EX_PROTOCOL, EX_CONFIG = 64, 69, 76, 78  # sysexits.h


def expect(peer, *kinds):
    """The next frame of one of these kinds; others that a worker may send by itself are passed."""
    while True:
        kind, joined, body = peer.receive()
        if kind in kinds:
            return kind, joined, body
        assert kind in (CREDIT, LOG, STATUS, METRICS), (kind, joined, body)


def load(peer, name, number=7):
    peer.send(HELLO, (LOAD, 3, {1: number, 2: name}))
    _, joined, body = expect(peer, LOADED)
    assert (joined, body[1]) == (3, number) and 2 not in body, body


def invocation(number, identity, url="/", **more):
    """An `invoke` of a function of HTTP."""
    name, _, query = url.partition("?")
    query = [text for pair in query.split("&") if pair for text in pair.split("=")]
    return (INVOKE, identity, {1: number, 2: f"i{identity}",
                               3: [HTTP, {1: "GET", 2: name, 4: query, **more.get("http", {})}],
                               **more.get("body", {})})


def end(peer):
    peer.send((TERMINATE, 0, {1: 5000}))
    expect(peer, GOODBYE)


class Session(unittest.TestCase):
    def session(self, talk, expected=0, command=(), **variables):
        self.assertEqual(with_worker(talk, command or COMMAND, **variables), expected)

    def assert_ends(self, expected, *words, **variables):
        done = subprocess.run([*COMMAND, *words], env=dict(os.environ, **variables), input=TOKEN,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, expected, done.stderr)


class Worker(Session):
    def assert_violation(self, *frames):
        """The frames after a load cost the session, which says so, and the process."""
        def talk(peer):
            load(peer, "nap")
            peer.send(*frames)
            _, _, body = expect(peer, ERROR)
            self.assertEqual(field(members(body[1]), 1, int), E_PROTOCOL)
        self.session(talk, EX_PROTOCOL)

    def test_an_answer_bears_the_id_of_its_request_whatever_it_is(self):
        def talk(peer):
            peer.send(HELLO)
            for number in (0, 1, 1, (1 << 64) - 1):
                peer.send((WARMUP, number, {}), (STATUS_REQUEST, number, {}))
                self.assertEqual(expect(peer, WARMED)[1], number)
                self.assertEqual(expect(peer, STATUS)[1], number)
            end(peer)
        self.session(talk)

    def test_what_a_host_may_send_before_it_loads_is_answered(self):
        """Heartbeats, too, and an invocation of a function that is not loaded, which fails."""
        def talk(peer):
            peer.send(HELLO, (STATUS_REQUEST, 5, {}), invocation(99, 6), (METADATA_REQUEST, 7, {}))
            self.assertEqual(expect(peer, STATUS)[1], 5)
            got = dict((expect(peer, RESPONSE, METADATA)[::2]) for _ in range(2))
            self.assertEqual(field(got[RESPONSE], 1, int, 0), FAILED)
            self.assertEqual(field(members(got[RESPONSE][2]), 1, int), E_NOT_FOUND)
            end(peer)
        self.session(talk)

    def test_a_function_that_it_does_not_have_is_not_loaded(self):
        def talk(peer):
            peer.send(HELLO, (LOAD, 4, {1: 9, 2: "nowhere"}), (LOAD, 5, {1: 8, 2: "hello"}))
            got = {joined: body for _, joined, body in (expect(peer, LOADED) for _ in range(2))}
            self.assertEqual((got[4][1], field(members(got[4][2]), 1, int)), (9, E_NOT_FOUND))
            self.assertEqual((got[5][1], 2 in got[5]), (8, False))
            end(peer)
        self.session(talk)

    def test_ids_where_none_belongs_and_extensions_are_passed_over(self):
        def talk(peer):
            load(peer, "hello")
            peer.send((64, 0, {"x": [1]}), (CANCEL, 0, {}), (CANCEL, 12345, {1: 1}),
                      (1 << 60, 1, "text"), (STATUS, 9, {}))
            peer.send(invocation(7, 8, http={5: ["name", "you"]}))
            _, joined, body = expect(peer, RESPONSE)
            self.assertEqual((joined, field(body, 1, int)), (8, SUCCESS))
            peer.send((TERMINATE, 99, {1: 1000}))
            expect(peer, GOODBYE)
        self.session(talk)

    def test_keys_beyond_63_and_kinds_of_its_own_that_it_does_not_know_are_violations(self):
        self.assert_violation((METADATA_REQUEST, 1, {64: 0}))
        self.assert_violation((63, 1, {}))
        self.assert_violation((0, 1, {}))

    def test_frames_that_a_state_does_not_allow_are_violations(self):
        self.assert_violation(invocation(7, 0))
        self.assert_violation(HELLO)
        self.assert_violation((CREDIT, 0, {1: 1}))
        self.assert_violation(invocation(7, 1, "/?ms=20000"), (TERMINATE, 0, {1: 20000}),
                              invocation(7, 2))

    def test_a_cancel_is_a_request_and_one_response_follows(self):
        def talk(peer):
            load(peer, "nap")
            peer.send(invocation(7, 8, "/?ms=20000"))
            expect(peer, LOG)
            peer.send((CANCEL, 8, {1: 3, 2: 1000}), (CANCEL, 8, {1: 3, 2: 1000}))
            _, joined, body = expect(peer, RESPONSE)
            self.assertEqual((joined, field(body, 1, int)), (8, CANCELLED))
            peer.send((CANCEL, 8, {1: 1}))  # it is answered, so that this one crosses
            end(peer)
        self.session(talk)

    def test_names_of_headers_leave_in_lower_case(self):
        def talk(peer):
            load(peer, "echo")
            peer.send(invocation(7, 8, http={3: ["content-type", "text/x"], 6: b"body"}))
            reply = members(field(expect(peer, RESPONSE)[2], 3, list)[1])
            self.assertEqual(dict(pairs(reply, 3)), {"content-type": "text/x"})
            self.assertEqual((field(reply, 8, int), reply[6]), (200, b"body"))
            end(peer)
        self.session(talk)

    def test_a_signal_makes_it_leave_in_order(self):
        """Credit 0, a question to know when that was read, what it holds, goodbye."""
        def leave(peer, number):
            load(peer, "nap")
            peer.send(invocation(7, 8, "/?ms=300"))
            expect(peer, LOG)
            os.kill(peer.pid, number)
            expect(peer, STATUS_REQUEST)
            peer.send((STATUS, 1, {}))
            self.assertEqual(field(expect(peer, RESPONSE)[2], 1, int), SUCCESS)
            expect(peer, GOODBYE)
        for number in (signal.SIGTERM, signal.SIGINT):
            self.session(lambda peer, number=number: leave(peer, number))

    def test_its_exit_status_says_why_no_session_began(self):
        """Section 14."""
        self.assert_ends(EX_UNAVAILABLE)
        self.assert_ends(EX_UNAVAILABLE, ISOWORKER_URL="ipc:///nowhere/at/all",
                         ISOWORKER_TOKEN_FD="0")
        self.assert_ends(EX_UNAVAILABLE, ISOWORKER_URL="ipc:///nowhere/at/all",
                         ISOWORKER_TOKEN_FILE="/nowhere/at/all")

    def test_its_exit_status_says_how_the_session_ended(self):
        self.session(end_after_hello)
        self.session(lambda peer: peer.send(HELLO), EX_UNAVAILABLE)  # closed without a word
        self.session(lambda peer: peer.send((HOST_HELLO, 0, {1: 1, 2: TOKEN[:32]})) or
                     self.assertRaises(EOFError, peer.receive), EX_PROTOCOL)
        self.session(lambda peer: peer.send((HOST_HELLO, 0, {1: 2, 2: TOKEN[32:]})) or
                     self.assertRaises(EOFError, peer.receive), EX_PROTOCOL)


class Ours(Session):
    """What other workers need not have."""

    def test_its_exit_status_says_what_of_its_command_or_configuration_is_wrong(self):
        self.assert_ends(EX_USAGE, "--nonsense")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("middleware: 7\n")
            file.flush()
            self.assert_ends(EX_CONFIG, ISOWORKER_CONFIG=file.name)

    def test_a_relative_configuration_lies_where_it_was_started(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/here.yaml", "w") as file:
                file.write("middleware: [metrics]\n")
            before = os.getcwd()
            os.chdir(folder)
            try:
                self.session(self.expect_chain, ISOWORKER_CONFIG="here.yaml")
            finally:
                os.chdir(before)

    def expect_chain(self, peer):
        peer.send(HELLO, (METADATA_REQUEST, 1, {}))
        functions = field(expect(peer, METADATA)[2], 2, list)
        self.assertEqual({tuple(members(one)[10]) for one in functions}, {("metrics",)})
        end(peer)


def thread_names(pid):
    names = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
    return names


class OnTheRing(unittest.TestCase):
    """Section 11: a session that begins on the ring."""

    def session(self, talk, expected=0):
        ring = RingPeer()
        self.assertEqual(with_worker(talk, COMMAND, ring), expected)
        ring.close()

    def test_it_begins_and_ends_there_and_nothing_is_said_on_the_socket(self):
        def talk(peer):
            load(peer, "hello")
            for identity in range(8, 12):
                peer.send(invocation(7, identity, http={5: ["name", "you"]}))
                _, joined, body = expect(peer, RESPONSE)
                self.assertEqual((joined, field(body, 1, int)), (identity, SUCCESS))
            self.assertFalse(peer.said_on_the_socket())
            end(peer)
        self.session(talk)

    def test_its_threads_are_its_own(self):
        """The one that waits for the end, two for the ring, and those of functions that take long:
        no library has any."""
        def talk(peer):
            load(peer, "hello")
            peer.send(invocation(7, 8, http={5: ["name", "you"]}))
            expect(peer, RESPONSE)
            names = thread_names(peer.pid)
            until = time.monotonic() + 10
            while names.count("isw:ring") < 2 and time.monotonic() < until:
                names = thread_names(peer.pid) # one names itself once it runs
            self.assertEqual(names.count("isw:ring"), 2, names)
            own = os.path.basename(COMMAND[0])[:15]
            self.assertLessEqual(set(names), {own, "isw:ring", "isw:functions"})
            end(peer)
        self.session(talk)

    def test_a_function_that_takes_long_holds_up_nothing_that_comes_meanwhile(self):
        """It runs on the thread that read it; the other one is woken by what comes."""
        def talk(peer):
            load(peer, "nap")
            peer.send(invocation(7, 8, "/?ms=20000"))
            expect(peer, LOG)
            peer.send((STATUS_REQUEST, 5, {}))
            self.assertEqual(expect(peer, STATUS)[1], 5)
            peer.send(invocation(7, 9, "/?ms=1"))
            self.assertEqual(expect(peer, RESPONSE)[1], 9)
            peer.send((CANCEL, 8, {1: 3, 2: 1000}))
            _, joined, body = expect(peer, RESPONSE)
            self.assertEqual((joined, field(body, 1, int)), (8, CANCELLED))
            end(peer)
        self.session(talk)

    def test_what_came_together_does_not_wait_for_the_first(self):
        def talk(peer):
            load(peer, "nap")
            peer.send(invocation(7, 8, "/?ms=20000"), invocation(7, 9, "/?ms=1"))
            self.assertEqual(expect(peer, RESPONSE)[1], 9)
            peer.send((CANCEL, 8, {1: 3, 2: 1000}))
            self.assertEqual(expect(peer, RESPONSE)[1], 8)
            end(peer)
        self.session(talk)

    def test_a_host_that_is_gone_is_noticed_by_the_socket(self):
        """Idle, before its hello, and while a function runs."""
        def leave_in_a_nap(peer):
            load(peer, "nap")
            peer.send(invocation(7, 8, "/?ms=20000"))
            expect(peer, LOG)
        self.session(lambda peer: peer.send(HELLO), EX_UNAVAILABLE)
        self.session(lambda peer: None, EX_UNAVAILABLE)
        self.session(leave_in_a_nap, EX_UNAVAILABLE)

    def test_a_wrong_proof_ends_it(self):
        self.session(lambda peer: peer.send((HOST_HELLO, 0, {1: 1, 2: TOKEN[:32]})) or
                     self.assertRaises(EOFError, peer.receive), EX_PROTOCOL)


def end_after_hello(peer):
    peer.send(HELLO)
    end(peer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
