# SPDX-License-Identifier: Apache-2.0
"""Queues in PostgreSQL: what is PostgreSQL's alone (brokers.py has the rest)."""
import unittest

from brokers import host_at, is_empty, postgresql_server
from harness import main, wait_until
from messages import Got, put


@unittest.skipUnless(postgresql_server.Server.is_installed(),
                     "no server; on Debian: apt-get install postgresql")
class Postgresql(unittest.TestCase):
    def setUp(self):
        self.server = postgresql_server.Server()
        self.addCleanup(self.server.remove)
        self.server.start()

    def test_functions_of_an_earlier_version_give_way_and_only_an_id_of_its_own_is_known(self):
        with host_at(self.server.place) as host:
            put(host, "before")
            host.wait_for("done <before>")
        self.assertIsNotNone(self.server.asks(
            "SET search_path TO isoworker; UPDATE about SET version = 1; DROP FUNCTION put;"
            "CREATE FUNCTION put(now bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'"))
        with host_at(self.server.place) as host:
            put(host, "after", id="one")
            host.wait_for("done <after>")
        self.assertEqual(self.server.asks("SELECT version FROM isoworker.about"), "2")
        self.assertEqual(self.server.asks("SELECT count(*) FROM pg_proc WHERE proname = 'put'"), "1")
        self.assertEqual(self.server.asks("SELECT id FROM isoworker.known"), "one")

    def test_a_connection_that_is_cut_is_made_again_with_what_was_claimed(self):
        with host_at(self.server.place) as host:
            put(host, "nap 2000")
            host.wait_for("got <nap 2000>")
            self.server.asks("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                             "WHERE application_name = 'isoworker'")
            host.wait_for("done <nap 2000>")
            wait_until(lambda: is_empty(host))
            self.assertEqual([row[1] for row in Got(host).of("nap 2000")], ["1"])
            self.assertEqual(put(host, "after"), 202)
            host.wait_for("done <after>")


if __name__ == "__main__":
    main()
