# SPDX-License-Identifier: Apache-2.0
"""Servers that several hosts share, to be killed, stopped and cut off: begun here, by the programs that
Debian has, and reached through networks or, for want of rights, a link that can be cut."""
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading

import apart

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "broker"))
import nats_server  # noqa: E402
import postgresql_server  # noqa: E402
from server import free_port  # noqa: E402


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
    disk_mib = 256

    def __init__(self, listen, folder):
        self.server = nats_server.Server(listen=listen, folder=folder)
        self.server.start()

    def store(self, address, port, seed):
        return f"nats://{address}:{port}?prefix=trial{seed}"

    def forget(self, seed):
        """Streams that are left make each start longer."""
        for name in ("queue-jobs", "queue-outs", "dead-jobs", "dead-outs"):
            self.server.asks(f"STREAM.DELETE.trial{seed}-{name}")


class Postgresql:
    disk_mib = 512

    def __init__(self, listen, folder):
        self.server = postgresql_server.Server(
            "-c", "fsync=on", "-c", f"listen_addresses={listen}", "-c", "max_wal_size=64MB",
            "-c", "min_wal_size=32MB", folder=folder)
        with open(os.path.join(self.server.data, "pg_hba.conf"), "a", encoding="utf-8") as file:
            file.write("host all all 10.77.0.0/16 trust\n")
        self.server.port = free_port()
        self.server.start()

    def store(self, address, port, seed):
        return f"postgresql://isw@{address}:{port}/postgres?schema=trial_{seed}&sslmode=disable"

    def forget(self, seed):
        self.server.asks(f"DROP SCHEMA IF EXISTS trial_{seed} CASCADE")


KINDS = {"nats": Nats, "postgresql": Postgresql}
HOSTS = 2


class Shared:
    """One server, for all trials of a run, and what can be done to it. `kinds` are the namespaces that
    the run has to itself: with those of the network each host is on a machine of its own, with those
    of mounts the server has a disk of its own."""

    def __init__(self, kind, kinds):
        self.folder = tempfile.mkdtemp(prefix="faults-server-")
        os.chmod(self.folder, 0o755)
        self.machines = apart.Machines(HOSTS) if "net" in kinds else None
        self.disk = apart.Disk(self.folder, KINDS[kind].disk_mib) if "mount" in kinds else None
        self.of = KINDS[kind]("0.0.0.0" if self.machines else "127.0.0.1",
                              os.path.join(self.folder, "data"))
        self.link = None if self.machines else Link(self.of.server.port)

    def store(self, seed, index):
        if self.machines:
            return self.of.store(self.machines.address(index), self.of.server.port, seed)
        return self.of.store("127.0.0.1", self.link.port, seed)

    def way(self, index):
        """The words that a host there is begun by."""
        return self.machines.way(index) if self.machines else []

    def forget(self, seed):
        self.of.forget(seed)

    def kill(self):
        """And begin it again; once more, as whoever watches over it would, if it does not come up."""
        for again in (True, True, False):
            self.of.server.kill()
            try:
                self.of.server.start()
                return
            except RuntimeError:
                if not again:
                    raise

    def stop(self):
        self.of.server.signal(signal.SIGSTOP)

    def go_on(self):
        self.of.server.signal(signal.SIGCONT)

    def cut(self):
        self.link.open.clear()

    def mend(self):
        self.link.open.set()

    def remove(self):
        if self.link:
            self.link.close()
        self.of.server.remove()
        if self.disk:
            self.disk.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
