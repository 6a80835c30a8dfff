# SPDX-License-Identifier: Apache-2.0
"""What a run has to itself, so that it can take it away: disks that it fills, machines with a network
that it cuts, a clock that it sets. Disks and networks need the rights of root: `enter` begins the
program again in namespaces of its own, which end with it, and what is left out for want of rights is
said."""
import os
import shutil
import struct
import subprocess
import sys

ENTERED = "FAULTS_APART"  # in the environment: the namespaces that there are, by comma
WAYS = [["mount", "net"], ["mount"]]


def enter():
    """The kinds of namespace that this run has to itself; does not return when it has to begin."""
    if ENTERED in os.environ:
        return set(os.environ[ENTERED].split(","))
    for kinds in WAYS:
        if "net" in kinds and not shutil.which("ip"):
            continue
        way = ["unshare", *(f"--{kind}" for kind in kinds)]
        if subprocess.run([*way, "mount", "--make-rprivate", "/"], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0:
            os.environ[ENTERED] = ",".join(kinds)
            os.execvp("unshare", [*way, sys.executable, "-B", *sys.argv])
    return set()


def do(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


class Disk:
    """A small one in `folder`, which a file can fill."""

    def __init__(self, folder, mebibytes):
        self.folder = folder
        self.ballast = os.path.join(folder, "ballast")
        os.makedirs(folder, exist_ok=True)
        do("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", folder)

    def fill(self):
        """Up to the last page."""
        with open(self.ballast, "wb") as file:
            while True:
                space = os.statvfs(self.folder)
                size = file.tell() + space.f_bavail * space.f_frsize
                try:
                    os.posix_fallocate(file.fileno(), 0, max(size, 1))
                except OSError:
                    continue  # others were faster
                file.seek(size)
                if os.statvfs(self.folder).f_bavail == 0:
                    return

    def empty(self):
        os.remove(self.ballast)

    def remove(self):
        subprocess.run(["umount", "-l", self.folder], check=False)


class Machines:
    """Each a namespace of the network with a cable to this one, which has the servers."""

    def __init__(self, count):
        self.names = [f"isw{i}" for i in range(1, count + 1)]
        do("ip", "link", "set", "lo", "up")
        os.makedirs("/run/netns", exist_ok=True)
        do("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        for number, name in enumerate(self.names, 1):
            do("ip", "netns", "add", name)
            do("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            do("ip", "address", "add", f"10.77.{number}.1/30", "dev", name)
            do("ip", "-n", name, "address", "add", f"10.77.{number}.2/30", "dev", "eth0")
            do("ip", "link", "set", name, "up")
            for device in ("eth0", "lo"):
                do("ip", "-n", name, "link", "set", device, "up")

    def address(self, index):
        """Of the servers, as this machine sees them."""
        return f"10.77.{index + 1}.1"

    def way(self, index):
        """What a program is begun by there."""
        return ["nsenter", f"--net=/run/netns/{self.names[index]}"]

    def set(self, index, word, at_server):
        """Its cable, "down" or "up": pulled out there, where all that is sent fails, or at the
        server's, where nothing comes through and nobody says so."""
        name = self.names[index]
        if at_server:
            do("ip", "link", "set", name, word)
        else:
            do("ip", "-n", name, "link", "set", "eth0", word)


class Clock:
    """That of hosts alone; `shim` is clock.c."""

    def __init__(self, shim, path):
        self.shim, self.path = shim, path
        self.offset_s = self.highest_s = 0
        with open(path, "wb") as file:
            file.write(struct.pack("q", 0))

    def environment(self):
        # It has to come before the runtime of AddressSanitizer, which does not like that.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return [f"LD_PRELOAD={self.shim}", f"FAULTS_CLOCK={self.path}", f"ASAN_OPTIONS={asan}"]

    def set(self, offset_s):
        """So far from the real one."""
        self.offset_s = offset_s
        self.highest_s = max(self.highest_s, offset_s)
        file = os.open(self.path, os.O_WRONLY)
        os.pwrite(file, struct.pack("q", int(offset_s * 1e9)), 0)
        os.close(file)
