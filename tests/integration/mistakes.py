# SPDX-License-Identifier: Apache-2.0
"""What is the function's fault is no fault of its caller."""
import json
import unittest

from harness import CHAIN, NO_CHAIN, SOURCE, Host, main, worker

MISTAKES = {
    "status": "999 is no HTTP status", "informational": "150 is no HTTP status of an answer",
    "header": 'reply header "x-bad" has a control character', "unheeded": '"x bad" is no name',
    "type": 'reply header "content-type" has', "redirect": "no URI", "cookie": '"a b" is no name',
    "event": "id of an event has a line break", "begin": "204 has no body",
    "write": "call isw_http_begin", "output": 'no output "none"', "emit": 'no output "none"',
    "json": "cannot be JSON", "service": 'no service "none"', "file": "download_name",
    "deep": "nested deeper than 12 levels", "made": '"x-bad" has a control character',
    "made_status": "999 is no HTTP status",
    "null_header": 'isw_http_set_header: the value of "x-null" is NULL',
    "null_name": "isw_http_add_header: its name is NULL",
    "null_removed": "isw_http_remove_header: its name is NULL",
    "null_cookie": "isw_http_set_cookie: its cookie is NULL",
    "null_cookie_value": 'isw_http_set_cookie: the value of "c" is NULL',
    "null_json": "isw_http_reply_json: its value is NULL",
    "null_body": "isw_http_reply_bytes: its body is NULL, but its size is 5",
    "null_location": "isw_http_redirect: its location is NULL",
    "null_path": "isw_http_reply_file: its path is NULL",
    "null_event": "isw_http_event: its event is NULL", "null_output": "name of an output is NULL",
    "null_emitted": "isw_context_emit: its value is NULL",
    "null_service": "isw_context_service: its name is NULL",
    "null_bound": "isw_bind: its value to read from is NULL",
    "null_bytes": "the result cannot travel: bytes are NULL",
    "null_hand": "the result cannot travel: there is no HTTP reply, but NULL",
    "no_failure": "isw_fail was given ISW_OK at functions.c:",
    "no_failure_because": "isw_fail was given ISW_OK at functions.c:",
    "no_failure_as": "isw_fail was given ISW_OK", "no_failure_replied": "no failure to answer with",
    "no_text": "the result cannot travel: text is not UTF-8",
    "no_text_json": "the result cannot travel: text is not UTF-8",
    "no_text_typed": "the result cannot travel: text is not UTF-8",
}
CHAINS = (CHAIN, NO_CHAIN, "middleware:\n  - logging\n  - error_handling\n")
HEAD_TOO_LARGE = (r"ISW_E_FAILED: the headers of the answer have \d{5} bytes, more than the 32768 "
                  "that there is room for: send fewer")
TOO_LARGE = r"ISW_E_FAILED: the answer has \d{8,} bytes, more than the 67108864 that one answer"


