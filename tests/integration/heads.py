# SPDX-License-Identifier: Apache-2.0
"""Answers that have no body: to HEAD, and of 304."""
import socket
import unittest

from harness import CHAIN, PATIENCE_S, Host, main, worker


def converse(host, *requests):
    """What comes on one connection, until it closes, for requests that are sent at once."""
    with socket.create_connection(("127.0.0.1", host.port), PATIENCE_S) as sock:
        sock.sendall("".join(f"{request} HTTP/1.1\r\nHost: a\r\n{more}\r\n"
                             for request, more in requests).encode())
        got = b""
        while part := sock.recv(65536):
            got += part
        return got


LAST = ("GET /api/hello/last", "Connection: close\r\n")


class Heads(unittest.TestCase):
    def test_a_head_has_no_content_whatever_answers_it(self):
        with Host(worker(), chain=CHAIN) as host:
            for path in ("pour?ms=10", "watch", "breaks", "hello/x", "nothing", "fail", "text",
                         "large?mib=1", "file/host.yaml", "nowhere", "odd/json"):
                got = converse(host, ("HEAD /api/" + path, ""), LAST)
                head, _, rest = got.partition(b"\r\n\r\n")
                self.assertNotIn(b"transfer-encoding", head.lower(), path)
                self.assertNotIn(b"Connection: close", head, path) # another request may follow
                self.assertTrue(rest.startswith(b"HTTP/1.1 200 OK\r\n"), (path, rest))
                self.assertTrue(rest.endswith(b"Hello, last!\n"), path)

    def test_a_304_has_the_length_of_its_200_or_none(self):
        chain = "middleware: [compress: {min_size: 10}]\n"
        for chain, gzip in ((CHAIN, {}), (chain, {"Accept-Encoding": "gzip"}), (chain, {})):
            with Host(worker(), chain=chain) as host:
                host.write("page.html", "<p>" * 1000)
                _, _, full = host.request("GET", "file/page.html", headers=gzip)
                known = {"If-None-Match": full["etag"]}
                status, body, headers = host.request("GET", "file/page.html",
                                                     headers=dict(gzip, **known))
                self.assertEqual((status, body), (304, b""))
                for name in ("etag", "vary", "last-modified"):
                    self.assertEqual(headers.get(name), full.get(name), (name, chain, gzip))
                self.assertIn(headers.get("Content-Length"), (None, full["Content-Length"]))
                self.assertNotIn("content-type", headers)
                self.assertNotIn("Transfer-Encoding", headers)
                self.assertNotIn("Connection", headers)


if __name__ == "__main__":
    main()
