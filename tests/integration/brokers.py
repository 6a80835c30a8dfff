# SPDX-License-Identifier: Apache-2.0
"""Queues in stores that several hosts share: two hosts on one server, and servers that end. What is
equal for all kinds is written once, in Stores, and run for each of them."""
import contextlib
import glob
import os
import re
import signal
import sys
import time
import unittest

from harness import Host, main, wait_until, worker
from messages import Got, MESSAGES, depth, ended, put
from timers import ask, listed, timers

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "broker"))
import nats_server  # noqa: E402
import postgresql_server  # noqa: E402

LATE = 20
CHOICE_S = 60  # for servers that choose a leader, on a machine that has others to serve


def host_at(place, expect=0, more=""):
    top = f"host: {{cancel_grace: 100ms}}\nqueues:\n  store: \"{place}\"\n  max_attempts: 3\n"
    return Host(worker("test", [MESSAGES], "restart_delay: 1ms\n"), top=top + more, expect=expect)


def is_done(hosts, body):
    return lambda: any(f"done <{body}>" in host.log() for host in hosts)


def is_empty(host):
    """False also while the store cannot be asked."""
    with contextlib.suppress(AssertionError):
        return all(depth(host, "work", state) == 0
                   for state in ("ready", "delayed", "claimed", "dead"))
    return False


def turns_of(host):
    """How often the thread of its broker has slept."""
    for task in glob.glob(f"/proc/{host.process.pid}/task/*"):
        with open(task + "/comm", encoding="utf-8") as name:
            if name.read() != "isw:broker\n":
                continue
        with open(task + "/status", encoding="utf-8") as status:
            return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M).group(1))
    raise AssertionError("it has no such thread")