class Mistakes(unittest.TestCase):
    def test_mistakes_of_a_function_are_500_and_an_error_with_its_name(self):
        for chain in CHAINS:
            with Host(worker(), chain=chain) as host:
                for how, why in MISTAKES.items():
                    status, body, _ = host.request("GET", "mistake/" + how)
                    self.assertEqual((status, json.loads(body)["status"]), (500, 500), how)
                    line = host.wait_for("ISW_E_FAILED: .*" + why.replace("(", r"\("))
                    self.assertRegex(line, r" error ")
                    self.assertIn('place="function mistake"', line)
                self.assertEqual(host.get("mistake/none"), (200, "x"))

    def test_a_header_of_nothing_is_sent_as_one(self):
        with Host(worker()) as host:
            status, _, headers = host.request("GET", "odd/empty")
            self.assertEqual((status, headers["x-empty"]), (204, ""))

    def test_a_failure_that_its_worker_does_not_log_is_logged_by_the_host(self):
        failing = worker(command=[SOURCE + "/integration/failing_worker.py"])
        with Host(failing, arguments=["--json"]) as host:
            for how in ("quiet", "murmurs", "replies", "later", "bare", "warns", "complains",
                        "logged", "end"):
                host.request("GET", "fails/" + how)
            host.wait_for("end at last")
            lines = [json.loads(line) for line in host.lines if '"Function.fails"' in line]
            self.assertEqual(
                [(line["level"], line["message"]) for line in lines],
                [("error", "ISW_E_UNAVAILABLE: quiet at last"),
                 ("error", "ISW_E_UNAVAILABLE: murmurs at last"),
                 ("error", "ISW_E_UNAVAILABLE: replies at last"),
                 ("info", "ISW_E_UNAVAILABLE: later at last"),
                 ("error", "ISW_E_FAILED: " + "the function failed"),
                 ("error", "ISW_E_UNAVAILABLE: end at last")])
            self.assertRegex(lines[0]["fields"].pop("request"), "^[0-9a-f]{32}$")
            self.assertEqual(lines[0]["fields"], {"type": "Sorry", "place": "f.py:7", "user": True,
                                                  "retriable": False})
            self.assertEqual((lines[0]["source"], lines[0]["function"]), ("test", "fails"))
            self.assertEqual(len(lines[0]["invocation_id"]), 32)

    def test_a_failure_that_its_worker_logs_is_logged_once(self):
        for chain in CHAINS:
            with Host(worker(), chain=chain) as host:
                for path in ("fail", "mistake/status", "later"):
                    host.request("GET", path)
                host.get("hello/x")
            self.assertEqual(len([line for line in host.lines if "this is for the op" in line]), 1)
            self.assertEqual(len([line for line in host.lines if "999 is no HTTP" in line]), 1)
        silent = "middleware:\n  - error_handling: {log: false}\n"
        with Host(worker(), chain=silent) as host:
            host.get("fail")
        self.assertNotIn("this is for the op", host.log())

    def test_an_answer_that_is_too_large_is_a_500_that_names_the_way_out(self):
        chain = "middleware:\n  - logging\n  - error_handling\n"
        for lane in ("ring", "message"):
            for chain in (chain, NO_CHAIN):
                with Host(worker(more="link: {lane: %s}" % lane), chain=chain) as host:
                    self.assertEqual(host.request("GET", "large?mib=63")[0], 200)
                    for mib in (64, 300):
                        self.assertEqual(host.request("GET", f"large?mib={mib}")[0], 500)
                    line = host.wait_for(TOO_LARGE)
                    self.assertIn("isw_http_write", line)
                    self.assertRegex(line, " error ")
                    if "logging" in chain:
                        host.wait_for("large ended .*ISW_E_FAILED.*http_status=500")

    def test_headers_that_cannot_be_sent_are_a_500_too(self):
        with Host(worker()) as host:
            self.assertEqual(host.request("GET", "bulky?n=90&bytes=200")[0], 200)
            for query in ("n=99&bytes=600", "n=1&bytes=60000", "n=3000&bytes=10"):
                status, body, _ = host.request("GET", "bulky?" + query)
                self.assertEqual((status, json.loads(body)["error"]), (500, "ISW_E_FAILED"))
            self.assertEqual(host.request("GET", "bulky?n=40&bytes=300&begin=1")[0], 200)
            self.assertEqual(host.request("GET", "bulky?n=1&bytes=60000&begin=1")[0], 500)
            line = host.wait_for(HEAD_TOO_LARGE)
            self.assertRegex(line, " error ")
            self.assertIn('place="function bulky"', line)

    def test_headers_that_cannot_be_sent_are_seen_by_the_chain(self):
        for chain in ("[logging, error_handling]", "[logging, compress]", "[logging]"):
            with Host(worker(), chain=f"middleware: {chain}\n") as host:
                for query in ("type=100000", "n=1&bytes=60000", "n=1&bytes=60000&begin=1",
                              "n=1&bytes=60000&fail=1", "n=1&bytes=60000&plain=1"):
                    status, body, _ = host.request("GET", "bulky?" + query)
                    self.assertEqual((status, json.loads(body)["status"]), (500, 500), query)
                self.assertEqual(host.request("GET", "bulky?n=1&bytes=32700")[0], 200)
                self.assertEqual(host.request("GET", "bulky?n=1&bytes=32768")[0], 500)
                self.assertEqual(host.get("hello/x")[0], 200)
                host.wait_for("hello ended")
                ends = [line for line in host.lines if "bulky ended" in line]
                self.assertEqual(len(ends), 7)
                self.assertEqual(len([end for end in ends if "ISW_E_FAILED" in end]), 6, ends)
                self.assertFalse([line for line in host.lines if "of its answer" in line])

    def test_a_request_takes_nothing_of_the_room_of_the_answers_headers(self):
        with Host(worker()) as host:
            cookies = {"Cookie": "; ".join(f"c{i}={'x' * 60}" for i in range(150))}
            status, _, headers = host.request("GET", "bulky?n=1&bytes=32000", headers=cookies)
            self.assertEqual(status, 200)
            self.assertGreater(sum(len(value) for value in headers.values()), 32000)

    def test_an_answer_may_be_large_before_it_is_compressed(self):
        chain = "middleware: [logging, compress]\n"
        with Host(worker(), chain=chain) as host:
            gzip = {"Accept-Encoding": "gzip"}
            status, body, headers = host.request("GET", "large?mib=70", headers=gzip)
            self.assertEqual((status, headers["content-encoding"]), (200, "gzip"))
            self.assertLess(len(body), 1 << 20)
            self.assertEqual(host.request("GET", "large?mib=70")[0], 500)


if __name__ == "__main__":
    main()
