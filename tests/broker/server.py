# SPDX-License-Identifier: Apache-2.0
"""A real server for tests, in a folder of its own, reached by this machine alone: how it is begun,
stopped, killed and taken away. nats_server.py and postgresql_server.py say of which kind."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIP = 77
PATIENCE_S = 60
PR_SET_PDEATHSIG = 1


def ends_with_us():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        return end.getsockname()[1]


class Server:
    """Begun by start(), ended by stop() or kill(), any number of times; gone with remove(). Each
    kind has is_installed(), its command(), answers() and place, and, where it must, says by what it
    stops and as whom it runs."""

    STOPS_BY = signal.SIGTERM
    user = None

    def __init__(self, kind, folder):
        """In a folder that it makes and removes; None: one of its own."""
        self.folder = folder or tempfile.mkdtemp(prefix=f"isw-{kind}-")
        os.makedirs(self.folder, exist_ok=True)
        self.process = None

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, user=self.user,
                                            cwd=self.folder, preexec_fn=ends_with_us)
        deadline = time.monotonic() + PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                    raise RuntimeError("the server does not run: " + log.read()[-2000:])
            time.sleep(0.02)

    def pids(self):
        return [self.process.pid]

    def signal(self, number):
        """To all of it."""
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def end(self, how):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)
            self.process = None

    def stop(self):
        self.end(self.STOPS_BY)

    def kill(self):
        self.end(signal.SIGKILL)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(server, package):
    """Of `KIND_server.py PROGRAM ARGUMENT...`: run a program with ISW_BROKER_PLACE saying where the
    server is, and end with its status; with 77 where none is installed."""
    if not server.is_installed():
        print(f"no such server is installed; on Debian: apt-get install {package}")
        return SKIP
    one = server()
    try:
        one.start()
        return subprocess.run(sys.argv[1:], check=False,
                              env={**os.environ, "ISW_BROKER_PLACE": one.place}).returncode
    finally:
        one.remove()
