# SPDX-License-Identifier: Apache-2.0
"""`isoworker run --debug FUNCTION`, in a terminal of its own as a person has one."""
import os
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.request

from harness import BIN, PATIENCE_S, Host, Terminal, main, worker

EX_CONFIG = 78


@unittest.skipUnless(shutil.which("gdb"), "there is no gdb")
@unittest.skipIf(os.environ["ISOWORKER_SANITIZE"], "gdb and a sanitizer's start do not go together")
class Debug(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-debug-")
        self.path = self.folder.name
        with open(self.path + "/host.yaml", "w") as file:
            file.write("host: {control: false}\nworkers:\n" + worker(more="processes: 2"))
        with open(self.path + "/worker.yaml", "w") as file:
            file.write("middleware: [error_handling]\n")

    def tearDown(self):
        self.folder.cleanup()

    def test_a_breakpoint_stops_in_the_handler_and_goes_on(self):
        terminal = Terminal("run", self.path, "--port", "0", "--debug", "hello")
        terminal.wait_for("worker test.* runs under gdb here, which stops in function hello")
        port = terminal.wait_for(r"functions at http://127\.0\.0\.1:(\d+)").group(1)
        answers = []

        def ask():
            url = f"http://127.0.0.1:{port}/api/hello/Ada"
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                answers.append(answer.read())

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        terminal.wait_for(r"Breakpoint 3, hello \(ctx=0x[0-9a-f]{6,}\)\s+at .*functions\.c:\d+")
        terminal.type("bt 2")
        terminal.wait_for(r"#1 .*call_handler")
        self.assertEqual(answers, [])
        terminal.type("continue")
        thread.join(PATIENCE_S)
        self.assertEqual(answers, [b"Hello, Ada!\n"])
        terminal.type("\x03", end="")  # stops what runs, and not the host
        terminal.wait_for(r"SIGINT.*\n(?s:.)*\(gdb\)")
        terminal.type("quit")
        self.assertEqual(terminal.end(), 0)

    def test_nothing_times_out_meanwhile(self):
        chain = "middleware: [timeout: {after: 100ms}]\n"
        with Host(worker(), chain=chain) as host:
            self.assertNotEqual(host.get("once?ms=400")[0], 200)
        with Host(worker(), chain=chain, arguments=["--debug"]) as host:
            self.assertEqual(host.get("once?ms=400")[0], 200)
            self.assertEqual(host.get("nap?ms=800")[0], 200)  # it says 500 ms itself

    def test_a_function_that_nobody_has_is_refused_with_those_there_are(self):
        done = subprocess.run([BIN + "/isoworker", "run", self.path, "--debug=nix"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, EX_CONFIG)
        self.assertRegex(done.stderr, 'no worker has a function "nix" to debug; there are: again, ')

    def test_a_program_of_the_same_name_is_not_taken_for_the_folder(self):
        open(os.path.join(self.path, "hello"), "w").close()
        done = subprocess.run([BIN + "/isoworker", "run", "--debug", "hello"], cwd=self.path,
                              env=dict(os.environ, PATH="/nowhere"), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertIn("--debug hello needs gdb", done.stderr)

    def test_without_gdb_it_says_how_to_get_it(self):
        done = subprocess.run([BIN + "/isoworker", "run", self.path, "--debug", "hello"],
                              env=dict(os.environ, PATH="/nowhere"), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, EX_CONFIG)
        self.assertIn("--debug hello needs gdb; on Debian: apt-get install gdb", done.stderr)


if __name__ == "__main__":
    main()