class Stores:
    """Each kind says what differs."""

    lease = ""      # as `queues` of host.yaml has it, where a host's end is not seen
    least_s = 0     # that it takes at least until others have what a killed host had
    has_keys = True
    rest_s = 2      # that a host at rest does nothing

    def setUp(self):
        if not self.kind.is_installed():
            self.skipTest("no server is installed")

    def begin(self, server=None):
        server = server or self.kind()
        self.addCleanup(server.remove)
        server.start()
        return server

    def test_two_hosts_share_what_is_put_and_a_key_has_one_at_a_time(self):
        place = self.begin().place
        key = (lambda number: {"key": f"k{number % 3}"}) if self.has_keys else lambda number: {}
        with host_at(place, more=self.lease) as one, host_at(place, more=self.lease) as other:
            for number in range(60):
                self.assertEqual(put((one, other)[number % 2], f"nap 5 {number:02}", **key(number)),
                                 202)
            wait_until(lambda: is_empty(one))
            got = [Got(host).bodies for host in (one, other)]
            self.assertEqual(sorted(got[0] + got[1]), [f"nap 5 {n:02}" for n in range(60)])
            for bodies in got if self.has_keys else []:  # what a host had of a key came in order
                for key in range(3):
                    own = [body for body in bodies if int(body[-2:]) % 3 == key]
                    self.assertEqual(own, sorted(own))

    def test_at_rest_nobody_asks_the_server(self):
        place = self.begin().place
        with host_at(place) as one, host_at(place) as other:
            for host in (one, other):
                put(host, "before")
            wait_until(lambda: is_empty(one))
            self.assertTrue(any(self.rests(one, other) for _ in range(5)))
            put(one, "after")
            wait_until(is_done((one, other), "after"))

    def rests(self, *hosts):
        before = [turns_of(host) for host in hosts]
        time.sleep(self.rest_s)
        return before == [turns_of(host) for host in hosts]

    def test_what_a_killed_host_had_goes_to_the_other_soon(self):
        place = self.begin().place
        with host_at(place, -signal.SIGKILL, self.lease) as one:
            put(one, "nap 60000")
            one.wait_for("got <nap 60000>")
            with host_at(place, more=self.lease) as other:
                put(other, "here")
                wait_until(is_done((one, other), "here"))
                begun = time.monotonic()
                one.process.kill()
                other.wait_for("got <nap 60000>")
                took = time.monotonic() - begun
                row = Got(other).of("nap 60000")[0]
                self.assertEqual((row[1], row[7]), ("2", "its host ended during attempt 1"))
                print(f"what a killed host had was with the other after {took * 1000:.0f} ms")
                self.assertLess(took, 10)
                self.assertGreater(took, self.least_s)

    def test_a_timer_that_a_killed_host_ran_is_run_by_another_after_the_lease(self):
        place = self.begin().place
        top = f"queues: {{store: \"{place}\", lease: 2s}}\n"
        with timers(top, -signal.SIGKILL) as one:
            ask(one, "run", "waits", "--wait", "0")
            one.wait_for("waits at the gate")
            with timers(top) as other:
                wait_until(lambda: listed(other, "waits")["state"] == "elsewhere")
                one.process.kill()
                begun = time.monotonic()
                other.wait_for("begun again, attempt 2 of 5")
                self.assertLess(time.monotonic() - begun, 10)
                other.wait_for("waits at the gate")
                with open(os.path.join(other.folder.name, "gate"), "w", encoding="ascii"):
                    pass
                wait_until(lambda: listed(other, "waits").get("outcome") == "success")

    def all_of_it_is_done_after(self, host, fail):
        put(host, "nap 3000")
        host.wait_for("got <nap 3000>")
        for number in range(LATE):
            self.assertEqual(put(host, f"late {number}", delay=2000), 202)
        fail()
        for number in range(LATE):
            host.wait_for(f"done <late {number}>", CHOICE_S)
        host.wait_for("done <nap 3000>", CHOICE_S)
        wait_until(lambda: put(host, "after") == 202, CHOICE_S)
        host.wait_for("done <after>")
        wait_until(lambda: is_empty(host))
        self.assertEqual([row[1] for row in Got(host).of("nap 3000")], ["1"])

    def test_a_server_that_is_killed_and_started_again_has_all_that_was_acknowledged(self):
        server = self.begin()

        def fail():
            server.kill()
            server.start()

        with host_at(server.place) as host:
            self.all_of_it_is_done_after(host, fail)
            host.wait_for("cannot be reached")
            host.wait_for("does its work again")

    def test_when_another_server_takes_its_place_all_that_was_acknowledged_is_there(self):
        place, fail = self.begin_several()
        with host_at(place) as host:
            wait_until(lambda: put(host, "before") == 202, CHOICE_S)
            host.wait_for("done <before>")
            self.all_of_it_is_done_after(host, lambda: fail(host))

    def test_a_server_that_stands_still_is_waited_for(self):
        server = self.begin()
        with host_at(server.place) as host:
            put(host, "before")
            host.wait_for("done <before>")
            server.signal(signal.SIGSTOP)
            time.sleep(0.2)
            server.signal(signal.SIGCONT)
            self.assertEqual(put(host, "after"), 202)
            wait_until(ended(host, "after"))


class Postgresql(Stores, unittest.TestCase):
    kind = postgresql_server.Server

    def begin_several(self):
        server = self.begin()
        standby = self.begin(self.kind(primary=server))

        def fail(_):
            server.kill()
            standby.promote()

        return (f"postgresql://isw@/postgres?host={server.folder},{standby.folder}"
                f"&port={server.port},{standby.port}&target_session_attrs=read-write"), fail


class Nats(Stores, unittest.TestCase):
    kind = nats_server.Server
    lease = "  lease: 1s\n"
    least_s = 0.3
    has_keys = False
    rest_s = 10.5

    def begin_several(self):
        cluster = self.begin(nats_server.Cluster())
        return cluster.place, lambda host: self.fail_twice(cluster, host)

    def fail_twice(self, cluster, host):
        """First the one that delivers is killed, which is another than the host is connected to, and
        then that."""
        connected = cluster.servers[0]
        stream = "isoworker-queue-work"
        ready = stream + ".ready"
        while (leader := cluster.leader(f"CONSUMER.INFO.{ready}")) in (None, connected):
            connected.asks(f"CONSUMER.LEADER.STEPDOWN.{ready}")
        leader.kill()
        wait_until(lambda: put(host, "between") == 202, CHOICE_S)
        host.wait_for("done <between>", CHOICE_S)
        leader.start()
        for what in (f"STREAM.INFO.{stream}", f"CONSUMER.INFO.{ready}",
                     f"CONSUMER.INFO.{stream}.late"):
            wait_until(lambda what=what: cluster.is_whole(what), CHOICE_S)
        connected.kill()


if __name__ == "__main__":
    main()
