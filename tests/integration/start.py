# SPDX-License-Identifier: Apache-2.0
"""How a host starts, what it says when something is wrong, and how it ends."""
import contextlib
import ctypes
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import frames
from harness import (BIN, CHAIN, NO_CHAIN, PATIENCE_S, SOURCE, WORKER, Host, is_alive, main,
                     wait_until, worker)
from operators import ADMIN, admin, ask, report, run

HELLO_PY = SOURCE + "/conformance/worker.py"


def is_up(host, process):
    """Whether it serves; a host that only begins cannot be asked yet."""
    code, out, _ = run("status", host.folder.name, "--json")
    return code == 0 and any(one["process"] == process and one["state"] == "ready"
                             for one in json.loads(out)["processes"])


def early_requests(host):
    """How many wait for their function to be known."""
    return next(row["number"] for row in report(host)["triggers"][0]["numbers"]
                if row["name"] == "requests_early")


def children(host):
    """Of all its threads: each has those that it began."""
    found = []
    for path in glob.glob(f"/proc/{host.process.pid}/task/*/children"):
        with contextlib.suppress(OSError), open(path) as file:  # a thread may end meanwhile
            found += [int(pid) for pid in file.read().split()]
    return found


def guard_of(host):
    """Its only child that has a session of its own, and two open files: the host's words, and a lock
    that it may be given; with the lock three."""
    found = []

    def settled():
        found[:] = [pid for pid in children(host) if is_alive(pid) and os.getsid(pid) == pid]
        return len(found) == 1 and len(os.listdir(f"/proc/{found[0]}/fd")) in (2, 3)

    wait_until(settled)
    return found[0]


def maps(pid):
    """What a process has loaded, and more."""
    with open(f"/proc/{pid}/maps") as file:
        return file.read()


def become_subreaper():
    """What process 1 is to its container, a subreaper (prctl(2)) is to its descendants."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def set_runtime(path):
    os.environ["XDG_RUNTIME_DIR"] = path
    os.environ.pop("TMPDIR", None)


def lose_all_folders():
    """As in a container without any that can be written; the application's stays."""
    libc = ctypes.CDLL(None)
    set_runtime("")
    libc.unshare(0x00020000)  # CLONE_NEWNS
    libc.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE
    for path in (b"/tmp", b"/dev/shm", b"/var/tmp"):
        libc.mount(path, path, None, 0x1000, None)  # MS_BIND
        libc.mount(b"none", path, None, 0x1021, None)  # MS_REMOUNT | MS_BIND | MS_RDONLY


def runtime_of(host):
    """The folder of its sockets, by the lock that it holds there."""
    files = f"/proc/{host.process.pid}/fd"
    held = []
    for name in os.listdir(files):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            held.append(os.readlink(os.path.join(files, name)))
    return os.path.dirname(next(path for path in held if re.search("isoworker-....../lock$", path)))


def parent_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def up(host):
    return [one["pid"] for one in report(host)["processes"] if one["state"] == "ready"]


