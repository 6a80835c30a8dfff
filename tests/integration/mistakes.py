# SPDX-License-Identifier: Apache-2.0
"""What is the function's fault is no fault of its caller."""
import json
import unittest

from harness import CHAIN, NO_CHAIN, Host, main, worker

MISTAKES = {
    "status": "999 is no HTTP status", "informational": "150 is no HTTP status of an answer",
    "header": 'reply header "x-bad" has a control character', "unheeded": '"x bad" is no name',
    "type": 'reply header "content-type" has', "redirect": "no URI", "cookie": '"a b" is no name',
    "event": "id of an event has a line break", "begin": "204 has no body",
    "write": "call isw_http_begin", "output": 'no output "none"', "emit": 'no output "none"',
    "json": "cannot be JSON", "service": 'no service "none"', "file": "download_name",
    "deep": "nested deeper than 12 levels", "made": '"x-bad" has a control character',
    "made_status": "999 is no HTTP status",
}
CHAINS = (CHAIN, NO_CHAIN, "middleware:\n  - logging\n  - error_handling\n")
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
