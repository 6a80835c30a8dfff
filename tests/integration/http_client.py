#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The client of functions against a server that answers as a test has it."""
import http.client
import json
import os
import select
import socket
import ssl
import threading
import time
import unittest

from harness import CHAIN, PATIENCE_S, WORKER, Host, main, wait_until, worker
from operators import ADMIN
from shared import replace

CERTIFICATES = os.environ["ISOWORKER_CERTIFICATES"]
CALLING = os.path.join(os.path.dirname(WORKER), "test_calling")
TIMEOUT = "x-envoy-expected-rq-timeout-ms"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def ok(body=b"ok", status="200 OK", head=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


class Server:
    """Answers its n-th request with answers[n], and with the last one all others. A function is
    called with the request's head; None: nothing is answered, and the connection stays open."""

    def __init__(self, *answers, tls=None):
        self.tls = tls
        self.answers, self.heads, self.bodies, self.connections = answers, [], [], 0
        self.lock, self.sockets = threading.Lock(), []
        self.came, self.left = threading.Event(), threading.Event()

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        with self.lock:
            for one in self.sockets:
                one.close()

    def accept(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.sockets.append(one)
            threading.Thread(target=self.serve, args=(one,), daemon=True).start()

    def serve(self, one):
        try:
            if self.tls:
                one = self.tls.wrap_socket(one, server_side=True)
            file = one.makefile("rb")
            while self.serve_one(one, file):
                pass
        except OSError:
            pass
        self.left.set()

    def serve_one(self, one, file):
        lines = list(iter(lambda: file.readline().decode().rstrip("\r\n"), ""))
        if not lines:
            return False
        head = (line.partition(":") for line in lines[1:])
        head = {name.lower(): value.strip() for name, _, value in head}
        body = file.read(int(head.get("content-length", 0)))
        with self.lock:
            answer = self.answers[min(len(self.heads), len(self.answers) - 1)]
            self.heads.append({"": lines[0], **head})
            self.bodies.append(body)
        self.came.set()
        if answer is None:
            return True
        one.sendall(answer(head) if callable(answer) else answer)
        if answer in (b"", CUT):
            one.shutdown(socket.SHUT_RDWR)
            return False
        return True


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"


def begin(host, url, body=None, **headers):
    client = http.client.HTTPConnection("127.0.0.1", host.port, timeout=PATIENCE_S)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client.request("POST" if body else "GET", "/api/call", body, {"X-Url": url, **named})
    return client


def call(host, url, body=None, **headers):
    client = begin(host, url, body, **headers)
    answer = client.getresponse()
    text = answer.read()
    client.close()
    return answer.status, text, answer


def calling(top="", chain="middleware:\n  - error_handling: {expose_details: true}\n", more=""):
    return Host(worker(command=[CALLING], more=more), top=top, chain=chain)


class Client(unittest.TestCase):
    def test_an_answer_comes_with_all_that_it_has(self):
        answer = ok(b"a body", "404 Not Found", "X-Seen: this\r\n")
        with Server(answer) as server, calling() as host:
            status, body, answer = call(host, server.url + "/a?b=c", b"\0sent", X_Method="PATCH",
                                        X_Extra="more")
            self.assertEqual((status, body, answer.getheader("x-seen")), (404, b"a body", "this"))
            self.assertEqual(server.heads[0][""], "PATCH /a?b=c HTTP/1.1")
            self.assertEqual(server.bodies, [b"\0sent"])
            self.assertEqual(server.heads[0]["x-extra"], "more")
            self.assertNotIn("content-type", server.heads[0])
            self.assertNotIn("expect", server.heads[0])

    def test_trace_baggage_name_and_time_go_along(self):
        with Server(ok()) as server, calling() as host:
            call(host, server.url, traceparent=PARENT, tracestate="a=1", baggage="tier=gold",
                 X_Request_Id="mine")
            said = server.heads[0]
            self.assertEqual(said["traceparent"][:36], PARENT[:36])
            self.assertEqual((said["tracestate"], said["baggage"], said["x-request-id"]),
                             ("a=1", "tier=gold", "mine"))
            self.assertTrue(1 <= int(said[TIMEOUT]) <= 60000, said)

    def test_each_try_is_a_span_that_the_other_side_has_as_its_parent(self):
        with Server(ok(status="503 Busy"), ok()) as server:
            chain = "middleware:\n  - trace: {to: file, file: spans, sample: 1.0}\n"
            with calling(chain=chain) as host:
                self.assertEqual(call(host, server.url + "/a?secret=1")[0], 200)
                path = os.path.join(host.folder.name, "spans")
                host.process.terminate()
                host.process.wait(PATIENCE_S)
                with open(path) as file:
                    spans = json.loads(file.readline())["resourceSpans"][0]["scopeSpans"][0]["spans"]
        tries = [span for span in spans if span["name"] == "GET"]
        self.assertEqual(len(tries), 2, spans)
        self.assertEqual([head["traceparent"].split("-")[2] for head in server.heads],
                         [span["spanId"] for span in tries])
        self.assertEqual([span["kind"] for span in tries], [3, 3])
        self.assertIn("http.response.status_code", json.dumps(tries[0]))
        self.assertIn("http.request.resend_count", json.dumps(tries[1]))
        self.assertNotIn("secret", json.dumps(spans))

    def test_connections_are_used_again(self):
        with Server(ok()) as server, calling() as host:
            for _ in range(5):
                self.assertEqual(call(host, server.url)[0], 200)
            self.assertEqual((len(server.heads), server.connections), (5, 1))

    def test_redirects_are_answers(self):
        with Server(ok(status="302 Found", head="Location: /other\r\n")) as server, \
                calling() as host:
            self.assertEqual(call(host, server.url)[0], 302)
            self.assertEqual(len(server.heads), 1)

    def test_what_fails_for_now_is_tried_again(self):
        with Server(b"", ok(status="503 Busy", head="Retry-After: 0\r\n"), ok()) as server, \
                calling() as host:
            self.assertEqual(call(host, server.url)[:2], (200, b"ok"))
            self.assertEqual(len(server.heads), 3)
        with Server(ok(status="502 Bad Gateway")) as server, calling() as host:
            self.assertEqual(call(host, server.url)[0], 502)
            self.assertEqual(len(server.heads), 3)

    def test_what_may_not_be_sent_twice_is_not(self):
        with Server(ok(status="503 Busy")) as server, calling() as host:
            self.assertEqual(call(host, server.url, b"x", X_Method="POST")[0], 503)
            self.assertEqual(len(server.heads), 1)
            call(host, server.url, b"x", X_Method="POST", X_Idempotent="yes")
            self.assertEqual(len(server.heads), 4)

    def test_a_pause_that_is_longer_than_the_time_is_not_made(self):
        answer = ok(status="503 Busy", head="Retry-After: 600\r\n")
        with Server(answer) as server, calling() as host:
            self.assertEqual(call(host, server.url)[0], 503)
            self.assertEqual(len(server.heads), 1)

    def test_what_is_refused_or_cut_is_unavailable(self):
        with calling() as host:
            with socket.create_server(("127.0.0.1", 0)) as nobody:
                url = f"http://user:secret@127.0.0.1:{nobody.getsockname()[1]}/a?token=secret"
            status, body, _ = call(host, url)
            self.assertEqual((status, b"secret" in body), (503, False))
            self.assertRegex(body, rb"GET http://127.0.0.1:\d+/a: .*\(try 3\)")
            with Server(CUT) as server:
                self.assertEqual(call(host, server.url)[0], 503)
                self.assertEqual(len(server.heads), 3)

    def test_what_is_too_large_is_not_taken(self):
        large = ok(b"x" * 100001)
        many = ok(head="".join(f"X-{i}: 1\r\n" for i in range(300)))
        for answer in (large, many):
            with Server(ok(b"x" * 100000), answer) as server, calling() as host:
                self.assertEqual(len(call(host, server.url)[1]), 100000)
                status, body, _ = call(host, server.url)
                self.assertEqual(status, 502)
                self.assertIn(b"the answer has more than 100000 bytes, or too many headers", body)
                self.assertEqual(len(server.heads), 2)

    def test_what_is_slow_ends_with_its_time(self):
        with Server(None) as server, calling() as host:
            begun = time.monotonic()
            status, body, _ = call(host, server.url, X_Timeout="200")
            self.assertEqual(status, 504, body)
            self.assertLess(time.monotonic() - begun, PATIENCE_S)
            self.assertLessEqual(len(server.heads), 1)

    def test_a_deadline_ends_it(self):
        with Server(None) as server, \
                calling(top="http: {deadlines_from: 127.0.0.1}") as host:
            self.assertEqual(call(host, server.url, **{TIMEOUT: "300"})[0], 504)
            self.assertLessEqual(int(server.heads[0][TIMEOUT]), 300)
            self.assertTrue(server.left.wait(PATIENCE_S))

    def test_a_caller_that_leaves_ends_it(self):
        with Server(None) as server, calling() as host:
            client = begin(host, server.url)
            self.assertTrue(server.came.wait(PATIENCE_S))
            client.close()
            self.assertTrue(server.left.wait(PATIENCE_S))
            host.wait_for("ISW_E_CANCELLED")

    def test_a_host_that_keeps_failing_is_left_alone(self):
        with Server(ok(status="500 Broken")) as server, \
                calling(more="environment: {CIRCUIT: '3'}") as host:
            self.assertEqual([call(host, server.url)[0] for _ in range(5)], [500] * 3 + [503] * 2)
            self.assertEqual(len(server.heads), 3)
            self.assertIn(b"the circuit of http://127.0.0.1:", call(host, server.url)[1])
            with Server(ok()) as other:
                self.assertEqual(call(host, other.url)[0], 200)

    def test_a_host_that_works_again_is_asked_again(self):
        with Server(*[ok(status="500 Broken")] * 2, ok()) as server, \
                calling(more="environment: {CIRCUIT: '2', OPEN_MS: '1'}") as host:
            statuses = []
            while statuses[-1:] != [200] and len(statuses) < 1000:
                statuses.append(call(host, server.url)[0])
            self.assertEqual(statuses[:2] + statuses[-1:], [500, 500, 200])
            self.assertEqual(call(host, server.url)[0], 200)

    def test_a_host_that_fails_several_processes_is_left_alone_by_all(self):
        with Server(ok(status="500 Broken")) as server, \
                calling(top=ADMIN, more="environment: {CIRCUIT: '3'}") as host:
            for _ in range(3):
                self.assertEqual(call(host, server.url)[0], 500)
                replace(host, 0)
            self.assertEqual(call(host, server.url)[0], 503)
            self.assertEqual(len(server.heads), 3)

    def test_a_host_that_answers_is_forgiven_by_all_processes(self):
        broken = ok(status="500 Broken")
        with Server(broken, broken, ok(), broken, broken, ok()) as server, \
                calling(top=ADMIN, more="environment: {CIRCUIT: '3'}") as host:
            for status in (500, 500, 200, 500, 500, 200):
                self.assertEqual(call(host, server.url)[0], status)
                replace(host, 0)

    def test_one_process_tries_for_all_whether_it_works_again(self):
        with Server(ok(status="500 Broken"), None) as server, \
                calling(top=ADMIN, more="processes: 2\nenvironment: {CIRCUIT: '1', OPEN_MS: '1'}",
                        chain="worker: {concurrency: 1, max_in_flight: 1}\n" + CHAIN) as host:
            self.assertEqual(call(host, server.url)[0], 500)
            while len(server.heads) < 2:  # some come too early
                trying = begin(host, server.url)
                wait_until(lambda: len(server.heads) == 2 or
                           select.select([trying.sock], [], [], 0)[0])
            self.assertEqual(call(host, server.url)[0], 503)  # by the other process
            self.assertEqual(len(server.heads), 2)
            trying.close()

    def test_only_a_certificate_that_is_vouched_for_is_believed(self):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATES + "/server.pem", CERTIFICATES + "/server.key")
        with Server(ok(), tls=tls) as server:
            url = server.url.replace("http://127.0.0.1", "https://localhost")
            with calling() as host:
                status, body, _ = call(host, url)
                self.assertEqual((status, server.heads), (503, []))
                self.assertIn(b"certificate", body)
            with calling(more=f"environment: {{CA_FILE: {CERTIFICATES}/ca.pem}}") as host:
                self.assertEqual(call(host, url)[:2], (200, b"ok"))

    def test_what_cannot_be_sent_is_said(self):
        with calling() as host:
            for url, method in (("ftp://a/", "GET"), ("nonsense:", "GET"), ("file:///etc/passwd", "GET"),
                                ("http://127.0.0.1/", "G T")):
                self.assertEqual(call(host, url, X_Method=method)[0], 400, url)


if __name__ == "__main__":
    main()
