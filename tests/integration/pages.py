# SPDX-License-Identifier: Apache-2.0
"""Headers that must not be lost, and what a page of another site gets to see."""
import http.client
import json
import os
import re
import subprocess
import tempfile
import unittest

from harness import BIN, CHAIN, NO_CHAIN, SOURCE, Client, Host, main, wait_until, worker

SITE = "https://a.example"
CORS = """middleware:
  - cors: {origins: ["https://a.example"], methods: [GET, PUT, POST], credentials: true,
           expose_headers: [x-count], headers: [x-own]}
  - error_handling
"""
ALLOW = "access-control-allow-origin"
PREFLIGHT = {"Origin": SITE, "Access-Control-Request-Method": "POST"}


def names(headers):
    return {name.lower(): value for name, value in headers.items()}


class Pages(unittest.TestCase):
    def ask(self, host, method, path, body=None, **headers):
        status, body, got = host.request(method, path, body, headers)
        return status, body, names(got)

    def readable(self, host, expected, method, path, body=None):
        """The answer can be read by the page of SITE, and by no other."""
        status, text, headers = self.ask(host, method, path, body, Origin=SITE)
        self.assertEqual(status, expected, text)
        self.assertEqual(headers.get(ALLOW), SITE, (path, headers))
        self.assertEqual(headers.get("access-control-allow-credentials"), "true")
        self.assertEqual(headers.get("access-control-expose-headers"), "x-count")
        self.assertIn("origin", headers.get("vary", "").lower())
        other = self.ask(host, method, path, body, Origin="https://b.example")[2]
        self.assertNotIn(ALLOW, other)
        return text, headers

    def test_headers_stay_with_an_answer_that_is_no_reply(self):
        for chain in (CORS, NO_CHAIN, CHAIN):
            with Host(worker(), chain=chain) as host:
                for how, expected in (("nothing", 204), ("json", 200), ("made", 201)):
                    status, body, headers = self.ask(host, "GET", "odd/" + how, Origin=SITE)
                    self.assertEqual((status, headers.get("x-mark")), (expected, "set"), how)
                    self.assertEqual(headers.get(ALLOW), SITE if chain == CORS else None)
                self.assertEqual((body, headers["x-made"]), (b"made", "by hand"))
                self.assertEqual(self.ask(host, "GET", "odd/json")[1:][0], b'{"a":1}')
                self.assertEqual(self.ask(host, "GET", "odd/json")[2]["content-type"],
                                 "application/json")
                self.assertEqual(host.request("GET", "nothing")[0], 204)

    def test_headers_stay_with_the_hosts_answer_to_a_failure(self):
        for chain in (CORS.replace("  - error_handling\n", ""), NO_CHAIN, CHAIN):
            with Host(worker(), chain=chain) as host:
                for how, expected in (("fail", 409), ("late", 503), ("map", 500)):
                    status, body, headers = self.ask(host, "GET", "odd/" + how, Origin=SITE)
                    self.assertEqual((status, headers.get("x-mark")), (expected, "set"), how)
                    self.assertEqual(headers["content-type"], "application/problem+json")
                    self.assertEqual(json.loads(body)["status"], expected)
                    self.assertNotIn("etag", headers) # it was the function's body's
                    self.assertEqual(headers.get(ALLOW), SITE if "cors" in chain else None)

    def test_a_page_sees_the_hosts_own_answers(self):
        top = "http: {body_limit: 1KiB}\nhost: {cancel_grace: 100ms}\nqueue: {limit: 0}\n"
        with Host(worker(), top=top, chain="worker: {max_in_flight: 1}\n" + CORS) as host:
            self.readable(host, 413, "POST", "echo", b"x" * 2000)
            self.readable(host, 404, "GET", "nowhere")
            self.readable(host, 405, "DELETE", "echo")
            self.readable(host, 502, "POST", "crash")
            wait_until(lambda: host.get("nothing")[0] == 204)
            finish = host.start("GET", "once?ms=1000")
            host.wait_for_naps(1)
            self.readable(host, 503, "GET", "hello/x")
            finish()
            self.readable(host, 504, "GET", "stubborn?ms=3000")

    def test_a_page_sees_that_a_body_grew_too_large(self):
        with Host(worker(), top="http: {body_limit: 1KiB}", chain=CORS) as host:
            client = Client(host, "POST /api/echo HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n"
                            "Origin: " + SITE)
            client.chunk(b"x" * 2000)
            client.wait_for(b"\r\n\r\n")
            self.assertTrue(client.got.startswith(b"HTTP/1.1 413 Content Too Large\r\n"))
            self.assertIn(f"{ALLOW}: {SITE}\r\n".encode(), client.got)
            client.close()

    def test_a_page_may_ask_even_when_nobody_can_answer(self):
        with Host(worker(), chain=CORS) as host:
            status, _, headers = self.ask(host, "OPTIONS", "nowhere", **PREFLIGHT)
            self.assertEqual((status, headers[ALLOW]), (204, SITE))
            self.assertEqual(headers["access-control-allow-headers"], "x-own")
            other = dict(PREFLIGHT, Origin="https://b.example")
            self.assertEqual(self.ask(host, "OPTIONS", "nowhere", **other)[0], 404)
            self.assertEqual(self.ask(host, "OPTIONS", "echo", **PREFLIGHT)[0], 204)

    def test_a_page_sees_that_the_host_drains_or_its_worker_is_down(self):
        with Host(worker(more="restart_delay: 60s\nrestart_delay_max: 60s"), chain=CORS,
                  top="queue: {wait: 1s}") as host:
            def drain(word):
                subprocess.run([BIN + "/isoworker", word, host.folder.name], timeout=60, check=True,
                               capture_output=True)

            drain("drain")
            self.assertIn("retry-after", self.readable(host, 503, "POST", "echo", b"x")[1])
            self.assertEqual(self.ask(host, "OPTIONS", "echo", **PREFLIGHT)[2][ALLOW], SITE)
            drain("resume")
            self.readable(host, 200, "POST", "echo", b"x")
            self.readable(host, 502, "POST", "crash")
            while not re.search(r"starts again in \d{5} ms", host.log()):  # the first ones come at once
                host.request("POST", "crash")
            self.readable(host, 503, "POST", "echo", b"x")
            self.assertEqual(self.ask(host, "OPTIONS", "echo", **PREFLIGHT)[0], 204)

    def test_the_policy_is_that_of_the_chain_in_force(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            headers = self.ask(host, "DELETE", "echo", Origin=SITE)[2]
            self.assertNotIn(ALLOW, headers)
            self.assertNotIn("vary", headers)
            host.write("worker.yaml", CORS)
            host.wait_for("has read its configuration again")
            self.readable(host, 405, "DELETE", "echo")
            host.write("worker.yaml", NO_CHAIN)
            wait_until(lambda: host.log().count("has read its configuration again") == 2)
            self.assertNotIn(ALLOW, self.ask(host, "DELETE", "echo", Origin=SITE)[2])

    def test_a_worker_in_another_language_tells_its_facts_too(self):
        failing = worker(command=[SOURCE + "/integration/failing_worker.py"])
        site = "https://shop.a.example"
        with tempfile.TemporaryDirectory() as folder:
            with Host(failing, arguments=["--record", folder]) as host:
                own = {"Origin": site, "X-Odd": "hush-1", "Content-Type": "application/json"}
                status, _, got = host.request("GET", "fails/quiet", '{"nick": "hush-2"}', own)
                self.assertEqual((status, names(got)[ALLOW]), (503, site))
                self.assertEqual(names(got)["access-control-expose-headers"], "x-count")
                self.assertNotIn(ALLOW, names(host.request("GET", "fails/quiet")[2]))
            for name in os.listdir(folder):
                with open(os.path.join(folder, name)) as file:
                    self.assertNotIn("hush", file.read())
            self.assertEqual(len(os.listdir(folder)), 2)

    def test_problems_of_host_and_worker_have_one_shape(self):
        def shape(host, method, path, body=None):
            status, text, headers = host.request(method, path, body)
            self.assertEqual(names(headers)["content-type"], "application/problem+json")
            problem = json.loads(text)
            self.assertEqual(problem["type"], "about:blank")
            self.assertEqual(problem["title"], http.client.responses.get(status, "?").replace(
                "Request Entity Too Large", "Content Too Large"))
            self.assertEqual(problem["status"], status)
            if "invocation_id" in problem:
                self.assertEqual(problem["instance"],
                                 "urn:isoworker:invocation:" + problem["invocation_id"])
            return list(problem)

        shapes = []
        for chain in (CHAIN, NO_CHAIN):
            with Host(worker(), chain=chain, top="http: {body_limit: 1KiB}") as host:
                shapes.append([shape(host, "GET", path) for path in ("fail", "later")])
                shape(host, "GET", "nowhere")
                shape(host, "DELETE", "echo")
                shape(host, "POST", "echo", b"x" * 2000)
                shape(host, "POST", "crash")
        self.assertEqual(shapes[0], shapes[1])


if __name__ == "__main__":
    main()
