# SPDX-License-Identifier: Apache-2.0
"""Installs the build under test into a folder of its own and uses it as strangers do.

    run.py PackageTest.test_NAME      CTest sets the environment, see tests.cmake

Tests install anew and then move the tree, so that whatever remembers the prefix breaks.
LD_LIBRARY_PATH is never set. Exits with 77 if the test was skipped.
"""
import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

BUILD = os.environ["ISOWORKER_BUILD"]
SOURCE = Path(os.environ["ISOWORKER_SOURCE"])
VERSION = os.environ["ISOWORKER_VERSION"]
LIBDIR = os.environ["ISOWORKER_LIBDIR"]
CMAKE = os.environ["ISOWORKER_CMAKE"]
GENERATOR = os.environ["ISOWORKER_GENERATOR"]
BUILD_TYPE = os.environ["ISOWORKER_BUILD_TYPE"]
CC = os.environ["ISOWORKER_CC"]
# A library with sanitizers in it wants a program that brings their runtime.
SANITIZE = os.environ["ISOWORKER_SANITIZE_FLAGS"]

HERE = Path(__file__).resolve().parent
PATIENCE_S = 60
# A consumer that looked for one of these would not find it.
PRIVATE_PACKAGES = ["nng", "msgpack", "msgpack-c", "Threads", "PkgConfig"]
PRIVATE_NAMES = re.compile(r"nng|msgpack|yaml|microhttpd|jansson|jose|curl|crypto", re.I)


