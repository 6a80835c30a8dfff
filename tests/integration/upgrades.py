# SPDX-License-Identifier: Apache-2.0
"""Hosts that take each other's place: by `isoworker upgrade`, and by `run --replace`."""
import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

import frames
import states
from addresses import PassedHost
from addresses import ask as ask_path
from frames import DATA, GOAWAY, PING, Frames, data, frame, headers, line
from harness import BIN, PATIENCE_S, WORKER, Client, Host, Terminal, is_alive, main, wait_until, worker
from load import Load
from metrics import samples_of
from operators import ADMIN, Follower, admin, ask, process_of, report, run, socket_path
from service import Manager
from shared import ask_all, chain
from tls import SecureHost, client, file, request_on, settings

GATE = ["sh", "-c", f"test ! -e gate || read line < gate; exec {WORKER}"]
QUICK = "host: {shutdown_grace: 500ms}\n"


def hosts_in(folder):
    """The pids of the hosts that were started for a folder, guards left out."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/cmdline") as file_of:
                words = file_of.read().split("\0")
            with open(f"/proc/{name}/task/{name}/children") as children:
                if words[0].endswith("/isoworker") and folder in words and children.read():
                    found.append(int(name))
    return sorted(found)


class Line(Host):
    """A host and those that follow it, which end with it."""

    def pid(self):
        return report(self)["host"]["pid"]

    def __exit__(self, kind, value, traceback):
        last = []
        with contextlib.suppress(Exception):
            last = [self.pid()]
        for pid in last if kind is None else hosts_in(self.folder.name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if kind is None else signal.SIGKILL)
        super().__exit__(kind, value, traceback)
        for pid in last:
            wait_until(lambda pid=pid: not is_alive(pid))

    def upgrade(self):
        """The pid that has taken over; who was there before says that it has."""
        out = ask(self, "upgrade")
        found = re.fullmatch(r"pid (\d+) has taken the place of pid (\d+) after \d+ ms\n", out)
        self.wait_for(f"this host has taken the place of pid {found.group(2)}")
        return int(found.group(1))


class PassedLine(Line, PassedHost):
    pass


class OwnProgram(Line):
    """Its isoworker is a file of its own, which another one may take the place of."""

    def program(self):
        return os.path.join(self.folder.name, "isoworker")

    def put(self):
        shutil.copy(BIN + "/isoworker", self.program() + ".new")
        os.rename(self.program() + ".new", self.program())

    def command(self):
        return [self.program(), *super().command()[1:]]


class AllKinds(Load):
    """Clients of every kind: connections that are kept and such that are not, TLS, HTTP/2, and bodies
    in pieces both ways."""

    def __enter__(self):
        found = self.host.wait_for("functions at http")
        self.secure = int(re.search(r"https://[^:]+:(\d+)", found).group(1))
        self.port = int(re.search(r"http://[^:]+:(\d+)", found).group(1))
        self.kinds = {}
        super().__enter__()
        more = [threading.Thread(target=self.repeat_each, args=(one,), daemon=True)
                for one in (self.anew, self.secure_anew)]
        more += [threading.Thread(target=self.repeat_kept, args=(one,), daemon=True)
                 for one in (self.secure_kept, self.frames)]
        for thread in more:
            thread.start()
        self.threads += more
        return self

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def secure_connection(self):
        raw = socket.create_connection(("127.0.0.1", self.secure), PATIENCE_S)
        connection = http.client.HTTPSConnection("localhost", self.secure, timeout=PATIENCE_S)
        connection.sock = client().wrap_socket(raw, server_hostname="localhost")
        return connection

    def goes_on(self):
        return not self.stopping.wait(self.pause) and not self.is_late()

    def repeat_each(self, one):
        while self.goes_on():
            self.once(one, one)

    def anew(self, _):
        connection = self.connect()
        failure = self.short(connection)
        connection.close()
        return failure

    def secure_anew(self, _):
        connection = self.secure_connection()
        failure = self.short(connection)
        connection.close()
        return failure

    def repeat_kept(self, one):
        kept = {}
        while self.goes_on():
            self.once(one, kept)

    def secure_kept(self, kept):
        """http.client would connect anew in plain by itself."""
        connection = kept.pop("connection", None) or self.secure_connection()
        connection.request("GET", "/api/pid")
        answer = connection.getresponse()
        body = answer.read()
        if answer.will_close:
            connection.close()
        else:
            kept["connection"] = connection
        return None if answer.status == 200 else f"{answer.status} {body!r}"

    def frames(self, kept):
        """A request is lost if its stream has no answer and GOAWAY does not say that nobody saw it."""
        connection = kept.pop("connection", None) or Frames(self.port)
        number = kept.get("number", 1)
        stream = connection.ask(number, path="/api/pid")
        left = connection.goaway or connection.closed
        if left:
            connection.sock.close()
        kept.update({"number": 1} if left else {"number": number + 2, "connection": connection})
        return None if stream.status == 200 else f"{stream.status} {stream.error}"


def both():
    """An address in plain and one over TLS."""
    return ADMIN + "\n" + settings(listen='"127.0.0.1:0", "https://127.0.0.1:0"')


class SecureLine(Line, SecureHost):
    def __enter__(self):
        Host.__enter__(self)
        return self


def secure_line(top=""):
    return SecureLine(both() + top)


class Upgrade(unittest.TestCase):
    def test_nobody_fails_while_hosts_follow_each_other(self):
        with secure_line("host: {shutdown_grace: 60s}\n") as host, AllKinds(host) as load:
            stream = Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                  "Transfer-Encoding: chunked")
            stream.chunk(b"one")
            host.wait_for("heard one")
            for count in range(1, 21):
                host.upgrade()
                wait_until(lambda count=count: load.total > 40 * count)
            stream.chunk(b"two")  # at the first one, which has waited for it
            stream.chunk(b"")
            stream.wait_for(b"<two>")
            stream.close()
            load.__exit__(None, None, None)
            self.assertEqual(load.failures, [])
            self.assertGreater(len(load.pids), 20)
            wait_until(lambda: len(hosts_in(host.folder.name)) == 1)

    def test_commands_and_addresses_are_those_of_the_one_that_serves(self):
        top = ADMIN + '\nhttp: {listen: ["127.0.0.1:0", "unix:own.sock"]}'
        with Line(worker(), top=top) as host:
            path = os.path.join(host.folder.name, "own.sock")
            before = report(host)["host"]
            for _ in range(2):
                now = host.upgrade()
                told = report(host)["host"]
                self.assertEqual((told["pid"], told["url"], told["admin_url"]),
                                 (now, before["url"], before["admin_url"]))
                self.assertNotEqual(now, before["pid"])
                self.assertEqual(host.get("hello/x")[0], 200)
                self.assertIn("200 OK", ask_path(path))
                self.assertEqual(admin(host, "GET", "/ready")[0], 200)
                self.assertIn("worker test: restarted", ask(host, "restart"))
                self.assertIn("has taken the place", ask(host, "logs"))
                with open(path + ".lock") as lock:
                    self.assertEqual(lock.read(), f"{now}\n")
            wait_until(lambda: not is_alive(before["pid"]))
            self.assertEqual(host.process.wait(PATIENCE_S), 0)
        self.assertFalse(os.path.exists(path) or os.path.exists(path + ".lock"))
        self.assertFalse(os.path.exists(socket_path(host.folder.name)))

    def test_one_whose_workers_do_not_serve_changes_nothing_and_says_why(self):
        with Line(worker()) as host:
            path = os.path.join(host.folder.name, "host.yaml")
            with open(path) as text:
                good = text.read()
            before = host.pid()
            for bad, why in ((worker(command=["sh", "-c", "echo no beans >&2; exit 3"]),
                              "worker test: .* it exited with status 3: no beans"),
                             (worker(more="nonsense: 1"), "host.yaml:.*unknown option")):
                host.write("host.yaml", "workers:\n" + bad)
                code, _, err = run("upgrade", host.folder.name)
                self.assertEqual(code, 70)
                self.assertRegex(err, r"the host goes on as it was, and pid \d+ has not taken its "
                                      r"place: .*" + why)
                host.wait_for(r"warning +host: this host goes on, and pid \d+ has not .*" + why)
                self.assertEqual((host.pid(), host.get("hello/x")[0]), (before, 200))
                host.write("host.yaml", good)
            self.assertNotEqual(host.upgrade(), before)

    def test_what_the_new_host_yaml_does_not_name_any_more_is_closed(self):
        top = 'http: {listen: ["127.0.0.1:0", "unix:own.sock", "127.0.0.1:0"]}'
        with Line(worker(), top=top + "\nhost: {control: control.sock}") as host:
            urls = report(host)["triggers"][0]["urls"]
            other = int(urls[2].rpartition(":")[2])
            self.assertTrue(os.path.exists(os.path.join(host.folder.name, "own.sock")))
            host.write("host.yaml", 'http: {listen: ["127.0.0.1:0", "unix:new.sock"]}\nworkers:\n' +
                       worker())
            code, out, err = run("upgrade", host.folder.name, "--control",
                                 os.path.join(host.folder.name, "control.sock"))
            self.assertEqual((code, err), (0, ""))
            host.wait_for("this host has taken the place of")
            wait_until(lambda: not [name for name in os.listdir(host.folder.name)
                                    if "own" in name or "control" in name])
            self.assertEqual(report(host)["host"]["url"], urls[0])
            self.assertIn("200 OK", ask_path(os.path.join(host.folder.name, "new.sock")))
            with self.assertRaises(ConnectionRefusedError):
                wait_until(lambda: not socket.create_connection(("127.0.0.1", other)).close() and
                           False)

    def test_who_follows_the_lines_follows_those_of_the_next_one(self):
        with Line(worker()) as host:
            follower = Follower(host)
            self.addCleanup(follower.end)
            host.get("prints?text=first&line=1")
            self.assertIn("first", self.line_with(follower, "first"))
            now = [host.upgrade() for _ in range(2)]
            self.line_with(follower, f"pid {now[0]} has taken the place of this host")
            self.line_with(follower, f"this host has taken the place of pid {now[0]}")
            host.get("prints?text=last&line=1")
            self.line_with(follower, "last")

    def line_with(self, follower, text):
        for _ in range(1000):
            line_of = follower.next()
            if text in line_of:
                return line_of
        raise AssertionError(f"no line has {text!r}")

    def test_the_program_is_the_one_that_lies_there_now(self):
        host = OwnProgram(worker())
        host.put()
        with host:
            first = os.stat(host.program()).st_ino
            self.assertEqual(os.stat(f"/proc/{host.pid()}/exe").st_ino, first)
            host.put()
            now = os.stat(host.program()).st_ino
            self.assertNotEqual(now, first)
            for _ in range(2):
                self.assertEqual(os.stat(f"/proc/{host.upgrade()}/exe").st_ino, now)

    def test_what_processes_share_goes_over(self):
        limit = chain("rate_limit: {rate: 30, per: 1h}")
        with Line(worker(more="processes: 2"), chain=limit) as host:
            answers = ask_all(host, "pid", 2, 10)
            host.upgrade()
            answers += ask_all(host, "pid", 2, 10)
            self.assertEqual([status for status, _ in answers].count(200), 30)

    def test_sockets_of_a_service_manager_go_over(self):
        with socket.create_server(("127.0.0.1", 0)) as one, \
                PassedLine([one], names="web", top="http: {listen: 'fd:web'}") as host:
            host.port = one.getsockname()[1]
            for _ in range(2):
                host.upgrade()
                self.assertEqual(host.get("hello/x")[0], 200)

    def test_nothing_is_left_over_from_one_to_the_next(self):
        def descriptors(pid):
            found = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
            return sorted(re.sub(r"isoworker-\w{6}|:\[\d+\]", "", one) for one in found)

        def sockets(pid):
            with contextlib.suppress(OSError):
                return {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            return set()

        with Line(worker(), top=ADMIN) as host:
            before = host.upgrade()
            first = descriptors(before)
            for _ in range(5):
                before = host.upgrade()
            wait_until(lambda: len(hosts_in(host.folder.name)) == 1)
            self.assertEqual(descriptors(before), first)
            with open("/proc/net/tcp") as table:
                port = f":{host.port:04X} "
                listening = {f"socket:[{row.split()[9]}]" for row in table if port in row}
            self.assertTrue(listening & sockets(before))
            self.assertFalse(listening & sockets(process_of(host)["pid"]))

    def test_counters_begin_anew_and_nothing_is_counted_twice(self):
        with Line(worker(), top=ADMIN) as host:
            for _ in range(3):
                host.get("hello/x")
            host.upgrade()
            host.get("hello/x")
            self.assertEqual(samples_of(host)[
                'isoworker_host_invocations_total{worker="test",function="hello",'
                'outcome="success"}'], 1)


class Waiting(unittest.TestCase):
    """Successors whose worker does not begin before the gate is written to."""

    @contextlib.contextmanager
    def under_way(self, host_type=Line, **more):
        with host_type(worker(command=GATE, more="start_timeout: 60s"), **more) as host:
            os.mkfifo(os.path.join(host.folder.name, "gate"))
            upgrade = subprocess.Popen([BIN + "/isoworker", "upgrade", host.folder.name],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            found = host.wait_for(r"pid \d+ starts, and is to take the place of this host")
            yield host, upgrade, int(re.search(r"pid (\d+) starts", found).group(1))
            upgrade.communicate(timeout=PATIENCE_S)

    def test_another_one_has_to_wait(self):
        with self.under_way() as (host, upgrade, pid):
            code, _, err = run("upgrade", host.folder.name)
            self.assertEqual(code, 75)
            self.assertIn(f"another one is about to take the place of this host, pid {pid}", err)
            self.assertEqual(host.get("hello/x")[0], 200)
            host.write("gate", "go\n")
            self.assertIn(f"pid {pid} has taken the place", upgrade.communicate()[0])
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_one_that_dies_changes_nothing(self):
        with self.under_way() as (host, upgrade, pid):
            os.kill(pid, signal.SIGKILL)
            self.assertIn("it was ended by signal 9", upgrade.communicate()[1])
            self.assertEqual((host.pid(), host.get("hello/x")[0]), (host.process.pid, 200))

    def test_it_takes_the_place_of_one_that_dies(self):
        with self.under_way() as (host, upgrade, pid):
            host.expect = -9
            os.kill(host.process.pid, signal.SIGKILL)
            host.process.wait()
            upgrade.communicate()
            connection = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
            connection.sendall(b"GET /api/hello/x HTTP/1.1\r\nHost: x\r\n\r\n")
            host.write("gate", "go\n")
            self.assertIn(b"Hello, x!", connection.recv(65536))
            connection.close()
            host.wait_for("this host has taken the place of pid")
            self.assertEqual(host.pid(), pid)

    def test_it_ends_with_one_that_is_told_to(self):
        with self.under_way() as (host, upgrade, pid):
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(host.process.wait(PATIENCE_S), 0)
            upgrade.communicate()
            wait_until(lambda: not is_alive(pid))

    def test_a_service_manager_hears_that_something_is_under_way(self):
        manager = Manager()
        with self.under_way(prepare=manager.prepare()) as (host, upgrade, pid):
            reloading = manager.wait_for("^RELOADING=1$")
            os.kill(pid, signal.SIGKILL)
            upgrade.communicate()
            manager.wait_for("^READY=1$", reloading)
            self.assertNotIn("MAINPID", "".join(manager.heard))


class Manner(unittest.TestCase):
    """How the one that goes treats those who are there."""

    def ask(self, kept):
        """The pid that answers, and whether the connection is over."""
        kept.request("GET", "/api/pid")
        answer = kept.getresponse()
        self.assertEqual(answer.status, 200)
        return int(answer.read().split()[0]), answer.will_close

    def test_connections_that_are_idle_are_those_of_the_one_that_comes(self):
        with Line(worker(), top=ADMIN) as host:
            kept = [http.client.HTTPConnection("127.0.0.1", host.port, timeout=PATIENCE_S)
                    for _ in range(200)]
            admin_url = report(host)["host"]["admin_url"].split("//")[1]
            visitor = http.client.HTTPConnection(admin_url, timeout=PATIENCE_S)
            visitor.request("GET", "/ready")
            self.assertFalse(visitor.getresponse().read() == b"" or visitor.sock is None)
            before = {self.ask(one) for one in kept}
            self.assertEqual(len(before), 1)
            host.upgrade()
            self.assertEqual(host.process.wait(PATIENCE_S), 0)
            now = {(int(host.get("pid")[1].split()[0]), False)}
            self.assertNotEqual(now, before)
            for _ in range(2):
                self.assertEqual({self.ask(one) for one in kept}, now)
            visitor.request("GET", "/ready")
            self.assertEqual(visitor.getresponse().status, 200)
            for one in [*kept, visitor]:
                self.assertIsNotNone(one.sock)
                one.close()

    def test_one_over_tls_is_served_once_more(self):
        with secure_line() as host:
            found = host.wait_for("functions at http")
            host.port = int(re.search(r"https://[^:]+:(\d+)", found).group(1))
            kept = http.client.HTTPSConnection("localhost", host.port)
            kept.sock = host.connect()
            pid, over = self.ask(kept)
            self.assertFalse(over)
            host.upgrade()
            self.assertEqual(self.ask(kept), (pid, True))
            self.assertEqual(host.process.wait(PATIENCE_S), 0)

    def test_streams_that_cross_the_goaway_are_served(self):
        with Line(worker()) as host, Frames(host.port) as visitor:
            self.assertEqual(visitor.ask(1).status, 200)
            host.upgrade()
            visitor.wait(lambda: visitor.goaway)
            self.assertEqual(visitor.goaway, (2**31 - 1, 0))
            self.assertEqual(visitor.ask(3).status, 200)  # as if it had been sent before
            visitor.send(headers(5, line("POST", "/api/echo"), frames.END_HEADERS))
            visitor.send(frame(PING, frames.ACK, 0, b"\0" * 8))
            visitor.wait(lambda: visitor.goaway[0] != 2**31 - 1)
            self.assertEqual(visitor.goaway, (5, 0))
            visitor.send(data(5, b"body"))
            self.assertEqual(visitor.answer(5).body, b"body")
            self.assertIsNone(visitor.end() or None)

    def test_those_who_do_not_come_back_are_not_waited_for_for_ever(self):
        with secure_line(QUICK) as host:
            found = host.wait_for("functions at http")
            host.port = int(re.search(r"https://[^:]+:(\d+)", found).group(1))
            idle = host.connect()
            self.assertEqual(request_on(idle)[0], 200)
            host.upgrade()
            self.assertEqual(idle.recv(65536), b"")
            self.assertEqual(host.process.wait(PATIENCE_S), 0)
            host.wait_for("1 connection is still open and closed now: shutdown_grace is over")

    def test_a_call_that_does_not_end_is_cancelled_in_time(self):
        with Line(worker(), top="host: {shutdown_grace: 300ms, cancel_grace: 300ms}\n") as host:
            busy = host.start("GET", "nap?ms=60000")
            host.wait_for_naps(1)
            host.upgrade()
            self.assertEqual(host.get("hello/x")[0], 200)
            self.assertGreaterEqual(busy()[0], 500)
            self.assertEqual(host.process.wait(PATIENCE_S), 0)


class InAllStates(Line, states.Host):
    pass


class Connections(unittest.TestCase):
    """What becomes of a connection in each state that it can be in."""

    hear = states.States.hear

    def test_whatever_is_under_way_is_served_by_the_one_that_goes(self):
        with InAllStates("host: {shutdown_grace: 60s}\n", **states.SEVERAL) as host, contextlib.ExitStack() as stack:
            connections = states.in_all_states(host, stack)
            self.assertIn("has taken the place of", ask(host, "upgrade"))
            host.serves()
            for connection in connections.values():
                connection.complete()
            runs = {key: connections.pop(key) for key in list(connections) if key[1] == "runs"}
            self.hear(connections, states.SERVED)
            self.assertIsNone(host.process.poll())
            for connection in [*connections.values(), *runs.values()]:
                connection.close()  # which cancels what it had asked for
            self.assertEqual(host.process.wait(PATIENCE_S), 0)


class Replace(unittest.TestCase):
    """A host that somebody starts in another terminal."""

    def second(self, first, *words):
        host = Host(worker(), arguments=["--replace", *words])
        host.folder.cleanup()
        host.folder = first.folder
        return host

    def test_it_takes_the_place_of_the_one_that_runs_in_its_folder(self):
        first = Host(worker())
        with first:
            with self.second(first) as second:
                self.assertEqual(first.process.wait(PATIENCE_S), 0)
                first.wait_for(f"pid {second.process.pid} has taken the place of this host")
                self.assertEqual(second.port, first.port)
                self.assertEqual(second.get("hello/x")[0], 200)
                self.assertEqual(report(second)["host"]["pid"], second.process.pid)
                second.folder = Host(worker()).folder  # the first one's is removed below

    def test_where_none_runs_it_is_one_as_any_other(self):
        with Host(worker(), arguments=["--replace"]) as host:
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_one_that_cannot_serve_says_so_and_ends(self):
        first = Host(worker())
        with first:
            first.write("host.yaml", "workers:\n" + worker(command=["false"]))
            second = self.second(first)
            done = subprocess.run(second.command(), capture_output=True, text=True,
                                  timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 69)
            self.assertRegex(done.stderr, "isoworker: not ready to take the place of another host: "
                                          "worker test: .*exited with status 1")
            first.wait_for("this host goes on, and pid [0-9]+ has not taken its place: not ready")
            self.assertEqual(first.get("hello/x")[0], 200)

    def test_a_service_is_replaced_from_within_alone(self):
        manager = Manager()
        first = Host(worker(), prepare=manager.prepare())
        with first:
            done = subprocess.run(self.second(first).command(), capture_output=True, text=True,
                                  timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 69)
            self.assertIn("is looked after by a service manager or as process 1", done.stderr)
            self.assertIn("`isoworker upgrade` has it start its successor itself", done.stderr)
            self.assertEqual(first.get("hello/x")[0], 200)

    def test_one_in_the_front_of_a_terminal_does_not_start_its_successor(self):
        host = Host(worker())
        terminal = Terminal("run", host.folder.name, "--port", "0")
        terminal.wait_for("Ctrl-C ends")
        code, _, err = run("upgrade", host.folder.name)
        self.assertEqual(code, 65)
        self.assertIn("`isoworker run --replace` in another terminal", err)
        terminal.type("\x03", "")
        self.assertEqual(terminal.end(), 0)
        host.folder.cleanup()


class Service(unittest.TestCase):
    def test_a_service_manager_hears_who_is_the_service_now(self):
        manager = Manager()
        with Line(worker(), prepare=manager.prepare(WATCHDOG_USEC="300000",
                                                    WATCHDOG_PID=True)) as host:
            since = manager.wait_for("^READY=1$")
            for _ in range(2):
                pid = host.upgrade()
                since = manager.wait_for(f"^MAINPID={pid}$", since)
                ready = manager.wait_for("^READY=1$", since)
                manager.wait_for("^STATUS=serving: 1 of 1 worker ready", since)
                manager.wait_for("^WATCHDOG=1$", ready)
            with open(f"/proc/{pid}/environ") as text:
                self.assertNotIn("WATCHDOG_PID", text.read())
            wait_until(lambda: hosts_in(host.folder.name) == [pid])
            self.assertNotIn("STOPPING=1", manager.heard)
        manager.wait_for("^STOPPING=1$", since)

    def test_a_restart_of_workers_is_a_reload(self):
        manager = Manager()
        with Host(worker(), prepare=manager.prepare()) as host:
            begin = manager.wait_for("^READY=1$")
            ask(host, "restart")
            reloading = manager.wait_for("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", begin)
            manager.wait_for("^READY=1$", reloading)


if __name__ == "__main__":
    main()
