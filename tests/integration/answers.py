# SPDX-License-Identifier: Apache-2.0
"""What callers get: answers of every kind, limits, and the chain that YAML declares."""
import hashlib
import http.client
import json
import os
import unittest

from harness import CHAIN, NO_CHAIN, Host, main, worker


class Answers(unittest.TestCase):
    def test_results_that_are_no_reply_are_answered_by_their_type(self):
        with Host(worker()) as host:
            status, body, headers = host.request("GET", "text")
            self.assertEqual((status, body), (200, b'{"a":1}'))
            self.assertEqual(headers["content-type"], "application/json")
            self.assertEqual(host.request("GET", "nothing")[:2], (204, b""))

    def test_a_failure_is_a_problem_that_hides_its_details(self):
        with Host(worker()) as host:
            status, body, headers = host.request("GET", "fail")
            self.assertEqual(status, 409)
            self.assertEqual(headers["content-type"], "application/problem+json")
            self.assertNotIn(b"operator", body)
            host.wait_for("ISW_E_CONFLICT: this is for the operator")

    def test_a_failure_without_error_handling_is_a_problem_of_the_host(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            status, body, headers = host.request("GET", "fail")
            self.assertEqual((status, headers["Content-Type"]), (409, "application/problem+json"))
            self.assertNotIn(b"operator", body)

    def test_retry_later_is_503_with_retry_after(self):
        with Host(worker()) as host:
            status, _, headers = host.request("GET", "later")
            self.assertEqual((status, headers["retry-after"]), (503, "2"))
        with Host(worker(), chain=NO_CHAIN) as host:
            status, _, headers = host.request("GET", "later")
            self.assertEqual((status, headers["Retry-After"]), (503, "2"))

    def test_an_invocation_takes_no_memory_once_the_worker_is_warm(self):
        bodies = {"ring": (100, 5000, 70000, 1 << 20), "message": (100, 5000)}
        for lane, sizes in bodies.items():
            with Host(worker(more="link: {lane: %s}" % lane),
                      top="host: {heartbeat: 60s}") as host:
                def work():
                    for size in sizes:
                        self.assertEqual(host.request("POST", "echo", b"x" * size)[0], 200)
                    for path, status in (("hello/x", 200), ("fill?ms=1", 200), ("fill?ms=20", 200),
                                         ("text", 200), ("fail", 409), ("later", 503)):
                        self.assertEqual(host.get(path)[0], status)

                # A second place may come into use at any time, and then gets warm itself.
                counts = [1]
                while counts[-1] and len(counts) < 10:
                    before = int(host.get("allocations")[1])
                    for _ in range(20):
                        work()
                    counts.append(int(host.get("allocations")[1]) - before)
                self.assertEqual(counts[-1], 0, f"{lane}: {counts[1:]}")

    def test_a_large_body_comes_back_whole(self):
        body = os.urandom(5 * 1024 * 1024)
        with Host(worker()) as host:
            status, back, _ = host.request("POST", "echo", body)
            self.assertEqual(status, 200)
            self.assertTrue(back == body)

    def test_a_body_over_the_limit_is_413(self):
        with Host(worker(), top="http: {body_limit: 64KiB}") as host:
            self.assertEqual(host.request("POST", "echo", b"x" * 65536)[0], 200)
            self.assertEqual(host.request("POST", "echo", b"x" * 65537)[0], 413)

    def test_paths_and_methods_are_told_apart(self):
        with Host(worker()) as host:
            self.assertEqual(host.get("nowhere")[0], 404)
            status, _, headers = host.request("POST", "hello/x")
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            self.assertEqual(host.get("hello/gr%C3%BC%C3%9Fe"), (200, "Hello, grüße!\n"))

    def test_a_prefix_of_nothing_serves_at_the_root(self):
        with Host(worker(), top='http: {prefix: ""}') as host:
            connection = http.client.HTTPConnection("127.0.0.1", host.port)
            connection.request("GET", "/hello/root")
            self.assertEqual(connection.getresponse().read(), b"Hello, root!\n")
            connection.close()

    def test_the_callers_baggage_reaches_the_function(self):
        with Host(worker()) as host:
            parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            headers = {"traceparent": parent, "baggage": "tier=gold, user=J%C3%BCrgen;x=1"}
            status, body, _ = host.request("GET", "trace", headers=headers)
            self.assertEqual((status, body.decode()), (200, parent + " J\u00fcrgen"))

    def test_a_failure_keeps_its_shape_to_the_caller_and_the_log(self):
        chain = "middleware:\n  - error_handling: { expose_details: true }\n"
        for chain, details in ((chain, True), (CHAIN, False), (NO_CHAIN, False)):
            with Host(worker(), chain=chain, arguments=["--json"]) as host:
                status, body, _ = host.request("GET", "shape")
                self.assertEqual(status, 429)
                problem = json.loads(body)
                self.assertEqual((problem["error"], problem["retriable"]), ("ISW_E_BUSY", True))
                self.assertEqual(problem.get("detail"),
                                 "could not place order 7" if details else None)
                self.assertEqual(problem.get("causes"), [{
                    "error": "ISW_E_UNAVAILABLE", "message": "the database is locked",
                    "type": "sqlite.BUSY", "place": "db.c:12"}] if details else None)
                line = json.loads(host.wait_for("could not place order 7"))
                self.assertEqual(line["invocation_id"], problem["invocation_id"])
                self.assertRegex(line["fields"].pop("place"), r"^functions\.c:\d+$")
                self.assertEqual(line["fields"], {
                    "causes": ["the database is locked (sqlite.BUSY, db.c:12)"],
                    "user": True, "retriable": True})

    def test_outputs_go_where_their_type_says(self):
        with Host(worker()) as host:
            self.assertEqual(host.request("POST", "tell")[0], 200)
            host.wait_for('Output: "one" function=tell output=news')
            host.wait_for("Output: 2 function=tell output=news")

    def test_trace_context_reaches_the_function(self):
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        with Host(worker()) as host:
            status, body, _ = host.request("GET", "trace", headers={"traceparent": parent})
            self.assertEqual((status, body.decode()), (200, parent))

    def test_a_timeout_in_host_yaml_beats_the_functions_own(self):
        top = "functions:\n  - {name: 'na*', timeout: 100ms}\n"
        with Host(worker(), top=top) as host:
            status, _, seconds = host.start("GET", "nap?ms=5000")()
            self.assertEqual(status, 504)
            self.assertLess(seconds, 4)

    def test_the_chain_runs_in_the_order_of_the_list(self):
        """logging outside of error_handling sees the bytes that it made; inside it does not. The
        line has the answer's status either way."""
        outside = "middleware:\n  - logging\n  - error_handling\n"
        inside = "middleware:\n  - error_handling\n  - logging\n"
        for chain, expected in ((outside, True), (inside, False)):
            with Host(worker(), chain=chain) as host:
                host.get("fail")
                line = host.wait_for("Invocation: fail ended")
                self.assertEqual("out_bytes=0 " not in line, expected, line)
                self.assertIn("status=ISW_E_CONFLICT", line)
                self.assertIn("http_status=409", line)

    def test_the_chain_is_extended_by_hand(self):
        digest = hashlib.sha256(b"00112233445566778899aabbccddeeff" + b"sesame").hexdigest()
        chain = CHAIN + ("  - auth:\n      when: {functions: [echo]}\n      keys:\n"
                         "        - name: me\n          hash: sha256:"
                         f"00112233445566778899aabbccddeeff:{digest}\n")
        with Host(worker(), chain=chain) as host:
            self.assertEqual(host.get("hello/x")[0], 200)
            self.assertEqual(host.request("POST", "echo")[0], 401)
            key = {"x-functions-key": "sesame"}
            self.assertEqual(host.request("POST", "echo", b"x", key)[:2], (200, b"x"))

    def test_levels_by_category_reach_the_worker(self):
        top = ("logging:\n  level: warning\n  levels:\n"
               "    - {category: 'Function.forge', level: info}\n")
        with Host(worker(), top=top, chain="middleware: [logging]") as host:
            host.get("forge")
            host.wait_for("Function.forge: first")
        self.assertNotIn("Invocation", host.log())


if __name__ == "__main__":
    main()
