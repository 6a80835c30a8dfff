# SPDX-License-Identifier: Apache-2.0
"""host.yaml that changes while the host runs: what can be taken is, with no request lost; what cannot
is named; a file that is wrong changes nothing."""
import http.client
import json
import os
import re
import signal
import socket
import unittest

from harness import BIN, WORKER, Client, Host, main, wait_until, worker
from inprocess import Inside, inside
from load import Load
from operators import ADMIN, ask, function_of, report

HOLDS = "host.yaml has changed, and holds from now on: "
ONE = "worker: {concurrency: 1, max_in_flight: 1}\nmiddleware: [error_handling]\n"


def say(host, workers, top=""):
    """As editors do: a new file in the place of the old one."""
    host.write("host.yaml.new", top + "\nworkers:\n" + workers)
    os.replace(host.folder.name + "/host.yaml.new", host.folder.name + "/host.yaml")


def pids(host):
    return {p["pid"] for p in report(host)["processes"] if p["state"] == "ready"}


def states(host):
    return [p["state"] for p in report(host)["processes"]]


def attention(host):
    return "\n".join(report(host).get("attention", []))


def queue_of(host):
    queue = report(host)["queues"][0]
    return queue["limit"], queue["wait_ms"]


def environment_of(host):
    with open(f"/proc/{host.get('pid')[1].split()[0]}/environ") as file:
        return file.read().split("\0")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Taken(unittest.TestCase):
    def test_processes_go_up_and_down_with_no_request_lost(self):
        with Host(worker()) as host, Load(host) as load:
            for count in (4, 2, 9, 1, 3, 1):
                say(host, worker(more=f"processes: {count}"))
                wait_until(lambda count=count: states(host) == ["ready"] * count)
                total = load.total
                wait_until(lambda total=total: load.total > total + 20)
            self.assertEqual(load.failures, [])
            host.wait_for(HOLDS + "worker test: processes 1 -> 4$")
            host.wait_for(r"worker test\[\d\]: pid \d+ gets no more calls: it is not needed")

    def test_as_many_as_the_load_needs_instead_of_a_number(self):
        with Host(worker(more="processes: 3")) as host:
            say(host, worker(more="processes: {min: 0, max: 2, keep: 50ms}"))
            host.wait_for(HOLDS + r"worker test: processes 3 -> \{\.\.\.\}$")
            wait_until(lambda: not pids(host))  # it sleeps
            self.assertEqual(host.get("hello/Ada")[0], 200)
            say(host, worker(more="processes: 2"))
            wait_until(lambda: states(host) == ["ready", "ready"])

    def test_one_that_is_not_wanted_finishes_what_it_has(self):
        with Host(worker(more="processes: 2"), chain=ONE, top="host: {function_timeout: 0}") as host:
            streams = []
            for count in range(2):
                streams.append(Client(host, "POST /api/converse HTTP/1.1\nHost: x\n"
                                            "Transfer-Encoding: chunked"))
                streams[-1].chunk(b"n%d" % count)
                host.wait_for(f"heard n{count}")
            say(host, worker(more="processes: 1"), "host: {function_timeout: 0}")
            wait_until(lambda: sorted(states(host)) == ["leaving", "ready"])
            for count, stream in enumerate(streams):
                stream.chunk(b"more")
                stream.chunk(b"")
                stream.wait_for(b"<n%d>" % count)
                stream.wait_for(b"<more>")
            wait_until(lambda: states(host) == ["ready"])
            for stream in streams:
                stream.close()

    def test_what_processes_begin_with_rolls_the_worker_alone(self):
        both = worker() + worker("other", [os.path.dirname(WORKER) + "/test_other"])
        with Host(both) as host, Load(host) as load:
            before = {p["process"]: p["pid"] for p in report(host)["processes"]}
            say(host, both.replace("\n  - name: other",
                                   "\n    environment: {COLOUR: green}\n  - name: other"))
            host.wait_for(HOLDS + "worker test: environment$")
            host.wait_for("worker test: its processes were replaced, 1 in")
            now = {p["process"]: p["pid"] for p in report(host)["processes"]
                   if p["state"] == "ready"}
            self.assertNotEqual(now["test"], before["test"])
            self.assertEqual(now["other"], before["other"])
            self.assertIn("COLOUR=green", environment_of(host))
            self.assertEqual(load.failures, [])

    def test_bounds_are_those_of_the_processes_that_begin_with_them(self):
        with Host(worker()) as host:
            before = pids(host)
            say(host, worker(more="memory_limit: 512MiB\nrecycle_after: {invocations: 1000}"))
            host.wait_for(HOLDS + "worker test: memory_limit left out -> 512MiB, "
                                  "worker test: recycle_after$")
            host.wait_for("worker test: its processes were replaced, 1 in")
            wait_until(lambda: len(states(host)) == 1)
            self.assertFalse(before & pids(host))
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_health_is_that_of_the_processes_that_begin_with_it(self):
        with Host(worker()) as host:
            before = pids(host)
            say(host, worker(more="health: {every: 1s}\nstop_timeout: 5s"))
            host.wait_for(HOLDS + "worker test: stop_timeout 2s -> 5s, worker test: health$")
            host.wait_for("worker test: its processes were replaced, 1 in")
            wait_until(lambda: len(states(host)) == 1)
            self.assertFalse(before & pids(host))

    def test_another_configuration_file_is_watched_from_then_on(self):
        with Host(worker()) as host:
            os.mkdir(host.folder.name + "/configs")
            host.write("configs/own.yaml", "middleware: []\n")
            say(host, worker(more="config: configs/own.yaml"))
            host.wait_for("worker test: its processes were replaced")
            self.assertEqual(function_of(host, "hello")["chain"], [])
            host.write("configs/own.yaml", "middleware: [error_handling]\n")
            host.wait_for("configs/own.yaml has changed")
            wait_until(lambda: function_of(host, "hello")["chain"] == ["error_handling"])

    def test_a_command_that_cannot_serve_leaves_the_process_that_does(self):
        with Host(worker()) as host:
            before = pids(host)
            say(host, worker(command=["/bin/false"]))
            host.wait_for("worker test: its restart has failed: .*did not become ready")
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(pids(host), before)
            self.assertIn("worker test was not restarted", attention(host))
            say(host, worker())
            wait_until(lambda: attention(host) == "")
            self.assertEqual(host.get("hello/Ada")[0], 200)

    def test_timeouts_hold_for_the_next_call(self):
        with Host(worker()) as host:
            self.assertNotEqual(host.get("nap?ms=1200")[0], 200)  # it says 500 ms itself
            say(host, worker(), "functions: [{name: nap, timeout: 20s}]")
            host.wait_for(HOLDS + "functions$")
            self.assertEqual(host.get("nap?ms=1200")[0], 200)
            say(host, worker(), "functions: [{name: nix, timeout: 20s}]\n"
                                "host: {function_timeout: 300ms}")
            host.wait_for(HOLDS + "host.function_timeout 30s -> 300ms, functions$")
            host.wait_for(r"host.yaml:1:14: no function of any worker matches \"nix\"")
            self.assertNotEqual(host.get("nap?ms=1200")[0], 200)
            self.assertEqual(host.get("stubborn?ms=900")[0], 504)  # it says none
            self.assertIn('matches "nix"', attention(host))

    def test_while_a_worker_has_not_told_its_functions_no_name_matches_nothing(self):
        both = worker() + worker("mute", ["sh", "-c", "exit 78"])
        with Host(both) as host:
            for seconds in 1, 2:  # when the second is taken, the first has been looked at
                say(host, both, f"functions: [{{name: nix, timeout: {seconds}s}}]\n"
                                f"host: {{function_timeout: {seconds}s}}")
                host.wait_for(HOLDS + f"host.function_timeout .* -> {seconds}s, functions$")
            self.assertNotIn("matches", attention(host))

    def test_a_queue_has_other_bounds_at_once(self):
        with Host(worker(), chain=ONE) as host:
            self.assertEqual(queue_of(host), (1000, 10000))
            say(host, worker(), "queue: {limit: 7, wait: 3s}")
            host.wait_for(HOLDS + "queue.limit 1000 -> 7, queue.wait 10s -> 3s$")
            self.assertEqual(queue_of(host), (7, 3000))
            say(host, worker(more="queue: {limit: 0}"), "queue: {limit: 7, wait: 3s}")
            host.wait_for(HOLDS + "worker test: queue$")
            self.assertEqual(queue_of(host), (0, 3000))
            finish = host.start("GET", "once?ms=700")
            host.wait_for_naps(1)
            self.assertEqual(host.get("hello/x")[0], 503)
            self.assertEqual(finish()[0], 200)

    def test_levels_hold_for_the_host_and_for_workers(self):
        with Host(worker()) as host:
            host.get("nap?ms=1")
            host.wait_for_naps(1)
            say(host, worker(), "logging: {level: error}")
            wait_until(lambda: pids(host) and len(states(host)) == 1 and
                       report(host)["processes"][0]["restarts"] == 1)
            host.get("nap?ms=1")
            say(host, worker(), "logging: {level: debug}")
            host.wait_for(HOLDS + "logging.level error -> debug$")
            host.wait_for("debug .*worker test: ready after")
            host.wait_for("its processes were replaced")
            host.get("nap?ms=1")
            self.assertEqual(len(host.wait_for_naps(2)), 2)  # and not the one between
            self.assertEqual(len(re.findall("napping in", host.log())), 2)

    def test_lines_have_another_form(self):
        with Host(worker()) as host:
            host.get("prints")
            say(host, worker(), "logging: {format: json}")
            line = host.wait_for(r'"message":"host.yaml has changed, and holds from now on: '
                                 r'logging.format text -> json"')
            self.assertEqual(json.loads(line)["level"], "info")
            say(host, worker(), "")
            host.wait_for("info     host: " + HOLDS + "logging.format json -> text$")

    def test_more_or_fewer_lines_are_kept(self):
        with Host(worker(), top="host: {log_lines: 3}") as host:
            for _ in range(5):
                host.get("prints")
            self.assertEqual(len(ask(host, "logs").splitlines()), 3)
            say(host, worker(), "host: {log_lines: 50}")
            host.wait_for(HOLDS + "host.log_lines 3 -> 50$")
            for _ in range(5):
                host.get("prints")
            self.assertGreater(len(ask(host, "logs").splitlines()), 5)

    def test_workers_are_asked_as_often_as_it_says(self):
        with Host(worker(), top="host: {heartbeat: 1h}") as host:
            before = pids(host)
            say(host, worker(), "host: {heartbeat: 50ms}")
            host.wait_for(HOLDS + "host.heartbeat 1h -> 50ms$")
            wait_until(lambda: pids(host) and not pids(host) & before)
            stopped = pids(host).pop()
            os.kill(stopped, signal.SIGSTOP)
            host.wait_for("worker test: it has not answered for [0-9]+ ms")
            wait_until(lambda: pids(host) - {stopped})

    def test_another_lane_is_that_of_the_next_processes(self):
        def lanes():
            return {p.get("lane") for p in report(host)["processes"] if p["state"] == "ready"}

        with Host(worker()) as host:
            say(host, worker(more="link: {lane: message}"))
            host.wait_for(HOLDS + "worker test: link$")
            wait_until(lambda: lanes() == {"message"})
            self.assertEqual(host.get("hello/x")[0], 200)

    def test_what_comes_while_a_worker_rolls_holds_in_the_end(self):
        slow = ["/bin/sh", "-c", f"sleep 0.3; exec {WORKER}"]
        with Host(worker(command=slow, more="processes: 2")) as host, Load(host) as load:
            for count in range(1, 6):
                say(host, worker(command=slow, more=f"processes: 2\nenvironment: {{ROUND: {count}}}"))
                host.process.send_signal(signal.SIGHUP)
                wait_until(lambda count=count: host.log().count(HOLDS + "worker test: env") == count)
            wait_until(lambda: states(host) == ["ready", "ready"] and
                       "ROUND=5" in environment_of(host))
            host.wait_for("worker test: its processes were replaced, [0-9]+ in")
            for pid in pids(host):
                with open(f"/proc/{pid}/environ") as file:
                    self.assertIn("ROUND=5", file.read().split("\0"))
            self.assertEqual(load.failures, [])

    def test_sighup_reads_it_and_comments_change_nothing(self):
        with Host(worker()) as host:
            before = pids(host)
            say(host, worker(more="processes: 2"))
            host.process.send_signal(signal.SIGHUP)
            wait_until(lambda: states(host) == ["ready", "ready"])
            say(host, worker(more="processes: 2 # as before"))
            host.process.send_signal(signal.SIGHUP)
            say(host, worker(more="processes: 3"))
            wait_until(lambda: len(states(host)) == 3)
            wait_until(lambda: host.log().count("host.yaml has changed") == 2)
            self.assertLess(before, pids(host))

    def test_workers_may_stand_in_another_order(self):
        one, two = worker(), worker("other", [os.path.dirname(WORKER) + "/test_other"],
                                    "queue: {limit: 3}\n")
        with Host(one + two) as host:
            before = pids(host)
            say(host, two + one, "queue: {limit: 9}")
            host.wait_for(HOLDS + "queue.limit 1000 -> 9$")
            self.assertEqual({q["worker"]: q["limit"] for q in report(host)["queues"]},
                             {"test": 9, "other": 3})
            self.assertEqual(pids(host), before)
            self.assertEqual(attention(host), "")


