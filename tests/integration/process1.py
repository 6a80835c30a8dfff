# SPDX-License-Identifier: Apache-2.0
"""The host as process 1 of a PID namespace, as it is in a container: orphans, signals, its end."""
import contextlib
import os
import signal
import subprocess
import unittest

from harness import Host, main, wait_until, worker
from operators import ask, process_of, report

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]
# A process that is nobody's child once its parent has ended, and ends when told to.
ORPHAN = "(setsid sh -c 'echo $$ > orphan; read line < gate' &)"


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


class Contained(Host):
    """A host that is process 1 of a namespace; `first` is its pid out here."""

    def __init__(self, workers, **kinds):
        super().__init__(workers, **kinds)
        os.mkfifo(os.path.join(self.folder.name, "gate"))

    def command(self):
        return [*NAMESPACE, *super().command()]

    def __enter__(self):
        super().__enter__()
        parent = self.process.pid
        with open(f"/proc/{parent}/task/{parent}/children") as file:
            self.first = int(file.read())
        self.namespace = os.readlink(f"/proc/{self.first}/ns/pid")
        return self

    def __exit__(self, kind, value, traceback):
        if self.process.poll() is None:  # unshare itself takes no signal
            os.kill(self.first, signal.SIGTERM if kind is None else signal.SIGKILL)
        super().__exit__(kind, value, traceback)

    def inside(self):
        """What lives in there, and what is dead and was not waited for: pid to its state. A zombie
        is where its parent is."""
        found = {}
        for name in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
            with contextlib.suppress(OSError):  # it ended meanwhile
                state, parent = state_of(name)[:2]
                if int(parent) in found if state == "Z" else \
                        os.readlink(f"/proc/{name}/ns/pid") == self.namespace:
                    found[int(name)] = state
        return found

    def outside(self, number):
        """The pid out here of what has that one in there."""
        for pid in self.inside():
            with open(f"/proc/{pid}/status") as file:
                if f"NSpid:\t{pid}\t{number}\n" in file.read():
                    return pid
        raise AssertionError(f"{number} is not in there")

    def orphans(self):
        found = []
        for pid in self.inside():
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline") as file:
                    if "orphan" in file.read() and int(state_of(pid)[1]) == self.first:
                        found.append(pid)
        return found


class First(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no PID namespace can be made here: {done.stderr.strip()}")

    def test_it_waits_for_orphans_and_for_its_workers(self):
        command = ["sh", "-c", f"{ORPHAN}; exec {os.environ['ISOWORKER_TEST_WORKER']}"]
        with Contained(worker(command=[word.replace("$", "$$") for word in command])) as host:
            with open(f"/proc/{host.first}/status") as file:
                self.assertIn(f"NSpid:\t{host.first}\t1\n", file.read())
            wait_until(lambda: len(host.orphans()) == 1)
            host.write("gate", "end\n")
            wait_until(lambda: not host.orphans())
            before = report(host)["processes"][0]["pid"]
            os.kill(host.outside(before), signal.SIGKILL)
            wait_until(lambda: [p["state"] for p in report(host)["processes"]] == ["ready"] and
                       process_of(host)["pid"] != before)
            wait_until(lambda: "Z" not in host.inside().values())
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_signals_reach_the_host_and_it_ends_in_order(self):
        with Contained(worker()) as host:
            os.kill(host.first, signal.SIGHUP)
            host.wait_for("workers are to read their configurations")
            self.assertIn("serving", ask(host, "status"))
            finish = host.start("GET", "once?ms=500")
            host.wait_for_naps(1)
            os.kill(host.first, signal.SIGTERM)
            self.assertEqual(finish()[0], 200)
            host.wait_for("info +host: stopped")
            wait_until(lambda: host.process.poll() is not None)
            self.assertEqual((host.process.returncode, host.inside()), (0, {}))

    def test_a_host_that_takes_the_place_of_another_is_the_one_that_is_looked_after(self):
        with Contained(worker()) as host:
            before = report(host)["host"]["pid"]
            for _ in range(2):
                self.assertIn("has taken the place of pid", ask(host, "upgrade"))
                host.wait_for("info +host: stopped")
                host.lines.clear()
                wait_until(lambda: "Z" not in host.inside().values())
                self.assertEqual(host.get("hello/x")[0], 200)
            now = report(host)["host"]["pid"]
            self.assertNotEqual(now, before)
            self.assertIsNone(host.process.poll())
            os.kill(host.first, signal.SIGHUP)
            host.wait_for("workers are to read their configurations")
            os.kill(host.first, signal.SIGTERM)
            host.wait_for("info +host: stopped")
            wait_until(lambda: host.process.poll() is not None)
            self.assertEqual((host.process.returncode, host.inside()), (0, {}))

    def test_one_from_elsewhere_does_not_take_its_place(self):
        with Contained(worker()) as host:
            done = subprocess.run(["nsenter", f"--target={host.first}", "--pid", "--mount",
                                   *Host.command(host), "--replace"],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 69)
            self.assertIn("is looked after by a service manager or as process 1", done.stderr)
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_why_it_cannot_start_is_its_exit_status(self):
        folder = Host(worker(), top="nonsense: 1").folder
        done = subprocess.run([*NAMESPACE, os.environ["ISOWORKER_BIN"] + "/isoworker", "run",
                               folder.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 78)
        self.assertIn("unknown option", done.stderr)


if __name__ == "__main__":
    main()
