# SPDX-License-Identifier: Apache-2.0
"""Runs `isoworker run` on an application made for one test, and talks HTTP to it.

BIN is the folder of isoworker, WORKER the test's own worker; both come from the environment that
CTest sets. Nothing sleeps to wait for something: `Host.wait_for` waits for a line of the log.
"""
import http.client
import os
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BIN = os.environ["ISOWORKER_BIN"]
WORKER = os.environ["ISOWORKER_TEST_WORKER"]
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATIENCE_S = 30

CHAIN = "middleware:\n  - error_handling\n"
NO_CHAIN = "middleware: []\n"


def end(process):
    """Its exit status, once it was told to end; it is killed where that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def free_port():
    """For a program that cannot say which one it has taken."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Host:
    """One running host. Use it as a context: it is stopped at the end, and must exit with 0."""

    def __init__(self, workers, top="", chain=CHAIN, arguments=(), expect=0, settled="Ctrl-C ends",
                 prepare=None, pass_fds=()):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-")
        self.write("host.yaml", top + "\nworkers:\n" + workers)
        self.write("worker.yaml", chain)
        self.arguments = list(arguments)
        self.expect = expect
        self.prepare = prepare  # called in its process, before it begins
        self.pass_fds = pass_fds
        self.settled = settled
        self.lines = []
        self.changed = threading.Condition()
        self.paused = threading.Event()  # set: the host's output is not read

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w") as file:
            file.write(text)

    def command(self):
        return [BIN + "/isoworker", "run", self.folder.name, "--port", "0", *self.arguments]

    def __enter__(self):
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        bufsize=1, preexec_fn=self.prepare, pass_fds=self.pass_fds)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if self.settled:
            line = self.wait_for(self.settled)
            found = re.search(r"http://[^:]+:(\d+)", line)
            self.port = int(found.group(1)) if found else None
        return self

    def __exit__(self, kind, value, traceback):
        code = end(self.process)
        self.reader.join(PATIENCE_S)
        self.folder.cleanup()
        if kind is None and code != self.expect:
            raise AssertionError(f"the host exited with {code}, not {self.expect}:\n" + self.log())

    def read(self):
        for line in self.process.stdout:
            while self.paused.is_set() and self.process.poll() is None:
                time.sleep(0.01)
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append("<end>")
            self.changed.notify_all()

    def log(self):
        """What it has said so far. A line that must come is waited for: `wait_for`."""
        return "\n".join(self.lines)

    def wait_for(self, pattern, seconds=PATIENCE_S):
        """The first line, old or new, that the pattern is found in."""
        end = time.monotonic() + seconds
        at = 0
        with self.changed:
            while True:
                while at < len(self.lines):
                    if re.search(pattern, self.lines[at]):
                        return self.lines[at]
                    at += 1
                left = end - time.monotonic()
                if left <= 0 or (at and self.lines[-1] == "<end>"):
                    raise AssertionError(f"no line has {pattern!r}:\n" + self.log())
                self.changed.wait(left)

    def wait_for_naps(self, count):
        """The pids of the processes where `count` invocations of `nap` and its like have begun."""
        with self.changed:
            found = lambda: [int(match.group(1)) for match in  # noqa: E731
                             (re.search(r"napping in (\d+)", line) for line in self.lines) if match]
            if not self.changed.wait_for(lambda: len(found()) >= count, PATIENCE_S):
                raise AssertionError(f"{count} naps did not begin:\n" + self.log())
            return found()

    def request(self, method, path, body=None, headers=None, timeout=PATIENCE_S):
        """Status, body and headers of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, "/api/" + path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def get(self, path):
        status, body, _ = self.request("GET", path)
        return status, body.decode()

    def start(self, method, path):
        """A request in a thread of its own; call the result for (status, body, seconds)."""
        result = []

        def work():
            begin = time.monotonic()
            status, body, _ = self.request(method, path)
            result.append((status, body.decode(), time.monotonic() - begin))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def finish():
            thread.join(PATIENCE_S)
            assert result, "no answer came"
            return result[0]

        return finish


class Started:
    """A process of a worker that the host has not started, in a folder of its own."""

    def __init__(self, variables, command=(WORKER,)):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-started-")
        self.process = subprocess.Popen(command, env={**os.environ, **variables},
                                        cwd=self.folder.name, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def end(self, number=None):
        """Its status, and what it printed, once it has ended; by that signal, if one is named."""
        if number:
            self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        self.folder.cleanup()
        return self.process.returncode, said


class Client:
    """A connection on which a request is sent by hand."""

    def __init__(self, host, head):
        self.sock = socket.create_connection(("127.0.0.1", host.port), PATIENCE_S)
        self.sock.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        self.got = b""

    def wait_for(self, text):
        while text not in self.got:
            part = self.sock.recv(65536)
            if not part:
                raise AssertionError(f"the host closed after {self.got[-1000:]!r}")
            self.got += part

    def chunk(self, text):
        self.sock.sendall(b"%x\r\n%s\r\n" % (len(text), text))

    def close(self):
        self.sock.close()


class Terminal:
    """The command in a terminal: what it shows, and what is typed."""

    def __init__(self, *words):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", DEBUGINFOD_URLS="", HOME="/nonexistent")
            os.execv(BIN + "/isoworker", ["isoworker", *words])

    def wait_for(self, pattern, seconds=PATIENCE_S):
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.shown)
            if found:
                self.shown = self.shown[found.end():]
                return found
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            try:
                part = os.read(self.fd, 65536) if ready else b""
            except OSError:  # it has ended
                part = b""
            if not part:
                raise AssertionError(f"{pattern!r} was not shown:\n{self.shown}")
            self.shown += part.decode(errors="replace").replace("\r", "")

    def type(self, text, end="\n"):
        os.write(self.fd, (text + end).encode())

    def end(self):
        """Its exit status, once it has ended."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            try:
                if ready:
                    os.read(self.fd, 65536)
            except OSError:
                pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("it did not end")


def worker(name="test", command=None, more=""):
    """One entry of `workers`."""
    words = ", ".join('"%s"' % word for word in (command or [WORKER]))
    return f"  - name: {name}\n    command: [{words}]\n" + "".join(
        f"    {line}\n" for line in more.splitlines())


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=PATIENCE_S):
    """For what no log line tells, such as the end of a process that is not ours."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)


def main():
    unittest.main(verbosity=2)