class Front(unittest.TestCase):
    """`http`, while connections are open."""

    def taken(self, host, top, what):
        say(host, worker(), top)
        host.wait_for(HOLDS + what)

    def test_a_connection_that_is_open_goes_on_under_other_terms(self):
        with Host(worker()) as host:
            kept = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)

            def answer_to(method, path, body=None):
                kept.request(method, path, body)
                answer = kept.getresponse()
                return answer.status, answer.read()

            self.assertEqual(answer_to("GET", "/api/hello/x")[0], 200)
            sock = kept.sock
            self.taken(host, "http: {prefix: v2, body_limit: 10}",
                       "http.prefix, http.body_limit 16MiB -> 10$")
            self.assertEqual(answer_to("GET", "/v2/hello/x")[0], 200)
            self.assertEqual(answer_to("GET", "/api/hello/x")[0], 404)
            self.assertEqual(answer_to("POST", "/v2/echo", b"0123456789"), (200, b"0123456789"))
            self.assertIs(kept.sock, sock)  # it was never closed
            self.assertEqual(answer_to("POST", "/v2/echo", b"0123456789a")[0], 413)
            self.assertIn("/v2/hello/{name}", function_of(host, "hello")["url"])
            self.assertEqual(attention(host), "")
            kept.close()

    def test_times_hold_for_what_begins_then(self):
        with Host(worker()) as host:
            self.taken(host, "http: {header_timeout: 300ms, idle_timeout: 200ms}",
                       "http.header_timeout 10s -> 300ms, http.idle_timeout 75s -> 200ms$")
            with socket.create_connection(("127.0.0.1", host.port), 30) as slow:
                slow.sendall(b"GET /api/hello/x HTT")
                self.assertIn(b"408", slow.recv(4096))
            with socket.create_connection(("127.0.0.1", host.port), 30) as idle:
                idle.sendall(b"GET /api/hello/x HTTP/1.1\r\nHost: x\r\n\r\n")
                got = b""
                while part := idle.recv(4096):  # until it is closed
                    got += part
                self.assertIn(b"Hello, x!", got)

    def test_how_many_connections_there_may_be(self):
        def is_refused():
            with socket.create_connection(("127.0.0.1", host.port), 30) as one:
                one.sendall(b"GET /api/hello/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                try:
                    return not one.recv(4096).startswith(b"HTTP/1.1 200")
                except ConnectionResetError:
                    return True

        with Host(worker()) as host:
            before = [socket.create_connection(("127.0.0.1", host.port), 30) for _ in range(3)]
            self.assertFalse(is_refused())
            self.taken(host, "http: {connections: 3}", "http.connections 10000 -> 3$")
            wait_until(is_refused)
            self.taken(host, "http: {connections: 4, connections_per_address: 1}",
                       "http.connections 3 -> 4, http.connections_per_address 0 -> 1$")
            self.assertFalse(is_refused())  # those of before are not counted
            with socket.create_connection(("127.0.0.1", host.port), 30) as first:
                first.sendall(b"GET /api/hello/x HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200", first.recv(4096))
                self.assertTrue(is_refused())
            for one in before:
                one.close()
            self.taken(host, "", "http.connections 4 -> 10000, http.connections_per_address 1 -> 0$")
            wait_until(lambda: not is_refused())

    def test_an_access_log_begins_moves_and_ends(self):
        with Host(worker()) as host:
            def lines(name):
                try:
                    with open(f"{host.folder.name}/{name}") as file:
                        return len(file.readlines())
                except FileNotFoundError:
                    return 0

            host.get("hello/none")
            self.taken(host, "http: {access_log: {to: one.log}}", "http.access_log$")
            finish = host.start("GET", "once?ms=500")
            host.wait_for_naps(1)
            host.get("hello/one")
            self.taken(host, "http: {access_log: {to: two.log}}\nqueue: {limit: 8}",
                       "http.access_log, queue.limit 1000 -> 8$")
            host.get("hello/two")
            host.get("hello/two")
            self.assertEqual(finish()[0], 200)  # it is in the log that it began with
            self.taken(host, "queue: {limit: 9}", "http.access_log, queue.limit 8 -> 9$")
            host.get("hello/none")
            wait_until(lambda: (lines("one.log"), lines("two.log")) == (2, 2))

    def test_whom_to_trust(self):
        ask_ = {"X-Forwarded-For": "192.0.2.7"}
        with Host(worker()) as host:
            self.assertIn(b"127.0.0.1", host.request("GET", "forwarded", headers=ask_)[1])
            self.taken(host, "http: {trusted_proxies: 127.0.0.1}", "http.trusted_proxies$")
            self.assertIn(b"192.0.2.7", host.request("GET", "forwarded", headers=ask_)[1])

    def test_what_cannot_be_made_ready_leaves_all_as_it_is(self):
        with Host(worker()) as host:
            os.mkdir(host.folder.name + "/log")
            say(host, worker(more="processes: 2") + worker("other"),
                "http: {prefix: v2, access_log: {to: log}}")
            host.wait_for("is wrong, and the host goes on as it was: .*log")
            self.assertEqual(host.get("hello/x")[0], 200)
            self.assertEqual(states(host), ["ready"])
            self.assertNotIn(HOLDS, host.log())


class Addresses(unittest.TestCase):
    """Where the host listens, which is as host.yaml says in these."""

    class Plain(Host):
        def command(self):
            return [BIN + "/isoworker", "run", self.folder.name]

    @staticmethod
    def top(*addresses):
        return "http: {listen: [%s]}" % ", ".join(f'"{one}"' for one in addresses)

    @staticmethod
    def listens_at(port):
        try:
            socket.create_connection(("127.0.0.1", port), 30).close()
            return True
        except ConnectionRefusedError:
            return False

    def test_one_comes_and_one_goes_and_who_is_connected_stays(self):
        one = "127.0.0.1:0"
        with self.Plain(worker(), top=self.top(one)) as host, Load(host) as load:
            first = host.port
            kept = http.client.HTTPConnection("127.0.0.1", first, timeout=30)
            kept.request("GET", "/api/hello/x")
            kept.getresponse().read()
            sock = kept.sock
            say(host, worker(), self.top(one, "unix:here.sock"))
            host.wait_for(r"http: it listens at http://127.0.0.1:%d, unix:\S*/here.sock now" % first)
            with socket.socket(socket.AF_UNIX) as local:
                local.connect(host.folder.name + "/here.sock")
                local.sendall(b"GET /api/hello/x HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200", local.recv(4096))
            total = load.total
            wait_until(lambda: load.total > total + 20)
            self.assertEqual(load.failures, [])
            load.stopping.set()
            third = free_port()
            say(host, worker(), self.top(f"127.0.0.1:{third}", "unix:here.sock"))
            host.wait_for(r"http: it listens at http://127.0.0.1:%d, unix" % third)
            self.assertFalse(self.listens_at(first))
            self.assertTrue(self.listens_at(third))
            kept.request("GET", "/api/hello/x")
            self.assertEqual(kept.getresponse().read(), b"Hello, x!\n")
            self.assertIs(kept.sock, sock)
            kept.close()
            self.assertIn(str(third), function_of(host, "hello")["url"])
            say(host, worker(), self.top(f"127.0.0.1:{third}"))
            host.wait_for(r"http: it listens at http://127.0.0.1:%d now" % third)
            self.assertFalse(os.path.exists(host.folder.name + "/here.sock"))
            self.assertEqual(attention(host), "")

    def test_one_that_is_taken_changes_nothing_and_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with self.Plain(worker(), top=self.top("127.0.0.1:0")) as host:
                say(host, worker(more="processes: 2"),
                    self.top("127.0.0.1:0", "unix:here.sock", f"127.0.0.1:{port}"))
                host.wait_for(r"is wrong, and the host goes on as it was: .*host.yaml:1:\d+: "
                              rf".*127.0.0.1:{port} is in use")
                self.assertRegex(attention(host), f":{port} is in use")
                self.assertEqual(states(host), ["ready"])
                self.assertFalse(os.path.exists(host.folder.name + "/here.sock"))
                self.assertEqual(host.get("hello/x")[0], 200)

    def test_the_admin_endpoints_go_elsewhere(self):
        def health(at):
            connection = http.client.HTTPConnection(at, timeout=30)
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status
            except ConnectionRefusedError:
                return None
            finally:
                connection.close()

        with Host(worker(), top=ADMIN) as host:
            before = report(host)["host"]["admin_url"].split("//")[1]
            self.assertEqual(health(before), 200)
            say(host, worker(), f'admin: {{listen: "127.0.0.1:{free_port()}", open: true}}')
            host.wait_for(HOLDS + "admin.listen, admin.open false -> true$")
            host.wait_for("admin: it listens at http://127.0.0.1:[0-9]+ now")
            now = report(host)["host"]["admin_url"].split("//")[1]
            self.assertNotEqual(now, before)
            self.assertEqual((health(now), health(before)), (200, None))
            say(host, worker(), "")
            line = host.wait_for("needs a restart of the host: ")
            self.assertRegex(line, "admin.listen")
            self.assertEqual(health(now), 200)

    def test_those_of_a_command_stay(self):
        with Host(worker()) as host:
            say(host, worker(), "http: {listen: \"127.0.0.1:1\", body_limit: 10}")
            host.wait_for(HOLDS + "http.listen, http.body_limit 16MiB -> 10$")
            self.assertEqual(host.get("hello/x")[0], 200)
            host.wait_for("http.listen: the addresses that a command gave stay")


class Waiting(unittest.TestCase):
    def test_what_cannot_be_taken_is_named_in_one_warning_and_the_rest_holds(self):
        with Host(worker()) as host:
            say(host, worker(more="processes: 2"),
                "http:\n  threads: 2\n  enabled: false\nrecord: {keep: 7}\n"
                "logging: {level: debug}")
            line = host.wait_for("needs a restart of the host: ")
            for words in (r"/host.yaml:2:3: http.threads", r"/host.yaml:3:3: http.enabled",
                          r"/host.yaml:4:10: record.keep"):
                self.assertRegex(line, words)
                self.assertRegex(attention(host), words)
            host.wait_for(HOLDS + "logging.level info -> debug, worker test: processes 1 -> 2$")
            wait_until(lambda: states(host) == ["ready", "ready"])
            self.assertEqual(host.get("hello/Ada")[0], 200)  # where it was
            self.assertEqual(host.log().count("needs a restart of the host"), 1)
            say(host, worker(more="processes: 2"), "logging: {level: debug}")
            wait_until(lambda: attention(host) == "")

    def test_a_file_that_is_wrong_changes_nothing_and_all_of_it_is_told(self):
        with Host(worker()) as host:
            say(host, worker(more="processes: 3\nnix: 1"), "queue: {limit: x}\nhost: {heart: 1}")
            for words in (r'host.yaml:1:16: "limit" must be', r'host.yaml:2:8: unknown option "heart"',
                          r'host.yaml:\d+:5: unknown option "nix"'):
                host.wait_for("is wrong, and the host goes on as it was: .*" + words)
                self.assertRegex(attention(host), words)
            say(host, worker(more="processes: 3", command=["/nowhere/program"]))
            host.wait_for("is wrong, and the host goes on as it was: .*/nowhere/program")
            self.assertEqual(states(host), ["ready"])
            self.assertNotIn(HOLDS, host.log())
            say(host, worker(more="processes: 3"))
            wait_until(lambda: states(host) == ["ready"] * 3)
            self.assertEqual(attention(host), "")

    def test_a_worker_inside_the_host_stays_as_it_is(self):
        with Inside() as host:
            top = "logging: {level: debug}\nqueue: {limit: 4}"
            say(host, inside("start_timeout: 3s"), top)
            host.wait_for(HOLDS + "queue.limit 1000 -> 4$")
            line = host.wait_for("needs a restart of the host: ")
            self.assertIn("host.yaml:1:11: logging.level", line)
            self.assertRegex(line, r"host.yaml:\d+:5: worker test: start_timeout")
            self.assertEqual(host.get("hello/Ada")[0], 200)


if __name__ == "__main__":
    main()
