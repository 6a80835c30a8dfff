#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A real server of PostgreSQL for tests (server.py), on a socket in its folder or on a free port.
`postgresql_server.py PROGRAM ARGUMENT...` runs a program beside one."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server  # noqa: E402


def folder_of_programs():
    """Where Debian's package has them; None: nowhere."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return os.path.dirname(found[-1]) if found else None


def user():
    """Who runs it: the server refuses to be root's."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return 65534


class Server(server.Server):
    STOPS_BY = signal.SIGINT

    def __init__(self, *options, primary=None, folder=None):
        """With another one as `primary` it follows that, which then acknowledges nothing that this
        one has not received; it serves readers until promote(). It syncs nothing unless its options
        say so: no test cuts the power of the machine."""
        super().__init__("pg", folder)
        self.programs = folder_of_programs()
        self.data = os.path.join(self.folder, "data")
        self.options = options
        self.user = user()
        self.port = 5432
        if self.user is not None:
            os.chown(self.folder, self.user, -1)
            os.chmod(self.folder, 0o755)
        if primary:
            self.follow(primary)
        else:
            self.run("initdb", "-D", self.data, "-U", "isw", "-A", "trust", "-E", "UTF8",
                     "--no-locale", "--no-sync")

    @staticmethod
    def is_installed():
        return bool(folder_of_programs() and shutil.which("psql"))

    def follow(self, primary):
        self.run("pg_basebackup", "-D", self.data, "-R", "-h", primary.folder, "-p",
                 str(primary.port), "-U", "isw", "-c", "fast", "--no-sync")
        self.start()
        primary.asks("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.asks("SELECT pg_reload_conf()")
        deadline = time.monotonic() + server.PATIENCE_S
        while primary.asks("SELECT sync_state FROM pg_stat_replication") != "sync":
            if time.monotonic() > deadline:
                raise RuntimeError("the server does not follow the other")
            time.sleep(0.02)

    def promote(self):
        self.asks("ALTER SYSTEM RESET synchronous_standby_names")
        self.asks("SELECT pg_promote()")

    def run(self, program, *arguments):
        subprocess.run([os.path.join(self.programs, program), *arguments], check=True,
                       stdout=subprocess.DEVNULL, user=self.user, cwd=self.folder)

    @property
    def place(self):
        return f"postgresql://isw@/postgres?host={self.folder}&port={self.port}"

    def command(self):
        return [os.path.join(self.programs, "postgres"), "-D", self.data, "-p", str(self.port),
                "-c", f"unix_socket_directories={self.folder}", "-c", "listen_addresses=",
                "-c", "fsync=off", *self.options]

    def answers(self):
        """A request for TLS, which each server answers with one letter once it is there."""
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(5)
            try:
                end.connect(os.path.join(self.folder, f".s.PGSQL.{self.port}"))
                end.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
                end.recv(1)
            except OSError:
                return False
        return self.asks("SELECT 1") == "1"

    def asks(self, text):
        """What psql prints; None where the server does not answer."""
        done = subprocess.run(["psql", "-qAt", "-h", self.folder, "-p", str(self.port), "-U", "isw",
                               "postgres", "-c", text], capture_output=True, text=True,
                              check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def kill(self):
        """All of it at once: its children see that their parent is gone."""
        super().kill()
        pid_file = os.path.join(self.data, "postmaster.pid")
        deadline = time.monotonic() + server.PATIENCE_S
        while self.pids() and time.monotonic() < deadline:
            time.sleep(0.02)
        if os.path.exists(pid_file):
            os.remove(pid_file)

    def pids(self):
        """Its own and those of what it started, which ask for nothing by themselves."""
        found = []
        for name in glob.glob("/proc/[0-9]*/cwd"):
            try:
                if os.readlink(name) == self.data:
                    found.append(int(name.split("/")[2]))
            except OSError:
                continue
        return found


if __name__ == "__main__":
    sys.exit(server.main(Server, "postgresql"))
