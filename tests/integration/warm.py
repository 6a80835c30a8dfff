# SPDX-License-Identifier: Apache-2.0
"""`start: warm`: processes that a template forks, templates that end, change or may not fork, and
that nothing is shared which should not be."""
import os
import pwd
import shutil
import signal
import subprocess
import unittest

from harness import BIN, SOURCE, Host, is_alive, main, wait_until, worker
from bounds import reachable
from load import Load
from metrics import samples_of
from operators import ADMIN, ask, process_of, report

WARM = BIN + "/../tests/workers/test_warm"
FEW = "worker: {concurrency: 2, max_in_flight: 2}\nmiddleware:\n  - error_handling\n"
SANITIZED = os.environ.get("ISOWORKER_SANITIZE", "")

if "thread" in SANITIZED:  # whose own thread no process is without
    raise SystemExit(0)


def warm(more="", command=None, mode="", **options):
    environment = f"\nenvironment: {{TEST_WARM: {mode}}}" if mode else ""
    options.setdefault("top", ADMIN)
    return Host(worker("test", command or [WARM], "start: warm\n" + more + environment), **options)


def template(host):
    return report(host)["templates"][0]


def is_ready(host):
    return template(host)["state"] == "ready"


def who(host):
    """Pid, parent, group, and the process in which main began."""
    status, body = host.get("who")
    assert status == 200, body
    return [int(number) for number in body.split()]


