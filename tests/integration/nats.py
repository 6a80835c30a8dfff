# SPDX-License-Identifier: Apache-2.0
"""Queues on NATS JetStream: two hosts on one server, servers that end, and who may ask them."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from harness import Host, main, wait_until, worker
from messages import Got, MESSAGES, depth, ended, put, queue

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "broker", "nats"))
import server as nats  # noqa: E402

SKIP = "no server; on Debian: apt-get install nats-server"


def host_at(place, expect=0, more=""):
    top = f"host: {{cancel_grace: 100ms}}\nqueues:\n  store: \"{place}\"\n  max_attempts: 3\n"
    return Host(worker("test", [MESSAGES], "restart_delay: 1ms\n"), top=top + more, expect=expect)


@unittest.skipUnless(nats.is_installed(), SKIP)
class Shared(unittest.TestCase):
    def setUp(self):
        self.server = nats.Server()
        self.addCleanup(self.server.remove)
        self.server.start()

    def host(self, expect=0, more="  lease: 1s\n"):
        return host_at(self.server.place, expect, more)

    def test_two_hosts_share_what_is_put_and_each_is_done_once(self):
        with self.host() as one, self.host() as other:
            for number in range(60):
                self.assertEqual(put((one, other)[number % 2], f"nap 5 {number:02}"), 202)
            wait_until(lambda: sum(len(Got(host).bodies) for host in (one, other)) >= 60)
            wait_until(lambda: depth(one, "work", "ready") + depth(one, "work", "claimed") == 0)
            bodies = Got(one).bodies + Got(other).bodies
            self.assertEqual(sorted(bodies), [f"nap 5 {n:02}" for n in range(60)])

    def test_what_a_killed_host_had_goes_to_the_other_after_its_lease(self):
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
                self.assertGreater(took, 0.3)

    def test_a_function_that_runs_longer_than_the_lease_has_its_message_alone(self):
        with self.host() as one, self.host() as other:
            put(one, "nap 2500")
            wait_until(lambda: "done <nap 2500>" in one.log() + other.log())
            wait_until(lambda: depth(one, "work", "claimed") == 0)
            self.assertEqual(len(Got(one).of("nap 2500") + Got(other).of("nap 2500")), 1)

    def test_a_server_that_is_killed_and_started_again_has_all_that_was_acknowledged(self):
        with self.host(more="  lease: 30s\n") as host:
            put(host, "nap 3000")
            host.wait_for("got <nap 3000>")
            for number in range(20):
                self.assertEqual(put(host, f"late {number}", delay=1500), 202)
            self.server.kill()
            self.server.start()
            for number in range(20):
                host.wait_for(f"done <late {number}>")
            host.wait_for("done <nap 3000>")
            self.assertEqual(put(host, "after"), 202)
            host.wait_for("done <after>")
            wait_until(lambda: depth(host, "work", "claimed") == 0)
            self.assertEqual([row[1] for row in Got(host).of("nap 3000")], ["1"])
            self.assertEqual(depth(host, "work", "dead"), 0)
            host.wait_for("NATS cannot be reached")
            host.wait_for("does its work again")

    def test_a_number_that_a_server_gives_once_more_settles_no_other_message(self):
        with self.host(more="  lease: 30s\n") as host:
            put(host, "nap 1000")
            host.wait_for("got <nap 1000>")
            self.server.kill()
            shutil.rmtree(os.path.join(self.server.folder, "jetstream"))  # so it forgot the last
            self.server.start()
            with self.host(more="  lease: 30s\n") as other:
                self.assertEqual(put(other, "late", delay=1500), 202)
                host.wait_for("was another's by the time")
                wait_until(lambda: "done <late>" in host.log() + other.log())

    def api(self, subject, body):
        """What JetStream answers."""
        text = json.dumps(body)
        with socket.create_connection(("127.0.0.1", self.server.port), 5) as end:
            lines = end.makefile("rb")
            end.sendall(f'CONNECT {{"verbose":false}}\r\nSUB told 1\r\nPUB $JS.API.{subject} told '
                        f"{len(text)}\r\n{text}\r\n".encode())
            while not (line := lines.readline()).startswith(b"MSG"):
                self.assertTrue(line)
            return json.loads(lines.read(int(line.split()[-1])))

    def begin_again(self, meanwhile):
        self.server.stop()
        meanwhile()
        self.server.start()

    def test_a_number_that_is_waited_for_in_vain_takes_no_message_that_is_there_with_it(self):
        with self.host(more="  lease: 30s\n") as host:
            self.assertEqual(put(host, "late", delay=60000), 202)
            put(host, "nap 1000")
            host.wait_for("got <nap 1000>")
            stream = next(name for name in self.api("STREAM.NAMES", {})["streams"]
                          if name.endswith("queue-work"))

            def waits_for():
                return self.api(f"CONSUMER.INFO.{stream}.ready", {})["num_ack_pending"]

            kept = os.path.join(self.server.folder, "o.dat")
            state = os.path.join(self.server.folder, "jetstream", "$G", "streams", stream, "obs",
                                 "ready", "o.dat")
            self.begin_again(lambda: shutil.copy(state, kept))
            wait_until(lambda: waits_for() == 0)
            self.begin_again(lambda: shutil.copy(kept, state))
            self.assertEqual(waits_for(), 1)  # for what is not there any more
            wait_until(lambda: waits_for() == 0)
            self.assertIn("message", self.api(f"STREAM.MSG.GET.{stream}", {"seq": 1}))

    def test_a_server_that_stands_still_is_waited_for(self):
        with self.host() as host:
            put(host, "before")
            host.wait_for("done <before>")
            self.server.process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            self.server.process.send_signal(signal.SIGCONT)
            self.assertEqual(put(host, "after"), 202)
            wait_until(ended(host, "after"))

    def test_what_died_is_replayed_and_what_it_cannot_is_said(self):
        with self.host() as host:
            put(host, "fail")
            wait_until(lambda: depth(host, "work", "dead") == 1)
            self.assertIn("3", queue(host, "dead", "work"))
            queue(host, "replay", "work")
            wait_until(lambda: len(Got(host).of("fail")) == 6)
            wait_until(lambda: depth(host, "work", "dead") == 1)
            self.assertNotEqual(put(host, "x", key="k")[0], 202)
            host.wait_for("messages have no keys at this place")

    def test_a_queue_that_one_host_pauses_is_paused_for_the_other(self):
        with self.host() as one, self.host() as other:
            put(one, "before")
            wait_until(lambda: "done <before>" in one.log() + other.log())
            queue(one, "pause", "work")
            put(other, "held")
            self.assertEqual(depth(other, "work", "ready"), 1)
            queue(other, "resume", "work")
            wait_until(lambda: "done <held>" in one.log() + other.log())


@unittest.skipUnless(nats.is_installed(), SKIP)
class Servers(unittest.TestCase):
    def start(self, **options):
        server = nats.Server(**options)
        self.addCleanup(server.remove)
        server.start()
        return server

    def serves(self, place):
        with host_at(place) as host:
            self.assertEqual(put(host, "hello"), 202)
            host.wait_for("done <hello>")

    def refuses(self, place, sentence):
        with host_at(place) as host:
            host.wait_for(sentence)
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

    def test_the_first_of_several_servers_may_be_gone(self):
        server = self.start()
        self.serves(server.place.replace("nats://", f"nats://127.0.0.1:{nats.free_port()},"))

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
            self.refuses(f"{server.place}?ca={folder}/cert.pem", "NATS cannot be reached")


if __name__ == "__main__":
    main()
