#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Does what README.md says, in its order, as a reader would: every block of it.

    run.py SOURCE

`sh` blocks are run line by line, and each has to succeed; `isoworker run` goes on in the background,
as it would in another terminal, until the next one. `console` blocks are run, too, and print what
stands below. A block with a name, such as `c hello.c`, is a file. What has none and no language is a
picture. REPLACED is all that is done otherwise than it stands there.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE_S = 300
FENCE = re.compile(r"^```(\S*)[ ]?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Reader:
    def __init__(self, source, folder):
        self.clone = folder / "clone"
        self.app = folder / "app"
        self.app.mkdir()
        prefix = folder / "prefix"
        port = free_port()
        shutil.copytree(source, self.clone, symlinks=True,
                        ignore=shutil.ignore_patterns("build", ".git"))
        self.replaced = [
            # Whoever runs the tests has done the one, and is doing the other.
            (r"^\./samples/quickstart\b", "./samples/quickstart --help"),
            (r"^\./tests/run\b", "./tests/run --help"),
            # Nothing is installed for all users of this machine, and port 7071 may be taken.
            (r"\bsudo ldconfig\b", "true"),
            (r"\bsudo ", ""),
            (r"/usr/local\b", str(prefix)),
            (r"\b7071\b", port),
            (r"^isoworker run\b", f"isoworker run --port {port}"),
        ]
        library = self.lib_of(prefix)
        self.environment = dict(
            os.environ, PATH=f"{prefix}/bin:{os.environ['PATH']}",
            # What ldconfig does for /usr/local, which pkg-config knows by itself.
            LD_LIBRARY_PATH=str(library), PKG_CONFIG_PATH=str(library / "pkgconfig"))
        self.prefix = prefix
        self.host = None

    @staticmethod
    def lib_of(prefix):
        # On a prefix other than /usr CMake takes lib, without the machine's name.
        return prefix / "lib"

    def as_here(self, line):
        for pattern, other in self.replaced:
            line = re.sub(pattern, other, line)
        return line

    def run(self, line, where):
        done = subprocess.run(["sh", "-c", line], cwd=where, env=self.environment, text=True,
                              timeout=PATIENCE_S, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(f"$ {line}\nended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def serve(self, line):
        self.stop()
        self.host = subprocess.Popen(line.split(), cwd=self.app, env=self.environment, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log = ""
        for text in self.host.stdout:
            log += text
            if "Ctrl-C ends" in text:
                return
        sys.exit(f"$ {line}\ndid not serve:\n{log}")

    def stop(self):
        if not self.host:
            return
        self.host.send_signal(signal.SIGTERM)
        log, _ = self.host.communicate(timeout=PATIENCE_S)
        if self.host.returncode != 0:
            sys.exit(f"the host ended with {self.host.returncode}:\n{log}")
        self.host = None

    def sh(self, text):
        where = self.clone if re.search(r"^(\./samples|cmake)", text) else self.app
        for line in text.replace("\\\n", " ").splitlines():
            line = self.as_here(line)
            if line.startswith("isoworker run"):
                self.serve(line)
            else:
                self.run(line, where)

    def console(self, text):
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
            printed = self.run(self.as_here(command).replace("curl ", "curl -sS "), self.app)
            if printed != expected:
                sys.exit(f"$ {command}\nprinted:\n{printed}\nand not:\n{expected}")

    def write(self, name, text):
        (self.app / name).write_text(text)
        if name == "CMakeLists.txt":
            # Once as it is installed, and once as a part of the build.
            for kind, settings in (("installed", f"-DCMAKE_PREFIX_PATH={self.prefix}"),
                                   ("part", "-DCMAKE_DISABLE_FIND_PACKAGE_isoworker=ON "
                                            f"-DFETCHCONTENT_SOURCE_DIR_ISOWORKER={self.clone}")):
                self.run(f"cmake -S . -B {kind} -G Ninja {settings} && cmake --build {kind} && "
                         f"$(find {kind} -name hello -type f) --check", self.app)


def main():
    source = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="isw-readme-") as folder:
        reader = Reader(source, Path(folder))
        try:
            for language, name, text in FENCE.findall((source / "README.md").read_text()):
                if name:
                    reader.write(name, text)
                elif language in ("sh", "console"):
                    getattr(reader, language)(text)
                elif language:
                    sys.exit(f"README.md has a block of {language} that nothing runs:\n{text}")
        finally:
            reader.stop()


if __name__ == "__main__":
    os.umask(0o022)  # nobody else may write a module or its folder
    main()
