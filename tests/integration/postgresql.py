# SPDX-License-Identifier: Apache-2.0
"""Queues in PostgreSQL: two hosts on one server, and servers that end."""
import glob
import os
import re
import shutil
import signal
import sys
import time
import unittest

from harness import Host, main, wait_until, worker
from messages import Got, MESSAGES, ended, put

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "broker", "postgresql"))
import server as postgresql  # noqa: E402


def is_installed():
    return postgresql.folder_of_programs() and shutil.which("psql")


def turns_of(host):
    """How often the thread of its broker has slept."""
    for task in glob.glob(f"/proc/{host.process.pid}/task/*"):
        with open(task + "/comm", encoding="utf-8") as name:
            if name.read() != "isw:broker\n":
                continue
        with open(task + "/status", encoding="utf-8") as status:
            return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M).group(1))
    raise AssertionError("it has no such thread")


def turns_within(host, seconds):
    before = turns_of(host)
    time.sleep(seconds)
    return turns_of(host) - before


@unittest.skipUnless(is_installed(), "no server; on Debian: apt-get install postgresql")
class Postgresql(unittest.TestCase):
    def setUp(self):
        self.server = postgresql.Server("-c", "fsync=off")
        self.addCleanup(self.server.remove)
        self.server.start()

    def host(self, expect=0, place=None):
        top = (f"host: {{cancel_grace: 100ms}}\nqueues:\n  store: {place or self.server.place}\n"
               "  max_attempts: 3\n")
        return Host(worker("test", [MESSAGES], "restart_delay: 1ms\n"), top=top, expect=expect)

    def count(self, what):
        answer = self.server.asks(f"SELECT count(*) FROM isoworker.{what}")
        return int(answer) if answer else -1

    def test_two_hosts_share_what_is_put_and_a_key_has_one_at_a_time(self):
        with self.host() as one, self.host() as other:
            put(one, "first", key="none")
            wait_until(lambda: self.count("message") == 0)
            for number in range(60):
                self.assertEqual(put((one, other)[number % 2], f"nap 5 {number:02}",
                                     key=f"k{number % 3}"), 202)
            most = 0
            while self.count("message") > 0:
                most = max(most, int(self.server.asks(
                    "SELECT coalesce(max(c), 0) FROM (SELECT count(*) AS c FROM isoworker.message "
                    "WHERE state = 2 AND key IS NOT NULL GROUP BY key) x")))
            self.assertLessEqual(most, 1)
            wait_until(lambda: sum(len(Got(host).bodies) for host in (one, other)) >= 61)
            got = [[body for body in Got(host).bodies if body.startswith("nap")]
                   for host in (one, other)]
            self.assertEqual(sorted(got[0] + got[1]), [f"nap 5 {n:02}" for n in range(60)])
            for rows in got: # what a host had of a key came in order
                for key in range(3):
                    own = [body for body in rows if int(body[-2:]) % 3 == key]
                    self.assertEqual(own, sorted(own))

    def test_functions_of_an_earlier_version_give_way_and_only_an_id_of_its_own_is_known(self):
        with self.host() as host:
            put(host, "before")
            host.wait_for("done <before>")
        self.assertIsNotNone(self.server.asks(
            "SET search_path TO isoworker; UPDATE about SET version = 1; DROP FUNCTION put;"
            "CREATE FUNCTION put(now bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'"))
        with self.host() as host:
            put(host, "after", id="one")
            host.wait_for("done <after>")
        self.assertEqual(self.server.asks("SELECT version FROM isoworker.about"), "2")
        self.assertEqual(self.server.asks("SELECT count(*) FROM pg_proc WHERE proname = 'put'"), "1")
        self.assertEqual(self.server.asks("SELECT id FROM isoworker.known"), "one")

    def test_at_rest_nobody_asks_the_server(self):
        with self.host() as one, self.host() as other:
            for host in (one, other):
                put(host, "before")
            wait_until(lambda: self.count("message") == 0)
            for host in (one, other):
                wait_until(lambda host=host: turns_within(host, 2) == 0)
            put(one, "after")
            wait_until(lambda: "done <after>" in one.log() + other.log())

    def test_what_a_killed_host_had_goes_to_the_other_soon(self):
        with self.host(expect=-signal.SIGKILL) as one:
            put(one, "nap 60000")
            one.wait_for("got <nap 60000>")
            with self.host() as other:
                put(other, "here")
                wait_until(lambda: "done <here>" in other.log() or "done <here>" in one.log())
                begun = time.monotonic()
                one.process.kill()
                other.wait_for("got <nap 60000>")
                took = time.monotonic() - begun
                row = Got(other).of("nap 60000")[0]
                self.assertEqual((row[1], row[7]), ("2", "its host ended during attempt 1"))
                print(f"what a killed host had was with the other after {took * 1000:.0f} ms")
                self.assertLess(took, 10)

    def test_a_server_that_is_killed_and_started_again_has_all_that_was_acknowledged(self):
        with self.host() as host:
            put(host, "nap 3000")
            host.wait_for("got <nap 3000>")
            for number in range(20):
                self.assertEqual(put(host, f"late {number}", delay=2000), 202)
            self.server.kill()
            self.server.start()
            for number in range(20):
                host.wait_for(f"done <late {number}>")
            host.wait_for("done <nap 3000>")
            self.assertEqual(put(host, "after"), 202)
            host.wait_for("done <after>")
            wait_until(lambda: self.count("message") == 0)
            self.assertEqual([row[1] for row in Got(host).of("nap 3000")], ["1"])
            self.assertEqual(self.count("dead"), 0)

    def test_when_another_server_takes_its_place_all_that_was_acknowledged_is_there(self):
        standby = postgresql.Server("-c", "fsync=off", primary=self.server)
        self.addCleanup(standby.remove)
        both = (f"postgresql://isw@/postgres?host={self.server.folder},{standby.folder}"
                f"&port={self.server.port},{standby.port}&target_session_attrs=read-write")
        with self.host(place=both) as host:
            put(host, "nap 2000")
            host.wait_for("got <nap 2000>")
            for number in range(20):
                self.assertEqual(put(host, f"late {number}", delay=2000), 202)
            self.server.kill()
            standby.promote()
            for number in range(20):
                host.wait_for(f"done <late {number}>")
            host.wait_for("done <nap 2000>")
            self.assertEqual(put(host, "after"), 202)
            host.wait_for("done <after>")
            wait_until(lambda: standby.asks("SELECT count(*) FROM isoworker.message") == "0")
            self.assertEqual(standby.asks("SELECT count(*) FROM isoworker.dead"), "0")

    def test_a_server_that_stands_still_is_waited_for(self):
        with self.host() as host:
            put(host, "before")
            host.wait_for("done <before>")
            for pid in self.children():
                os.kill(pid, signal.SIGSTOP)
            time.sleep(0.2)
            for pid in self.children():
                os.kill(pid, signal.SIGCONT)
            self.assertEqual(put(host, "after"), 202)
            wait_until(ended(host, "after"))

    def test_a_connection_that_is_cut_is_made_again_with_what_was_claimed(self):
        with self.host() as host:
            put(host, "nap 2000")
            host.wait_for("got <nap 2000>")
            self.server.asks("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                             "WHERE application_name = 'isoworker'")
            host.wait_for("done <nap 2000>")
            wait_until(lambda: self.count("message") == 0)
            self.assertEqual([row[1] for row in Got(host).of("nap 2000")], ["1"])
            self.assertEqual(put(host, "after"), 202)
            host.wait_for("done <after>")

    def children(self):
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if os.readlink(f"/proc/{name}/cwd") == self.server.data:
                        found.append(int(name))
                except OSError:
                    pass
        return found


if __name__ == "__main__":
    main()
