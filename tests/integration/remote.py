# SPDX-License-Identifier: Apache-2.0
"""Workers whose processes run on other machines: `remote` in host.yaml. Here the other machine is
this one, by way of its loopback."""
import contextlib
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from frames import Frames
from harness import BIN, PATIENCE_S, WORKER, Host, Started, main, wait_until
from load import Load
from upgrades import Line

CERTIFICATES = os.environ.get("ISOWORKER_CERTIFICATES", "")
EX_UNAVAILABLE, EX_PROTOCOL, EX_CONFIG = 69, 76, 78
MIB = 1 << 20
COMES = "worker far: its processes may come to "


def file(name):
    return os.path.join(CERTIFICATES, name)


def remote(more="", listen="tls+tcp://127.0.0.1:0", name="server", ca="ca", token="far.token"):
    """One entry of `workers`."""
    pems = {"certificate": file(name + ".pem"), "key": file(name + ".key"),
            "client_ca": file(ca + ".pem")} if listen.startswith("tls") else {}
    lines = [f"listen: {listen}", f"token: {token}", *(f"{key}: {path}" for key, path in pems.items()),
             *([] if listen.startswith("tls") else ["insecure: true"])]
    return f"  - name: far\n{more}    remote:\n" + "".join(f"      {line}\n" for line in lines)


