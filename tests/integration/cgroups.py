# SPDX-License-Identifier: Apache-2.0
"""Workers in groups of cgroup v2: what those hold them to, who ends with them, and what is left.

Needs a tree of cgroup v2 with the controllers cpu, memory and pids that may be written. Where there
is none, a kernel that runs as a program has one: user-mode Linux, if it is installed."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from bounds import check, ends, greedy, is_alive
from harness import Host, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, ask, process_of, report

NEEDED = {"cpu", "memory", "pids"}
INSIDE = "ISOWORKER_TEST_UML"


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read().strip()


def write(text, *path):
    with open(os.path.join(*path), "w") as file:
        file.write(text)


def tree():
    """Where groups can be made; None: nowhere."""
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split()[4] for line in file if " - cgroup2 " in line]
    for root in mounts:
        named = set(read(root, "cgroup.controllers").split())
        if NEEDED <= named and os.access(root + "/cgroup.procs", os.W_OK) and \
                not os.path.exists(root + "/cgroup.type"):
            return root
    return None


ROOT = tree()
LINUX = shutil.which("linux.uml")


@unittest.skipIf(ROOT, "there is a tree of cgroup v2 here")
class Elsewhere(unittest.TestCase):
    def test_limits_that_need_a_group_are_named_where_there_is_none(self):
        with greedy("cpu_limit: 0.5\npids_limit: 100") as host:
            host.wait_for("warning +host: worker test: cpu_limit and pids_limit do not hold, for want "
                          "of a cgroup: ")
            said = report(host)
            self.assertRegex("\n".join(said["attention"]), "worker test: cpu_limit and pids_limit")
            self.assertIn("cpu_limit 0.5 (not held), pids_limit 100 (not held)",
                          ask(host, "status"))
            self.assertEqual((process_of(host)["cpu_limit"], process_of(host)["pids_limit"]), (0.5, 100))
            self.assertEqual(samples_of(host)['isoworker_host_worker_cpu_limit{worker="test"}'], 0)
            host.write("host.yaml", read(host.folder.name, "host.yaml").replace("cpu_limit: 0.5", ""))
            ask(host, "restart")

    def test_no_host_starts_without_groups_that_are_required(self):
        host = greedy(top="host: {cgroups: required}")
        code, said = check(host)
        self.assertEqual(code, 78, said)
        self.assertRegex(said, r"host.yaml:\d+:\d+: no cgroups, which are required: ")
        host.folder.cleanup()

    @unittest.skipIf(LINUX is None, "user-mode Linux is not installed, and no cgroup v2 with the "
                                    "controllers cpu, memory and pids is there to write")
    def test_all_of_it_holds_under_another_kernel(self):
        with tempfile.TemporaryDirectory(prefix="isw-uml-") as folder:
            done = subprocess.run(uml(folder), capture_output=True, text=True, timeout=600,
                                  check=False)
        self.assertRegex(done.stdout, r"\nOK( \(|\n)", done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\nRan [0-9]+ tests", done.stdout)


def uml(folder):
    """The command that runs this file under a kernel of its own, which prints what it prints."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("ISOWORKER_")}
    kept.update({INSIDE: "1", "TMPDIR": "/run/test", "XDG_RUNTIME_DIR": "/run/own", "HOME": "/root",
                 "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"})
    begin = folder + "/begin"
    write("\n".join([
        "#!/bin/sh", *(f"export {name}='{value}'" for name, value in kept.items()),
        "mount -t proc proc /proc", "mount -t sysfs sysfs /sys",
        "mkdir -p /dev/shm", "mount -t tmpfs tmpfs /dev/shm", "mount -t tmpfs tmpfs /run",
        "mount -t cgroup2 cgroup2 /sys/fs/cgroup", "mkdir -m 700 /run/test /run/own",
        "ip link set lo up", f"/usr/bin/python3 -B {os.path.abspath(__file__)} 2>&1", "echo o > /proc/sysrq-trigger", "sleep 10"]), begin)
    os.chmod(begin, 0o700)
    return ["env", "TMPDIR=" + folder, LINUX, "mem=1G", "rootfstype=hostfs", "rootflags=/", "rw",
            f"init={begin}", "con0=null,fd:1", "con=null", "quiet"]


@unittest.skipUnless(ROOT, "no tree of cgroup v2 with the controllers cpu, memory and pids may be "
                           "written here")
