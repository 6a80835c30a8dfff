# SPDX-License-Identifier: Apache-2.0
"""Servers that several hosts share, to be killed, stopped and cut off: begun here, by the programs that
Debian has, and reached through a link that can be cut."""
import importlib.util
import os
import select
import signal
import socket
import threading

BROKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "broker")


def module_of(kind):
    spec = importlib.util.spec_from_file_location(
        f"{kind}_server", os.path.join(BROKER, kind, "server.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port():
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        return end.getsockname()[1]


class Link:
    """Hands on what comes on a port to another one. While it is cut nothing gets through, as where a
    cable is pulled: no end is told. What was sent meanwhile arrives when it is mended."""

    def __init__(self, to):
        self.to = to
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                end, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(end,), daemon=True).start()

    def serve(self, near):
        with near:
            try:
                self.open.wait()
                with socket.create_connection(("127.0.0.1", self.to)) as far:
                    self.carry(near, far)
            except OSError:
                pass  # whoever is left sees its end closed

    def carry(self, near, far):
        while True:
            self.open.wait()
            for end in select.select([near, far], [], [], 0.05)[0]:
                data = end.recv(1 << 16)
                if not data:
                    return
                self.open.wait()
                (far if end is near else near).sendall(data)

    def close(self):
        self.open.set()
        self.listener.close()


class Nats:
    def __init__(self):
        self.server = module_of("nats").Server()
        self.server.start()
        self.link = Link(self.server.port)

    def store(self, seed):
        return f"nats://127.0.0.1:{self.link.port}?prefix=trial{seed}"

    def pids(self):
        return [self.server.process.pid]


class Postgresql:
    def __init__(self):
        self.server = module_of("postgresql").Server("-c", "listen_addresses=127.0.0.1")
        self.server.port = free_port()
        self.server.start()
        self.link = Link(self.server.port)

    def store(self, seed):
        return (f"postgresql://isw@127.0.0.1:{self.link.port}/postgres"
                f"?schema=trial_{seed}&sslmode=disable")

    def pids(self):
        """The server's and those of what it started, which ask for nothing by themselves."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if os.readlink(f"/proc/{name}/cwd") == self.server.data:
                        found.append(int(name))
                except OSError:
                    continue
        return found


KINDS = {"nats": Nats, "postgresql": Postgresql}


class Shared:
    """One server, for all trials of a run, and what can be done to it."""

    def __init__(self, kind):
        self.of = KINDS[kind]()

    def store(self, seed):
        return self.of.store(seed)

    def kill(self):
        self.of.server.kill()
        self.of.server.start()

    def signal(self, number):
        for pid in self.of.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def stop(self):
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)

    def cut(self):
        self.of.link.open.clear()

    def mend(self):
        self.of.link.open.set()

    def remove(self):
        self.of.link.close()
        self.of.server.remove()