class FarHost(Host):
    """A host with one remote worker, and the token of it."""

    def __init__(self, workers=None, **more):
        super().__init__(remote() if workers is None else workers, **more)
        self.token = os.path.join(self.folder.name, "far.token")
        with open(self.token, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file_:
            file_.write(os.urandom(64))

    def where(self):
        """Scheme and port that its processes may come to."""
        found = re.search(COMES + r"(\S+)://127\.0\.0\.1:(\d+)", self.wait_for(COMES))
        return found.group(1), int(found.group(2))


def far_process(host, port=None, token=None, name="client", ca="ca", command=(WORKER,),
                **variables):
    """A process of the worker."""
    scheme, own = host.where()
    known = {"ISOWORKER_URL": f"{scheme}://localhost:{port or own}",
             "ISOWORKER_TOKEN_FILE": token or host.token,
             "ISOWORKER_TLS_CA": file(ca + ".pem"),
             "ISOWORKER_TLS_CERTIFICATE": file(name + ".pem"),
             "ISOWORKER_TLS_KEY": file(name + ".key")}
    return Started({**known, **variables}, command)


class FarLine(Line, FarHost):
    """Such a host, and those that follow it."""


@contextlib.contextmanager
def kept_running(host):
    """A process of the worker that is started again whenever it ends, and how each one did."""
    over, ends = threading.Event(), []
    far = [far_process(host)]

    def keep():
        while True:
            ends.append(far[0].end())
            if over.is_set():
                return
            far[0] = far_process(host)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield ends
    finally:
        over.set()
        far[0].process.send_signal(signal.SIGTERM)
        thread.join(PATIENCE_S)


class Wire:
    """A network between the two, which can be cut: then nothing passes, and nobody is told."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target, self.cut, self.over = port, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        ends = {}
        while not self.over.is_set():
            ready, _, _ = select.select([self.listener, *ends], [], [], 0.05)
            for one in ready if not self.cut.is_set() else ():
                if one is self.listener:
                    near = self.listener.accept()[0]
                    far = socket.create_connection(("127.0.0.1", self.target))
                    ends |= {near: far, far: near}
                    continue
                data = one.recv(65536)
                if data:
                    ends[one].sendall(data)
                else:
                    other = ends.pop(one)
                    ends.pop(other)
                    one.close()
                    other.close()
        for one in [self.listener, *ends]:
            one.close()

    def close(self):
        self.over.set()
        self.thread.join(PATIENCE_S)


class Remote(unittest.TestCase):
    def test_processes_come_by_tls_with_certificates_and_the_token(self):
        with FarHost(remote("    processes: 2\n")) as host:
            far = [far_process(host), far_process(host)]
            self.assertEqual(host.get("hello/Ada"), (200, "Hello, Ada!\n"))
            host.wait_for(r"worker far: a process at 127\.0\.0\.1:\d+ has come, of CN=Jürgen")
            status, body, _ = host.request("POST", "echo", os.urandom(5 * MIB))
            self.assertEqual((status, len(body)), (200, 5 * MIB))
            wait_until(lambda: self.status(host).count("ready  message") == 2)  # and no ring
        self.assertEqual([one.end()[0] for one in far], [0, 0])

    @staticmethod
    def status(host):
        return subprocess.run([BIN + "/isoworker", "status", host.folder.name], timeout=60,
                              capture_output=True, text=True, check=False).stdout

    def test_they_come_and_go_and_calls_wait_meanwhile(self):
        with FarHost() as host:
            early = host.start("GET", "hello/early")
            far = far_process(host)
            self.assertEqual(early()[:2], (200, "Hello, early!\n"))
            lost = host.start("GET", "once?ms=60000")
            host.wait_for_naps(1)
            far.end(signal.SIGKILL)
            self.assertEqual(lost()[0], 502)
            host.wait_for("worker far: it has left without a goodbye")
            late = host.start("GET", "hello/late")
            far = far_process(host)
            self.assertEqual(late()[:2], (200, "Hello, late!\n"))
            self.assertEqual(far.end(signal.SIGTERM)[0], 0)

    def test_who_cannot_prove_who_it_is_is_not_let_in(self):
        with FarHost(remote("    processes: 2\n")) as host, \
             tempfile.NamedTemporaryFile() as token:
            token.write(bytes(64))
            token.flush()
            _, port = host.where()
            silent = socket.create_connection(("127.0.0.1", port))  # holds up nobody
            far = far_process(host)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            for more, line, code in (
                    ({"name": "unknown"}, "is not let in: unable to get local issuer", 69),
                    ({"name": "expired"}, "is not let in: certificate has expired", 69),
                    ({"token": token.name}, r"worker far\[\d\]: the token is wrong", 76)):
                self.assertEqual(far_process(host, **more).end()[0], code, more)
                host.wait_for(line)
            with self.assertRaises(OSError):
                self.without_a_certificate(port)
            host.wait_for("is not let in: peer did not return a certificate")
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                self.assertEqual(self.what_comes(plain), b"")
            host.wait_for("is not let in: it does not speak TLS")
            self.assertEqual(host.get("hello/Ada")[0], 200)
            silent.close()
            far.end(signal.SIGTERM)

    @staticmethod
    def what_comes(sock):
        try:
            return sock.recv(1)
        except ConnectionResetError:  # what it sent last was not read
            return b""

    @staticmethod
    def without_a_certificate(port):
        context = ssl.create_default_context(cafile=file("ca.pem"))
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain, \
             context.wrap_socket(plain, server_hostname="localhost") as secure:
            secure.sendall(b"hello")
            if not secure.recv(1):
                raise OSError("closed")

    def test_one_more_than_there_are_places_is_told_apart(self):
        with FarHost() as host:
            far = far_process(host)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(far_process(host).end()[0], EX_UNAVAILABLE)
            host.wait_for("is not let in: as many processes as host.yaml says are there already")
            far.end(signal.SIGTERM)

    def test_a_worker_believes_no_host_that_its_authority_does_not_vouch_for(self):
        with FarHost() as host:
            code, said = far_process(host, ca="stranger").end()
            self.assertEqual(code, EX_UNAVAILABLE)
            self.assertIn("before it said hello", said)
        with FarHost(remote(name="other")) as host:  # that is not its name
            self.assertEqual(far_process(host).end()[0], EX_UNAVAILABLE)
        with FarHost(remote(name="expired")) as host:
            self.assertEqual(far_process(host).end()[0], EX_UNAVAILABLE)
            self.assertNotIn("has come", host.log())

    def test_a_worker_says_which_of_its_files_is_missing_or_wrong(self):
        with FarHost() as host:
            for variable, value in (("ISOWORKER_TLS_CA", ""), ("ISOWORKER_TLS_KEY", "/nowhere"),
                                    ("ISOWORKER_TLS_CERTIFICATE", file("text.pem"))):
                code, said = far_process(host, **{variable: value}).end()
                self.assertEqual((code, variable in said), (EX_CONFIG, True), said)

    def test_a_network_that_is_cut_is_noticed_by_both(self):
        with FarHost(top="host: {heartbeat: 100ms}") as host:
            wire = Wire(host.where()[1])
            far = far_process(host, port=wire.port)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            lost = host.start("GET", "once?ms=60000")
            host.wait_for_naps(1)
            wire.cut.set()
            self.assertEqual(lost()[0], 502)
            host.wait_for(r"worker far: it has not answered for \d+ ms")
            self.assertEqual(far.end()[0], EX_UNAVAILABLE)
            wire.close()
            again = far_process(host)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            again.end(signal.SIGTERM)

    def test_one_that_is_debugged_there_has_no_time_limits(self):
        with FarHost(top="host: {heartbeat: 20ms, function_timeout: 100ms}",
                     arguments=["--wait-for", "far"]) as host:
            early = host.start("GET", "hello/early")
            host.wait_for("a remote process may come, which you start, and take its time")
            far = far_process(host)
            self.assertEqual(early()[0], 200)
            far.process.send_signal(signal.SIGSTOP)
            with self.assertRaises(TimeoutError):  # many heartbeats, and ten times its time
                host.request("GET", "hello/Bob", timeout=1)
            far.process.send_signal(signal.SIGCONT)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            self.assertEqual(far.end(signal.SIGTERM)[0], 0)

    def test_one_that_says_nothing_has_as_long_as_others_to_start(self):
        with FarHost(remote("    start_timeout: 200ms\n")) as host:
            context = ssl.create_default_context(cafile=file("ca.pem"))
            context.load_cert_chain(file("client.pem"), file("client.key"))
            with socket.create_connection(("127.0.0.1", host.where()[1]), PATIENCE_S) as plain, \
                 context.wrap_socket(plain, server_hostname="localhost") as mute:
                host.wait_for("worker far: it did not say hello within 200 ms")
                while mute.recv(100):
                    continue
            far = far_process(host)
            self.assertEqual(host.get("hello/Ada")[0], 200)
            far.end(signal.SIGTERM)

    def test_plain_tcp_is_for_those_who_say_so_on_both_sides(self):
        plain = remote(listen="tcp://127.0.0.1:0")
        self.assert_refused(plain.replace("      insecure: true\n", ""),
                            r"host\.yaml:\d+:\d+: .*over tcp:// whoever sees the network")
        with FarHost(plain) as host:
            self.assertRegex(host.wait_for(COMES), "warning .*INSECURE as host.yaml says")
            code, said = far_process(host).end()
            self.assertEqual(code, EX_CONFIG)
            self.assertIn("set ISOWORKER_INSECURE=true", said)
            far = far_process(host, ISOWORKER_INSECURE="true")
            self.assertEqual(host.get("hello/Ada")[0], 200)
            far.end(signal.SIGTERM)

    def assert_refused(self, workers, pattern):
        with FarHost(workers, settled="<end>", expect=EX_CONFIG) as host:
            self.assertRegex(host.log(), pattern)

    def test_what_cannot_hold_is_refused_where_it_stands(self):
        for workers, pattern in (
                (remote("    command: [test_functions]\n"), "worker \"far\" is remote, which has no "
                 "command: it is started where it runs"),
                (remote("    memory_limit: 64MiB\n"), "is remote, which has no memory_limit"),
                (remote("    processes: {min: 0, max: 3}\n"), "has no processes.max"),
                (remote(listen="tls+tcp://nowhere"), "takes an IP address and a port"),
                (remote().replace("tls+tcp://", "udp://"), r"takes tls\+tcp://ADDRESS:PORT"),
                (remote(token="none.token"), "none.token: No such file.*head -c 64"),
                (remote(token=file("text.pem")), "has no token, which is of 64 bytes"),
                (remote().replace("      client_ca", "      #"), "remote has no client_ca"),
                (remote(ca="text"), "worker far: remote: .*text.pem has no certificates"),
                ("  - name: far\n", "worker \"far\" has no program")):
            self.assert_refused(workers, pattern)

    def test_a_restart_is_theirs_who_started_it(self):
        with FarHost() as host:
            done = subprocess.run([BIN + "/isoworker", "restart", host.folder.name, "far"],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertIn("is remote: it is started again where it runs", done.stdout + done.stderr)

    def test_it_is_added_and_left_out_while_the_host_runs(self):
        here = f"  - name: here\n    command: [{os.path.dirname(WORKER)}/test_other]\n"
        with FarHost(here) as host:
            self.assertNotIn(COMES, host.log())
            host.write("host.yaml", "\nworkers:\n" + here + remote())
            host.wait_for("worker far is added")
            far = far_process(host)
            host.wait_for("worker far: a process at .* has come")
            wait_until(lambda: host.get("hello/Ada")[0] == 200)
            host.write("host.yaml", "\nworkers:\n" + here)
            host.wait_for("worker far is gone")
            self.assertEqual(far.end()[0], 0)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", host.where()[1]))

    def test_they_go_on_to_the_host_that_takes_the_place_and_no_call_fails(self):
        with FarLine() as host, kept_running(host) as ends:
            self.assertEqual(host.get("hello/Ada")[0], 200)
            with Load(host) as load:
                for count in range(1, 4):
                    host.upgrade()
                    wait_until(lambda count=count: len(ends) >= count and
                               load.total > 20 * count)
            self.assertEqual(load.failures, [])
            self.assertEqual([code for code, _ in ends], [0] * len(ends))
            self.assertGreater(len(load.pids), len(ends) - 1)

    def test_they_are_not_kept_for_connections_that_are_idle(self):
        with FarLine(top="host: {shutdown_grace: 60s}") as host, kept_running(host), \
             Frames(host.port) as idle:
            self.assertEqual(idle.ask(1, path="/api/hello/Ada").status, 200)
            host.upgrade()
            self.assertEqual(host.get("hello/Bob"), (200, "Hello, Bob!\n"))
            host.wait_for("1 connection is still open and closed now: remote processes are to go on")
            self.assertEqual(host.process.wait(PATIENCE_S), 0)


if __name__ == "__main__":
    main()
