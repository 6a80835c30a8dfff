# SPDX-License-Identifier: Apache-2.0
"""What functions print: it is seen at once, and with the invocation where only one can have."""
import json
import os
import unittest

from harness import Host, main, wait_until, worker
from operators import ask

ALONE = "worker: {concurrency: 1}\nmiddleware:\n  - error_handling\n"


OR_BY_A_SANITIZER = "|it exited with status" if os.environ.get("ISOWORKER_SANITIZE") else ""


class Prints(unittest.TestCase):
    def test_a_line_is_there_with_its_function_and_invocation(self):
        for lane in ("ring", "message"):
            with Host(worker(more=f"link: {{lane: {lane}}}")) as host:
                for number in range(20):
                    host.get("hello/x")
                    status, invocation = host.get(f"prints?text=line-{number}-&line=1")
                    self.assertEqual(status, 200)
                    host.wait_for(rf"info +test stdout: line-{number}- function=prints "
                                  rf"\({invocation}\)")

    def test_a_line_is_there_while_its_function_runs(self):
        with Host(worker()) as host:
            for end in ("", "&line=1"):
                finish = host.start("GET", f"prints?ms=3000&text=now{end[1:5]}{end}")
                line = host.wait_for(rf"stdout: now{end[1:5]} function=prints")
                self.assertEqual(finish()[:2], (200, line.rsplit("(")[-1].rstrip(")")))

    def test_the_last_words_of_a_process_that_crashes_are_seen(self):
        with Host(worker(more="give_up_after: 100")) as host:
            for number in (6, 9) if os.environ["ISOWORKER_SANITIZE"] else (6, 9, 11):
                wait_until(lambda: host.get("hello/x")[0] == 200)
                self.assertEqual(host.get(f"prints?text=last-{number}&crash={number}")[0], 502)
                host.wait_for(rf"info +test stdout: last-{number} function=prints \([0-9a-f]+\)")
                host.wait_for(f"it was ended by signal {number}" + OR_BY_A_SANITIZER)

    def test_lines_of_several_that_run_at_once_are_nobodys(self):
        with Host(worker(), chain="worker: {concurrency: 8}\n") as host:
            busy = host.start("GET", "once?ms=3000")
            host.wait_for_naps(1)
            self.assertEqual(host.get("prints?text=whose&line=1")[0], 200)
            self.assertRegex(host.wait_for("stdout: whose"), "stdout: whose$")
            busy()

    def test_what_nobody_ended_is_shown_with_its_invocation(self):
        with Host(worker()) as host:
            ids = [host.get(f"prints?text=part{number}")[1] for number in range(3)]
            for number, invocation in enumerate(ids):
                host.wait_for(rf"stdout: part{number} function=prints \({invocation}\)")

    def test_machines_and_the_log_command_see_whose_it_is(self):
        with Host(worker(), arguments=["--json"]) as host:
            invocation = host.get("prints?text=seen&line=1")[1]
            line = json.loads(host.wait_for('"message":"seen"'))
            self.assertEqual((line["function"], line["invocation_id"], line["category"]),
                             ("prints", invocation, "stdout"))
            shown = ask(host, "logs", "--function", "prints")
            self.assertIn("seen", shown)

    def test_output_that_is_no_text_harms_nothing(self):
        with Host(worker()) as host:
            host.get("prints?line=1&text=%C3%A9%1B%5B31m" + "x" * 5000)
            host.wait_for(r"stdout: \u00e9\\x1b\[31mx+")
            self.assertEqual(host.get("hello/x")[0], 200)


if __name__ == "__main__":
    main()
