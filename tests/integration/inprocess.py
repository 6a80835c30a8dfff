#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A worker in the host's own process (isolation: none): it serves as another one does, with no second
process; what takes only that worker along where it has a process is told, or is the host's end."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from harness import BIN, CHAIN, WORKER, Client, Host, is_alive, main, wait_until, worker

MODULE = os.path.join(os.path.dirname(WORKER), "functions.so")
SANITIZE = os.environ.get("ISOWORKER_SANITIZE", "")
EX_CONFIG = 78


def inside(more="", command=None, name="test"):
    return worker(name, command or ["isoworker", "worker", "./functions.so"],
                  "isolation: none\n" + more)


class Inside(Host):
    """A host with the test's functions inside."""

    def __init__(self, top="", more="", chain=CHAIN, **others):
        super().__init__(inside(more), top, chain, **others)
        place(self.folder.name)

    def status(self):
        done = subprocess.run([BIN + "/isoworker", "status", self.folder.name, "--json"],
                              capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout)


def place(folder):
    """The object where nobody else may write."""
    os.chmod(folder, 0o700)
    shutil.copyfile(MODULE, os.path.join(folder, "functions.so"))
    os.chmod(os.path.join(folder, "functions.so"), 0o755)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def refusals(yaml, folder):
    """What `isoworker check` says of host.yaml, line by line."""
    with open(os.path.join(folder, "host.yaml"), "w") as file:
        file.write(yaml)
    done = subprocess.run([BIN + "/isoworker", "check", folder], capture_output=True, text=True,
                          timeout=30, check=False)
    return done.returncode, done.stderr + done.stdout


