#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A real nats-server with JetStream for tests (server.py), on a free port, alone or one of three.
`nats_server.py PROGRAM ARGUMENT...` runs a program beside one."""
import json
import os
import shutil
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server  # noqa: E402
from server import free_port  # noqa: E402

CONFIG = """
server_name: {name}
host: {listen}
port: {port}
max_payload: 20971520
{jetstream}
{more}
"""


class Server(server.Server):
    """It keeps the port that it was first given."""

    def __init__(self, more="", jetstream=True, login="", scheme="nats", name="alone",
                 listen="127.0.0.1", folder=None):
        super().__init__("nats", folder)
        self.port = free_port()
        self.login, self.scheme, self.name = login, scheme, name
        store = f'jetstream: {{store_dir: "{self.folder}"}}' if jetstream else ""
        with open(os.path.join(self.folder, "server.conf"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(name=name, listen=listen, port=self.port, jetstream=store,
                                     more=more))

    @staticmethod
    def is_installed():
        return shutil.which("nats-server") is not None

    @property
    def place(self):
        return f"{self.scheme}://{self.login}127.0.0.1:{self.port}"

    def command(self):
        return ["nats-server", "-c", os.path.join(self.folder, "server.conf")]

    def answers(self):
        """It greets each client, once it is there."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as end:
                return end.recv(4) == b"INFO"
        except OSError:
            return False

    def asks(self, subject, text=""):
        """What JetStream's API answers; None where it does not, or with an error."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as end, \
                    end.makefile("rb") as lines:
                lines.readline()
                end.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'
                            b"SUB me 1\r\n" +
                            f"PUB $JS.API.{subject} me {len(text)}\r\n{text}\r\n".encode())
                for line in lines:
                    words = line.split()
                    if words[0] in (b"MSG", b"HMSG"):
                        body = lines.read(int(words[-1]))
                        answer = json.loads(body) if words[0] == b"MSG" else {"error": body}
                        return None if "error" in answer else answer
        except OSError:
            pass
        return None


class Cluster:
    """Three servers that are one, named a, b and c."""

    def __init__(self):
        ports = [free_port() for _ in range(3)]
        routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in ports)
        self.servers = [Server(name=name, more=f"cluster: {{name: three, listen: 127.0.0.1:{port}, "
                                               f"routes: [{routes}]}}")
                        for name, port in zip("abc", ports)]

    @property
    def place(self):
        ports = ",".join(f"127.0.0.1:{one.port}" for one in self.servers)
        return f"nats://{ports}?replicas=3"

    def start(self):
        for one in self.servers:
            one.start()

    def remove(self):
        for one in self.servers:
            one.remove()

    def of(self, subject):
        """What one of them says of the servers that have what a question is about, such as
        CONSUMER.INFO.STREAM.NAME; empty: nobody knows now."""
        for one in self.servers:
            answer = one.asks(subject) if one.process else None
            if answer:
                return answer["cluster"]
        return {}

    def leader(self, subject):
        """None: there is none now."""
        return next((one for one in self.servers if one.name == self.of(subject).get("leader")), None)

    def is_whole(self, subject):
        """All three have all of it."""
        of = self.of(subject)
        return "leader" in of and all(row["current"] for row in of["replicas"])


if __name__ == "__main__":
    sys.exit(server.main(Server, "nats-server"))
