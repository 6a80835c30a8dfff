# SPDX-License-Identifier: Apache-2.0
"""The front under many connections at once, and what it says to those that it refuses."""
import contextlib
import hashlib
import os
import re
import resource
import signal
import socket
import unittest

from harness import NO_CHAIN, PATIENCE_S, Host, main, wait_until, worker

SANITIZED = bool(os.environ.get("ISOWORKER_SANITIZE"))  # which takes memory of its own
MANY = 10000
MOST_KIB = 64 * 1024
HEADS = 5000
ASK = b"GET /api/hello/Ada HTTP/1.1\r\nHost: a\r\n\r\n"


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))


def connect(host):
    return socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)


def read_answer(sock, body=b"Hello, Ada!\n"):
    got = b""
    while not got.endswith(body):
        part = sock.recv(65536)
        if not part:
            break
        got += part
    return got


def read_all(sock):
    got = b""
    while part := sock.recv(65536):
        got += part
    return got


class Fronts(unittest.TestCase):
    def answers_at_once(self, count):
        """All of them ask while the host cannot look, so that it finds them ready together."""
        with Host(worker()) as host, contextlib.ExitStack() as stack:
            socks = [stack.enter_context(connect(host)) for _ in range(count)]
            for sock in socks:
                sock.sendall(ASK)
                self.assertTrue(read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n"))
            os.kill(host.process.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, host.process.pid, os.WSTOPPED | os.WNOWAIT)
            for sock in socks:
                sock.sendall(ASK)
            os.kill(host.process.pid, signal.SIGCONT)
            for sock in socks:
                sock.settimeout(5)
                self.assertTrue(read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_127_requests_that_are_ready_together_are_all_answered(self):
        self.answers_at_once(127)

    def test_128_requests_that_are_ready_together_are_all_answered(self):
        self.answers_at_once(128)

    def test_256_requests_that_are_ready_together_are_all_answered(self):
        self.answers_at_once(256)

    @unittest.skipIf(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < MANY + 200,
                     "descriptors are too few")
    def test_ten_thousand_idle_connections_take_little_memory(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

        def as_it_is_mostly():  # the host raises it by itself
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))

        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with Host(worker(), prepare=as_it_is_mostly) as host, contextlib.ExitStack() as stack:
            before = rss_kib(host.process.pid)
            socks = [stack.enter_context(connect(host)) for _ in range(MANY)]
            for sock in socks:
                sock.sendall(ASK)
                self.assertTrue(read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n"))
            if not SANITIZED:
                wait_until(lambda: rss_kib(host.process.pid) < MOST_KIB)
            with connect(host) as late:
                late.sendall(ASK)
                self.assertIn(b"application/problem+json", read_all(late))
            socks.pop().close()
            wait_until(lambda: host.get("hello/Ada")[0] == 200)
            for sock in socks:
                sock.close()
            if not SANITIZED:
                wait_until(lambda: rss_kib(host.process.pid) < before + 4 * 1024)

    @unittest.skipIf(SANITIZED or resource.getrlimit(resource.RLIMIT_NOFILE)[1] < HEADS + 200,
                     "a sanitizer keeps what is freed, or descriptors are too few")
    def test_memory_that_a_rush_of_half_sent_heads_took_goes_back(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with Host(worker(), top="http: {header_timeout: 60s}") as host:
            before = rss_kib(host.process.pid)
            with contextlib.ExitStack() as stack:
                for _ in range(HEADS):
                    sock = stack.enter_context(connect(host))
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 7870)
                wait_until(lambda: rss_kib(host.process.pid) > before + HEADS * 8)
                self.assertEqual(host.get("hello/Ada")[0], 200)
            wait_until(lambda: rss_kib(host.process.pid) < before + 8 * 1024)

    def test_bodies_of_all_connections_have_a_bound_that_is_told(self):
        head = b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n"
        admin = "admin: {listen: 127.0.0.1:0}\n"
        with Host(worker(), top=admin + "http: {body_limit: 64KiB, body_memory: 128KiB}") as host, \
                connect(host) as one, connect(host) as two, connect(host) as three:
            for sock in (one, two):
                sock.sendall(head + b"x" * 65535)
            wait_until(lambda: host.request("POST", "echo", b"x" * 65536)[0] == 503)
            three.sendall(head + b"x" * 65536)
            got = read_answer(three, b"}\n")
            self.assertTrue(got.startswith(b"HTTP/1.1 503 "), got)
            self.assertIn(b"\r\nRetry-After: 1\r\n", got)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            for sock in (one, two):
                sock.sendall(b"x")
                self.assertTrue(read_answer(sock, b"x" * 65536).startswith(b"HTTP/1.1 200 "))
            self.assertEqual(host.request("POST", "echo", b"x" * 65536)[0], 200)
            host.wait_for("HTTP: bodies of requests take all of body_memory")
            port = re.search(r"admin[^\n]*127.0.0.1:(\d+)", host.log()).group(1)
            with socket.create_connection(("127.0.0.1", int(port)), PATIENCE_S) as sock:
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                self.assertRegex(read_all(sock), rb"bodies_refused_total [1-9]")

    def test_clients_wait_while_descriptors_are_out_and_somebody_hears_of_it(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))

        with Host(worker(), prepare=lower) as host, contextlib.ExitStack() as stack:
            socks = [stack.enter_context(connect(host)) for _ in range(100)]
            host.wait_for(r"no connection can be taken with \d+ open, and clients wait: Too many open "
                          r"files\. The limit of descriptors")
            for sock in socks[:-1]:
                sock.close()
            socks[-1].sendall(ASK) # it waited in the kernel's queue
            self.assertTrue(read_answer(socks[-1]).startswith(b"HTTP/1.1 200 OK\r\n"))
            self.assertEqual(host.log().count("no connection can be taken"), 1)

    def test_several_threads_share_the_connections(self):
        with Host(worker(), top="http: {threads: 3}") as host, contextlib.ExitStack() as stack:
            socks = [stack.enter_context(connect(host)) for _ in range(30)]
            for _ in range(20):
                for sock in socks:
                    sock.sendall(ASK)
                for sock in socks:
                    self.assertTrue(read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n"))
            threads = os.listdir(f"/proc/{host.process.pid}/task")
            names = []
            for thread in threads:
                with open(f"/proc/{host.process.pid}/task/{thread}/comm") as file:
                    names.append(file.read())
            self.assertGreaterEqual(len([name for name in names if "reactor" in name]), 3, names)

    def test_a_pipeline_is_answered_in_its_order(self):
        with Host(worker()) as host, connect(host) as sock:
            count = 300
            sock.sendall(b"".join(b"GET /api/hello/%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
                                  for number in range(count - 1)) +
                         b"GET /api/hello/%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                         % (count - 1))
            got = read_all(sock)
            self.assertEqual(re.findall(rb"Hello, (\d+)!", got),
                             [b"%d" % number for number in range(count)])

    def test_a_pipeline_without_end_lets_others_have_their_answers(self):
        count = 2000
        with Host(worker(), top="http: {access_log: {to: access.log}}") as host, \
                connect(host) as many, connect(host) as one:
            many.sendall(b"HEAD /first HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(many.recv(65536).startswith(b"HTTP/1.1 404 "))
            host.process.send_signal(signal.SIGSTOP)
            os.waitpid(host.process.pid, os.WUNTRACED)
            many.sendall(b"HEAD /many HTTP/1.1\r\nHost: a\r\n\r\n" * (count - 1) +
                         b"HEAD /many HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            one.sendall(b"HEAD /one HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            host.process.send_signal(signal.SIGCONT)
            self.assertEqual(read_all(many).count(b"HTTP/1.1 404 "), count)
            self.assertIn(b"HTTP/1.1 404 ", read_all(one))
            with open(os.path.join(host.folder.name, "access.log")) as file:
                lines = file.read().splitlines()
        before = next(at for at, line in enumerate(lines) if "/one" in line)
        self.assertLess(before, 300)

    def test_http_1_0_is_answered_as_it_asks(self):
        with Host(worker()) as host:
            with connect(host) as sock:
                sock.sendall(b"GET /api/hello/Ada HTTP/1.0\r\n\r\n")
                got = read_all(sock)
                self.assertIn(b"\r\nConnection: close\r\n", got)
                self.assertTrue(got.endswith(b"Hello, Ada!\n"))
            with connect(host) as sock:
                for _ in range(2):
                    sock.sendall(b"GET /api/hello/Ada HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                    self.assertIn(b"\r\nConnection: keep-alive\r\n", read_answer(sock))
                sock.sendall(b"GET /api/pour?ms=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                head, _, body = read_all(sock).partition(b"\r\n\r\n")
                self.assertNotIn(b"Transfer-Encoding", head)
                self.assertIn(b"Connection: close", head)
                self.assertEqual(len(body), 3 * 1024) # its end is that of the connection

    def test_a_refusal_is_one_problem_that_its_client_can_read(self):
        """Though more came than was read, and more comes: nothing resets the connection."""
        more = b"x" * 200000
        with Host(worker(), top="http: {body_limit: 1KiB}", chain=NO_CHAIN) as host:
            for begin, status in (
                    (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
                    (b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", 413),
                    (b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"fffff\r\n", 413),
                    (b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"5;\n", 400),
                    (b"POST /api/nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", 404),
                    (b"GET /" + b"y" * 20000, 414),
                    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000, 431)):
                with connect(host) as sock:
                    sock.sendall(begin + more)
                    sock.sendall(more)
                    got = read_all(sock)
                    self.assertTrue(got.startswith(b"HTTP/1.1 %d " % status), (begin[:40], got))
                    self.assertEqual(got.count(b"HTTP/1.1"), 1, got)
                    self.assertIn(b"\r\nConnection: close\r\n", got)
                    self.assertIn(b"application/problem+json", got)

    def test_a_small_body_that_nobody_wants_is_passed_over(self):
        with Host(worker()) as host, connect(host) as sock:
            for framing, body in ((b"Content-Length: 5000", b"x" * 5000),
                                  (b"Transfer-Encoding: chunked",
                                   b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n")):
                sock.sendall(b"POST /api/nowhere HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
                self.assertTrue(read_answer(sock, b"}\n").startswith(b"HTTP/1.1 404 "))
                sock.sendall(body + ASK)
                self.assertTrue(read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_100_is_not_said_to_what_is_refused(self):
        with Host(worker()) as host:
            for request, status in ((b"POST /api/nowhere", 404), (b"GET /api/echo", 405)):
                with connect(host) as sock:
                    sock.sendall(request + b" HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                 b"Content-Length: 5\r\n\r\n")
                    got = read_all(sock)
                    self.assertTrue(got.startswith(b"HTTP/1.1 %d " % status), got)
                    self.assertIn(b"\r\nConnection: close\r\n", got)

    def test_a_chain_may_refuse_what_streams_before_its_body_is_asked_for(self):
        digest = hashlib.sha256(b"00112233445566778899aabbccddeeff" + b"sesame").hexdigest()
        chain = ("middleware:\n  - auth:\n      keys:\n        - name: me\n          hash: sha256:"
                 f"00112233445566778899aabbccddeeff:{digest}\n")
        head = (b"PUT /api/swallow HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                b"Content-Length: 5\r\n")
        with Host(worker(), chain=chain) as host:
            with connect(host) as sock:
                sock.sendall(head + b"\r\n")
                got = read_all(sock)
                self.assertTrue(got.startswith(b"HTTP/1.1 401 "), got)
                self.assertEqual(got.count(b"HTTP/1.1"), 1)
            with connect(host) as sock:
                sock.sendall(head + b"x-functions-key: sesame\r\n\r\n")
                self.assertEqual(sock.recv(65536), b"HTTP/1.1 100 Continue\r\n\r\n")
                sock.sendall(b"12345")
                self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_a_client_that_sends_all_and_closes_its_half_is_answered(self):
        with Host(worker()) as host, connect(host) as sock:
            sock.sendall(ASK)
            sock.shutdown(socket.SHUT_WR)
            self.assertTrue(read_all(sock).endswith(b"Hello, Ada!\n"))


if __name__ == "__main__":
    main()