class Groups(unittest.TestCase):
    def setUp(self):
        write(" ".join("+" + name for name in NEEDED), ROOT, "cgroup.subtree_control")
        self.home = f"{ROOT}/isw-test-{os.getpid()}"
        os.mkdir(self.home)

    def tearDown(self):
        wait_until(lambda: "populated 0" in read(self.home, "cgroup.events"))
        for folder, _, _ in os.walk(self.home, topdown=False):
            os.rmdir(folder)

    def enter(self):
        write("0", self.home, "cgroup.procs")

    def greedy(self, more="", **options):
        return greedy(more, prepare=self.enter, **options)

    def group_of(self, host, pid=None):
        """The folder of the group that a process is in, by default the worker's."""
        found = re.search(r"^0::(.*)$", read(f"/proc/{pid or process_of(host)['pid']}/cgroup"), re.M)
        return ROOT + found.group(1)

    def test_each_process_is_in_a_group_that_holds_it_to_its_limits(self):
        with self.greedy("memory_limit: 64MiB\ncpu_limit: 1.5\npids_limit: 100\nprocesses: 2") as host:
            host.wait_for("info +host: processes of workers are in groups of their own, in "
                          rf"{self.home}/isoworker.{host.process.pid}")
            groups = {self.group_of(host, one["pid"]) for one in report(host)["processes"]}
            self.assertEqual(groups, {f"{self.home}/isoworker.{host.process.pid}/{name}"
                                      for name in ("test_0_-1", "test_1_-2")})
            self.assertEqual(self.group_of(host, host.process.pid), self.home + "/isoworker.host")
            for group in groups:
                self.assertEqual([read(group, name) for name in ("memory.max", "cpu.max", "pids.max")],
                                 [str(64 << 20), "150000 100000", "100"])
            self.assertIn("memory_limit 64.0 MiB (cgroup), cpu_limit 1.5 (cgroup), pids_limit 100 "
                          "(cgroup)", ask(host, "status"))
            self.assertEqual(report(host)["attention"], [])
            self.assertGreater(process_of(host)["pids"], 1)
            self.assertEqual(samples_of(host)['isoworker_host_worker_cpu_limit{worker="test"}'], 1.5)

    def test_who_wants_more_of_a_processor_waits(self):
        name = 'isoworker_host_worker_cpu_throttled_seconds_total{worker="test"}'
        with self.greedy("cpu_limit: 0.25") as host:
            done = host.start("GET", "burn?ms=500")
            status, _, seconds = done()
            self.assertEqual(status, 200)
            self.assertGreater(seconds, 1.5)
            self.assertGreater(process_of(host)["throttled_ms"], 1000)
            self.assertGreater(process_of(host)["cpu_ms"], 450)
            self.assertRegex(ask(host, "status"), r"has waited \S+ for cpu_limit")
            waited = samples_of(host)[name]
            host.get("leave?status=3")
            wait_until(lambda: ends(host, "exit") == 1)
            self.assertGreaterEqual(samples_of(host)[name], waited)

    def test_memory_above_the_limit_is_the_end_by_the_kernels_hand(self):
        with self.greedy("memory_limit: 64MiB") as host:
            before = int(host.get("who")[1])
            self.assertEqual(host.get("child?mib=100")[0], 502)
            wait_until(lambda: ends(host, "memory_limit") == 1)
            host.wait_for(r"worker test: the kernel ended it, since it, with its descendants, needed "
                          r"more than memory_limit \(64.0 MiB\)")
            wait_until(lambda: host.get("who")[0] == 200)
            self.assertNotEqual(int(host.get("who")[1]), before)

    def test_at_nine_tenths_another_takes_over_and_no_call_is_lost(self):
        with Host(worker(more="memory_limit: 100MiB"), top=ADMIN, prepare=self.enter) as host:
            with Load(host) as load:
                before = int(host.get("leak?ms=92")[1].split()[0])
                host.wait_for(f"takes over from pid {before}, since its memory is at nine tenths of")
                wait_until(lambda: ends(host, "recycled") == 1)
            self.assertEqual(load.failures, [])
            self.assertEqual(ends(host, "memory_limit"), 0)

    def test_no_more_threads_and_processes_than_it_may_have(self):
        with self.greedy("pids_limit: 40") as host:
            begun = 0
            while host.get("copy")[1] != "-1":
                begun += 1
                self.assertLess(begun, 40)
            self.assertEqual(process_of(host)["pids"], 40)
            self.assertGreater(begun, 10)

    def test_a_process_that_a_template_has_forked_is_in_a_group_of_its_own(self):
        with self.greedy("start: warm\nprocesses: 2\npids_limit: 100") as host:
            groups = {self.group_of(host, one["pid"]) for one in report(host)["processes"]}
            self.assertEqual(len(groups), 2)
            for group in groups:
                self.assertEqual(read(group, "pids.max"), "100")
            before = {one["pid"] for one in report(host)["processes"]}
            host.get("leave?status=3")
            wait_until(lambda: ends(host, "exit") == 1)
            wait_until(lambda: all(one["state"] == "ready" for one in report(host)["processes"]))
            after = {one["pid"] for one in report(host)["processes"]}
            self.assertEqual(len(after - before), 1)
            found = {self.group_of(host, pid) for pid in after}
            self.assertEqual(len(found), 2)
            self.assertTrue(all(read(group, "pids.max") == "100" for group in found))

    def test_a_daemon_of_a_worker_ends_with_it(self):
        with self.greedy() as host:
            for way in ("leave?signal=9", "leave?status=3"):
                daemon = int(host.get("child?kind=daemon")[1])
                self.assertTrue(is_alive(daemon))
                before = self.group_of(host)
                host.get(way)
                wait_until(lambda daemon=daemon: not is_alive(daemon))
                wait_until(lambda before=before: not os.path.exists(before))
                wait_until(lambda: host.get("who")[0] == 200)
            daemon = int(host.get("child?kind=daemon")[1])
            ask(host, "restart")
            wait_until(lambda: not is_alive(daemon))

    def test_a_daemon_of_a_worker_does_not_outlive_a_killed_host(self):
        host = self.greedy(expect=-9)
        with host:
            daemon = int(host.get("child?kind=daemon")[1])
            folder = os.path.dirname(self.group_of(host))
            host.process.kill()
            wait_until(lambda: not is_alive(daemon))
            wait_until(lambda: not os.path.exists(folder))

    def test_a_host_that_stops_leaves_its_group_as_it_was(self):
        with self.greedy() as host:
            host.get("child?kind=daemon")
            self.assertEqual(set(read(self.home, "cgroup.subtree_control").split()), NEEDED)
        self.assertEqual([name for name in os.listdir(self.home) if name.startswith("isoworker")], [])
        self.assertEqual(read(self.home, "cgroup.subtree_control"), "")

    def test_where_others_run_there_are_no_groups_and_that_is_said(self):
        other = subprocess.Popen(["sleep", "1000"], preexec_fn=self.enter)
        try:
            with self.greedy("cpu_limit: 1\nmemory_limit: 64MiB") as host:
                host.wait_for(f"cpu_limit does not hold, for want of a cgroup: others run in {self.home}")
                self.assertIn("memory_limit 64.0 MiB (looked at), cpu_limit 1 (not held)",
                              ask(host, "status"))
                self.assertEqual(self.group_of(host, host.process.pid), self.home)
            host = self.greedy(top="host: {cgroups: required}", settled="<end>", expect=78)
            with host:
                self.assertRegex(host.log(), r"host.yaml:\d+:\d+: no cgroups, which are required: others "
                                             "run in")
        finally:
            other.kill()
            other.wait()

    def test_groups_that_are_not_wanted_are_not_made(self):
        with self.greedy("cpu_limit: 1", top="host: {cgroups: off}") as host:
            host.wait_for("cpu_limit does not hold, for want of a cgroup: host.cgroups is off")
            self.assertEqual(self.group_of(host), self.home)

    def test_two_hosts_in_one_group_are_beside_each_other(self):
        with self.greedy("cpu_limit: 1") as first:
            inside = self.group_of(first, first.process.pid)
            second = greedy("cpu_limit: 1", prepare=lambda: write("0", inside, "cgroup.procs"))
            with second:
                self.assertEqual(os.path.dirname(os.path.dirname(self.group_of(second))), self.home)
                self.assertNotEqual(os.path.dirname(self.group_of(second)),
                                    os.path.dirname(self.group_of(first)))
            self.assertEqual(first.get("who")[0], 200)
            self.assertEqual(read(self.group_of(first), "cpu.max"), "100000 100000")


if __name__ == "__main__":
    if INSIDE in os.environ:
        sys.argv[1:] = ["Groups"]
    main()
