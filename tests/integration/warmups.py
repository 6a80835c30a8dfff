# SPDX-License-Identifier: Apache-2.0
"""Functions that warm a process up: in each, before its calls; and starts that fail by them."""
import json
import os
import re
import shutil
import signal
import unittest

from harness import BIN, Host, main, wait_until, worker
from operators import ask, function_of, process_of, report, run

WARMUP = BIN + "/../tests/workers/test_warmup"


def warmups(how="", more="", **options):
    environment = f"\nenvironment: {{WARMUP: {how}}}" if how else ""
    return Host(worker("test", [WARMUP], more + environment), **options)


def who(host):
    status, text = host.get("who")
    assert status == 200, text
    pid, state = text.split()
    return int(pid), state


def mend(host):
    host.write("mended", "")


class Warmups(unittest.TestCase):
    def test_they_run_in_each_process_before_it_gets_a_call_one_after_the_other(self):
        with warmups(more="processes: 3") as host:
            host.wait_for("second in .* behind the first")
            wait_until(lambda: all(p["state"] == "ready" for p in report(host)["processes"]))
            self.assertEqual(who(host)[1], "warm")
            ran = re.findall(r"(first|second) in (\d+)", host.log())
            for process in report(host)["processes"]:
                own = [name for name, pid in ran if int(pid) == process["pid"]]
                self.assertEqual(own, ["first", "second"])
            self.assertEqual(function_of(host, "second")["invocations"], 3)

    def test_a_process_that_takes_the_place_of_another_is_warm(self):
        with warmups() as host:
            before, state = who(host)
            self.assertEqual(state, "warm")
            os.kill(before, signal.SIGKILL)
            after, state = who(host)  # it waits for the next one
            self.assertEqual((state, after != before), ("warm", True))
            ask(host, "restart")
            last, state = who(host)
            self.assertEqual((state, last != after), ("warm", True))

    def test_one_that_is_forked_is_warm(self):
        with warmups(more="start: warm") as host:
            pid, _ = who(host)
            wait_until(lambda: report(host)["templates"][0]["state"] == "ready")
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(who(host)[1], "warm")
            self.assertEqual(process_of(host)["start"], "forked")

    def test_what_it_puts_out_is_kept(self):
        with warmups() as host:
            code, out, err = run("queue", "list", "news", "-C", host.folder.name, "--json")
            self.assertEqual((code, json.loads(out)["queues"][0]["ready"]), (0, 1), err)


class Failures(unittest.TestCase):
    SLOW = "restart_delay: 1h\nrestart_delay_max: 1h"

    def test_one_that_fails_is_a_start_that_failed_and_is_tried_again(self):
        with warmups("fail", "restart_delay: 20ms\nrestart_delay_max: 20ms\ngive_up_after: 1000",
                     settled=None) as host:
            host.wait_for(r"worker test: its warmup function second failed: there is no model; "
                          r"starts again in [1-9]\d* ms")
            mend(host)
            host.wait_for("Ctrl-C ends")
            wait_until(lambda: process_of(host)["state"] == "ready")

    def test_the_status_says_which_one_failed(self):
        with warmups("fail", self.SLOW, settled="starts again in [1-9]") as host:
            process = process_of(host)
            self.assertEqual(process["state"], "restarting")
            self.assertIn("its warmup function second failed: there is no model",
                          process["detail"])

    def test_after_too_many_the_worker_is_given_up(self):
        with warmups("fail", "restart_delay: 1ms\nrestart_delay_max: 1ms\ngive_up_after: 3",
                     settled=None, expect=69) as host:
            host.wait_for("given up after too many ends in a row: its warmup function second failed")
            host.wait_for("<end>")
            self.assertEqual(len(re.findall("second in", host.log())), 3)

    def test_a_crash_names_it(self):
        with warmups("crash", self.SLOW, settled="starts again in [1-9]") as host:
            host.wait_for(r"it was ended by signal 6 \(Aborted\) in its warmup function second")

    def test_one_in_the_hosts_own_process_ends_there(self):
        host = Host(worker("test", ["isoworker", "worker", "./warmup.so"], "isolation: none"),
                    settled=None, expect=78, prepare=lambda: os.environ.update(WARMUP="fail"))
        os.chmod(host.folder.name, 0o700)
        shutil.copy(os.path.join(os.path.dirname(WARMUP), "warmup.so"), host.folder.name)
        os.chmod(os.path.join(host.folder.name, "warmup.so"), 0o755)
        with host:
            host.wait_for("given up: its warmup function second failed: there is no model")
            host.wait_for("<end>")
            self.assertNotIn("left behind", host.log())

    def test_start_timeout_bounds_it(self):
        with warmups("hang", "start_timeout: 700ms\n" + self.SLOW, settled=None) as host:
            host.wait_for("second in")
            wait_until(lambda: "starts again" in host.log() or
                       (process_of(host)["state"], process_of(host).get("detail")) ==
                       ("warming up", "function second runs"))
            host.wait_for(r"its warmup function second was not over within 700 ms of its start "
                          r"\(start_timeout\)")

    def test_the_one_before_stays_when_its_successor_cannot_be_warmed_up(self):
        host = warmups("fail", self.SLOW)
        mend(host)
        with host:
            pid, _ = who(host)
            os.unlink(os.path.join(host.folder.name, "mended"))
            code, out, err = run("restart", host.folder.name)
            self.assertNotEqual(code, 0, out)
            self.assertIn("its warmup function second failed", out + err)
            self.assertEqual(who(host), (pid, "warm"))


if __name__ == "__main__":
    main()
