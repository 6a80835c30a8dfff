# SPDX-License-Identifier: Apache-2.0
"""`isoworker run --wait-for NAME`: a worker's process that somebody else starts."""
import os
import re
import signal
import subprocess
import tempfile
import unittest

from harness import BIN, PATIENCE_S, Host, Started, main, worker
from invoke import LATE, invoke
from operators import run

EX_UNAVAILABLE, EX_CONFIG = 69, 78


def guest_of(invitation):
    """The worker as a person starts it: with the variables that the host has printed."""
    found = dict(re.findall(r"(ISOWORKER_[A-Z_]+)=(\S+)", invitation))
    assert set(found) >= {"ISOWORKER_URL", "ISOWORKER_TOKEN_FILE"}, invitation
    return Started(found)


def invitations(host, count):
    """The `count` lines by which the host has asked for a process, once there are so many."""
    with host.changed:
        found = lambda: [line for line in host.lines  # noqa: E731
                         if "waits for the process that you start" in line]
        if not host.changed.wait_for(lambda: len(found()) >= count, PATIENCE_S):
            raise AssertionError(f"no {count} invitations:\n" + host.log())
        return found()


def waiting(*more, workers=worker(), **named):
    return Host(workers, arguments=["--wait-for", "test", *more], **named)


class Guests(unittest.TestCase):
    def test_who_is_started_with_the_two_variables_is_the_worker(self):
        with waiting() as host:
            guest = guest_of(invitations(host, 1)[0])
            self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))
        code, _ = guest.end()
        self.assertEqual(code, 0)  # the host has told it that it ends
        self.assertNotIn("while the host stops", host.log())

    def test_it_may_come_and_go_and_calls_wait_meanwhile(self):
        with waiting(top="queue: {wait: 100ms}") as host:
            early = host.start("GET", "hello/early")  # nobody knows the function yet
            for count, end in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL), 1):
                guest = guest_of(invitations(host, count)[-1])
                if early:
                    self.assertEqual(early()[:2], (200, "Hello, early!\n"))
                early = None
                self.assertEqual(host.get("hello/Ada")[0], 200)
                guest.end(end)
                invitations(host, count + 1)
            late = host.start("GET", "hello/late")
            host.wait_for("worker test: calls wait until its process has been started")
            self.assertEqual(guest_of(invitations(host, 4)[-1]) and late()[:2],
                             (200, "Hello, late!\n"))
            host.wait_for("worker test: it has left without a goodbye")
            self.assertNotRegex(host.log(), "given up")

    def test_who_calls_by_hand_waits_for_as_long_as_he_says(self):
        words = ["hello", "--param", "name=Ada", "--wait", "1"]
        with waiting() as host:
            line = invitations(host, 1)[0]
            code, out, err = invoke(host, *words)
            self.assertEqual((code, out), (LATE, b""), err)
            self.assertIn("ISW_E_TIMEOUT: no worker with it has come in time", err)
            guest = guest_of(line)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            guest.process.send_signal(signal.SIGSTOP)
            code, out, err = invoke(host, *words)
            self.assertEqual((code, out), (LATE, b""), err)
            self.assertIn("ISW_E_TIMEOUT: its worker has not answered in time", err)
            guest.process.send_signal(signal.SIGCONT)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            guest.end(signal.SIGTERM)

    def test_what_was_in_flight_is_lost_with_it_at_once(self):
        with waiting() as host:
            guest = guest_of(invitations(host, 1)[0])
            lost = host.start("GET", "nap?ms=60000")
            host.wait_for_naps(1)
            guest.end(signal.SIGKILL)
            self.assertEqual(lost()[0], 502)

    def test_nothing_of_it_times_out_while_it_stands_still(self):
        top = "host: {heartbeat: 20ms, function_timeout: 100ms}"
        with waiting(top=top) as host:
            guest = guest_of(invitations(host, 1)[0])
            self.assertEqual(host.get("hello/Ada")[0], 200)
            guest.process.send_signal(signal.SIGSTOP)
            late = host.start("GET", "once?ms=0")
            with self.assertRaises(TimeoutError):  # many heartbeats, and ten times its time
                host.request("GET", "hello/Bob", timeout=1)
            guest.process.send_signal(signal.SIGCONT)
            self.assertEqual(late()[0], 200)
            self.assertEqual(len(invitations(host, 1)), 1)

    def test_one_that_has_nothing_to_do_stays(self):
        with waiting(workers=worker(more="processes: {min: 0, max: 3, keep: 1ms}"),
                     top="logging: {level: debug}") as host:
            guest = guest_of(invitations(host, 1)[0])
            self.assertEqual(host.get("hello/Ada")[0], 200)
            with self.assertRaises(AssertionError):
                host.wait_for("is not needed|processes are wanted", seconds=0.5)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(len(invitations(host, 1)), 1)
            guest.end(signal.SIGTERM)

    def test_a_second_one_is_told_that_one_has_come(self):
        with waiting() as host:
            line = invitations(host, 1)[0]
            guest = guest_of(line)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            code, said = guest_of(line).end()
            self.assertEqual(code, EX_UNAVAILABLE, said)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            guest.end(signal.SIGTERM)
            code, said = guest_of(line.replace(".token", ".none")).end()
            self.assertEqual(code, EX_UNAVAILABLE)
            self.assertIn("no host waits there for a worker now", said)

    def test_one_with_the_wrong_token_is_refused_and_the_next_is_let_in(self):
        with waiting() as host, tempfile.NamedTemporaryFile() as token:
            token.write(bytes(64))
            token.flush()
            line = invitations(host, 1)[0]
            code, said = guest_of(re.sub(r"TOKEN_FILE=\S+", "TOKEN_FILE=" + token.name, line)).end()
            self.assertNotEqual(code, 0, said)
            host.wait_for("worker test: the token is wrong")
            guest = guest_of(invitations(host, 2)[-1])
            self.assertEqual(host.get("hello/Ada")[0], 200)
            guest.end(signal.SIGTERM)

    def test_the_token_is_for_this_user_alone_and_goes_with_the_host(self):
        with waiting() as host:
            line = invitations(host, 1)[0]
            path = re.search(r"ISOWORKER_TOKEN_FILE=(\S+)", line).group(1)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            self.assertEqual(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
        self.assertFalse(os.path.exists(os.path.dirname(path)))

    def test_status_says_that_it_is_awaited(self):
        with waiting() as host:
            invitations(host, 1)
            shown = subprocess.run([BIN + "/isoworker", "status", host.folder.name],
                                   capture_output=True, text=True, timeout=60, check=False).stdout
            self.assertRegex(shown, r"test +- +awaited(?s:.)*wait for them until it is there")

    def test_its_host_is_not_replaced_which_is_said_at_once(self):
        with waiting() as host:
            guest_of(invitations(host, 1)[0])
            self.assertEqual(host.get("hello/Ada")[0], 200)
            code, _, err = run("upgrade", host.folder.name)
            self.assertNotEqual(code, 0)
            self.assertIn("--wait-for), which would have to come to its successor by itself: end it and "
                          "start it again", err)
            self.assertNotIn("is to take the place", host.log())
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_a_worker_that_is_not_there_is_refused_with_those_that_are(self):
        with Host(worker(), arguments=["--wait-for", "nix"], settled=None,
                  expect=EX_CONFIG) as host:
            host.wait_for("--wait-for nix: host.yaml has no worker of that name; there are: test")
            host.process.wait(PATIENCE_S)
        with waiting("--wait-for", "test", settled=None, expect=EX_CONFIG) as host:
            host.wait_for("--wait-for test: .*is named twice")
            host.process.wait(PATIENCE_S)


if __name__ == "__main__":
    main()
