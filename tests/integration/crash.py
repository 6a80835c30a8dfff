# SPDX-License-Identifier: Apache-2.0
"""What a crash leaves: the signal, the function, the invocation, and where it happened."""
import json
import os
import re
import subprocess
import threading
import unittest

from harness import BIN, NO_CHAIN, WORKER, Host, main, wait_until, worker

KINDS = {
    "segv": (r"SIGSEGV at address 0x8", "fault"),
    "call": (r"SIGSEGV at address 0x0", "call_nothing"),
    "abort": (r"SIGABRT", "fault"),
    "divide": (r"SIGFPE at address 0x[0-9a-f]+", "fault"),
    "bus": (r"SIGBUS at address 0x[0-9a-f]+", "read_beyond_a_file"),
    "stack": (r"SIGSEGV at address 0x[0-9a-f]+", "overflow_the_stack"),
    "heap": (r"SIGABRT", "fault"),
    "trap": (r"SIGILL at address 0x[0-9a-f]+", "fault"),
}


def wait_for_service(host):
    """It starts again, later each time unless it has answered between."""
    wait_until(lambda: host.get("hello/Ada")[0] == 200)


def invocation_of(body):
    return json.loads(body)["invocation_id"]


class Silent(unittest.TestCase):
    def test_one_that_ends_without_a_word_is_told_with_what_it_ran(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            status, body, _ = host.request("POST", "crash")
            self.assertEqual(status, 502)
            host.wait_for(r"worker test: it was ended by signal 9 \(Killed\) while it ran crash "
                          rf"\(invocation {invocation_of(body)}\); starts again")
            naps = [host.start("GET", "nap?ms=60000") for _ in range(2)]
            host.wait_for_naps(2)
            os.kill(int(host.get("pid")[1].split()[0]), 9)
            self.assertEqual([nap()[0] for nap in naps], [502, 502])
            host.wait_for(r"it was ended by signal 9 \(Killed\) while it ran 2 invocations, of nap and")


@unittest.skipIf(os.environ["ISOWORKER_SANITIZE"], "a sanitizer reports crashes itself")
class Crash(unittest.TestCase):
    def crash(self, host, kind):
        status, body, _ = host.request("POST", "fault/" + kind)
        self.assertEqual(status, 502)
        invocation = invocation_of(body)
        head, function = KINDS[kind]
        host.wait_for(f"test Crash: {head} in function fault, invocation {invocation}")
        host.wait_for(rf"#\d+ +{function} at functions\.c:\d+ \({invocation}\)")
        self.assertNotIn("functions.c", body.decode())

    def test_each_kind_is_told_with_its_place(self):
        for lane in ("ring", "message"):
            with Host(worker(more=f"link: {{lane: {lane}}}"), chain=NO_CHAIN) as host:
                for kind in KINDS:
                    wait_for_service(host)
                    self.crash(host, kind)
                wait_for_service(host)

    def test_two_threads_at_once_leave_one_report(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            for _ in range(5):
                threads = [threading.Thread(target=host.request, args=("POST", "fault/segv"))
                           for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                wait_for_service(host)
            self.assertNotIn("could not be read", host.log())
            for line in (line for line in host.lines if "Crash: SIG" in line):
                self.assertRegex(line, r"SIGSEGV at address 0x8 in function fault, invocation \w{32} ")

    def test_json_has_function_and_invocation(self):
        with Host(worker(), chain=NO_CHAIN, arguments=["--json"]) as host:
            _, body, _ = host.request("POST", "fault/segv")
            line = json.loads(host.wait_for(r"SIGSEGV"))
            self.assertEqual(line["function"], "fault")
            self.assertEqual(line["invocation_id"], invocation_of(body))
            self.assertEqual((line["level"], line["category"]), ("error", "Crash"))

    def test_it_can_be_switched_off(self):
        with Host(worker(), chain="worker: {crash_report: false}\n") as host:
            self.assertEqual(host.request("POST", "fault/segv")[0], 502)
            host.wait_for("was ended by signal 11")
            wait_for_service(host)
            self.assertNotIn("Crash:", host.log())

    def test_without_a_host_it_is_told_on_standard_error(self):
        done = subprocess.run([WORKER, "invoke", "fault", "--param", "kind=bus"],
                              env=dict(os.environ, PATH=BIN), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, -7)
        self.assertRegex(done.stderr, r"isoworker: crashed with signal 7\n"
                                      r"SIGBUS at address 0x\w+ in function fault, invocation \w{32}")
        self.assertRegex(done.stderr, r"#0 +read_beyond_a_file at functions\.c:\d+")
        done = subprocess.run([WORKER, "invoke", "fault", "--param", "kind=bus"],
                              env=dict(os.environ, PATH="/nowhere"), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertRegex(done.stderr, r"signal 7\nfunction fault\ninvocation \w{32}\n$")

    def test_a_report_that_is_none_is_refused(self):
        for text in ("", "hello\n", "isoworker crash 2\n"):
            done = subprocess.run([BIN + "/isoworker", "symbolize"], input=text, text=True,
                                  capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 65)
        for text in ("isoworker crash 1\nsignal 99999999999999\nplace zz\nmaps\nx\n",
                     "isoworker crash 1\nfunction " + "f" * 9000 + "\nframes\n" + "frame 1\n" * 500,
                     "isoworker crash 1\n" + "place 1\n" * 500):
            done = subprocess.run([BIN + "/isoworker", "symbolize"], input=text, text=True,
                                  capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    main()