def kill(host):
    """Kill the process that serves, and wait for the next."""
    pid = process_of(host)["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: process_of(host)["state"] == "ready" and process_of(host)["pid"] != pid)


def replace(host):
    kill(host)
    return who(host)


class Warm(unittest.TestCase):
    def test_the_next_process_is_forked_by_the_template(self):
        with warm() as host:
            pid, _, _, began = who(host)
            self.assertEqual((pid, process_of(host)["start"]), (began, "spawned"))
            wait_until(lambda: is_ready(host))
            one = template(host)
            for count in range(1, 4):
                pid, parent, group, began = replace(host)
                self.assertEqual((parent, group, began), (host.process.pid, pid, one["pid"]))
                process = process_of(host)
                self.assertEqual((process["pid"], process["start"]), (pid, "forked"))
                self.assertEqual(process["last_end_cause"], "signal")
                self.assertEqual(template(host)["forked"], count)
            self.assertGreater(one["resident_bytes"], 100000)
            self.assertEqual(template(host)["spawned"], 1)
            self.assertRegex(ask(host, "status"), rf"  test: its template \(pid {one['pid']}, [0-9.]+ "
                                                  r"MiB\) is ready: it has forked 3 processes, 1 was "
                                                  r"spawned\n")
        self.assertFalse(is_alive(one["pid"]))

    def test_without_it_processes_are_spawned(self):
        with Host(worker("test", [WARM])) as host:
            pid, _, _, began = replace(host)
            self.assertEqual(pid, began)
            self.assertEqual((report(host)["templates"], process_of(host)["start"]), ([], "spawned"))

    def test_one_has_no_descriptor_that_another_has_not(self):
        with warm() as host:
            spawned = host.get("files")[1]
            wait_until(lambda: is_ready(host))
            replace(host)
            self.assertEqual(process_of(host)["start"], "forked")
            self.assertEqual(sorted(host.get("files")[1].splitlines()), sorted(spawned.splitlines()))

    def test_each_has_a_token_and_random_numbers_of_its_own(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            traces = set()
            for _ in range(5):
                replace(host)
                traces.add(host.get("trace")[1])
            self.assertEqual(len(traces), 5)

    def test_a_service_that_may_be_made_before_the_fork_is_made_once(self):
        with warm() as host:
            own = process_of(host)["pid"]
            self.assertEqual(host.get("made"), (200, f"{own} {own}"))
            wait_until(lambda: is_ready(host))
            for _ in range(2):
                own = replace(host)[0]
                self.assertEqual(host.get("made"), (200, f"{template(host)['pid']} {own}"))

    def test_limits_hold_for_what_it_forks(self):
        other = os.geteuid() == 0 and reachable(os.path.realpath(os.path.dirname(WARM)))
        host = warm("nice: 3\nrlimits: {nofile: 77}\n" + ("user: nobody" if other else ""))
        os.chmod(host.folder.name, 0o755)
        with host:
            spawned = host.get("may")[1]
            user = pwd.getpwnam("nobody").pw_uid if other else os.geteuid()
            self.assertEqual(spawned, f"3 77 {user}")
            wait_until(lambda: is_ready(host))
            replace(host)
            self.assertEqual((process_of(host)["start"], host.get("may")[1]), ("forked", spawned))

    def test_what_a_process_has_counted_outlives_it(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            for _ in range(3):
                self.assertEqual(replace(host)[1], host.process.pid)
                self.assertEqual([host.get("count")[0] for _ in range(5)], [200] * 5)
            replace(host)
            self.assertEqual(samples_of(host)['asked_total{worker="test"}'], 15)

    def test_a_limit_holds_over_all_that_it_forked_and_over_its_end(self):
        chain = "middleware:\n  - error_handling\n  - rate_limit: {rate: 6, per: 1h}\n"
        with warm(chain=chain) as host:
            wait_until(lambda: is_ready(host))
            for _ in range(2):
                kill(host)
                self.assertEqual(process_of(host)["start"], "forked")
                self.assertEqual([host.get("may")[0] for _ in range(2)], [200, 200])
            before = template(host)["pid"]
            os.kill(before, signal.SIGKILL)
            wait_until(lambda: is_ready(host) and template(host)["pid"] != before)
            self.assertEqual([host.get("may")[0] for _ in range(3)], [200, 200, 429])


class Ends(unittest.TestCase):
    def test_the_end_of_a_template_ends_none_that_it_forked(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            pid = replace(host)[0]
            before = template(host)["pid"]
            os.kill(before, signal.SIGKILL)
            host.wait_for(r"worker test: processes are spawned.*the template was ended by signal 9")
            self.assertEqual(who(host)[0], pid)
            wait_until(lambda: is_ready(host) and template(host)["pid"] != before)
            self.assertEqual(replace(host)[3], template(host)["pid"])

    def test_one_that_stands_still_is_done_without(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            before = template(host)["pid"]
            os.kill(before, signal.SIGSTOP)
            pid, _, _, began = replace(host)
            self.assertEqual(pid, began)
            host.wait_for("processes are spawned.*it does not answer")
            self.assertFalse(is_alive(before))
            wait_until(lambda: is_ready(host))

    def test_nobody_outlives_a_host_that_is_killed(self):
        with warm(expect=-signal.SIGKILL) as host:
            wait_until(lambda: is_ready(host))
            pids = [replace(host)[0], template(host)["pid"]]
            host.process.kill()
            wait_until(lambda: not any(map(is_alive, pids)))

    def test_one_that_is_asked_to_end_goes_and_another_comes(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            before = template(host)["pid"]
            os.kill(before, signal.SIGTERM)
            wait_until(lambda: is_ready(host) and template(host)["pid"] != before)
            self.assertEqual(replace(host)[3], template(host)["pid"])


class Changes(unittest.TestCase):
    def test_another_program_is_what_the_next_process_runs(self):
        host = Host(worker("test", ["./program"], "start: warm"), top=ADMIN)
        path = os.path.join(host.folder.name, "program")
        shutil.copy(WARM, path)
        with host:
            wait_until(lambda: is_ready(host))
            first = template(host)["pid"]
            shutil.copy(WARM, path + ".new")
            os.rename(path + ".new", path)
            pid, _, _, began = replace(host)
            self.assertEqual(pid, began)
            wait_until(lambda: is_ready(host) and template(host)["pid"] != first)
            self.assertEqual(replace(host)[3], template(host)["pid"])

    def test_another_yaml_holds_in_what_is_forked_afterwards(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            first = template(host)["pid"]
            host.write("worker.yaml", "middleware:\n  - error_handling\n"
                                      "  - rate_limit: {rate: 2, per: 1h}\n")
            wait_until(lambda: is_ready(host) and template(host)["pid"] != first)
            kill(host)
            self.assertEqual(process_of(host)["start"], "forked")
            self.assertEqual([host.get("who")[0] for _ in range(3)], [200, 200, 429])

    def test_a_restart_by_hand_and_a_reload_make_another(self):
        with warm() as host:
            for wish in (lambda: ask(host, "restart"),
                         lambda: host.process.send_signal(signal.SIGHUP)):
                wait_until(lambda: is_ready(host))
                first = template(host)["pid"]
                wish()
                wait_until(lambda first=first: is_ready(host) and template(host)["pid"] != first)

    def test_host_yaml_says_otherwise(self):
        with warm() as host:
            wait_until(lambda: is_ready(host))
            first = template(host)["pid"]
            host.write("host.yaml", ADMIN + "\nworkers:\n" + worker("test", [WARM]))
            wait_until(lambda: not report(host)["templates"] and not is_alive(first))
            self.assertEqual(replace(host)[0], process_of(host)["pid"])
            self.assertEqual(process_of(host)["start"], "spawned")


class Refused(unittest.TestCase):
    def refused(self, mode, why):
        with warm(mode=mode) as host:
            host.wait_for("worker test: processes are spawned, and not forked by its template " + why)
            wait_until(lambda: template(host)["state"] == "refused")
            pid, _, _, began = replace(host)
            self.assertEqual((pid, process_of(host)["start"]), (began, "spawned"))
            self.assertRegex(ask(host, "status"), r"its template is refused: it has forked 0 processes"
                                                  r", 2 were spawned; ")

    def test_a_program_with_a_thread_is_not_forked(self):
        self.refused("thread", r"\(start: warm\): it has 2 threads before it serves")

    def test_a_service_that_starts_a_thread_before_the_fork_keeps_it_from_that(self):
        self.refused("preload", r"\(start: warm\): it has 2 threads before it serves")

    def test_a_program_with_an_open_file_is_not_forked(self):
        self.refused("file", r"\(start: warm\): descriptor \d+ \(/etc/hostname\) is open before it")

    def test_a_program_that_ends_when_it_is_to_wait_is_not_forked(self):
        self.refused("exit", r"\(start: warm\): the template exited with status 3 before it was "
                             r"ready: no templates here")

    def test_a_worker_in_another_language_is_spawned(self):
        command = ["/usr/bin/python3", "-B", SOURCE + "/integration/failing_worker.py"]
        with warm(command=command) as host:
            host.wait_for("processes are spawned, and not forked by its template")
            wait_until(lambda: template(host)["state"] == "refused")

    def test_a_worker_inside_the_host_has_none(self):
        host = Host(worker("test", ["isoworker", "worker", BIN + "/../tests/workers/functions.so"],
                           "isolation: none\nstart: warm"))
        done = subprocess.run([BIN + "/isoworker", "check", host.folder.name], capture_output=True,
                              text=True, timeout=30, check=False)
        host.folder.cleanup()
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stdout + done.stderr, r"host\.yaml:\d+:\d+: .*has no start: it begins")

    def test_what_it_prints_is_shown_as_its_own(self):
        with warm(mode="talk") as host:
            host.wait_for(r"test \(template\) stderr: it is warm here")


class Busy(unittest.TestCase):
    def test_no_call_is_lost_over_two_hundred_forks(self):
        more = "start: warm\nprocesses: {min: 0, max: 4, target: 0.5, keep: 16ms}"
        with Host(worker(more=more), chain=FEW, top=ADMIN) as host:
            wait_until(lambda: is_ready(host))
            with Load(host, pause=0.02) as load:
                wait_until(lambda: template(host)["forked"] >= 200, 60)
            self.assertEqual(load.failures, [])
            self.assertEqual(template(host)["state"], "ready")
            self.assertNotRegex(host.log(), r"(error|warning) +host: worker")


if __name__ == "__main__":
    main()
