#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Runs a sample as its reader would, and compares what it prints with samples/NAME/golden.

    run.py BIN SAMPLE            run and compare; exits with 1 and a diff if they differ
    run.py BIN SAMPLE --update   run and write the golden file anew
    run.py BIN SAMPLE --of FOLDER [--update]
                                 the same for modules, which are no programs on the PATH: the copy
                                 is of FOLDER, where they were built

The golden file holds commands, each on a line that begins with "$ ", and below each what it prints.
They run one after the other by `sh -c` in a copy of its folder, under a host that serves that;
$URL is where its functions are, and the built programs are on the PATH. A sample without host.yaml is
a host itself. Behind them the lines of its README.md with which one looks at a host are run beside the
folder `samples`, as they stand there. What a run leaves in its folder is ignored by Git.
"""
import difflib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PATIENCE_S = 30


def serve(bin_folder, sample):
    host = subprocess.Popen([os.path.join(bin_folder, "isoworker"), "run", sample, "--port", "0"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in host.stdout:
        lines.append(line)
        found = re.search(r"functions? at (http://[^,]*),.*Ctrl-C ends", line)
        if found:
            return host, found.group(1)
    sys.exit("the host did not start:\n" + "".join(lines))


def run(command, sample, bin_folder, url):
    # LeakSanitizer of gcc 12 falls over thread-local storage of modules that were unloaded, and takes
    # along what was printed. Leaks are looked for by the tests of what the samples use. And a report of
    # a crash takes longer, with names of functions, than a sample gives one.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0:symbolize=0"
    environment = dict(os.environ, URL=url + "/api", PATH=bin_folder + ":" + os.environ["PATH"],
                       ASAN_OPTIONS=options)
    done = subprocess.run(["sh", "-c", command], cwd=sample, env=environment, timeout=PATIENCE_S,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text = done.stdout.decode(errors="replace").replace("\r\n", "\n")
    return text if not text or text.endswith("\n") else text + "\n"


def transcript(commands, bin_folder, sample):
    if not os.path.exists(os.path.join(sample, "host.yaml")):
        return "".join(f"$ {each}\n{run(each, sample, bin_folder, '')}" for each in commands)
    host, url = serve(bin_folder, sample)
    try:
        text = "".join(f"$ {each}\n{run(each, sample, bin_folder, url)}" for each in commands)
        run_page(bin_folder, sample)
        return text
    finally:
        host.send_signal(signal.SIGTERM)
        rest, _ = host.communicate(timeout=PATIENCE_S)
        if host.returncode != 0:
            sys.exit(f"the host exited with {host.returncode}:\n{rest}")


def run_page(bin_folder, sample):
    page = os.path.join(sample, "README.md")
    if not os.path.exists(page):
        return
    with open(page) as file:
        lines = re.findall(r"(?:^    |`)(isoworker (?:logs|queue) [^`\n]*)", file.read(), re.M)
    for line in lines:
        done = subprocess.run(line, shell=True, cwd=os.path.join(sample, "../.."), text=True,
                              env=dict(os.environ, PATH=bin_folder + ":" + os.environ["PATH"]),
                              timeout=PATIENCE_S, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"README.md: {line}: {done.stderr}")


def names_in(folder):
    return {os.path.relpath(path, folder) for path in glob.glob(folder + "/*")}


def check_ignored(sample, left):
    """Where there is no Git, or no clone, nobody is bothered by them."""
    for name in sorted(left) if shutil.which("git") else []:
        path = os.path.join(sample, name)
        if subprocess.run(["git", "-C", sample, "check-ignore", "-q", "--no-index", path + "/x"],
                          stderr=subprocess.DEVNULL, check=False).returncode == 1:
            sys.exit(f"a run leaves {path}, which .gitignore does not name")


def private_copy(folder, sample, into):
    """One that nobody else may write, whatever the umask of the build: as modules have to be."""
    copy = shutil.copytree(folder, os.path.join(into, "samples", os.path.basename(sample)))
    for path in [copy, *glob.glob(copy + "/**", recursive=True)]:
        os.chmod(path, os.stat(path).st_mode & ~0o022)
    return copy


def main():
    bin_folder, sample = (os.path.abspath(path) for path in sys.argv[1:3])
    of, options = (sys.argv[4], sys.argv[5:]) if sys.argv[3:4] == ["--of"] else (sample, sys.argv[3:])
    with tempfile.TemporaryDirectory() as folder:
        copy = private_copy(of, sample, folder)
        before = names_in(copy)
        compare(bin_folder, sample, copy, options)
        check_ignored(sample, names_in(copy) - before)


def compare(bin_folder, sample, folder, options):
    golden = os.path.join(sample, "golden")
    with open(golden) as file:
        expected = file.read()
    commands = [line[2:] for line in expected.splitlines() if line.startswith("$ ")]
    actual = transcript(commands, bin_folder, folder)
    if options == ["--update"]:
        with open(golden, "w") as file:
            file.write(actual)
    elif actual != expected:
        sys.exit("".join(difflib.unified_diff(expected.splitlines(True), actual.splitlines(True),
                                              golden, "what it printed")))


if __name__ == "__main__":
    main()
