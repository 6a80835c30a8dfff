# SPDX-License-Identifier: Apache-2.0
"""What operators see of a host: status and logs, and what hostile visitors of the control socket
can do, which is nothing."""
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

from harness import BIN, PATIENCE_S, Host, main, wait_until, worker
from operators import (ILL, Follower, Visitor, ask, function_of, process_of, report, run,
                       socket_path)


OTHER = 12345  # a user that nobody is


def can_be_another():
    """Whether this can be another user, who may run the program: a tree can be its owner's alone."""
    try:
        return os.geteuid() == 0 and subprocess.run(
            [BIN + "/isoworker", "--version"], preexec_fn=lambda: os.setuid(OTHER),
            stdout=subprocess.DEVNULL).returncode == 0
    except PermissionError:
        return False


class Control(unittest.TestCase):
    # -- Status --

    def test_status_shows_workers_functions_and_their_chain(self):
        with Host(worker(more="processes: 2"), chain="middleware: [error_handling, logging]\n",
                  arguments=["--debug"]) as host:
            host.get("hello/x")
            host.get("hello/y")
            host.get("fail")
            finish = host.start("GET", "once?ms=600000")
            host.wait_for_naps(1)
            text = ask(host, "status")
            self.assertRegex(text, rf"^{re.escape(os.path.realpath(host.folder.name))}: serving, "
                                   rf"up .*, pid {host.process.pid}, isoworker \d")
            self.assertRegex(text, r"1 in flight, 3 done, 1 of them failed")
            self.assertRegex(text, r"test\[0\] +\d+  ready  ring +1/\d+ ")
            self.assertRegex(text, r"test\[1\] +\d+  ready  ring +0/\d+ ")
            self.assertRegex(text, r"  hello +test +http +GET /api/hello/\{name\} +0 +0 +2 +0 .*"
                                   r"  error_handling > logging\n")
            hello = function_of(host, "hello")
            self.assertEqual(hello["chain"], ["error_handling", "logging"])
            self.assertGreater(hello["mean_us"], 0)
            self.assertEqual(function_of(host, "fail")["failures"], 1)
            self.assertEqual(function_of(host, "once")["in_flight"], 1)
            os.kill(process_of(host)["pid"], 9)
            finish()

    def test_status_has_what_each_trigger_tells_of_itself(self):
        with Host(worker()) as host:
            host.get("hello/x")
            host.get("hello/y")
            host.get("nothing/there")
            http, *others = report(host)["triggers"]
            self.assertEqual(http["type"], "http")
            told = {other["type"]: (other["urls"], other["numbers"]) for other in others}
            self.assertEqual([told[kind] for kind in ("call", "queue", "timer")], 3 * [([], [])])
            self.assertEqual(http["url"], f"http://127.0.0.1:{host.port}")
            self.assertEqual(http["urls"], [http["url"]])
            self.assertEqual([row for row in http["numbers"] if row.get("value") in ("200", "404")],
                             [{"name": "requests_total", "label": "code", "value": code,
                               "number": number} for code, number in (("200", 2), ("404", 1))])

    def test_status_shows_the_lane_and_what_a_worker_says_of_itself(self):
        with Host(worker(more="link: {lane: message}"), top="host: {heartbeat: 50ms}") as host:
            host.start("GET", "once?ms=600000")
            host.wait_for_naps(1)
            wait_until(lambda: process_of(host)["running"] == 1)
            process = process_of(host)
            self.assertEqual((process["lane"], process["in_flight"]), ("message", 1))
            self.assertGreater(process["resident_bytes"], 100000)
            os.kill(process["pid"], 9)

    def test_status_shows_what_restarts_and_what_was_given_up(self):
        dead = worker("dead", ["false"], "give_up_after: 1") + worker("ill", ["false"], ILL)
        with Host(dead + worker()) as host:
            host.wait_for("worker ill: .*starts again in [1-9]")
            host.wait_for("worker dead: given up")
            text = ask(host, "status")
            self.assertRegex(text, r"  dead +-  given up    - ")
            self.assertRegex(text, r"\n  dead: it exited with status 1\n")
            self.assertRegex(text, r"  ill +-  restarting  - ")
            self.assertRegex(text, r"\n  ill: it exited with status 1; starts again in \d+ ms\n")
            host.request("POST", "crash")
            wait_until(lambda: process_of(host)["state"] == "ready")
            process = process_of(host)
            self.assertEqual((process["restarts"], process["failures"]), (1, 1))

    def test_status_without_a_host_says_what_to_do(self):
        with Host(worker()) as host:
            folder = host.folder.name
            ask(host, "status")
            host.process.terminate()
            host.process.wait(PATIENCE_S)
            for command in ("status", "logs", "drain", "resume"):
                code, _, err = run(command, folder)
                self.assertEqual(code, 69)
                self.assertIn(f"no host of this user runs in {os.path.realpath(folder)}; "
                              "`isoworker run", err)
            self.assertFalse(os.path.exists(socket_path(folder)))
        code, _, err = run("status", folder)
        self.assertEqual((code, "No such file" in err), (66, True))

    def test_a_host_that_was_killed_is_not_in_the_way(self):
        with Host(worker(), expect=-9) as host:
            host.process.kill()
            host.process.wait()
            self.assertEqual(run("status", host.folder.name)[0], 69)
            again = subprocess.Popen([BIN + "/isoworker", "run", host.folder.name, "--port", "0"],
                                     stdout=subprocess.DEVNULL)
            wait_until(lambda: run("status", host.folder.name)[0] == 0)
            self.assertEqual(report(host)["host"]["pid"], again.pid)
            again.terminate()
            self.assertEqual(again.wait(PATIENCE_S), 0)

    def test_the_socket_of_a_host_that_was_killed_is_removed(self):
        """By who finds nobody there, and by the next host of the user."""
        for look in (lambda host: run("status", host.folder.name),
                     lambda host: Host(worker()).__enter__().__exit__(None, None, None)):
            with Host(worker(), expect=-9) as host:
                path = socket_path(host.folder.name)
                self.assertTrue(os.path.exists(path))
                host.process.kill()
                host.process.wait()
                look(host)
                wait_until(lambda: not os.path.exists(path) and not os.path.exists(path + ".lock"))

    def test_a_second_host_of_a_folder_serves_and_says_that_it_is_not_found(self):
        with Host(worker()) as host:
            second = subprocess.Popen([BIN + "/isoworker", "run", host.folder.name, "--port", "0"],
                                      stdout=subprocess.PIPE, text=True)
            line = next(line for line in second.stdout if "will not find" in line)
            self.assertRegex(line, rf"status, logs and drain will not find this host: another "
                                   rf"host serves {host.folder.name}: process {host.process.pid} "
                                   r"\(isoworker\) listens at .*\.sock already")
            next(line for line in second.stdout if "Ctrl-C ends" in line)
            second.terminate()
            second.communicate(timeout=PATIENCE_S)
            self.assertEqual(report(host)["host"]["pid"], host.process.pid)

    def test_a_second_host_of_a_folder_is_found_once_the_first_has_ended(self):
        with Host(worker()) as host:
            second = subprocess.Popen([BIN + "/isoworker", "run", host.folder.name, "--port", "0"],
                                      stdout=subprocess.PIPE, text=True)
            next(line for line in second.stdout if "will not find" in line)
            next(line for line in second.stdout if "Ctrl-C ends" in line)
            host.process.terminate()
            host.process.wait(PATIENCE_S)
            next(line for line in second.stdout if "drain find this host now" in line)
            self.assertEqual(report(host)["host"]["pid"], second.pid)
            second.terminate()
            second.communicate(timeout=PATIENCE_S)
            self.assertEqual(second.returncode, 0)

    def test_a_host_without_control_is_not_found(self):
        with Host(worker(), top="host: {control: false}") as host:
            self.assertEqual(run("status", host.folder.name)[0], 69)
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_a_host_is_found_at_the_socket_that_it_names(self):
        host = Host(worker(), top="host: {control: ./run.sock}")
        path = os.path.join(host.folder.name, "run.sock")
        with host:
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            self.assertEqual(report(host)["host"]["pid"], host.process.pid)
            for command in ("status", "logs", "drain", "resume", "describe"):
                code, out, err = run(command, "/", "--control", path)
                self.assertEqual((code, err, bool(out)), (0, "", True), command)
            host.write("host.yaml", "it: [is being written")  # as read by the commands
            self.assertEqual(run("status", host.folder.name, "--control", path)[0], 0)
            host.process.send_signal(signal.SIGTERM)
            host.process.wait(PATIENCE_S)
            self.assertFalse(os.path.exists(path) or os.path.exists(path + ".lock"))
            code, _, err = run("status", "/", "--control", path)
            self.assertEqual((code, "no host answers at" in err), (69, True))

    def test_a_host_is_named_by_its_folder_or_by_an_option(self):
        with Host(worker()) as host:
            folder = host.folder.name
            for command, *words in (["status"], ["logs"], ["describe"], ["describe", "hello"],
                                    ["drain"], ["resume"], ["restart", "test"], ["restart"]):
                done = subprocess.run([BIN + "/isoworker", command, "-C", folder, *words], text=True,
                                      capture_output=True, cwd="/", timeout=PATIENCE_S)
                self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertIn("restarted, 1 process in ", done.stdout)
            for command in ("status", "logs", "drain", "resume", "upgrade"):
                code, out, err = run(command, folder, "-C", folder)
                self.assertEqual((code, out), (64, ""), command)
                self.assertIn(f'-C has named the folder: "{folder}" is one too many', err)
            self.assertEqual(run("restart", folder, "test", "-C", folder)[0], 64)
            self.assertEqual(run("describe", "hello", "-C", folder)[0], 0)
            code, out, _ = run("upgrade", "-C", folder)
            self.assertEqual((code, "has taken the place" in out), (0, True), out)
            os.kill(report(host)["host"]["pid"], signal.SIGTERM)
            host.reader.join(PATIENCE_S)

    def test_a_host_listens_where_its_command_line_says(self):
        with tempfile.TemporaryDirectory(prefix="isw-") as folder:
            path = folder + "/a.sock"
            with Host(worker(), top="host: {control: false}",
                      arguments=["--control", path]) as host:
                self.assertEqual(run("status", host.folder.name)[0], 69)
                self.assertEqual(run("status", ".", "--control", path)[0], 0)
                with Host(worker(), arguments=["--control", path], expect=69,
                          settled="<end>") as two:
                    self.assertIn(f"process {host.process.pid} (isoworker) listens at {path} "
                                  "already", two.log())

    def test_a_socket_that_cannot_be_had_is_refused_with_the_reason(self):
        self.refuse(r"host.yaml:1:\d+: control takes true, false, or the path", "maybe", 78)
        self.refuse(r"host.yaml:1:\d+: no socket can be made in /nowhere", "/nowhere/a.sock", 78)
        self.refuse(r"host.yaml is there and is no socket", "./host.yaml", 66)
        self.refuse(r"a socket's path has at most 107 bytes", "./" + "x" * 120, 66)

    def refuse(self, pattern, control, code):
        with Host(worker(), top="host: {control: %s}" % control, expect=code,
                  settled="<end>") as host:
            self.assertRegex(host.log(), pattern)

    @unittest.skipUnless(can_be_another(), "no other user can run this build")
    def test_root_finds_the_host_of_another_user_and_others_are_told_the_way(self):
        host = Host(worker(), prepare=lambda: os.setuid(OTHER))
        os.chmod(host.folder.name, 0o755)
        with host:
            self.assertEqual(report(host)["host"]["pid"], host.process.pid)
            done = subprocess.run([BIN + "/isoworker", "status", host.folder.name],
                                  preexec_fn=lambda: os.setuid(OTHER + 1), capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 69)
            self.assertIn("One of another user is found by root", done.stderr)

    @unittest.skipUnless(can_be_another(), "no other user can run this build")
    def test_another_user_is_told_whose_the_socket_is(self):
        host = Host(worker(), top="host: {control: ./run.sock}")
        os.chmod(host.folder.name, 0o755)
        with host:
            done = subprocess.run([BIN + "/isoworker", "status", host.folder.name],
                                  preexec_fn=lambda: os.setuid(OTHER), capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 69)
            self.assertIn("run.sock runs as user 0: ask it as that user, or as root", done.stderr)

    # -- Logs --

    def test_logs_show_what_is_there_by_function_level_and_invocation(self):
        with Host(worker(), top="logging: {level: debug}") as host:
            host.get("forge")
            host.get("nap?ms=1")
            host.get("fail")
            lines = ask(host, "logs")
            self.assertRegex(lines, r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d "
                                    r"info     test Function.forge: first\\n.* \([0-9a-f]{32}\)$")
            self.assertRegex(lines, r"host: \d+ functions at http")
            nap = ask(host, "logs", "--function", "n?p")
            self.assertRegex(nap, r"^\S+ info     test Function.nap: napping in \d+ \(\w+\)\n$")
            self.assertNotIn(" info ", ask(host, "logs", "--level", "warning"))
            self.assertRegex(ask(host, "logs", "--category", "*.forge"), r"^[^\n]*first[^\n]*\n$")
            line = json.loads(ask(host, "logs", "--json", "--function", "nap"))
            self.assertEqual(line["function"], "nap")
            self.assertEqual(ask(host, "logs", "--invocation", line["invocation_id"]), nap)
            many = ask(host, "logs", "--invocation", line["invocation_id"][:16])
            self.assertTrue("Function.forge" in many and nap in many)
            self.assertEqual(len(ask(host, "logs", "-n", "2").splitlines()), 2)

    def test_logs_have_the_hosts_words_about_an_invocation(self):
        with Host(worker()) as host:
            host.get("stubborn?ms=600")
            text = ask(host, "logs", "--function", "stubborn", "--level", "warning")
            self.assertRegex(text, r"host: stubborn took longer than its 300 ms "
                                   r"request=[0-9a-f]{32} \([0-9a-f]{32}\)")

    def test_lines_that_follow_an_answer_bear_their_invocation(self):
        with Host(worker(), chain="middleware: [trace]\n") as host:
            self.assertEqual(host.get("hello/Ada")[0], 200)
            host.wait_for("Trace: handler")
            line = json.loads(ask(host, "logs", "--json", "--category", "Trace", "-n", "1"))
            self.assertEqual(line["function"], "hello")
            self.assertRegex(line["invocation_id"], r"^\w{32}$")

    def test_logs_follow_and_end_with_the_host(self):
        with Host(worker(), top="logging: {level: debug}") as host:
            host.get("forge")
            follower = Follower(host, "--function", "forge", "--category", "Function.*")
            self.assertIn("Function.forge: first", follower.next())
            host.get("nap?ms=1")
            host.get("forge")
            self.assertIn("Function.forge: first", follower.next())
            host.get("forge")
            self.assertIn("Function.forge: first", follower.next())
            host.process.terminate()
            out, err = follower.process.communicate(timeout=PATIENCE_S)
            self.assertEqual((out, err, follower.process.returncode),
                             ("", "isoworker: the host has ended\n", 0))

    def test_logs_of_a_level_that_workers_are_not_asked_for_say_so(self):
        with Host(worker(), top="logging: {level: warning}") as host:
            _, _, err = run("logs", host.folder.name, "--level", "debug")
            self.assertIn("lines below warning are not there: this host does not ask", err)
            self.assertEqual(run("logs", host.folder.name, "--level", "warning")[2], "")

    def test_a_slow_reader_loses_lines_and_is_told_how_many(self):
        with Host(worker(), top="host: {log_lines: 10}") as host:
            slow = Visitor(host, b'{"command":"logs","follow":true,"function":"fill"}\n')
            connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=PATIENCE_S)
            for _ in range(1000):  # more than the socket between them holds
                connection.request("GET", "/api/fill?ms=1")
                connection.getresponse().read()
            connection.close()
            self.assertEqual(len(ask(host, "logs").splitlines()), 10)
            count = {"lost": 0, "message": 0}
            for line in slow.sock.makefile():
                said = json.loads(line)
                count["lost"] += said.get("lost", 0)
                count["message"] += "message" in said
                if sum(count.values()) >= 1000:
                    break
            self.assertGreater(count["lost"], 0)
            self.assertGreater(count["message"], 10)
            slow.sock.close()

    # -- Hostile visitors --

    def test_what_is_no_request_is_answered_with_why(self):
        with Host(worker()) as host:
            for text, why in [(b"garbage\n", "line 1"), (b"\x00\xff\xfe\n", "line 1"),
                              (b"[]\n", "expected object"), (b"{}\n", "command"),
                              (b'{"command":"halt"}\n', "command"),
                              (b'{"command":"logs","level":"loud"}\n', "level is one of"),
                              (b'{"command":"drain","wait_ms":-1}\n', "wait_ms"),
                              (b"x" * (1024 * 1024 + 4096), "one line of JSON"),
                              (b"[" * 4000 + b"\n", "")]:
                said = Visitor(host, text).rest()
                self.assertIn(why, json.loads(said)["error"])
            self.assertEqual(report(host)["host"]["state"], "serving")

    def test_visitors_that_stall_or_flood_hold_up_nobody(self):
        with Host(worker()) as host:
            mute = [Visitor(host) for _ in range(6)]
            half = [Visitor(host, b'{"command":') for _ in range(4)]
            flood = Visitor(host, b'{"command":"logs","follow":true}\n')
            flood.sock.setblocking(False)
            try:
                while True:
                    flood.sock.send(b"x" * 65536)
            except BlockingIOError:
                pass
            deaf = [Visitor(host, b'{"command":"logs","follow":true}\n') for _ in range(4)]
            self.assertEqual(report(host)["host"]["state"], "serving")
            self.assertEqual(host.get("hello/x")[0], 200)
            more = Visitor(host)
            self.assertIn("as many visitors as it takes", Visitor(host).rest())
            for one in mute + half + [more]:  # those that ask for nothing are sent away
                self.assertEqual(one.rest(), "")
            for one in deaf + [flood]:
                one.sock.close()
            self.assertEqual(report(host)["host"]["state"], "serving")


if __name__ == "__main__":
    main()
