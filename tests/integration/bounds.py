# SPDX-License-Identifier: Apache-2.0
"""Bounds on a worker: processes that leak, burn and leave, what becomes of them and of their calls,
and what operators are told of it."""
import grp
import json
import os
import pwd
import re
import subprocess
import time
import unittest

from harness import BIN, Host, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, ask, process_of, report

GREEDY = BIN + "/../tests/workers/test_greedy"
SANITIZED = bool(os.environ.get("ISOWORKER_SANITIZE"))  # which takes memory of its own
ENDS = 'isoworker_host_process_ends_total{worker="test",cause="%s"}'


def greedy(more="", top="", **options):
    return Host(worker("test", [GREEDY], more), top=ADMIN + "\n" + top, **options)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def ends(host, cause):
    return samples_of(host)[ENDS % cause]


def naps_of(pid):
    """How often its threads have slept."""
    count = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as file:
            count += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", file.read()).group(1))
    return count


def naps_in(host, seconds):
    """How many times a second they do."""
    first = naps_of(host.process.pid)
    begin = time.monotonic()
    wait_until(lambda: time.monotonic() > begin + seconds)
    return (naps_of(host.process.pid) - first) / (time.monotonic() - begin)


def check(host):
    """What `isoworker check` says of the folder of a host that need not run."""
    done = subprocess.run([BIN + "/isoworker", "check", host.folder.name], capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def faults(test, more):
    host = greedy(more)
    code, said = check(host)
    host.folder.cleanup()
    test.assertEqual(code, 78, said)
    return said


@unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
class Memory(unittest.TestCase):
    def test_one_that_grows_above_its_limit_is_killed_and_another_serves(self):
        with greedy("memory_limit: 64MiB") as host:
            before = int(host.get("who")[1])
            status, body = host.get("leak?mib=4000")
            self.assertEqual(status, 502, body)
            host.wait_for(r"worker test: its memory, [0-9.]+ MiB, is above memory_limit \(64.0 MiB\)")
            wait_until(lambda: host.get("who")[0] == 200)
            self.assertNotEqual(int(host.get("who")[1]), before)
            wait_until(lambda: process_of(host)["state"] == "ready")
            process = process_of(host)
            self.assertEqual((process["last_end_cause"], process["last_end_pid"],
                              process["memory_limit_bytes"]), ("memory_limit", before, 64 << 20))
            self.assertEqual(ends(host, "memory_limit"), 1)
            self.assertEqual(sum(ends(host, cause) for cause in ("killed", "signal", "exit")), 0)
            shown = ask(host, "status")
            self.assertRegex(shown, r"  test: memory_limit 64\.0 MiB \(looked at\); at most [0-9.]+ MiB of memory")
            self.assertRegex(shown, rf"  test: pid {before} ended .* ago \(memory_limit\): its memory")

    def test_at_nine_tenths_another_takes_over_and_no_call_is_lost(self):
        with Host(worker(more="memory_limit: 400MiB"), top=ADMIN) as host:
            with Load(host) as load:
                before = int(host.get("leak?ms=362")[1].split()[0])
                host.wait_for(f"takes over from pid {before}, since its memory is at nine tenths of")
                wait_until(lambda: ends(host, "recycled") == 1)
                reached = load.total
                wait_until(lambda: load.total > reached + 20)
            self.assertEqual(load.failures, [])
            self.assertEqual(process_of(host)["last_end"],
                             "its memory is at nine tenths of memory_limit")
            self.assertEqual(ends(host, "memory_limit"), 0)

    def test_what_its_children_have_counts(self):
        with greedy("memory_limit: 64MiB") as host:
            before = int(host.get("who")[1])
            child = int(host.get("child?mib=10")[1])
            wait_until(lambda: process_of(host)["resident_bytes"] > 10 << 20)
            self.assertEqual(int(host.get("who")[1]), before)
            # One that is seen at nine tenths on its way is sent away for that, if it has its child soon.
            wait_until(lambda: host.get("child?mib=100") and ends(host, "memory_limit") >= 1)
            host.wait_for(r"worker test: its memory, [0-9.]+ MiB, is above memory_limit")
            wait_until(lambda: not is_alive(child))

    def test_what_children_share_with_it_counts_once(self):
        with greedy("memory_limit: 128MiB") as host:
            before = int(host.get("leak?mib=60")[1])
            for _ in range(3):
                self.assertEqual(host.get("copy")[0], 200)
            host.get("burn?ms=1500")  # it is looked at seven times meanwhile
            self.assertEqual(int(host.get("who")[1]), before)
            self.assertGreater(process_of(host)["peak_bytes"], 60 << 20)

    def test_one_that_is_too_large_from_its_start_is_not_replaced_by_its_like(self):
        with greedy("recycle_after: {memory: 4MiB}\nenvironment: {TEST_LEAK: 8}") as host:
            host.wait_for(r"worker test: pid \d+ has [0-9.]+ MiB from its start, which is at "
                          r"recycle_after.memory already; no other process takes over for that")
            self.assertEqual(process_of(host)["restarts"], 0)

    def test_at_rest_it_is_looked_at_once_a_second_and_busy_more_often(self):
        with greedy("memory_limit: 256MiB") as host:
            host.get("who")
            wait_until(lambda: naps_in(host, 1) < 4)
            burning = host.start("GET", "burn?ms=1500")
            wait_until(lambda: naps_in(host, 1) > 5)
            burning()


class Recycling(unittest.TestCase):
    def test_after_so_many_invocations_another_takes_over_and_no_call_is_lost(self):
        with Host(worker(more="processes: 2\nrecycle_after: {invocations: 40}"), top=ADMIN) as host:
            with Load(host) as load:
                wait_until(lambda: ends(host, "recycled") >= 4)
            self.assertEqual(load.failures, [])
            self.assertGreater(load.total, 4 * 36)
            self.assertIn("it has answered recycle_after.invocations",
                          {p.get("last_end") for p in report(host)["processes"]})

    def test_of_an_age_another_takes_over_from_it(self):
        with greedy("recycle_after: {age: 1s}") as host:
            before = int(host.get("who")[1])
            wait_until(lambda: ends(host, "recycled") >= 1)
            self.assertNotEqual(int(host.get("who")[1]), before)
            host.wait_for(f"takes over from pid {before}, since it is as old as recycle_after.age")


class Ends(unittest.TestCase):
    def test_the_status_says_why_each_process_ended_last(self):
        with greedy() as host:
            self.assertNotIn("last_end", process_of(host))
            for count, (query, cause, words) in enumerate((
                    ("status=3", "exit", "it exited with status 3"),
                    ("signal=9", "signal", "it was ended by signal 9 (Killed)"),
                    ("status=3", "exit", "it exited with status 3")), 1):
                pid = int(host.get("who")[1])
                status, told = host.get("leave?" + query)
                self.assertEqual(status, 502)
                words += f" while it ran leave (invocation {json.loads(told)['invocation_id']})"
                wait_until(lambda count=count: process_of(host)["restarts"] == count and
                           process_of(host)["state"] == "ready")
                process = process_of(host)
                self.assertEqual((process["last_end_cause"], process["last_end"],
                                  process["last_end_pid"]), (cause, words, pid))
            self.assertEqual((ends(host, "exit"), ends(host, "signal")), (2, 1))
            ask(host, "restart")
            wait_until(lambda: ends(host, "replaced") == 1)
            self.assertEqual(process_of(host)["last_end"], "another process has taken over")

    def test_one_that_does_not_stop_in_time_is_told_as_killed_by_the_host(self):
        with greedy(top="host: {function_timeout: 200ms, cancel_grace: 100ms}") as host:
            self.assertEqual(host.get("burn?ms=20000")[0], 504)
            wait_until(lambda: ends(host, "killed") == 1)
            self.assertIn("did not stop", process_of(host)["last_end"])


def may(host):
    """What a process says of itself, by name."""
    words = host.get("may")[1].split()
    names = ("nofile", "core", "data", "cpu", "as", "nproc")
    found = {name: [int(word) for word in words[words.index(name) + 1:words.index(name) + 3]]
             for name in names}
    found["nice"] = int(words[words.index("nice") + 1])
    found["user"] = [int(word) for word in words[words.index("user") + 1:words.index("user") + 3]]
    at = words.index("group")
    found["group"] = [int(word) for word in words[at + 1:at + 3]]
    found["groups"] = [int(word) for word in words[at + 4:words.index("nofile")]]
    return found


def reachable(folder):
    """Whether everybody may go there, which the tree's own folder may not let them."""
    while folder != "/":
        if not os.stat(folder).st_mode & 0o001:
            return False
        folder = os.path.dirname(folder)
    return True


class Confined(unittest.TestCase):
    def test_limits_and_niceness_hold_from_the_programs_first_line(self):
        with greedy("rlimits: {nofile: 200, core: 0, cpu: 1h}\nnice: 7") as host:
            said = may(host)
            self.assertEqual((said["nofile"], said["core"], said["cpu"], said["nice"]),
                             ([200, 200], [0, 0], [3600, 3600], 7))
            opened = int(host.get("open_files")[1])
            self.assertTrue(100 < opened < 200, opened)
            self.assertRegex(ask(host, "status"), "  test: core=0, cpu=3600, nofile=200, nice=7; at")
            with open(f"/proc/{process_of(host)['pid']}/comm") as file:
                self.assertEqual(file.read().strip(), "test_greedy")

    def test_what_burns_above_its_time_of_a_processor_is_ended_by_the_kernel(self):
        with greedy("rlimits: {cpu: 1s}") as host:
            self.assertEqual(host.get("burn?ms=10000")[0], 502)
            wait_until(lambda: ends(host, "signal") == 1)

    @unittest.skipIf(SANITIZED, "a sanitizer takes memory of its own")
    def test_memory_above_rlimits_data_is_not_given(self):
        with Host(worker(more="rlimits: {data: 256MiB}"), top=ADMIN) as host:
            self.assertEqual(host.get("leak?ms=20")[1].split()[1], str(ord("x")))
            self.assertEqual(host.get("leak?ms=300")[1].split()[1], "0")
            self.assertEqual(host.get("hello/Ada")[0], 200)

    @unittest.skipIf(os.geteuid() == 0, "root may do so")
    def test_who_is_not_root_has_nobody_else_to_be(self):
        said = faults(self, "user: nobody\nnice: -5")
        self.assertRegex(said, r"host.yaml:\d+:\d+: worker \"test\" has a user, which only a host that "
                               "root starts")
        self.assertRegex(said, r"host.yaml:\d+:\d+: worker \"test\": nice -5 is below the host's own")


@unittest.skipIf(os.geteuid() != 0, "only root may start a process as another user")
class User(unittest.TestCase):
    def setUp(self):
        if not reachable(os.path.realpath(os.path.dirname(GREEDY))):
            self.skipTest("other users cannot reach the folder of the build")
        self.nobody = pwd.getpwnam("nobody")

    def test_a_worker_is_the_user_that_it_is_to_be_and_serves(self):
        host = greedy("user: nobody\nrlimits: {nofile: 300}")
        os.chmod(host.folder.name, 0o755)
        with host:
            said = may(host)
            self.assertEqual((said["user"], said["group"], said["nofile"]),
                             ([self.nobody.pw_uid] * 2, [self.nobody.pw_gid] * 2, [300, 300]))
            self.assertEqual(said["groups"], [self.nobody.pw_gid])
            before = int(host.get("who")[1])
            self.assertEqual(host.get("leave?signal=11")[0], 502)
            wait_until(lambda: host.get("who")[0] == 200)
            self.assertNotEqual(int(host.get("who")[1]), before)
            self.assertEqual(may(host)["user"], [self.nobody.pw_uid] * 2)
            ask(host, "restart")

    def test_a_group_alone_is_given(self):
        with greedy("group: nogroup") as host:
            self.assertEqual(may(host)["group"], [grp.getgrnam("nogroup").gr_gid] * 2)
            self.assertEqual(may(host)["user"], [0, 0])

    def test_what_its_user_cannot_read_is_told_before_it_starts(self):
        host = greedy("user: nobody")
        os.chmod(host.folder.name, 0o700)
        code, said = check(host)
        self.assertEqual(code, 78)
        self.assertRegex(said, rf"host.yaml:\d+:\d+: worker \"test\": its user \({self.nobody.pw_uid}, "
                               r"group \d+\) cannot enter or execute /tmp/isw-\S+: Permission denied")
        os.chmod(host.folder.name, 0o755)
        host.write("other.yaml", "{}")
        os.chmod(host.folder.name + "/other.yaml", 0o600)
        host.write("host.yaml", "workers:\n" + worker("test", [GREEDY],
                                                      "user: nobody\nconfig: other.yaml"))
        self.assertRegex(check(host)[1], r"cannot read \S+/other.yaml: Permission denied")
        os.chmod(host.folder.name + "/other.yaml", 0o604)
        self.assertEqual(check(host)[0], 0, check(host)[1])
        host.folder.cleanup()

    def test_a_user_that_is_not_there_is_refused(self):
        self.assertRegex(faults(self, "user: nobody-of-that-name"), "there is no such user")
        self.assertRegex(faults(self, "user: '4294960000'"), "write group beside it")
        self.assertRegex(faults(self, "user: nobody\nlink: {lane: message}"),
                         r"host.yaml:\d+:\d+: worker \"test\" has a user and link.lane: message")


class Mistakes(unittest.TestCase):
    def test_limits_of_processors_and_of_threads_mean_something(self):
        self.assertRegex(faults(self, "cpu_limit: 0"), r"host.yaml:\d+:\d+: worker \"test\": cpu_limit "
                                                       "takes processors, such as 0.5 or 2: at least")
        self.assertRegex(faults(self, "cpu_limit: 2000"), r"host.yaml:\d+:\d+: .*cpu_limit")
        self.assertRegex(faults(self, "pids_limit: 0"), r"host.yaml:\d+:\d+: .*pids_limit")

    def test_limits_that_mean_nothing_are_refused_with_what_they_take(self):
        said = faults(self, "rlimits: {nofile: many, cpu: 10ms, core: 5x}\nnice: 40")
        self.assertRegex(said, r"host.yaml:\d+:\d+: .*nice")
        said = faults(self, "rlimits: {nofile: many, cpu: 10ms, core: 5x}")
        for name in ("nofile", "cpu", "core"):
            self.assertRegex(said, rf"host.yaml:\d+:\d+: worker \"test\": rlimits.{name} .*write "
                                   "unlimited")

    def test_what_cannot_hold_is_refused_at_its_place(self):
        said = faults(self, "memory_limit: 8MiB\nrecycle_after: {memory: 8MiB}")
        self.assertRegex(said, r"host.yaml:\d+:\d+: worker \"test\": recycle_after.memory is not "
                               r"below memory_limit")
        said = faults(self, "memory_limit: 1KiB")
        self.assertRegex(said, r"host.yaml:\d+:\d+: .*memory_limit")
        said = faults(self, "recycle_after: {age: 1ms}")
        self.assertRegex(said, r"host.yaml:\d+:\d+: .*age")


if __name__ == "__main__":
    main()
