# SPDX-License-Identifier: Apache-2.0
"""A configuration that changes while the host runs: nothing is lost, a bad one changes nothing."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import tempfile
import threading
import unittest

from harness import BIN, CHAIN, NO_CHAIN, WORKER, Host, main, wait_until, worker
from operators import ask, report

READ = r"worker test has read its configuration again and runs by it; (\d+) functions?"
FORBIDDING = ("middleware:\n"
              "  - error_handling\n"
              "  - auth: {keys: [{name: test, hash: 'sha256:%s:%s'}]}\n" % ("0" * 32, "0" * 64))


def describe(host, *names):
    return subprocess.run([BIN + "/isoworker", "describe", host.folder.name, *names], text=True,
                          capture_output=True, timeout=30, check=True).stdout


def status(host):
    return subprocess.run([BIN + "/isoworker", "status", host.folder.name], text=True,
                          capture_output=True, timeout=30, check=True).stdout


def replace(host, text):
    """As editors do: a new file in the place of the old one."""
    host.write("worker.yaml.new", text)
    folder = host.folder.name
    os.replace(folder + "/worker.yaml.new", folder + "/worker.yaml")


class Reload(unittest.TestCase):
    def test_a_changed_file_is_in_force_at_once(self):
        with Host(worker(), chain=NO_CHAIN) as host:
            self.assertEqual(host.get("hello/Ada")[0], 200)
            host.write("worker.yaml", FORBIDDING)
            host.wait_for(READ)
            self.assertEqual(host.get("hello/Ada")[0], 401)
            self.assertIn("chain    error_handling > auth > handler", describe(host, "hello"))
            replace(host, NO_CHAIN)
            wait_until(lambda: len([line for line in host.lines if "has read" in line]) == 2)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertIn("hello\n  worker   test\n  trigger  http GET http://127.0.0.1:",
                          describe(host))
            self.assertIn("  chain    handler\n", describe(host, "hello"))

    def linked(self, folder, name, target):
        """As ln -sfn does: a new link in the place of the old one."""
        os.symlink(target, os.path.join(folder, "new-link"))
        os.replace(os.path.join(folder, "new-link"), os.path.join(folder, name))

    def test_a_file_that_is_linked_from_elsewhere_is_followed(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as other:
            with open(other + "/real.yaml", "w") as file:
                file.write(NO_CHAIN)
            host = Host(worker(), chain=NO_CHAIN)
            self.linked(host.folder.name, "worker.yaml", other + "/real.yaml")
            with host:
                self.assertEqual(host.get("hello/Ada")[0], 200)
                with open(other + "/real.yaml", "w") as file:
                    file.write(FORBIDDING)
                wait_until(lambda: host.get("hello/Ada")[0] == 401)
                with open(other + "/next.yaml", "w") as file:
                    file.write(NO_CHAIN)
                os.replace(other + "/next.yaml", other + "/real.yaml")
                wait_until(lambda: host.get("hello/Ada")[0] == 200)
                with open(other + "/third.yaml", "w") as file:
                    file.write(FORBIDDING)
                os.unlink(host.folder.name + "/worker.yaml")
                os.symlink(other + "/third.yaml", host.folder.name + "/worker.yaml")
                wait_until(lambda: host.get("hello/Ada")[0] == 401)

    def test_a_folder_that_is_switched_by_a_link_is_followed(self):
        """Kubernetes: worker.yaml -> ..data/worker.yaml, and ..data -> a folder for each version.
        A deployment: current -> releases/N, with the application below it."""
        with tempfile.TemporaryDirectory(prefix="isw-") as other:
            for version, chain in enumerate((NO_CHAIN, FORBIDDING, NO_CHAIN)):
                os.makedirs(f"{other}/releases/{version}")
                with open(f"{other}/releases/{version}/worker.yaml", "w") as file:
                    file.write(chain)
            self.linked(other, "..data", "releases/0")
            host = Host(worker(), chain=NO_CHAIN)
            self.linked(host.folder.name, "worker.yaml", other + "/..data/worker.yaml")
            with host:
                self.assertEqual(host.get("hello/Ada")[0], 200)
                self.linked(other, "..data", "releases/1")
                wait_until(lambda: host.get("hello/Ada")[0] == 401)
                self.linked(other, "..data", other + "/releases/2")
                wait_until(lambda: host.get("hello/Ada")[0] == 200)
                with open(other + "/releases/2/worker.yaml", "w") as file:
                    file.write(FORBIDDING)
                wait_until(lambda: host.get("hello/Ada")[0] == 401)

    def test_sighup_has_it_read(self):
        with Host(worker(), chain="middleware: [error_handling]\n",
                  top="logging: {level: debug}") as host:
            host.process.send_signal(signal.SIGHUP)
            host.wait_for("workers are to read their configurations")
            line = host.wait_for(READ)
            self.assertIn("; 0 functions", line)
            self.assertIn("debug", line)

    def test_sighup_that_changes_nothing_is_one_line(self):
        with Host(worker(more="processes: 3"), chain="middleware: [error_handling]\n",
                  top="http: {access_log: {to: access.log}}") as host:
            path = os.path.join(host.folder.name, "access.log")
            before = host.log()
            os.rename(path, path + ".1")
            host.process.send_signal(signal.SIGHUP)
            wait_until(lambda: host.get("hello/Ada")[0] == 200 and os.path.exists(path) and
                       os.path.getsize(path))
            host.write("worker.yaml", FORBIDDING)  # of which each process has a line
            wait_until(lambda: len(re.findall(r"test\[\d\] has read its", host.log())) == 3)
            lines = host.log()[len(before):].split("worker.yaml has changed")[0].splitlines()
            self.assertEqual(len([line for line in lines if " host: " in line]), 2, lines)

    def test_a_bad_file_keeps_the_old_chain_and_says_why(self):
        with Host(worker(), chain=FORBIDDING) as host:
            host.write("worker.yaml", "middleware:\n  - error_handlin\n")
            line = host.wait_for("worker test keeps the configuration that it has")
            self.assertIn('worker.yaml:2:5: unknown name "error_handlin" in "middleware"; '
                          'did you mean "error_handling"?', line)
            self.assertEqual(host.get("hello/Ada")[0], 401)
            replace(host, NO_CHAIN)
            host.wait_for(READ)
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_a_file_that_is_cut_to_nothing_changes_nothing(self):
        with Host(worker(), chain=FORBIDDING) as host:
            for text in ("", "# nothing\n", "---\n"):
                host.lines.clear()
                replace(host, text)
                line = host.wait_for("worker test keeps the configuration that it has")
                self.assertRegex(line, r"worker.yaml:[12]:1: the document is empty")
                self.assertEqual(host.get("hello/Ada")[0], 401)
            replace(host, NO_CHAIN)
            host.wait_for(READ)
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def attention(self, host, words):
        """Wait until the status has one sentence, and it holds the words; or none for none."""
        wait_until(lambda: (" ".join(report(host).get("attention", [])) == "") if not words else
                   any(words in line for line in report(host).get("attention", [])))

    def test_a_refused_file_stands_in_the_status_until_it_is_mended(self):
        with Host(worker()) as host:
            self.assertEqual(report(host).get("attention", []), [])
            host.write("worker.yaml", "worker: {concurency: 1}\nmiddleware: [nix]\n")
            self.attention(host, "worker test keeps the configuration that it has; the new one was "
                                 "refused: worker.yaml:1:10: unknown option \"concurency\"")
            self.attention(host, "worker.yaml:2:14: unknown name \"nix\"")
            self.assertIn("\n! worker test keeps the configuration", ask(host, "status"))
            host.write("worker.yaml", NO_CHAIN)
            self.attention(host, "")

    def test_what_waits_for_a_start_stands_in_the_status(self):
        with Host(worker()) as host:
            host.write("worker.yaml", "worker: {concurrency: 3}\n" + CHAIN)
            self.attention(host, "worker.yaml:1:10: concurrency has changed, and stays as it was")
            host.write("worker.yaml", CHAIN)
            self.attention(host, "")
            with open(host.folder.name + "/host.yaml") as file:
                text = file.read()
            host.write("host.yaml", text + "record: {keep: 5}\n")
            self.attention(host, "host.yaml has changed; what of it is not in force needs a restart")
            host.write("host.yaml", "")
            self.attention(host, "host.yaml has changed and is wrong, and the host goes on as it "
                                 "was: ")
            host.write("host.yaml", "# the same\n" + text)
            self.attention(host, "")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_program_that_was_built_anew_stands_in_the_status(self):
        with tempfile.TemporaryDirectory() as folder:
            program = folder + "/program"
            os.symlink(WORKER, program)
            with Host(worker(command=[program])) as host:
                self.assertEqual(report(host).get("attention", []), [])
                os.unlink(program)
                shutil.copy2(WORKER, program)
                self.attention(host, f"worker test runs what {program} was before it changed")

    def test_an_order_that_cannot_be_meant_is_told(self):
        with Host(worker()) as host:
            host.write("worker.yaml", FORBIDDING + "  - cors: {origins: ['https://a.example']}\n")
            self.attention(host, "cors stands inside of auth (worker.yaml:3:5) for function again")
            host.write("worker.yaml", CHAIN)
            self.attention(host, "")

    def test_what_runs_ends_with_the_chain_that_it_began_with(self):
        with Host(worker(), chain=CHAIN) as host:
            finish = host.start("GET", "once?ms=1500")
            host.wait_for_naps(1)
            replace(host, FORBIDDING)
            host.wait_for(READ)
            self.assertEqual(host.get("hello/Ada")[0], 401)
            self.assertEqual(finish()[0], 200)

    def test_no_request_is_lost_while_it_changes(self):
        answers, stop = [], threading.Event()

        def ask(host):
            while not stop.is_set():
                answers.append(host.get("hello/Ada")[0])

        with Host(worker(more="processes: 2"), chain=CHAIN) as host:
            threads = [threading.Thread(target=ask, args=(host,), daemon=True) for _ in range(3)]
            for thread in threads:
                thread.start()
            for i in range(20):
                count = len(answers)
                replace(host, NO_CHAIN if i % 2 else "middleware: [logging: {level: none}]\n")
                while len(answers) < count + 20:
                    stop.wait(0.005)
            stop.set()
            for thread in threads:
                thread.join()
            self.assertEqual(set(answers), {200})

    def test_a_file_that_is_gone_takes_no_middleware_along(self):
        """Neither for what runs, nor for what starts meanwhile, nor when it is back as it was."""
        with Host(worker(more="restart_delay: 10ms\nrestart_delay_max: 50ms"),
                  chain=NO_CHAIN) as host:
            path = os.path.join(host.folder.name, "worker.yaml")
            pid = host.get("pid")[1].split()[0]
            host.write("worker.yaml", FORBIDDING)
            host.wait_for(READ)
            self.assertEqual(host.get("hello/Ada")[0], 401)
            os.rename(path, path + "~")
            host.wait_for("worker.yaml is gone: what runs keeps its configuration")
            host.process.send_signal(signal.SIGHUP)
            host.wait_for("the new one was refused: .*worker.yaml.*No such file")
            self.assertEqual(host.get("hello/Ada")[0], 401)
            self.assertIn("is gone; nothing is started", status(host))
            os.kill(int(pid), signal.SIGKILL)
            host.wait_for("it refused its configuration")
            self.assertEqual(host.get("hello/Ada")[0], 503)
            os.rename(path + "~", path)
            wait_until(lambda: host.get("hello/Ada")[0] == 401)
            self.assertNotIn("is gone", status(host))

    def test_timeouts_change_too(self):
        with Host(worker()) as host:
            self.assertNotEqual(host.get("nap?ms=1200")[0], 200)  # it says 500 ms itself
            replace(host, CHAIN + "functions: [{name: nap, timeout: 20s}]\n")
            host.wait_for(READ)
            self.assertEqual(host.get("nap?ms=1200")[0], 200)


if __name__ == "__main__":
    main()
