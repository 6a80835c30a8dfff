# SPDX-License-Identifier: Apache-2.0
"""What a service manager hears of a host (sd_notify), and how its journal gets the log."""
import ctypes
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BIN, Host, PATIENCE_S, main, wait_until, worker
from operators import ILL, process_of

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000


class Manager:
    """A socket as a service manager has it, and what has come to it."""

    def __init__(self, abstract=False):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-")
        path = os.path.join(self.folder.name, "notify")
        self.name = "@" + path if abstract else path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + path if abstract else path)
        self.heard = []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            text = self.sock.recv(65536).decode()
            with self.changed:
                self.heard.append(text)
                self.changed.notify_all()

    def prepare(self, **more):
        """For the host's process: the environment that it gets; True is its own pid."""
        def set_all():
            os.environ["NOTIFY_SOCKET"] = self.name
            for name, value in more.items():
                os.environ[name] = str(os.getpid()) if value is True else value
        return set_all

    def mark(self):
        with self.changed:
            return len(self.heard)

    def wait_for(self, pattern, since=0, times=1):
        """The place behind the last one of so many that match, from there on."""
        def found():
            places = [at for at in range(since, len(self.heard))
                      if re.search(pattern, self.heard[at], re.MULTILINE)]
            return places[times - 1] + 1 if len(places) >= times else 0
        with self.changed:
            if not self.changed.wait_for(found, PATIENCE_S):
                raise AssertionError(f"{pattern!r} was not heard: {self.heard}")
            return found()


class Thread:
    """A thread of the host that stands still. By the thread that made it alone."""

    def __init__(self, host, name):
        tasks = f"/proc/{host.process.pid}/task"
        self.tid = 0
        for tid in os.listdir(tasks):
            with open(f"{tasks}/{tid}/comm") as file:
                if file.read().strip() == name:
                    self.tid = int(tid)
        if not self.tid or self.ptrace(PTRACE_SEIZE) != 0:
            raise unittest.SkipTest(f"no thread {name} can be traced here")
        self.ptrace(PTRACE_INTERRUPT)
        os.waitpid(self.tid, WALL)

    def ptrace(self, request):
        LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        return LIBC.ptrace(request, self.tid, None, None)

    def go_on(self):
        self.ptrace(PTRACE_DETACH)


class Service(unittest.TestCase):
    def test_it_is_told_when_all_is_settled_and_when_the_host_stops(self):
        for abstract in (False, True):
            manager = Manager(abstract)
            with Host(worker(), prepare=manager.prepare()):
                ready = manager.wait_for("^READY=1$")
                manager.wait_for("^STATUS=serving: 1 of 1 worker ready, 0 in flight$")
                self.assertNotIn("STOPPING=1", manager.heard)
            stopping = manager.wait_for("^STOPPING=1$")
            self.assertLess(ready, stopping)
            self.assertEqual(manager.heard.count("READY=1"), 1)

    def test_nobody_is_ready_before_its_workers_are(self):
        manager = Manager()
        slow = worker("slow", ["sh", "-c", "read line < gate; exec true"])
        host = Host(worker() + slow, prepare=manager.prepare(), settled=None)
        os.mkfifo(os.path.join(host.folder.name, "gate"))
        with host:
            manager.wait_for("^STATUS=starting: 1 of 2 workers ready")
            manager.wait_for("^EXTEND_TIMEOUT_USEC=[1-9][0-9]{6,}$", times=2)
            self.assertNotIn("READY=1", manager.heard)
            host.write("gate", "go\n")
            manager.wait_for("^READY=1$")

    def test_what_is_wrong_stands_in_the_status(self):
        manager = Manager()
        with Host(worker() + worker("ill", ["false"], ILL), prepare=manager.prepare()):
            manager.wait_for(r"^STATUS=serving: 1 of 2 workers ready, 0 in flight; worker ill: ")

    def test_a_reload_lasts_until_all_workers_have_read(self):
        manager = Manager()
        with Host(worker(more="processes: 2"), prepare=manager.prepare()) as host:
            begin = manager.wait_for("^READY=1$")
            asked_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            host.process.send_signal(signal.SIGHUP)
            reloading = manager.wait_for("^RELOADING=1$", begin)
            at_us = int(re.search("^MONOTONIC_USEC=([0-9]+)$", manager.heard[reloading - 1],
                                  re.MULTILINE).group(1))
            self.assertGreaterEqual(at_us, asked_us)
            self.assertLess(at_us, asked_us + PATIENCE_S * 1000000)
            manager.wait_for("^READY=1$", reloading)
            pid = process_of(host)["pid"]
            os.kill(pid, signal.SIGSTOP)  # it does not read
            host.process.send_signal(signal.SIGHUP)
            reloading = manager.wait_for("^RELOADING=1$", reloading)
            finish = host.start("GET", "once?ms=1500")  # the other one, meanwhile: a status is due
            manager.wait_for("^STATUS=.* 1 in flight", reloading)
            self.assertNotIn("READY=1", manager.heard[reloading:])
            os.kill(pid, signal.SIGCONT)
            manager.wait_for("^READY=1$", reloading)
            finish()

    def test_it_is_asked_to_wait_while_the_host_finishes_what_it_has(self):
        manager = Manager()
        with Host(worker(), prepare=manager.prepare()) as host:
            manager.wait_for("^READY=1$")
            finish = host.start("GET", "once?ms=2500")
            host.wait_for_naps(1)
            since = manager.mark()
            host.process.send_signal(signal.SIGTERM)
            stopping = manager.wait_for("^STOPPING=1$", since)
            manager.wait_for("^STATUS=stopping: 1 of 1 worker ready, 1 in flight$", since)
            manager.wait_for("^EXTEND_TIMEOUT_USEC=[1-9][0-9]{6,}$", stopping, times=2)
            self.assertEqual(finish()[0], 200)

    def test_the_watchdog_hears_nothing_while_a_reactor_hangs(self):
        manager = Manager()
        with Host(worker(), prepare=manager.prepare(WATCHDOG_USEC="300000",
                                                    WATCHDOG_PID=True)) as host:
            manager.wait_for("^WATCHDOG=1$", times=3)
            hanging = Thread(host, "isw:reactor")
            try:
                host.wait_for("error +host: [0-9]+ of [0-9]+ threads that serve do not turn, so the "
                              "watchdog of the service manager hears nothing")
                since = manager.mark()
                time.sleep(0.5)  # nothing is what is waited for
                self.assertNotIn("WATCHDOG=1", manager.heard[since:])
            finally:
                hanging.go_on()
            manager.wait_for("^WATCHDOG=1$", since, times=2)

    def test_the_watchdog_of_another_process_is_not_ours(self):
        manager = Manager()
        with Host(worker(), prepare=manager.prepare(WATCHDOG_USEC="30000", WATCHDOG_PID="1")):
            manager.wait_for("^READY=1$")
        manager.wait_for("^STOPPING=1$")
        self.assertNotIn("WATCHDOG=1", manager.heard)

    def test_workers_do_not_inherit_what_is_the_hosts(self):
        manager = Manager()
        with Host(worker(), prepare=manager.prepare(
                WATCHDOG_USEC="30000000", WATCHDOG_PID=True, LISTEN_FDNAMES="a",
                LISTEN_FDS="0", JOURNAL_STREAM="1:1", KEPT="yes")) as host:
            with open(f"/proc/{process_of(host)['pid']}/environ") as file:
                names = {one.split("=")[0] for one in file.read().split("\0")}
        self.assertIn("KEPT", names)
        self.assertFalse({name for name in names if re.match("NOTIFY|WATCHDOG|LISTEN|JOURNAL",
                                                             name)}, names)

    def test_a_socket_that_is_none_is_named(self):
        def prepare():
            os.environ["NOTIFY_SOCKET"] = "vsock:2:1"
        with Host(worker(), prepare=prepare) as host:
            host.wait_for('warning +host: NOTIFY_SOCKET is "vsock:2:1", and not the path')


