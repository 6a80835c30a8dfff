# SPDX-License-Identifier: Apache-2.0
"""Operators of a host: the commands, the admin endpoints, and the control socket by hand."""
import http.client
import json
import os
import re
import socket
import subprocess

from harness import BIN, PATIENCE_S

ADMIN = 'admin: {listen: "127.0.0.1:0"}'
ILL = "processes: 1\nrestart_delay: 1h\nrestart_delay_max: 1h\ngive_up_after: 1000"


def run(command, folder, *arguments):
    """Exit status, stdout and stderr of one command about a folder."""
    done = subprocess.run([BIN + "/isoworker", command, folder, *arguments], capture_output=True,
                          text=True, timeout=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


def ask(host, command, *arguments):
    """What it prints; it must succeed."""
    code, out, err = run(command, host.folder.name, *arguments)
    assert code == 0, (code, out, err)
    return out


def report(host):
    return json.loads(ask(host, "status", "--json"))


def process_of(host, worker_name="test"):
    return next(p for p in report(host)["processes"] if p["worker"] == worker_name)


def function_of(host, name):
    return next(f for f in report(host)["functions"] if f["name"] == name)


def socket_path(folder):
    value = 0xcbf29ce484222325
    for byte in os.path.realpath(folder).encode():
        value = ((value ^ byte) * 0x100000001b3) % 2**64
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    base = base if base.startswith("/") and len(base) <= 40 and os.access(base, os.W_OK) else "/tmp"
    return f"{base}/isoworker-{os.geteuid()}/{value:016x}.sock"


class Visitor:
    """A connection to the control socket by hand."""

    def __init__(self, host, text=b""):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(socket_path(host.folder.name))
        if text:  # to one that was turned away at once, not even nothing can be sent
            self.sock.sendall(text)

    def rest(self):
        """All that it says until it closes."""
        got = b""
        while True:
            try:
                part = self.sock.recv(65536)
            except ConnectionResetError:  # it closed with something of ours unread
                part = b""
            if not part:
                self.sock.close()
                return got.decode()
            got += part


def admin(host, method, path, headers=None, body=None):
    """Status and JSON of an admin endpoint."""
    line = host.wait_for("admin at http")
    port = int(re.search(r"admin at http://127.0.0.1:(\d+)", line).group(1))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request(method, path, body, headers=headers or {})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


def scrape(host):
    """What /metrics says: the content type, the text, and its samples by name and labels."""
    line = host.wait_for("admin at http")
    port = int(re.search(r"admin at http://127.0.0.1:(\d+)", line).group(1))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return answer.headers["content-type"], text, {name: float(value) for name, _, value in lines}


class Follower:
    """An `isoworker logs -f`; its lines are waited for."""

    def __init__(self, host, *arguments):
        command = [BIN + "/isoworker", "logs", host.folder.name, "-f", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, bufsize=1)

    def next(self):
        return self.process.stdout.readline()

    def end(self):
        self.process.kill()
        self.process.communicate()
