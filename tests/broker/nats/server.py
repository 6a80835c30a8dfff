#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A real nats-server with JetStream for one test, in a folder of its own, on a free port of loopback.
`server.py PROGRAM ARGUMENT...` runs a program with ISW_BROKER_PLACE saying where it is, and ends with
its status; with 77 where no server is installed."""
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
PR_SET_PDEATHSIG = 1

CONFIG = """
host: {listen}
port: {port}
max_payload: 20971520
{jetstream}
{more}
"""


def ends_with_us():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        return end.getsockname()[1]


class Server:
    """Begun by start(), ended by stop() or kill(), any number of times; gone with remove(). It keeps
    the port that it was first given."""

    def __init__(self, more="", jetstream=True, login="", scheme="nats", listen="127.0.0.1",
                 folder=None):
        """In `folder`, which it makes and removes; None: one of its own."""
        self.folder = folder or tempfile.mkdtemp(prefix="isw-nats-")
        os.makedirs(self.folder, exist_ok=True)
        self.process = None
        self.port = free_port()
        self.login, self.scheme = login, scheme
        store = f'jetstream: {{store_dir: "{self.folder}"}}' if jetstream else ""
        with open(os.path.join(self.folder, "server.conf"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(listen=listen, port=self.port, jetstream=store, more=more))

    @property
    def place(self):
        return f"{self.scheme}://{self.login}127.0.0.1:{self.port}"

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                ["nats-server", "-c", os.path.join(self.folder, "server.conf")], stdout=log,
                stderr=log, preexec_fn=ends_with_us)
        deadline = time.monotonic() + 30
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                    raise RuntimeError("the server does not run: " + log.read()[-2000:])
            time.sleep(0.02)

    def answers(self):
        """It greets each client, once it is there."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as end:
                return end.recv(4) == b"INFO"
        except OSError:
            return False

    def end(self, how):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def is_installed():
    return shutil.which("nats-server") is not None


def main():
    if not is_installed():
        print("no nats-server is installed; on Debian: apt-get install nats-server")
        return SKIP
    server = Server()
    try:
        server.start()
        return subprocess.run(sys.argv[1:], check=False,
                              env={**os.environ, "ISW_BROKER_PLACE": server.place}).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
