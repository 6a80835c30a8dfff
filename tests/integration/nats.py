# SPDX-License-Identifier: Apache-2.0
"""Queues on NATS JetStream: what is NATS' alone (brokers.py has the rest), and who may ask."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import main, wait_until
from messages import Got, depth, put, queue
from nkeys import Key, USER, operator_mode
from brokers import host_at, nats_server

SKIP = "no server; on Debian: apt-get install nats-server"


class Nats(unittest.TestCase):
    def start(self, **options):
        server = nats_server.Server(**options)
        self.addCleanup(server.remove)
        server.start()
        return server


@unittest.skipUnless(nats_server.Server.is_installed(), SKIP)
class Shared(Nats):
    def setUp(self):
        self.server = self.start()

    def host(self):
        return host_at(self.server.place, more="  lease: 1s\n")

    def test_a_function_that_runs_longer_than_the_lease_has_its_message_alone(self):
        with self.host() as one, self.host() as other:
            put(one, "nap 2500")
            wait_until(lambda: "done <nap 2500>" in one.log() + other.log())
            wait_until(lambda: depth(one, "work", "claimed") == 0)
            self.assertEqual(len(Got(one).of("nap 2500") + Got(other).of("nap 2500")), 1)

    def test_a_number_that_a_server_gives_once_more_settles_no_other_message(self):
        with host_at(self.server.place) as host:
            put(host, "nap 1000")
            host.wait_for("got <nap 1000>")
            self.server.kill()
            shutil.rmtree(os.path.join(self.server.folder, "jetstream"))  # so it forgot the last
            self.server.start()
            with host_at(self.server.place) as other:
                self.assertEqual(put(other, "late", delay=1500), 202)
                host.wait_for("was another's by the time")
                wait_until(lambda: "done <late>" in host.log() + other.log())

    def begin_again(self, meanwhile):
        self.server.stop()
        meanwhile()
        self.server.start()

    def test_a_number_that_is_waited_for_in_vain_takes_no_message_that_is_there_with_it(self):
        with host_at(self.server.place) as host:
            self.assertEqual(put(host, "late", delay=60000), 202)
            put(host, "nap 1000")
            host.wait_for("got <nap 1000>")
            stream = "isoworker-queue-work"

            def waits_for():
                return self.server.asks(f"CONSUMER.INFO.{stream}.ready")["num_ack_pending"]

            kept = os.path.join(self.server.folder, "o.dat")
            state = os.path.join(self.server.folder, "jetstream", "$G", "streams", stream, "obs",
                                 "ready", "o.dat")
            self.begin_again(lambda: shutil.copy(state, kept))
            wait_until(lambda: waits_for() == 0)
            self.begin_again(lambda: shutil.copy(kept, state))
            self.assertEqual(waits_for(), 1)  # for what is not there any more
            wait_until(lambda: waits_for() == 0)
            self.assertIn("message", self.server.asks(f"STREAM.MSG.GET.{stream}", '{"seq": 1}'))

    def test_the_kernel_asks_whether_the_other_machine_is_there_and_nobody_else(self):
        with self.host() as host:
            put(host, "hello")
            host.wait_for("done <hello>")
            wait_until(lambda: 0 < self.asked_within_s() <= 10)

    def asked_within_s(self):
        """As /proc/net/tcp has it of connections to the server; 0: they wait for nothing of that."""
        with open("/proc/net/tcp", encoding="ascii") as table:
            for row in (line.split() for line in table):
                kind, _, ticks = row[5].partition(":")
                if row[2].endswith(f":{self.server.port:04X}") and row[3] == "01" and kind == "02":
                    return int(ticks, 16) / 100
        return 0

    def test_what_died_is_replayed_and_what_it_cannot_is_said(self):
        with self.host() as host:
            put(host, "fail")
            wait_until(lambda: depth(host, "work", "dead") == 1)
            self.assertIn("3", queue(host, "dead", "work"))
            self.assertIn("BYTES are those that the server stores", queue(host, "list"))
            queue(host, "replay", "work")
            wait_until(lambda: len(Got(host).of("fail")) == 6)
            wait_until(lambda: depth(host, "work", "dead") == 1)
            self.assertNotEqual(put(host, "x", key="k")[0], 202)
            host.wait_for("messages have no keys at a place such as nats://HOST:PORT, .*"
                          "SQLite or PostgreSQL")
            self.assertNotEqual(put(host, "x", priority=1)[0], 202)
            host.wait_for("messages have no priorities at a place such as nats://HOST:PORT, .*"
                          "SQLite or PostgreSQL")

    def test_a_queue_that_one_host_pauses_is_paused_for_the_other(self):
        with self.host() as one, self.host() as other:
            put(one, "before")
            wait_until(lambda: "done <before>" in one.log() + other.log())
            queue(one, "pause", "work")
            put(other, "held")
            self.assertEqual(depth(other, "work", "ready"), 1)
            queue(other, "resume", "work")
            wait_until(lambda: "done <held>" in one.log() + other.log())


@unittest.skipUnless(nats_server.Server.is_installed(), SKIP)
class Servers(Nats):
    def serves(self, place):
        with host_at(place) as host:
            self.assertEqual(put(host, "hello"), 202)
            host.wait_for("done <hello>")

    def refuses(self, place, sentence):
        with host_at(place) as host:
            host.wait_for(sentence)
            self.assertRegex(host.log(), r"NATS at [a-z0-9.-]+:\d+ cannot be reached: ")
            self.assertNotIn("secret", host.log())

    def test_a_server_without_jetstream_is_told_of(self):
        self.refuses(self.start(jetstream=False).place, "is it enabled there")

    def test_a_user_has_a_password(self):
        rule = 'authorization: {user: ada, password: "secret"}'
        server = self.start(more=rule, login="ada:secret@")
        self.serves(server.place)
        server.login = "ada:no-secret@"
        self.refuses(server.place, "Authorization Violation")

    def test_a_token_will_do(self):
        self.serves(self.start(more='authorization: {token: "secret"}', login="secret@").place)

    def test_a_user_has_a_key(self):
        with tempfile.TemporaryDirectory() as folder:
            ada, eve = (Key(folder, USER, name) for name in ("ada", "eve"))
            server = self.start(more=f"authorization: {{users: [{{nkey: {ada.public}}}]}}")
            for key in (ada, eve):
                with open(f"{folder}/{key.name}.nk", "w", encoding="ascii") as file:
                    file.write(key.seed)
            self.serves(f"{server.place}?nkey={ada.public}&seed={folder}/ada.nk")
            self.refuses(f"{server.place}?nkey={ada.public}&seed={folder}/eve.nk",
                         "Authorization Violation")
            self.refuses(f"{server.place}?nkey={ada.public}&seed={folder}/none.nk", "none.nk")

    def test_a_user_of_an_account_has_credentials(self):
        with tempfile.TemporaryDirectory() as folder:
            settings, credentials = operator_mode(folder)
            with open(f"{folder}/ada.creds", "w", encoding="ascii") as file:
                file.write(credentials)
            server = self.start(more=settings)
            self.serves(f"{server.place}?creds={folder}/ada.creds")
            self.refuses(server.place, "Authorization Violation")

    def test_the_first_of_several_servers_may_be_gone(self):
        server = self.start()
        gone = f"nats://secret@127.0.0.1:{nats_server.free_port()},"
        self.serves(server.place.replace("nats://", gone))
        self.refuses(gone + "no-such-host.invalid:4222",
                     r"NATS at 127\.0\.0\.1:\d+ cannot be reached: [^;]+; "
                     r"at no-such-host\.invalid:4222: ")

    def test_sets_of_queues_have_prefixes(self):
        server = self.start()
        with host_at(server.place + "?prefix=one") as one, host_at(server.place + "?prefix=two"):
            put(one, "hello")
            one.wait_for("done <hello>")
        with host_at(server.place + "?prefix=two") as two:
            self.assertEqual(depth(two, "work", "ready"), 0)

    def test_what_is_said_is_encrypted_to_a_server_that_is_known(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                 "subjectAltName=DNS:localhost", "-keyout", f"{folder}/key.pem", "-out",
                 f"{folder}/cert.pem"], check=True, capture_output=True)
            server = self.start(more=f'tls: {{cert_file: "{folder}/cert.pem", '
                                f'key_file: "{folder}/key.pem"}}', scheme="tls")
            place = server.place.replace("127.0.0.1", "localhost")
            self.serves(f"{place}?ca={folder}/cert.pem")
            self.refuses(place, "certificate")
            self.refuses(f"{server.place}?ca={folder}/cert.pem", "cannot be reached")


if __name__ == "__main__":
    main()
