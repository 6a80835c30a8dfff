#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The access log: a line for each request, whoever answers it, in a file that can be moved away."""
import hashlib
import json
import os
import re
import signal
import socket
import unittest

from frames import RST_STREAM, Frames, frame, headers, line
from harness import PATIENCE_S, Host, main, wait_until, worker


def lines_of(host, name="access.log"):
    try:
        with open(os.path.join(host.folder.name, name)) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def wait_for_lines(host, count, name="access.log"):
    wait_until(lambda: len(lines_of(host, name)) >= count)
    return lines_of(host, name)


def say(host, text, half=False):
    """What comes back for these bytes, to the end."""
    with socket.create_connection(("127.0.0.1", host.port), PATIENCE_S) as client:
        client.sendall(text)
        if half:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


class AccessLog(unittest.TestCase):
    JSON = "http: {access_log: {to: access.log, form: json}}"

    def test_a_line_has_what_is_known_of_a_request(self):
        with Host(worker(), top=self.JSON) as host:
            sent = (b"POST /api/echo?key=secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    b"Content-Length: 5\r\nUser-Agent: me/1\r\nReferer: http://b/\r\n"
                    b"X-Request-Id: r-1\r\n\r\nhello")
            answer = say(host, sent)
            line = json.loads(wait_for_lines(host, 1)[0])
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$")
            self.assertEqual({name: line[name] for name in
                              ("client", "method", "path", "protocol", "status", "request", "agent",
                               "referer")},
                             {"client": "127.0.0.1", "method": "POST", "path": "/api/echo",
                              "protocol": "HTTP/1.1", "status": 200, "request": "r-1",
                              "agent": "me/1", "referer": "http://b/"})
            self.assertEqual((line["received"], line["sent"]), (len(sent), len(answer)))
            self.assertGreaterEqual(line["took_us"], line["worker_us"])
            self.assertRegex(line["invocation"], "^[0-9a-f]{32}$")

    def test_answers_of_the_host_itself_have_lines(self):
        top = ("http: {header_timeout: 300ms, access_log: {to: access.log, form: json}}")
        with Host(worker(), top=top) as host:
            say(host, b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            say(host, b"nonsense\r\n\r\n")
            say(host, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n")
            say(host, b"GET / HTTP/1.1\r\nHo")  # and nothing more
            lines = [json.loads(line) for line in wait_for_lines(host, 4)]
            self.assertEqual([line["status"] for line in lines], [404, 400, 431, 408])
            self.assertEqual([line.get("path") for line in lines], ["/nowhere", None, None, None])
            self.assertTrue(all(line["client"] == "127.0.0.1" and "worker_us" not in line and
                                line["request"] for line in lines))

    def test_what_is_refused_has_a_reason_and_the_bytes_that_came(self):
        chain = ("worker: {concurrency: 1, max_in_flight: 1}\nmiddleware:\n  - error_handling\n"
                 f"  - auth: {{keys: [{{name: ada, hash: 'sha256:{'0' * 32}:{'0' * 64}'}}]}}\n")
        top = ("queue: {limit: 0}\n"
               "http: {body_limit: 10, access_log: {to: access.log, form: json}}")
        sent = (b"nonsense\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40000 + b"\r\n\r\n",
                b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
                b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                b"GET /api/hello/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        with Host(worker(), top=top, chain=chain) as host:
            for text in sent:
                say(host, text)
            lines = [json.loads(line) for line in wait_for_lines(host, 5)]
        self.assertEqual([line["status"] for line in lines], [400, 431, 413, 404, 401])
        for line, reason in zip(lines, ("carriage return", "large", "The body is over the limit.",
                                        "There is no function at this path.",
                                        "ISW_E_UNAUTHENTICATED")):
            self.assertRegex(line["reason"], reason)
        for at in (0, 2, 3, 4):
            self.assertEqual(lines[at]["received"], len(sent[at]))
        self.assertGreater(lines[1]["received"], 16000)

    def test_the_answer_that_a_drain_gives_has_one(self):
        with Host(worker(), top=self.JSON, arguments=["--control", "/tmp/isw-%d" % os.getpid()]
                  ) as host:
            host.start("GET", "once?ms=600000")
            host.wait_for_naps(1)
            host.process.send_signal(signal.SIGTERM)
            host.process.send_signal(signal.SIGTERM)
            wait_until(lambda: host.process.poll() is not None)
            line = json.loads(lines_of(host)[-1])  # written at the end, too
            self.assertEqual((line["path"], line["status"]), ("/api/once", 503))

    def test_who_leaves_before_the_answer_has_one(self):
        with Host(worker(), top=self.JSON) as host:
            client = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
            client.sendall(b"GET /api/once?ms=600000 HTTP/1.1\r\nHost: a\r\n\r\n")
            host.wait_for_naps(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
            line = json.loads(wait_for_lines(host, 1)[0])
            self.assertEqual((line["path"], line["status"], line["sent"]), ("/api/once", 499, 0))

    def test_the_principal_is_whom_auth_found(self):
        key = "k" * 40
        salt = "0123456789abcdef" * 2
        digest = f"sha256:{salt}:" + hashlib.sha256((salt + key).encode()).hexdigest()
        chain = ("middleware:\n  - error_handling\n  - auth:\n      keys:\n"
                 f"        - {{name: ada, hash: '{digest}'}}\n")
        with Host(worker(), top=self.JSON, chain=chain) as host:
            for headers, status, principal in (({"x-functions-key": key}, 200, "ada"),
                                               ({}, 401, None)):
                self.assertEqual(host.request("GET", "hello/x", headers=headers)[0], status)
            lines = [json.loads(line) for line in wait_for_lines(host, 2)]
            self.assertEqual([line.get("principal") for line in lines], ["ada", None])

    def test_streams_of_http_2_have_lines_as_well(self):
        top = "http: {trusted_proxies: 127.0.0.1, access_log: {to: access.log, form: json}}"
        with Host(worker(), top=top) as host, Frames(host.port) as client:
            self.assertEqual(client.ask(1, ("x-forwarded-for", "192.0.2.1"),
                                        ("x-request-id", "two")).status, 200)
            self.assertEqual(client.ask(3, path="/nowhere").status, 404)
            client.send(headers(5, line(path="/api/once?ms=600000")))
            host.wait_for_naps(1)
            client.send(frame(RST_STREAM, 0, 5, b"\0\0\0\x08"))
            lines = [json.loads(text) for text in wait_for_lines(host, 3)]
            self.assertEqual([(one["protocol"], one["client"], one["path"], one["status"])
                              for one in lines],
                             [("HTTP/2.0", "192.0.2.1", "/api/hello/Ada", 200),
                              ("HTTP/2.0", "127.0.0.1", "/nowhere", 404),
                              ("HTTP/2.0", "127.0.0.1", "/api/once", 499)])
            self.assertEqual(lines[0]["request"], "two")
            self.assertEqual(client.stream(1).fields["x-request-id"], "two")
            self.assertFalse(any("cut" in one for one in lines))

    def test_a_client_forges_no_line(self):
        with Host(worker(), top="http: {access_log: {to: access.log}}") as host:
            say(host, b"GET /%0A%0Afake\"x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                      b"User-Agent: a\" 200 \x1b[31m\xff\r\n\r\n")
            say(host, b"GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                      b"User-Agent: a\" 200 \xc3\xa4\xff\r\n\r\n")
            lines = wait_for_lines(host, 2)
            self.assertEqual(len(lines), 2)
            self.assertRegex(lines[1], r'"GET /b HTTP/1\.1" 404 .* agent="a\\" 200 \\xc3\\xa4\\x')

    def test_combined_is_what_apache_writes(self):
        with Host(worker(), top="http: {access_log: {to: access.log, form: combined, query: true}}"
                  ) as host:
            host.request("GET", "hello/Ada?x=1", headers={"User-Agent": "me/1"})
            self.assertRegex(wait_for_lines(host, 1)[0],
                             r'^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d '
                             r'[+-]\d{4}\] "GET /api/hello/Ada\?x=1 HTTP/1\.1" 200 12 "-" "me/1"$')

    def test_a_file_that_was_moved_away_is_made_anew_at_a_signal(self):
        with Host(worker(), top="http: {access_log: {to: access.log}}") as host:
            host.get("hello/one")
            wait_for_lines(host, 1)
            os.rename(host.folder.name + "/access.log", host.folder.name + "/old.log")
            host.get("hello/two")
            wait_for_lines(host, 2, "old.log")
            host.process.send_signal(signal.SIGHUP)
            wait_until(lambda: os.path.exists(host.folder.name + "/access.log"))
            host.get("hello/three")
            self.assertIn("/api/hello/three", wait_for_lines(host, 1)[0])
            self.assertEqual(len(lines_of(host, "old.log")), 2)

    def test_many_requests_have_a_line_each_however_the_host_ends(self):
        with Host(worker(), top="http: {access_log: {to: access.log}}") as host:
            for _ in range(20):
                say(host, (b"GET /api/hello/x HTTP/1.1\r\nHost: a\r\n\r\n" * 9) +
                    b"GET /api/hello/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            host.process.send_signal(signal.SIGTERM)
            wait_until(lambda: host.process.poll() is not None)
            lines = lines_of(host)
            self.assertEqual(len(lines), 200)
            self.assertEqual(len({re.search("request=(\\w+)", line)[1] for line in lines}), 200)

    def test_it_goes_to_standard_error_where_that_is_asked_for(self):
        with Host(worker(), top="http: {access_log: {to: stderr}}") as host:
            host.get("hello/Ada")
            host.wait_for(r'127\.0\.0\.1 - "GET /api/hello/Ada HTTP/1\.1" 200 in=\d+ out=\d+ '
                          r'took=[\d.]+ms worker=[\d.]+ms invocation=\w{32} request=\w{32}')

    def test_it_is_off_by_itself_and_its_place_is_checked(self):
        with Host(worker()) as host:
            host.get("hello/Ada")
            self.assertNotIn("GET /api/hello/Ada", host.log())
        with Host(worker(), top="http: {access_log: {to: /nowhere/a.log}}", expect=78,
                  settled="<end>") as host:
            host.wait_for('host.yaml:1:21: no access log can be written to "/nowhere/a.log": No')


if __name__ == "__main__":
    main()