def clean_environment(**more):
    """Ours without what would help or hinder a build that is not told about it."""
    drop = ("DESTDIR", "CFLAGS", "LDFLAGS", "CPATH", "LIBRARY_PATH", "LD_LIBRARY_PATH",
            "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "MAKEFLAGS")
    kept = {name: value for name, value in os.environ.items()
            if name not in drop and not name.startswith("ISOWORKER_")}
    return {**kept, **more}


def run(*command, cwd=None, **environment):
    """What the command prints to standard output; it must succeed."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, text=True,
                          env=clean_environment(**environment), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} exited with {done.returncode}:\n"
                             f"{done.stdout}\n{done.stderr}")
    return done.stdout


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is not installed")


class PackageTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="isw-package-")
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name).resolve()

    def install(self):
        if os.path.isabs(LIBDIR):
            self.skipTest("CMAKE_INSTALL_LIBDIR is absolute: the library is not below the prefix")
        run(CMAKE, "--install", BUILD, "--prefix", self.path / "first")
        os.rename(self.path / "first", self.path / "prefix")
        return self.path / "prefix"

    def configure_and_build(self, source, target, *settings):
        build = self.path / f"build-{target}"
        run(CMAKE, "-S", source, "-B", build, "-G", GENERATOR, f"-DCMAKE_C_COMPILER={CC}",
            f"-DCMAKE_BUILD_TYPE={BUILD_TYPE}", f"-DCMAKE_C_FLAGS={SANITIZE}",
            f"-DCMAKE_CXX_FLAGS={SANITIZE}", *settings)
        run(CMAKE, "--build", build, "--parallel", "2")
        return build / target

    def build_against(self, prefix, source, target):
        hidden = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in PRIVATE_PACKAGES]
        return self.configure_and_build(source, target, f"-DCMAKE_PREFIX_PATH={prefix}", *hidden)

    def assert_consumer_works(self, program):
        """Its own middleware runs, and the module beside the library is found."""
        answer = run(program, "invoke", "greet", "--param", "name=Ada", cwd=HERE / "consumer")
        self.assertIn(f"Greetings, Ada, from isoworker {VERSION}", answer)
        self.assertIn("x-stamp: consumer", answer)
        run(program, "--check", cwd=HERE / "consumer")

    def test_cmake_consumer_builds_and_runs(self):
        prefix = self.install()
        for file in (prefix / LIBDIR / "cmake/isoworker").iterdir():
            self.assertIsNone(PRIVATE_NAMES.search(file.read_text()), file)
        self.assert_consumer_works(self.build_against(prefix, HERE / "consumer", "consumer"))

    def test_pkg_config_consumer_builds_and_runs(self):
        need("make", "pkg-config")
        prefix = self.install()
        pkgconfig = prefix / LIBDIR / "pkgconfig"
        self.assertIsNone(PRIVATE_NAMES.search((pkgconfig / "isoworker.pc").read_text()))
        copy = self.path / "consumer"
        shutil.copytree(HERE / "consumer", copy)
        # With no other folder to look in, a private dependency would not be found.
        only = {"PKG_CONFIG_LIBDIR": str(pkgconfig)}
        self.assertEqual(run("pkg-config", "--modversion", "isoworker", **only).strip(), VERSION)
        run("make", "-C", copy, f"CC={CC}", f"CFLAGS={SANITIZE}", f"LDFLAGS={SANITIZE}", **only)
        self.assert_consumer_works(copy / "consumer")

    def test_static_library_serves_and_uninstalls(self):
        """Both ways to link it; what it stands on, the program brings. Then nothing is left."""
        need("make", "pkg-config")
        build, prefix = self.path / "static", self.path / "prefix"
        run(CMAKE, "-S", SOURCE, "-B", build, "-G", GENERATOR, f"-DCMAKE_C_COMPILER={CC}",
            f"-DCMAKE_BUILD_TYPE={BUILD_TYPE if SANITIZE else 'Release'}",
            f"-DISOWORKER_WERROR={'OFF' if SANITIZE else 'ON'}", f"-DCMAKE_C_FLAGS={SANITIZE}",
            f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DCMAKE_INSTALL_LIBDIR={LIBDIR}",
            "-DBUILD_SHARED_LIBS=OFF", "-DISOWORKER_BUILD_TESTS=OFF",
            "-DISOWORKER_BUILD_SAMPLES=OFF", "-DISOWORKER_BENCH_GRPC=OFF")
        run(CMAKE, "--build", build, "--parallel", "2")
        run(CMAKE, "--install", build)
        self.assertEqual([path for path in prefix.rglob("*.so*") if path.suffix != ".socket"], [])
        program = self.configure_and_build(HERE / "consumer", "consumer",
                                           f"-DCMAKE_PREFIX_PATH={prefix}")
        self.assert_consumer_works(program)
        self.assertNotIn("libisoworker", run("ldd", program))
        elsewhere = self.path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "worker.yaml").write_text("store: {url: 'redis://127.0.0.1:1', prefix: p}\n"
                                               "middleware: [circuit_breaker]\n")
        run(program, "--check", cwd=elsewhere) # what keeps stores elsewhere is in it, too
        program = self.configure_and_build(SOURCE / "samples/plugin_survivor", "plugin_survivor",
                                           f"-DCMAKE_PREFIX_PATH={prefix}")
        self.assert_survives(program, program.parent / "plugins")
        self.assertNotIn("libisoworker", run("ldd", program))
        program = self.configure_and_build(SOURCE / "samples/calling", "calling",
                                           f"-DCMAKE_PREFIX_PATH={prefix}")
        run(program, "--check", cwd=SOURCE / "samples/calling")
        self.assertNotIn("libisoworker", run("ldd", program))
        self.build_calling(prefix)
        copy = self.path / "consumer"
        shutil.copytree(HERE / "consumer", copy)
        run("make", "-C", copy, f"CC={CC}", f"CFLAGS={SANITIZE}", f"LDFLAGS={SANITIZE}",
            PKG_CONFIG_PATH=str(prefix / LIBDIR / "pkgconfig"))
        self.assert_consumer_works(copy / "consumer")
        refusal = subprocess.run([prefix / "bin/isoworker", "worker", "./any.so", "--check"],
                                 text=True, stderr=subprocess.PIPE, env=clean_environment())
        self.assertIn("static library, which takes no shared objects", refusal.stderr)
        (prefix / "share/others").touch()
        run(CMAKE, "--build", build, "--target", "uninstall")
        self.assertEqual([path.name for path in prefix.rglob("*") if not path.is_dir() or
                          path.name == "isoworker"], ["others"])

    def assert_survives(self, program, beside):
        """samples/plugin_survivor, whose plug-ins are the program `beside`."""
        if beside.parent != program.parent:
            shutil.copy(beside, program.parent)
        self.assertEqual(run(program, "count", "crash", "count", cwd=self.path).splitlines(),
                         ["count: 9", "crash: the worker ended before it answered", "count: 9"])

    def test_program_with_a_host_builds_and_survives(self):
        """By CMake and by pkg-config; it knows none of what the host stands on."""
        need("pkg-config")
        prefix, sample = self.install(), SOURCE / "samples/plugin_survivor"
        program = self.build_against(prefix, sample, "plugin_survivor")
        self.assert_survives(program, program.parent / "plugins")
        pkgconfig = prefix / LIBDIR / "pkgconfig"
        self.assertIsNone(PRIVATE_NAMES.search((pkgconfig / "isoworker-host.pc").read_text()))
        flags = run("pkg-config", "--cflags", "--libs", "isoworker-host",
                    PKG_CONFIG_LIBDIR=str(pkgconfig)).split()
        other = self.path / "other"
        other.mkdir()
        run(CC, *SANITIZE.split(), sample / "plugin_survivor.c", "-o", other / "survivor", *flags,
            f"-Wl,-rpath,{prefix / LIBDIR}")
        self.assert_survives(other / "survivor", program.parent / "plugins")
        self.assertNotIn("libisoworker.so", run("ldd", other / "survivor"))

    def build_calling(self, prefix, **where):
        """samples/calling, by pkg-config; it can be loaded."""
        where = where or {"PKG_CONFIG_PATH": str(prefix / LIBDIR / "pkgconfig")}
        flags = run("pkg-config", "--cflags", "--libs", "isoworker-http-client", **where).split()
        program = self.path / "calling"
        run(CC, *SANITIZE.split(), SOURCE / "samples/calling/calling.c", "-o", program, *flags,
            f"-Wl,-rpath,{prefix / LIBDIR}")
        run(program, "--check", cwd=SOURCE / "samples/calling")
        return program

    def test_a_program_with_the_client_builds_with_pkg_config(self):
        """It alone loads what the client stands on."""
        need("pkg-config")
        prefix = self.install()
        program = self.build_calling(prefix, PKG_CONFIG_LIBDIR=str(prefix / LIBDIR / "pkgconfig"))
        self.assertIn("libcurl", run("ldd", program))
        self.assertNotIn("libcurl", run("ldd", prefix / LIBDIR / "libisoworker.so"))

    def test_subproject_consumer_builds(self):
        self.assert_consumer_works(self.configure_and_build(
            HERE / "subproject", "consumer", f"-DISOWORKER_SOURCE={SOURCE}"))

    def test_each_sample_builds_alone(self):
        prefix = self.install()
        samples = sorted(SOURCE.glob("samples/*/CMakeLists.txt"))
        samples.remove(SOURCE / "samples/plugin_template/CMakeLists.txt") # modules; see below
        self.assertTrue(samples)
        for sample in (path.parent for path in samples):
            with self.subTest(sample=sample.name):
                copy = self.path / "samples" / sample.name
                shutil.copytree(sample, copy)
                program = {"orders": "orders_work"}.get(sample.name, sample.name) # it has two
                run(self.build_against(prefix, copy, program), "--check", cwd=copy)

    def test_installed_command_runs(self):
        prefix = self.install()
        command = prefix / "bin/isoworker"
        self.assertEqual(run(command, "version"), f"isoworker {VERSION}\n")
        copy = self.path / "hello"
        shutil.copytree(SOURCE / "samples/hello", copy)
        program = self.build_against(prefix, copy, "hello")
        with self.serve(command, copy, PATH=f"{program.parent}:{os.environ['PATH']}") as host:
            self.assertEqual(self.get(host, "/api/hello/World").read(), b"Hello, World!\n")

    @contextlib.contextmanager
    def serve(self, command, folder, **environment):
        """`isoworker run`, which has to end well."""
        with subprocess.Popen([command, "run", folder, "--port", "0"], text=True,
                              env=clean_environment(**environment),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as host:
            watchdog = threading.Timer(PATIENCE_S, host.kill)
            watchdog.start()
            try:
                yield host
            finally:
                host.send_signal(signal.SIGTERM)
                log = host.stdout.read()
                watchdog.cancel()
        self.assertEqual(host.returncode, 0, log)

    def get(self, host, path):
        log = ""
        for line in host.stdout:
            log += line
            if "Ctrl-C ends" in line:
                break
        port = re.search(r"http://[^:\s]+:(\d+).*Ctrl-C ends", log)
        self.assertTrue(port, f"the host did not settle:\n{log}")
        connection = http.client.HTTPConnection("127.0.0.1", int(port[1]), timeout=PATIENCE_S)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse()

    def assert_template_works(self, prefix, folder):
        """A middleware and a function from shared objects, under the installed host."""
        command = prefix / "bin/isoworker"
        self.assertIn("put a header on every answer", run(command, "explain", folder / "stamp.so"))
        answer = run(command, "worker", "./functions.so", "invoke", "greet", "--param", "name=Ada",
                     cwd=folder)
        self.assertIn("x-stamp: seen", answer)
        with self.serve(command, folder) as host:
            answer = self.get(host, "/api/greet/Ada")
        self.assertEqual(answer.read(), b"Good day, Ada!\n")
        self.assertEqual(answer.getheader("x-stamp"), "seen")

    def test_plugin_template_works_with_cmake(self):
        prefix = self.install()
        copy = self.path / "template"
        shutil.copytree(SOURCE / "samples/plugin_template", copy)
        self.assert_template_works(prefix, self.build_against(prefix, copy, "stamp").parent)

    def test_plugin_template_works_with_make(self):
        need("make", "pkg-config")
        prefix = self.install()
        copy = self.path / "template"
        shutil.copytree(SOURCE / "samples/plugin_template", copy)
        run("make", "-C", copy, f"CC={CC}", f"CFLAGS={SANITIZE}", f"LDFLAGS={SANITIZE}",
            PKG_CONFIG_LIBDIR=str(prefix / LIBDIR / "pkgconfig"))
        self.assert_template_works(prefix, copy)

    def test_install_obeys_destdir(self):
        run(CMAKE, "--install", BUILD, "--prefix", "/nowhere", DESTDIR=str(self.path / "stage"))
        command = self.path / "stage/nowhere/bin/isoworker"
        self.assertEqual(run(command, "version"), f"isoworker {VERSION}\n")
        self.assertFalse(os.path.exists("/nowhere"))

    def test_installed_files_find_each_other(self):
        prefix = self.install()
        library = prefix / LIBDIR / "libisoworker.so"
        module = prefix / LIBDIR / "isoworker/auth.so"
        for file in (prefix / "bin/isoworker", library, module):
            self.assertNotIn("not found", run("ldd", file), file)
        found = re.search(r"libisoworker\S* => (\S+)", run("ldd", module))[1]
        self.assertTrue(os.path.samefile(found, library), found)

    def test_bin_holds_the_command_alone(self):
        """What only the command starts lies elsewhere, and is found there."""
        prefix = self.install()
        self.assertEqual(os.listdir(prefix / "bin"), ["isoworker"])
        command = prefix / "bin/isoworker"
        self.assertIn("checks API keys", run(command, "explain", "auth"))
        built = {path.name for path in (Path(BUILD) / "bin").glob("isoworker-*")}
        self.assertEqual(built, set(os.listdir(prefix / "libexec/isoworker")))
        rows = run(command, "bench", "--seconds", "1", "--json")
        self.assertRegex(rows, r'"case":"ring\+chain",.*"p50_us":[0-9]')

    def test_bash_finds_the_completion_of_the_command_by_its_name(self):
        file = self.install() / "share/bash-completion/completions/isoworker"
        self.assertIn("-F _isoworker isoworker", run("bash", "-c", f"source {file}; complete -p"))

    def test_manual_says_what_the_programs_say(self):
        prefix = self.install()
        pages = {path.name: re.sub(r"\\e", r"\\", path.read_text().replace("\\-", "-"))
                 for path in (prefix / "share/man").rglob("*.?")}
        self.assertEqual(len(pages), 3, pages.keys())
        command = prefix / "bin/isoworker"
        for name in re.findall(r"^  (\w+) ", run(command, "--help"), re.M):
            if name != "version":
                for line in run(command, name, "--help").partition("host.yaml:\n")[0].splitlines():
                    self.assertIn(line, pages["isoworker.1"], name)
        for name in ("host.yaml", "worker.yaml"):
            self.assertIn(run(command, "explain", name), pages[f"isoworker-{name}.5"])
        for name in ("auth", "cors"):
            self.assertIn(run(command, "explain", name), pages["isoworker-worker.yaml.5"])

    def service(self):
        """A prefix, and the unit in it for an application by the name of test."""
        prefix = self.path / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", prefix)
        unit = next(prefix.rglob("isoworker@.service"))
        shutil.copy(unit, self.path / "isoworker@test.service")
        shutil.copy(unit.parent / "isoworker@.socket", self.path / "isoworker@test.socket")
        return prefix, self.path / "isoworker@test.service"

    def test_service_starts_the_program_that_was_installed(self):
        need("systemd-analyze")
        prefix, unit = self.service()
        start = re.search("^ExecStart=(\\S+) run /srv/isoworker/%i$", unit.read_text(), re.M)
        self.assertEqual(start[1], str(prefix / "bin/isoworker"))
        self.assertNotIn("@SERVICE", unit.read_text())
        for file in (unit, unit.with_suffix(".socket")):
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", file], text=True,
                                  stderr=subprocess.PIPE, env=clean_environment())
            self.assertEqual([line for line in done.stderr.splitlines() if "isoworker" in line], [])

    def test_service_may_do_little(self):
        """As systemd rates it, from 0 to 10; what is left are sockets and a file system."""
        need("systemd-analyze")
        unit = self.service()[1]
        table = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
                    unit)
        self.assertRegex(table, r"Overall exposure level for isoworker@test.service: [01]\.\d")
        weak = unit.with_name("isoworker@weak.service")
        weak.write_text(re.sub("(?m)^(Restrict|Protect|System|Capability).*$", "",
                               unit.read_text()))
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                               "--no-pager", weak], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        self.assertNotEqual(done.returncode, 0)  # else it would pass whatever stands there

    def test_service_has_its_user_and_its_folders(self):
        need("systemd-sysusers", "systemd-tmpfiles")
        if os.getuid() != 0:
            self.skipTest("users are made as root")
        prefix, root = self.service()[0], self.path / "root"
        (root / "etc").mkdir(parents=True)
        for tool, folder, more in (("systemd-sysusers", "sysusers.d", []),
                                   ("systemd-tmpfiles", "tmpfiles.d", ["--create"])):
            file = next(prefix.rglob(f"{folder}/isoworker.conf"))
            there = root / "usr/lib" / folder / "isoworker.conf"
            there.parent.mkdir(parents=True)
            shutil.copy(file, there)
            run(tool, *more, f"--root={root}", "isoworker.conf")
        user = re.search(r"^isoworker:x:(\d+):(\d+):[^:]*:/srv/isoworker:\S*/nologin$",
                         (root / "etc/passwd").read_text(), re.M)
        self.assertTrue(user)
        found = (root / "run/isoworker").stat()
        self.assertEqual((found.st_uid, found.st_mode & 0o777), (int(user[1]), 0o755))
        self.assertEqual((root / "srv/isoworker").stat().st_uid, 0)

    def test_every_public_header_is_installed(self):
        def headers(root):
            return sorted(str(path.relative_to(root)) for path in root.rglob("*.h"))
        self.assertEqual(headers(self.install() / "include"), headers(SOURCE / "include"))


if __name__ == "__main__":
    os.umask(0o022)  # nobody else may write a module or its folder
    result = unittest.main(verbosity=2, exit=False).result
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