def give_runtime_folder():
    """A /run of its own, with the folder that tmpfiles.d makes for services."""
    LIBC.unshare(0x00020000)  # CLONE_NEWNS
    LIBC.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE
    LIBC.mount(b"none", b"/run", b"tmpfs", 0, None)
    os.mkdir("/run/isoworker")
    os.environ["XDG_RUNTIME_DIR"] = "/run/isoworker"


class Folder(unittest.TestCase):
    @unittest.skipUnless(os.geteuid() == 0, "a mount namespace is made as root")
    def test_commands_find_the_host_of_a_service(self):
        with Host(worker(), prepare=give_runtime_folder) as host:
            place = ["nsenter", f"--target={host.process.pid}", "--mount", "--root", "env", "-u",
                     "XDG_RUNTIME_DIR"]
            done = subprocess.run([*place, BIN + "/isoworker", "status", host.folder.name],
                                  capture_output=True, text=True, timeout=PATIENCE_S)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(": serving, up", done.stdout)
            found = subprocess.run([*place, "ls", "/run/isoworker"], capture_output=True, text=True)
            self.assertIn("isoworker-0", found.stdout)


def log_to_journal():
    found = os.fstat(1)
    os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"


class Journal(unittest.TestCase):
    TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d "

    def test_lines_have_priorities_and_no_time_of_their_own(self):
        with Host(worker() + worker("ill", ["sh", "-c", "echo why >&2; exit 1"], ILL),
                  prepare=log_to_journal) as host:
            host.wait_for("^<6>host: [0-9]+ functions at http")
            host.get("prints?text=seen&line=1")
            host.wait_for("^<6>test stdout: seen function=prints")
            host.wait_for("^<4>ill stderr: why$")
            self.assertEqual([line for line in host.lines if re.search(self.TIME, line)], [])

    def test_json_for_the_journal_has_priorities_too(self):
        with Host(worker(), prepare=log_to_journal, arguments=["--json"]) as host:
            host.wait_for('^<6>{"time":"[^"]*Z","level":"info","source":"host"')

    def test_why_it_cannot_start_is_an_error_there(self):
        with Host(worker(), top="nonsense: 1", prepare=log_to_journal, expect=78,
                  settled="<end>") as host:
            self.assertRegex(host.log(), "(?m)^<3>isoworker: .*unknown option")

    def test_another_output_has_date_and_zone(self):
        def prepare():
            os.environ["JOURNAL_STREAM"] = "1:1"
        with Host(worker(), prepare=prepare) as host:
            host.get("prints?text=seen&line=1")
            host.wait_for(f"^{self.TIME}info +test stdout: seen function=prints")


if __name__ == "__main__":
    main()