class InProcess(unittest.TestCase):
    def test_serves_without_a_second_process(self):
        with Inside() as host:
            pid = host.process.pid
            self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))
            self.assertEqual(host.get("pid"), (200, f"{pid} 0"))
            self.assertEqual(children_of(pid), [])
            self.assertEqual(host.request("POST", "echo", b"x" * 3000000)[1], b"x" * 3000000)

    def test_status_says_that_it_is_in_process(self):
        with Inside() as host:
            host.get("hello/Ada")
            process = host.status()["processes"][0]
            self.assertEqual((process["isolation"], process["pid"], process["state"],
                              process["lane"]), ("none", host.process.pid, "ready", "ring"))
            shown = subprocess.run([BIN + "/isoworker", "status", host.folder.name],
                                   capture_output=True, text=True, timeout=30, check=True).stdout
            self.assertRegex(shown, r"test +in process +ready")

    def test_has_the_folder_of_its_own_that_a_process_has(self):
        with Inside() as host:
            host.write("text.txt", "here")
            status, body, _ = host.request("GET", "file/text.txt")
            self.assertEqual((status, body), (200, b"here"))
            self.assertNotEqual(os.readlink(f"/proc/{host.process.pid}/cwd"),
                                os.path.realpath(host.folder.name))

    def test_streams_both_ways(self):
        with Inside() as host:
            status, body, _ = host.request("PUT", "swallow", b"y" * 700000)
            self.assertEqual(status, 200)
            self.assertIn(b"700000", body)
            status, body, _ = host.request("GET", "pour?ms=4")
            self.assertEqual(status, 200)
            self.assertGreater(len(body), 0)

    def test_a_timeout_cancels_its_function(self):
        with Inside() as host:
            begun = host.start("GET", "nap?ms=20000")
            self.assertEqual(begun()[0], 504)
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_a_function_that_does_not_stop_is_told_of_and_others_go_on(self):
        with Inside("host: {cancel_grace: 100ms}") as host:
            hung = host.start("GET", "stubborn?ms=1500")
            self.assertEqual(hung()[0], 504)
            line = host.wait_for("did not stop 100 ms after it was cancelled")
            self.assertIn("isolation: none", line)
            self.assertEqual(host.get("pid"), (200, f"{host.process.pid} 0"))
            wait_until(lambda: host.status()["processes"][0]["in_flight"] == 0)
            self.assertEqual(host.log().count("did not stop"), 1)

    def test_a_configuration_is_read_again(self):
        with Inside() as host:
            host.write("worker.yaml", CHAIN + "  - cors: {origins: [https://a.example]}\n")
            host.wait_for("has read its configuration again and runs by it")
            host.write("worker.yaml", "middleware: [nix]\n")
            host.wait_for('new one was refused: .*unknown name "nix"')
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_a_configuration_that_is_refused_at_the_start_ends_the_host_with_it(self):
        with Inside(chain="middleware: [nix]\n", settled=None, expect=EX_CONFIG) as host:
            host.wait_for('worker.yaml:1:14: unknown name "nix"')
            host.process.wait(30)
            host.wait_for(r"refused its configuration \(status 78\)")

    def test_one_that_was_given_up_is_tried_again_when_its_yaml_changes(self):
        host = Inside()
        apart = os.path.join(os.path.dirname(WORKER), "test_library_worker")
        host.write("host.yaml", "workers:\n" + inside("config: inside.yaml\n") +
                   worker("apart", [apart]))
        host.write("inside.yaml", "middleware: [nix]\n")
        with host:
            host.wait_for("worker test: given up: it refused its configuration")
            self.assertEqual(host.request("GET", "greet")[0], 200)
            self.assertEqual(host.get("hello/Ada")[0], 503)
            host.write("inside.yaml", "middleware: []\n")
            wait_until(lambda: host.get("hello/Ada") == (200, "Hello, Ada!\n"))

    def test_its_log_names_the_invocation(self):
        with Inside(arguments=["--json"]) as host:
            host.get("once?ms=1")
            line = json.loads(host.wait_for("napping in"))
            self.assertEqual((line["function"], line["category"]), ("once", "Function.once"))

    def test_operators_read_its_log_and_drain_it(self):
        with Inside() as host:
            begun = host.start("GET", "once?ms=700")
            host.wait_for_naps(1)
            drained = subprocess.Popen([BIN + "/isoworker", "drain", host.folder.name],
                                       stdout=subprocess.PIPE, text=True)
            wait_until(lambda: host.get("hello/Ada")[0] == 503)
            self.assertEqual(begun()[0], 200)
            self.assertIn("nothing is in flight", drained.communicate(timeout=30)[0])
            for words in (["resume"], ["logs", "--function", "once"]):
                done = subprocess.run([BIN + "/isoworker", words[0], host.folder.name, *words[1:]],
                                      capture_output=True, text=True, timeout=30, check=True)
            self.assertIn("napping in", done.stdout)
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_a_caller_that_leaves_cancels_its_function(self):
        with Inside() as host:
            client = Client(host, "GET /api/watch HTTP/1.1\nHost: x")
            client.wait_for(b"200 OK")
            client.close()
            host.wait_for("Function.watch: ISW_E_CANCELLED: the caller left")

    def test_what_it_prints_is_seen_when_its_line_ends(self):
        with Inside() as host:
            printed = host.start("GET", "prints?text=shown-at-once&line=1&ms=1500")
            host.wait_for("^shown-at-once$")
            self.assertEqual(printed()[0], 200)

    def test_metrics_and_records_are_those_of_a_process(self):
        with tempfile.TemporaryDirectory() as records, \
                Inside("admin: {listen: \"127.0.0.1:0\"}",
                       arguments=["--record", records]) as host:
            self.assertEqual(host.get("count")[0], 200)
            admin = host.wait_for("admin at").split("admin at ")[1].split(",")[0]
            text = urllib.request.urlopen(admin + "/metrics", timeout=30).read().decode()
            self.assertIn("test_events_total", text)
            wait_until(lambda: os.listdir(records))

    def test_stops_when_what_is_in_flight_has_ended(self):
        with Inside() as host:
            begun = host.start("GET", "once?ms=700")
            host.wait_for_naps(1)
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(begun()[0], 200)
            host.wait_for("stopped")

    @unittest.skipIf("thread" in SANITIZE, "it tells of the thread that is left behind")
    def test_stops_though_a_function_hangs(self):
        with Inside("host: {shutdown_grace: 100ms, cancel_grace: 100ms}") as host:
            hung = host.start("GET", "deaf?ms=60000")
            host.wait_for_naps(1)
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(hung()[0], 503)
            host.wait_for("did not end, and is left behind with its threads")
            host.wait_for("stopped")

    @unittest.skipIf(SANITIZE, "a sanitizer reports crashes itself")
    def test_its_crash_is_the_end_of_the_host_and_is_named(self):
        with Inside(expect=-signal.SIGSEGV) as host:
            host.start("POST", "fault/segv")
            host.wait_for("crashed with signal 11")
            host.wait_for("in function fault")
            host.process.wait(30)
            wait_until(lambda: not is_alive(host.process.pid))

    def test_serves_beside_a_worker_with_a_process(self):
        host = Inside()
        apart = os.path.join(os.path.dirname(WORKER), "test_library_worker")
        host.write("host.yaml", "workers:\n" + inside() + worker("apart", [apart]))
        with host:
            seen = [(process["worker"], process["isolation"], process["state"])
                    for process in host.status()["processes"]]
            self.assertEqual(seen, [("test", "none", "ready"), ("apart", "process", "ready")])
            self.assertNotEqual(host.status()["processes"][1]["pid"], host.process.pid)
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_what_it_cannot_hold_is_refused_with_its_place_and_remedy(self):
        with tempfile.TemporaryDirectory() as folder:
            place(folder)
            more = ("processes: 2\nenvironment: [A=1]\nrestart_delay: 1s\nrestart_delay_max: 2s\n"
                    "give_up_after: 2\nlink: {lane: message}\n"
                    "memory_limit: 1GiB\nrecycle_after: {age: 1h}\nrlimits: {core: 0}\nnice: 1\n"
                    "user: root\ngroup: root\n")
            code, said = refusals("workers:\n" + inside(more), folder)
            self.assertEqual(code, EX_CONFIG, said)
            for place_of, what in ((5, "processes"), (6, "environment"), (7, "restart_delay"),
                                   (8, "restart_delay_max"), (9, "give_up_after"),
                                   (10, "link.lane"), (11, "memory_limit"),
                                   (12, "recycle_after"), (13, "rlimits"), (14, "nice"),
                                   (15, "user"), (16, "group")):
                self.assertRegex(said, rf'host.yaml:{place_of}:\d+: worker "test" has isolation: '
                                       rf"none, which has no {what}: .*or write isolation: process")

    def test_a_command_that_is_no_object_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            place(folder)
            with open(os.path.join(folder, "text.so"), "w") as file:
                file.write("x" * 1000)
            for command, why in (([WORKER], "takes a shared object and no program"),
                                 (["isoworker", "worker", "./functions.so", "--config", "a"],
                                  "with its YAML in `config`"),
                                 (["isoworker", "worker", "./text.so"], "it is no shared object"),
                                 (["isoworker", "worker", "./nix.so"], "No such file")):
                code, said = refusals("workers:\n" + inside(command=command), folder)
                self.assertEqual(code, EX_CONFIG, said)
                self.assertRegex(said, rf"host.yaml:3:\d+: .*{why}")

    def test_an_object_that_was_built_again_waits_for_the_host(self):
        with Inside() as host:
            path = os.path.join(host.folder.name, "functions.so")
            shutil.copyfile(MODULE, path + ".new")
            os.chmod(path + ".new", 0o755)
            os.rename(path + ".new", path)
            wait_until(lambda: host.status().get("attention"))
            self.assertEqual(host.status()["attention"],
                             [f"worker test runs what {path} was before it changed; it is taken "
                              "when the host starts again"])
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_a_restart_of_it_alone_is_refused(self):
        with Inside() as host:
            done = subprocess.run([BIN + "/isoworker", "restart", host.folder.name, "test"],
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertNotEqual(done.returncode, 0, done)
            self.assertIn("runs in the host's own process (isolation: none)",
                          done.stdout + done.stderr)
            self.assertEqual(host.get("pid"), (200, f"{host.process.pid} 0"))

    def test_gdb_of_it_alone_is_refused(self):
        with Inside(arguments=["--debug", "hello"], settled=None, expect=EX_CONFIG) as host:
            host.wait_for("function hello cannot be debugged apart from the host|needs gdb")
            host.process.wait(30)


if __name__ == "__main__":
    main()