class Start(unittest.TestCase):
    def refused(self, text, **kinds):
        """A host that ends by itself with that status and these words."""
        with Host(settled="<end>", **kinds) as host:
            self.assertRegex(host.log(), text)

    def test_functions_are_shown_and_served(self):
        with Host(worker(more="processes: 2")) as host:
            self.assertEqual(host.get("hello/you"), (200, "Hello, you!\n"))
            row = host.wait_for(r"^  hello ")
            self.assertRegex(row, r"http +GET http://127.0.0.1:\d+/api/hello/\{name\} +test +"
                                  r"error_handling$")

    def test_a_worker_in_another_language_serves(self):
        with Host(worker("python", [HELLO_PY])) as host:
            self.assertEqual(host.get("py/hello/World"), (200, "Hello from Python, World!\n"))
            status, body, headers = host.request("POST", "py/echo", b"\x00\xff",
                                                 {"Content-Type": "x/y"})
            self.assertEqual((status, body, headers["content-type"]), (200, b"\x00\xff", "x/y"))
            self.assertEqual(host.get("py/fail")[0], 409)

    def test_two_workers_share_a_host(self):
        with Host(worker("one") + worker("python", [HELLO_PY])) as host:
            self.assertEqual(host.get("hello/a")[0], 200)
            self.assertEqual(host.get("py/hello/a")[0], 200)

    def unknown(self, host, method="GET", path="py/hello/a"):
        """What no known function takes, while a worker has not told its own."""
        status, body, headers = host.request(method, path)
        self.assertEqual((status, headers.get("Retry-After")), (503, "1"), body)
        self.assertIn(b"once all workers are up", body)

    def test_nng_is_loaded_only_where_it_carries_messages(self):
        for lane, needed in (("ring", False), ("message", True)):
            with self.subTest(lane), Host(worker(more=f"link: {{lane: {lane}}}")) as host:
                pid = host.get("pid")[1].split()[0]
                self.assertEqual("/libnng" in maps(pid), needed)
                self.assertNotIn("/libnng", maps(host.process.pid))

    def test_what_a_worker_may_have_that_is_not_up_is_503(self):
        late = worker("late", ["sh", "-c", f"read line < gate; exec {HELLO_PY}"],
                      "start_timeout: 60s")
        host = Host(worker() + late, settled=None, top=ADMIN + "\nqueue: {wait: 50ms}")
        os.mkfifo(os.path.join(host.folder.name, "gate"))
        with host:
            wait_until(lambda: is_up(host, "test"))
            host.port = int(report(host)["host"]["url"].rsplit(":", 1)[1])
            self.assertEqual(host.get("hello/x")[0], 200)
            self.unknown(host)
            self.unknown(host, "PUT", "hello/x")  # the method may be the other one's
            self.unknown(host, "OPTIONS")
            self.assertIn("late: its functions are not known yet; requests for paths without a "
                          "function wait for them", ask(host, "status"))
            host.write("gate", "go\n")
            host.wait_for("Ctrl-C ends")
            self.assertEqual(host.get("py/hello/a")[0], 200)
            self.assertEqual((host.get("nobody")[0], host.request("PUT", "hello/x")[0]), (404, 405))

    def test_what_comes_before_its_worker_is_known_waits_for_it(self):
        late = worker("late", ["sh", "-c", f"read line < gate; exec {HELLO_PY}"],
                      "start_timeout: 60s")
        host = Host(worker() + late, settled=None, top=ADMIN + "\nqueue: {wait: 1m, limit: 3}")
        os.mkfifo(os.path.join(host.folder.name, "gate"))
        with host:
            wait_until(lambda: is_up(host, "test"))
            host.port = int(report(host)["host"]["url"].rsplit(":", 1)[1])
            with frames.Frames(host.port) as client:
                client.send(frames.headers(1, frames.line(path="/api/py/hello/h2")))
                early = [host.start("GET", "py/hello/a"), host.start("GET", "nobody")]
                wait_until(lambda: early_requests(host) == 3)
                self.unknown(host)  # no more may wait
                host.write("gate", "go\n")
                self.assertEqual(sorted(finish()[0] for finish in early), [200, 404])
                self.assertIn(b"h2", client.answer(1).body)

    def test_what_a_worker_may_have_that_was_given_up_is_503(self):
        dead = worker("dead", ["false"], "give_up_after: 1")
        with Host(worker() + dead, top=ADMIN) as host:
            host.wait_for("worker dead: given up .*paths without a function answer 503")
            self.assertEqual(host.get("hello/x")[0], 200)
            status, body, headers = host.request("GET", "py/hello/a")
            self.assertEqual((status, headers.get("Retry-After")), (503, "1"), body)
            self.assertIn(b"worker dead, which may have one, was given up: ", body)
            reasons = admin(host, "GET", "/ready")[1]["reasons"]
            self.assertRegex(reasons[0], "its functions are not known, and paths without a function "
                                         "get 503")
            self.assertIn("dead: its functions are not known, and paths without a function get 503",
                          ask(host, "status"))

    def test_json_logs_are_json(self):
        import json
        with Host(worker(), arguments=["--json"], top="logging: {level: debug}") as host:
            host.get("hello/x")
            host.get("forge")
            host.wait_for("printed")
        lines = [json.loads(line) for line in host.lines if line != "<end>"]
        self.assertTrue(any(line["message"].startswith("first\n") and line["invocation_id"]
                            for line in lines))

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(rf"127.0.0.1:{port} is in use", workers=worker(), expect=69,
                         arguments=["--port", str(port)])

    def test_a_wrong_key_in_host_yaml_is_placed(self):
        self.refused(r"host.yaml:1:8: unknown option \"prot\"", workers=worker(), expect=78,
                     top="http: {prot: 1}")

    def test_an_empty_host_yaml_is_refused(self):
        host = Host("")
        for text in ("", "\ufeff", "# nothing\n", "---\n"):
            host.write("host.yaml", text)
            done = subprocess.run([BIN + "/isoworker", "run", host.folder.name], text=True,
                                  capture_output=True, timeout=30)
            self.assertEqual(done.returncode, 78)
            self.assertRegex(done.stderr, r"host.yaml:[12]:1: the document is empty")
        host.folder.cleanup()

    def test_an_empty_worker_yaml_is_refused_at_a_start(self):
        self.refused(r"worker.yaml:1:1: the document is empty; write \{\}", workers=worker(),
                     chain="", expect=78)

    def test_a_missing_program_is_placed(self):
        self.refused(r"host.yaml:4:5: worker \"test\": there is no program \"no-such-thing\"",
                     workers=worker(command=["no-such-thing"]), expect=78)

    def test_all_that_is_wrong_with_host_yaml_is_told_with_its_place(self):
        host = Host(worker("a", ["/tmp"]) + worker("a", more="directory: nowhere\n"
                                                             "environment: [A]") +
                    worker("c", more="config: none.yaml\nlink: {spin_us: x}"),
                    top="http: {listen: here, prefix: a b}")
        done = subprocess.run([BIN + "/isoworker", "run", host.folder.name], text=True,
                              capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 78)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r'^isoworker: \S+/host.yaml:8:19: "A" is no variable')
        with open(host.folder.name + "/host.yaml") as file:
            text = file.read()
        host.write("host.yaml", text.replace("[A]", "{}"))
        done = subprocess.run([BIN + "/isoworker", "run", host.folder.name], text=True,
                              capture_output=True, timeout=30)
        lines = done.stderr.splitlines()
        for place, words in (("1:8", 'http.listen: "here" is not an address'),
                             ("1:22", 'http.prefix: "a b" is not a path'),
                             ("4:5", "there is no program /tmp: it is a folder"),
                             ("5:5", 'there are two workers named "a"'),
                             ("7:5", "nowhere: No such file or directory"),
                             ("11:5", "none.yaml cannot be read: No such file or directory"),
                             ("12:12", "spin_us takes auto or microseconds")):
            self.assertIn(f"host.yaml:{place}: ", lines[0])
            self.assertIn(words, lines.pop(0))
        self.assertEqual(lines, [])
        host.folder.cleanup()

    def test_an_address_in_use_is_placed(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.refused(rf"host.yaml:1:9: {address} is in use", workers=worker(), expect=69,
                         top="admin: {listen: '%s'}" % address)

    def test_a_hopeless_start_ends_at_once_with_its_reason(self):
        def says(command, reason, chain=CHAIN):
            with Host(worker("w", command), chain=chain, expect=78, settled="<end>") as host:
                self.assertIn("isoworker: no worker could be brought to serve: worker w: ",
                              host.log())
                self.assertRegex(host.lines[-2], reason)
                self.assertEqual(len([line for line in host.lines if "given up" in line]), 1)
                self.assertNotIn("starts again", host.log())
                self.assertNotIn("Ctrl-C ends", host.log())

        says(["sh", "-c", "echo x: libx.so: cannot open >&2; exit 127"],
             "it exited with status 127: x: libx.so: cannot open")
        thrown = r"a.js:8\n^\n\nError: no beans\n    at a.js:8\n\nNode.js v20.20.2\n"
        says(["sh", "-c", f"printf '{thrown}' >&2; exit 127"], "status 127: Error: no beans")
        says([WORKER, "--nix"], 'status 64: .*"--nix" is not understood')
        says([WORKER], r'its configuration \(status 78\): .*worker.yaml:1:14: unknown name "x"',
             chain="middleware: [x, y]")
        says([WORKER, "--config", "none.yaml"], "none.yaml: cannot be read: No such file")
        says(["/usr/bin/env", "-C", "/", "/nonexistent"], "status 127: .*/nonexistent")
        with tempfile.TemporaryDirectory() as folder:
            script = folder + "/script"
            with open(script, "w") as file:
                file.write("#!/nonexistent/interpreter\n")
            os.chmod(script, 0o755)
            says([script], "script could not be started: .*the interpreter that it names")

    def test_what_was_given_up_is_tried_again_when_its_yaml_is_mended(self):
        host = Host(worker("one", more="config: one.yaml") + worker("python", [HELLO_PY]))
        host.write("one.yaml", "middleware: [x]\n")
        with host:
            host.wait_for("worker one: given up: it refused its configuration")
            host.write("one.yaml", NO_CHAIN)
            wait_until(lambda: host.get("hello/x")[0] == 200)

    def test_what_was_given_up_after_too_many_ends_is_tried_again_on_sighup(self):
        host = Host(worker("one", ["./one"], "give_up_after: 1") + worker("python", [HELLO_PY]))
        host.write("one", "#!/bin/sh\nexit 3\n")
        os.chmod(host.folder.name + "/one", 0o755)
        with host:
            host.wait_for("worker one: given up after too many ends in a row")
            host.write("one.new", f"#!/bin/sh\nexec {WORKER}\n")
            os.chmod(host.folder.name + "/one.new", 0o755)
            os.replace(host.folder.name + "/one.new", host.folder.name + "/one")
            host.process.send_signal(signal.SIGHUP)
            wait_until(lambda: host.get("hello/x")[0] == 200)

    def test_a_process_that_ends_while_its_yaml_is_wrong_comes_back_when_it_is_right(self):
        more = "give_up_after: 1\nrestart_delay: 1h\nrestart_delay_max: 1h"
        with Host(worker(more=more)) as host:
            pid = int(host.get("pid")[1].split()[0])
            host.write("worker.yaml", "")
            host.wait_for("keeps the configuration that it has")
            os.kill(pid, signal.SIGKILL)
            host.wait_for("refused its configuration .*starts again in")
            host.write("worker.yaml", NO_CHAIN)
            wait_until(lambda: host.get("hello/x")[0] == 200)

    def test_functions_of_two_workers_on_one_route_are_both_named(self):
        with Host(worker("one") + worker("two"), top=ADMIN) as host:
            told = (r"function hello of worker (one|two) is not served beside function hello of "
                    r"worker (one|two): routes \"GET hello/\{name\}\" and ")
            host.wait_for("error +host: " + told)
            self.assertEqual(host.get("hello/x")[0], 200)
            status, body = admin(host, "GET", "/ready")
            self.assertEqual(status, 503)
            self.assertRegex(" ".join(body["reasons"]), told)

    def test_settings_of_functions_that_match_nothing_are_placed(self):
        top = "functions: [{name: hello}, {name: helo, timeout: 1s}, {name: 'nap*'}]"
        with Host(worker(), top=top) as host:
            host.wait_for(r'error +host: \S+/host.yaml:1:\d+: no function of any worker matches '
                          '"helo"')
            told = report(host)["attention"]
            self.assertEqual(len(told), 1)
            self.assertIn('no function of any worker matches "helo"', told[0])

    def test_an_environment_may_be_a_mapping(self):
        show = worker("env", ["sh", "-c", "echo $ISW_A-$ISW_B; exit 78"],
                      "environment: {ISW_A: 1, ISW_B: 'x y'}")
        self.refused("stdout: 1-x y", workers=show, expect=78)

    def test_a_wrong_chain_never_starts_and_the_rest_serves(self):
        chain = CHAIN + "  - loging: {level: info}\n"
        self.host = Host(worker() + worker("python", [HELLO_PY]), chain=chain, settled=None)
        with self.host as host:
            host.wait_for(r'worker.yaml:3:5: unknown .*"loging".*did you mean "logging"')
            host.wait_for(r"worker test: given up: it refused its configuration")
            host.wait_for("Ctrl-C ends")

    def test_a_worker_that_never_says_hello_is_named(self):
        mute = worker("mute", ["sleep", "1000"], "start_timeout: 300ms\ngive_up_after: 1")
        with Host(mute + worker()) as host:
            host.wait_for(r"worker mute: given up.*did not say hello within 300 ms")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_no_worker_at_all_ends_the_host(self):
        mute = worker("mute", ["sleep", "1000"], "start_timeout: 200ms\ngive_up_after: 2")
        self.refused("no worker could be brought to serve", workers=mute, expect=69)

    def test_a_worker_of_another_protocol_is_named(self):
        with Host(worker("future", [SOURCE + "/integration/future_worker.py"]) + worker()) as host:
            host.wait_for(r"worker future: given up: it speaks protocol 98 to 99, this host speaks "
                          r"1 to 1; build both")
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_newer_worker_that_still_speaks_ours_serves(self):
        command = [SOURCE + "/integration/future_worker.py", "1", "2"]
        with Host(worker("newer", command)) as host:
            self.assertEqual(host.get("py/hello/World")[0], 200)

    def test_a_host_that_is_terminated_exits_with_0_and_leaves_nothing(self):
        with Host(worker()) as host:
            pid = int(host.get("pid")[1].split()[0])
            host.process.send_signal(signal.SIGTERM)
            host.wait_for("host: stopped")
        self.assertFalse(is_alive(pid))

    def test_no_worker_outlives_a_killed_host(self):
        host = Host(worker(more="processes: 2") + worker("python", [HELLO_PY]), expect=-9)
        with host:
            pids = subprocess.run(["pgrep", "-P", str(host.process.pid)], capture_output=True,
                                  text=True).stdout.split()
            self.assertGreaterEqual(len(pids), 4)  # three workers and the guard
            os.kill(int(host.get("pid")[1].split()[0]), signal.SIGSTOP)
            host.process.kill()
            for pid in pids:
                wait_until(lambda: not is_alive(pid), 5)

    def test_a_runtime_folder_that_cannot_be_used_is_passed_over(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            foreign = os.path.join(folder, "foreign")
            a_file = os.path.join(folder, "file")
            os.mkdir(foreign, 0o777)
            with open(a_file, "w"):
                pass
            unusable = ["/nowhere", "relative", a_file, folder + "/" + "x" * 100, ""]
            if os.geteuid() == 0:  # as su and sudo leave it
                os.chown(foreign, 12345, 12345)
                unusable.append(foreign)
            for path in unusable:
                with Host(worker(), prepare=lambda path=path: set_runtime(path)) as host:
                    self.assertEqual(host.get("hello/x")[0], 200, path)
                    self.assertEqual(os.path.dirname(runtime_of(host)), "/tmp", path)
                    self.assertEqual(report(host)["host"]["pid"], host.process.pid)

    @unittest.skipUnless(os.geteuid() == 0, "only root can take them away")
    def test_no_folder_for_sockets_is_an_error_that_names_the_way(self):
        with Host(worker(), settled="<end>", expect=66, prepare=lose_all_folders) as host:
            self.assertRegex(host.log(), "no folder for the host's sockets can be made .*/tmp: .*; "
                                         "/var/tmp: .*Set XDG_RUNTIME_DIR to a folder")

    def test_what_a_killed_host_leaves_is_removed(self):
        host = Host(worker(), expect=-9)
        with host:
            folder = runtime_of(host)
            self.assertTrue(os.path.isdir(folder))
            host.process.kill()
            wait_until(lambda: not os.path.exists(folder))  # by its guard
        host = Host(worker("slow", ["/bin/sleep", "1000"]), expect=-9)
        with host:
            folder = runtime_of(host)
            wait_until(lambda: set(os.listdir(folder)) - {"lock"})  # where nobody has called
            host.process.kill()
            wait_until(lambda: not os.path.exists(folder))
        host = Host(worker(), expect=-9)
        with host:
            folder, guard = runtime_of(host), guard_of(host)
            pids = [one["pid"] for one in report(host)["processes"]]
            os.kill(guard, signal.SIGSTOP)  # which no more can
            host.process.kill()
            host.process.wait(PATIENCE_S)
            os.kill(guard, signal.SIGKILL)
            for pid in pids:
                wait_until(lambda pid=pid: not is_alive(pid))
        with Host(worker()):
            self.assertFalse(os.path.exists(folder))  # by the next host, whosever that is
        with Host(worker()) as host:
            folder = runtime_of(host)
        self.assertFalse(os.path.exists(folder))

    def test_one_that_died_before_it_had_a_lock_is_removed_once_it_is_old(self):
        base = tempfile.mkdtemp(prefix="x")
        old, fresh, anothers = (f"{base}/{name}" for name in
                                ("isoworker-aaaaaa", "isoworker-bbbbbb", "isoworker-cccccc"))
        for path in (old, fresh, anothers):
            os.mkdir(path, 0o700)
        os.chmod(anothers, 0o777)
        for path in (old, anothers):
            os.utime(path, (0, 0))
        with Host(worker(), prepare=lambda: set_runtime(base)):
            self.assertEqual([os.path.exists(path) for path in (old, fresh, anothers)],
                             [False, True, True])
        shutil.rmtree(base)

    def test_where_it_is_process_1_orphans_do_not_stay_as_zombies(self):
        orphan = "test -e orphan || setsid sh -c 'echo $$$$ > orphan; read line < gate' &"
        host = Host(worker(command=["sh", "-c", f"({orphan}); exec {WORKER}"]),
                    prepare=become_subreaper)
        os.mkfifo(os.path.join(host.folder.name, "gate"))
        with host:
            path = os.path.join(host.folder.name, "orphan")
            wait_until(lambda: os.path.exists(path) and os.path.getsize(path))
            with open(path) as file:
                pid = int(file.read())
            wait_until(lambda: parent_of(pid) == host.process.pid)
            host.write("gate", "end\n")
            wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
            os.kill(report(host)["processes"][0]["pid"], signal.SIGKILL)
            host.wait_for(r"worker test: it was ended by signal 9 \(Killed\); starts again")
            host.process.send_signal(signal.SIGHUP)  # handed on to the host
            host.wait_for("workers are to read their configurations")

    def test_where_it_is_process_1_its_exit_status_is_the_hosts(self):
        self.refused("unknown option", workers=worker(), expect=78, top="nonsense: 1",
                     prepare=become_subreaper)

    def test_a_guard_that_is_killed_is_replaced_and_guards(self):
        host = Host(worker(more="processes: 2"), expect=-9)
        with host:
            workers = [one["pid"] for one in report(host)["processes"]]
            guard = guard_of(host)
            os.kill(guard, signal.SIGKILL)
            host.wait_for("warning +host: the guard, which ends workers when this host ends, was "
                          "ended by signal 9")
            line = host.wait_for("another guard runs, as pid")
            self.assertFalse(os.path.exists(f"/proc/{guard}"))  # nor a zombie of it
            self.assertEqual(guard_of(host), int(line.split()[-1]))
            os.kill(workers[0], signal.SIGKILL)  # its successor is guarded by the second one
            wait_until(lambda: up(host) not in ([], workers) and len(up(host)) == 2)
            workers = up(host)
            host.process.kill()
            for pid in workers:
                wait_until(lambda pid=pid: not is_alive(pid), 5)

    def test_a_guard_that_hears_nothing_is_replaced_like_one_that_ended(self):
        top = "logging: {level: debug}"
        quick = worker("quick", ["true"], "give_up_after: 1000\nrestart_delay: 1ms\n"
                                          "restart_delay_max: 1ms")
        with Host(worker() + quick, top=top) as host:
            guard = guard_of(host)
            open_files = glob.glob(f"/proc/{guard}/fd/*")
            words = next(file for file in open_files if "pipe:" in os.readlink(file))
            with open(words, "rb") as pipe:
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
            os.kill(guard, signal.SIGSTOP)
            host.wait_for("another guard runs, as pid", 60)


if __name__ == "__main__":
    main()
