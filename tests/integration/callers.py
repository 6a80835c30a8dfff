#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Who calls, and under which name: behind proxies that are trusted and others, and X-Request-Id."""
import json
import re
import socket
import struct
import tempfile
import unittest

from harness import PATIENCE_S, Host, main, worker
from operators import report

MADE = r"[0-9a-f]{32}$"


def connect(host, path=None):
    if not path:
        return socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE_S)
    client.connect(path)
    return client


def send(client, first=b"", target="/api/forwarded", **headers):
    """Status, headers and body of one request with `first` before it, on a connection that ends."""
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    with client:
        client.sendall(first + f"GET {target} HTTP/1.1\r\nHost: inner\r\nConnection: close\r\n"
                       f"{head}\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    lines = head.split("\r\n")
    return (int(lines[0].split()[1]),
            {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])},
            body)


def told(*arguments, **headers):
    """What the function `forwarded` was told."""
    _, _, body = send(*arguments, **headers)
    return dict(line.split("=", 1) for line in body.splitlines())


def binary(address, port=4711):
    return (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton(address) +
            socket.inet_aton("10.0.0.1") + struct.pack(">HH", port, 80))


class Forwarded(unittest.TestCase):
    TRUSTING = 'http: {trusted_proxies: [127.0.0.0/8, unix]}'

    def test_a_trusted_proxy_is_believed(self):
        with Host(worker(), top=self.TRUSTING) as host:
            said = told(connect(host), X_Forwarded_For="9.9.9.9, 192.0.2.1, 127.0.0.5",
                        X_Forwarded_Proto="https", X_Forwarded_Host="example.org")
            self.assertEqual((said["client"], said["x-forwarded-proto"], said["host"]),
                             ("192.0.2.1", "https", "example.org"))
            said = told(connect(host), Forwarded='for="[2001:db8::1]:80";proto=https;host=a.b')
            self.assertEqual((said["client"], said["x-forwarded-proto"], said["host"]),
                             ("2001:db8::1", "https", "a.b"))
            said = told(connect(host))
            self.assertEqual((said["client"], said["x-forwarded-proto"], said["host"]),
                             ("127.0.0.1", "http", "inner"))

    def test_a_proxy_at_a_socket_is_believed_by_its_own_word(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            path = folder + "/a.sock"
            top = f'http: {{trusted_proxies: unix, listen: ["127.0.0.1:0", "unix:{path}"]}}'
            with Host(worker(), top=top) as host:
                self.assertEqual(told(connect(host, path), X_Forwarded_For="192.0.2.1")["client"],
                                 "192.0.2.1")
                self.assertEqual(told(connect(host, path))["client"], "unix")
                said = told(connect(host), X_Forwarded_For="192.0.2.1", X_Forwarded_Proto="https")
                self.assertEqual(said, {"client": "127.0.0.1", "host": "inner",
                                        "x-forwarded-proto": "http",
                                        "x-request-id": said["x-request-id"]})

    def test_where_none_is_trusted_headers_come_as_they_were_sent(self):
        with Host(worker()) as host:
            said = told(connect(host), X_Forwarded_For="192.0.2.1", X_Forwarded_Proto="gopher")
            self.assertEqual((said["client"], said["x-forwarded-for"], said["x-forwarded-proto"]),
                             ("127.0.0.1", "192.0.2.1", "gopher"))

    def test_what_is_malformed_is_told_once_and_counted(self):
        with Host(worker(), top=self.TRUSTING) as host:
            for _ in range(3):
                self.assertEqual(told(connect(host), X_Forwarded_For="nonsense")["client"],
                                 "127.0.0.1")
            host.wait_for("the trusted proxy 127.0.0.1 says of whom it serves is not believed, .* "
                          "it is malformed")
            self.assertEqual(host.log().count("is not believed"), 1)
            rows = report(host)["triggers"][0]["numbers"]
            self.assertEqual(next(row["number"] for row in rows
                                  if row["name"] == "forwarded_refused_total"), 3)

    def test_of_each_proxy_that_contradicts_itself_there_is_a_line(self):
        with Host(worker(), top="http: {trusted_proxies: 127.0.0.0/8}") as host:
            for proxy in ("127.0.0.2", "127.0.0.3", "127.0.0.2"):
                sock = socket.create_connection(("127.0.0.1", host.port), 30, (proxy, 0))
                self.assertEqual(told(sock, X_Forwarded_For="192.0.2.1",
                                      Forwarded="for=192.0.2.2")["client"], proxy)
            for proxy in ("127.0.0.2", "127.0.0.3"):
                host.wait_for(f"warning .*the trusted proxy {proxy} says of whom it serves is not "
                              "believed")
            self.assertEqual(host.log().count("is not believed"), 2)

    def test_limits_see_the_caller(self):
        chain = ("middleware:\n  - rate_limit: {rate: 1, per: 1h, by: address}\n")
        with Host(worker(), top=self.TRUSTING, chain=chain) as host:
            for client, status in (("192.0.2.1", 200), ("192.0.2.1", 429), ("192.0.2.2", 200)):
                self.assertEqual(send(connect(host), X_Forwarded_For=client)[0], status)

    def test_networks_are_checked_where_they_stand(self):
        for value, place, text in (("[10.0.0.0/8, 10.1.2.3/8]", 38, "write that as 10.0.0.0/8"),
                                   ("proxy.local", 8, "is no network")):
            with self.subTest(value), Host(worker(), top=f"http: {{trusted_proxies: {value}}}",
                                           expect=78, settled="<end>") as host:
                host.wait_for(rf"host.yaml:1:{place}: .*{text}")
        with Host(worker(), top="http: {proxy_protocol: true}", expect=78,
                  settled="<end>") as host:
            host.wait_for("host.yaml:1:8: the PROXY protocol is read from trusted_proxies alone")


    def test_functions_are_told_the_scheme_of_the_caller(self):
        with Host(worker(), top=self.TRUSTING) as host:
            for headers, scheme in (({"X_Forwarded_Proto": "https"}, "https"), ({}, "http")):
                self.assertEqual(send(connect(host), target="/api/caller", **headers)[2],
                                 f"{scheme} nobody")
        with Host(worker()) as host:
            self.assertEqual(send(connect(host), target="/api/caller",
                                  X_Forwarded_Proto="https")[2], "http nobody")


class Proxied(unittest.TestCase):
    TOP = "http: {trusted_proxies: 127.0.0.1, proxy_protocol: true}"

    def test_the_proxy_protocol_names_the_client_in_both_versions(self):
        with Host(worker(), top=self.TOP) as host:
            line = b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n"
            for first in (line, binary("192.0.2.1")):
                said = told(connect(host), first, X_Forwarded_For="9.9.9.9")
                self.assertEqual(said["client"], "192.0.2.1")
                self.assertNotIn("x-forwarded-for", said)  # the client's own word
            self.assertEqual(told(connect(host), b"PROXY UNKNOWN\r\n")["client"], "127.0.0.1")

    def test_it_comes_once_and_byte_by_byte_for_all_requests_of_a_connection(self):
        with Host(worker(), top=self.TOP) as host:
            client = connect(host)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in binary("192.0.2.7"):
                client.sendall(bytes([byte]))
            ask = b"GET /api/forwarded HTTP/1.1\r\nHost: inner\r\n\r\n"
            client.sendall(ask)
            got = b""
            while got.count(b"client=192.0.2.7\n") < 2:
                part = client.recv(65536)
                self.assertTrue(part)
                if b"client=" in part and b"client=" not in got:
                    client.sendall(ask)
                got += part
            client.close()

    def test_a_connection_without_it_is_refused(self):
        with Host(worker(), top=self.TOP) as host:
            status, headers, body = send(connect(host))
            self.assertEqual((status, headers["connection"]), (400, "close"))
            self.assertIn("does not begin with the PROXY protocol", json.loads(body)["detail"])

    def test_it_is_not_read_from_others(self):
        with Host(worker(), top="http: {trusted_proxies: 127.0.0.2, proxy_protocol: true}") as host:
            self.assertEqual(told(connect(host))["client"], "127.0.0.1")
            self.assertEqual(send(connect(host), b"PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n")[0], 400)


class RequestId(unittest.TestCase):
    def test_one_that_comes_along_is_taken_over_and_echoed(self):
        with Host(worker()) as host:
            _, headers, body = send(connect(host), X_Request_Id="abc-1.2~3")
            self.assertEqual(headers["x-request-id"], "abc-1.2~3")
            self.assertIn("x-request-id=abc-1.2~3\n", body)

    def test_one_is_made_where_none_can_be_taken_over(self):
        with Host(worker()) as host:
            seen = set()
            for headers in ({}, {"X_Request_Id": 'a"b'}, {"X_Request_Id": "x" * 129}):
                _, headers, body = send(connect(host), **headers)
                self.assertRegex(headers["x-request-id"], MADE)
                self.assertIn(f"x-request-id={headers['x-request-id']}\n", body)
                seen.add(headers["x-request-id"])
            self.assertEqual(len(seen), 3)

    def test_a_function_may_say_another(self):
        with Host(worker()) as host:
            _, headers, _ = send(connect(host), target="/api/forwarded?own=1",
                                 X_Request_Id="theirs")
            self.assertEqual(headers["x-request-id"], "mine")

    def test_answers_of_the_host_bear_one_too(self):
        with Host(worker()) as host:
            self.assertEqual(send(connect(host), target="/nowhere",
                                  X_Request_Id="abc")[1]["x-request-id"], "abc")
            with connect(host) as client:
                client.sendall(b"nonsense\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
            self.assertTrue(answer.startswith("HTTP/1.1 400"))
            self.assertTrue(re.search(r"\r\nX-Request-Id: [0-9a-f]{32}\r\n", answer), answer)

    def test_lines_of_the_host_about_an_invocation_have_it(self):
        with Host(worker(), arguments=["--json"]) as host:
            self.assertEqual(send(connect(host), target="/api/stubborn?ms=1500",
                                  X_Request_Id="find-me")[0], 504)
            line = json.loads(host.wait_for("find-me"))
            self.assertEqual(line["fields"], {"request": "find-me"})
            self.assertTrue(line["invocation_id"])


class Upgrades(unittest.TestCase):
    def test_a_websocket_is_refused_by_its_name(self):
        with Host(worker()) as host:
            client = connect(host)
            client.sendall(b"GET /api/hello/Ada HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                           b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            answer = client.recv(65536).decode()
            client.close()
            self.assertTrue(answer.startswith("HTTP/1.1 501 "), answer)
            self.assertIn("application/problem+json", answer)
            self.assertIn("WebSockets are no trigger of this host yet", answer)

    def test_other_upgrades_are_passed_by(self):
        with Host(worker()) as host:
            client = connect(host)
            client.sendall(b"GET /api/hello/Ada HTTP/1.1\r\nHost: a\r\n"
                           b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
                           b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
            client.close()
            self.assertTrue(answer.startswith("HTTP/1.1 200 "), answer)
            self.assertTrue(answer.endswith("Hello, Ada!\n"), answer)


if __name__ == "__main__":
    main()
