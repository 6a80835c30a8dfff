# SPDX-License-Identifier: Apache-2.0
"""Stores in a Redis server: what workers of several hosts share, and what becomes of requests while
it is gone, slow, or back."""
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BIN, Host, main, wait_until, worker
from http_client import CALLING, Server, call, ok
from operators import ADMIN, report, run
from shared import ask_all

CERTIFICATES = os.environ["ISOWORKER_CERTIFICATES"]
with open(BIN + "/../lib/isoworker/stores/redis.so", "rb") as shared_object:
    TLS = b"hiredis_ssl" in shared_object.read()

# Debian's package redis-tools has the server under this name, and none that begins with the system.
SERVER = "/usr/bin/redis-check-rdb"


class Redis:
    """A server on a port that stays the same when it is killed and started again."""

    def __init__(self, tls=None):
        self.tls = tls  # the name of its certificate

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-redis-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"{'rediss' if self.tls else 'redis'}://127.0.0.1:{self.port}/1"
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self.folder.cleanup()

    def start(self):
        port = ["--port", str(self.port)]
        if self.tls:
            port = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no",
                    "--tls-cert-file", f"{CERTIFICATES}/{self.tls}.pem",
                    "--tls-key-file", f"{CERTIFICATES}/{self.tls}.key",
                    "--tls-ca-cert-file", CERTIFICATES + "/ca.pem"]
        self.process = subprocess.Popen(
            ["redis-server", *port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder.name, "--requirepass", "opensesame"],
            executable=SERVER, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "eady to accept connections" in line:
                break
        else:
            raise AssertionError("redis-server does not run")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def store(self, more=""):
        path = os.path.join(self.folder.name, "password")
        with open(path, "w") as file:
            file.write("opensesame\n")
        return f"store: {{url: '{self.url}', prefix: test, password: 'file:{path}'{more}}}\n"


def chain(redis, *entries, more=""):
    return redis.store(more) + "middleware:\n" + "".join(
        f"  - {entry}\n" for entry in ("error_handling",) + entries)


def statuses(host, count, path="pid", headers=None):
    return [host.request("GET", path, headers=headers)[0] for _ in range(count)]


class Shared(unittest.TestCase):
    def test_a_limit_of_two_hosts_is_one_limit(self):
        with Redis() as redis:
            text = chain(redis, "rate_limit: {rate: 60, per: 1h}")
            with Host(worker(more="processes: 2"), chain=text) as one, \
                    Host(worker(), chain=text) as other:
                answers = []
                halves = [threading.Thread(target=lambda host=host: answers.extend(
                    ask_all(host, "pid", 4, 15))) for host in (one, other)]
                for half in halves:
                    half.start()
                for half in halves:
                    half.join()
                passed = [body for status, body in answers if status == 200]
                self.assertEqual(len(passed), 60)
                self.assertEqual({status for status, _ in answers}, {200, 429})

    def test_one_host_replays_what_another_one_answers(self):
        headers = {"idempotency-key": "k"}
        with Redis() as redis:
            text = chain(redis, "idempotency: {methods: [GET]}")
            with Host(worker(), chain=text) as one, Host(worker(), chain=text) as other:
                first = threading.Thread(target=one.request, args=("GET", "once?ms=1500"),
                                         kwargs={"headers": headers})
                first.start()
                one.wait_for("napping in")
                self.assertEqual(statuses(other, 1, "once?ms=1500", headers), [409])
                first.join()
                status, _, named = other.request("GET", "once?ms=1500", headers=headers)
                self.assertEqual((status, named.get("idempotency-replayed")), (200, "true"))
                self.assertNotIn("napping in", other.log())

    def test_a_circuit_that_one_host_opens_is_open_for_another(self):
        with Redis() as redis:
            text = chain(redis, "circuit_breaker: {failures: 4, open_for: 1h}")
            with Host(worker(), chain=text) as one, Host(worker(), chain=text) as other:
                for host in (one, other, one, other):
                    self.assertEqual(host.get("mistake/redirect")[0], 500)
                self.assertEqual(one.get("mistake/redirect")[0], 503)
                self.assertEqual(other.get("mistake/redirect")[0], 503)

    def test_a_host_that_functions_call_in_vain_is_left_alone_by_all_hosts(self):
        calling = worker(command=[CALLING], more="environment: {CIRCUIT: '4'}")
        with Redis() as redis, Server(ok(status="500 Broken")) as server, \
                Host(calling, chain=chain(redis)) as one, \
                Host(calling, chain=chain(redis)) as other:
            for host in (one, other, one, other):
                self.assertEqual(call(host, server.url)[0], 500)
            self.assertEqual(call(one, server.url)[0], 503)
            self.assertEqual(call(other, server.url)[0], 503)
            self.assertEqual(len(server.heads), 4)

    def test_a_client_counts_for_itself_while_the_server_is_gone(self):
        calling = worker(command=[CALLING], more="environment: {CIRCUIT: '3'}")
        with Redis() as redis, Server(ok(status="500 Broken")) as server:
            redis.kill()
            with Host(calling, chain=chain(redis)) as host:
                self.assertEqual([call(host, server.url)[0] for _ in range(4)], 3 * [500] + [503])
                self.assertEqual(len(server.heads), 3)

    def test_workers_with_other_prefixes_share_nothing(self):
        with Redis() as redis:
            text = chain(redis, "rate_limit: {rate: 2, per: 1h}")
            with Host(worker(), chain=text) as one, \
                    Host(worker(), chain=text.replace("prefix: test", "prefix: other")) as other:
                self.assertEqual(statuses(one, 3), [200, 200, 429])
                self.assertEqual(statuses(other, 3), [200, 200, 429])


class Gone(unittest.TestCase):
    def decide(self, entry, expected, headers=None):
        with Redis() as redis, Host(worker(), chain=chain(redis, entry)) as host:
            self.assertEqual(statuses(host, 1, "pid", headers), [200])
            redis.kill()
            self.assertEqual(statuses(host, 3, "hello/a", headers), 3 * [expected])
            host.wait_for("store redis://127.0.0.1:[0-9]+/1 cannot be reached: ")
            redis.start()
            wait_until(lambda: host.request("GET", "pid", headers=headers)[0] == 200 and
                       "is back after" in host.log())
            lines = [line for line in host.lines if "cannot be reached" in line and "stderr" in line]
            self.assertEqual(len(lines), 1, lines)

    def test_rate_limit_lets_pass(self):
        self.decide("rate_limit: {rate: 1000, per: 1h}", 200)

    def test_rate_limit_that_must_hold_answers_503(self):
        self.decide("rate_limit: {rate: 1000, per: 1h, on_error: closed}", 503)

    def test_circuit_breaker_lets_pass(self):
        self.decide("circuit_breaker", 200)

    def test_circuit_breaker_can_answer_503(self):
        self.decide("circuit_breaker: {on_error: closed}", 503)

    def test_idempotency_answers_503(self):
        self.decide("idempotency: {methods: [GET]}", 503, {"idempotency-key": "k"})

    def test_idempotency_can_run_each(self):
        self.decide("idempotency: {methods: [GET], on_error: open}", 200,
                    {"idempotency-key": "k"})

    def test_what_needs_no_store_does_not_notice(self):
        with Redis() as redis:
            redis.kill()
            with Host(worker(), chain=chain(redis, "idempotency: {methods: [GET]}")) as host:
                self.assertEqual(statuses(host, 2), [200, 200])
                self.assertNotIn("cannot be reached", host.log())

    def test_a_limit_holds_again_when_the_server_is_back(self):
        with Redis() as redis, \
                Host(worker(), chain=chain(redis, "rate_limit: {rate: 3, per: 1h}")) as host:
            self.assertEqual(statuses(host, 4), [200, 200, 200, 429])
            redis.kill()
            self.assertEqual(statuses(host, 5), 5 * [200])
            redis.start()  # and has forgotten all
            wait_until(lambda: host.get("pid")[0] == 429)

    def test_a_server_that_does_not_answer_costs_few_requests_its_timeout(self):
        with Redis() as redis, \
                Host(worker(), chain=chain(redis, "rate_limit: {rate: 9, per: 1h}",
                                           more=", timeout: 400ms")) as host:
            self.assertEqual(statuses(host, 1), [200])
            redis.process.send_signal(signal.SIGSTOP)
            try:
                begin = time.monotonic()
                self.assertEqual(statuses(host, 60), 60 * [200])
                self.assertLess(time.monotonic() - begin, 60 * 0.4 / 2)
                host.wait_for("no answer within 400 ms")
            finally:
                redis.process.send_signal(signal.SIGCONT)
            wait_until(lambda: host.get("pid")[0] == 200 and "is back after" in host.log())

    def test_a_worker_begins_while_it_is_gone(self):
        with Redis() as redis:
            redis.kill()
            with Host(worker(), chain=chain(redis, "rate_limit: {rate: 1, per: 1h}")) as host:
                self.assertEqual(statuses(host, 2), [200, 200])
                redis.start()
                wait_until(lambda: host.get("pid")[0] == 429)


class Settings(unittest.TestCase):
    def test_a_worker_without_a_store_elsewhere_has_no_client_of_redis(self):
        with Redis() as redis, Host(worker(), top=ADMIN) as without, \
                Host(worker(), top=ADMIN, chain=chain(redis, "rate_limit: {rate: 1}")) as with_it:
            maps = []
            for host in (without, with_it):
                with open(f"/proc/{report(host)['processes'][0]['pid']}/maps") as file:
                    maps.append(file.read())
            self.assertNotIn("hiredis", maps[0])
            self.assertIn("hiredis", maps[1])

    def test_a_wrong_password_is_said_without_the_password(self):
        with Redis() as redis:
            text = chain(redis, "rate_limit: {rate: 1}")
            with open(os.path.join(redis.folder.name, "password"), "w") as file:
                file.write("guessed")
            with Host(worker(), chain=text) as host:
                self.assertEqual(statuses(host, 1), [200])
                host.wait_for("AUTH is refused: WRONGPASS")
                self.assertNotIn("guessed", host.log())

    def test_what_is_wrong_is_said_with_its_place(self):
        host = Host(worker(), chain="middleware: []\nstore:\n  url: redis://a:b@there\n"
                                    "  prefix: p\n")
        code, _, err = run("check", host.folder.name)
        host.folder.cleanup()
        self.assertEqual(code, 78)
        self.assertIn("worker.yaml:2:1: store: it has a user or a password: they are the options",
                      err)

    def test_another_store_waits_for_a_start(self):
        with Redis() as redis, \
                Host(worker(), chain=chain(redis, "rate_limit: {rate: 9, per: 1h}")) as host:
            self.assertEqual(statuses(host, 1), [200])
            host.write("worker.yaml", chain(redis, "rate_limit: {rate: 8, per: 1h}").replace(
                "prefix: test", "prefix: other"))
            host.process.send_signal(signal.SIGHUP)
            host.wait_for("store has changed, and stays as it was until the worker starts again")
            self.assertEqual(statuses(host, 9)[-1], 429)


class Tls(unittest.TestCase):
    def ask(self, redis, more):
        with Host(worker(), chain=chain(redis, "rate_limit: {rate: 1, per: 1h}", more=more)) as host:
            return statuses(host, 2), host.log()

    @unittest.skipUnless(TLS, "this hiredis has no TLS")
    def test_a_server_is_believed_by_its_certificate(self):
        ca = f", ca_file: {CERTIFICATES}/ca.pem"
        with Redis(tls="server") as redis:
            self.assertEqual(self.ask(redis, ca)[0], [200, 429])
            answers, log = self.ask(redis, "")  # the system does not know who vouches for it
            self.assertEqual(answers, [200, 200])
            self.assertIn("TLS: ", log)
        with Redis(tls="other") as redis:  # vouched for, and somebody else's
            answers, log = self.ask(redis, ca)
            self.assertEqual(answers, [200, 200])
            self.assertIn("TLS: ", log)

    @unittest.skipIf(TLS, "this hiredis has TLS")
    def test_without_tls_in_hiredis_the_url_is_refused(self):
        host = Host(worker(), chain="middleware: []\nstore: {url: 'rediss://there', prefix: p}\n")
        code, _, err = run("check", host.folder.name)
        host.folder.cleanup()
        self.assertEqual(code, 78)
        self.assertIn("built with a hiredis that has no TLS", err)


if __name__ == "__main__":
    main()
