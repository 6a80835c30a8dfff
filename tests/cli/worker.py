#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`isoworker worker`: what it serves and what it refuses, in words that name what was typed.

usage: worker.py ISOWORKER FOLDER_OF_TEST_MODULES
"""
import os
import shutil
import subprocess
import sys
import tempfile

ISOWORKER, MODULES = (os.path.abspath(path) for path in sys.argv[1:3])
EX_USAGE, EX_CONFIG = 64, 78


def worker(folder, *words):
    return subprocess.run([ISOWORKER, "worker", *words], cwd=folder, capture_output=True,
                          text=True, timeout=30, check=False)


def assert_refused(done, code, message):
    assert done.returncode == code, done
    assert done.stderr.startswith(message), done.stderr


def serves_a_module(folder):
    described = worker(folder, "./functions.so", "--describe")
    assert described.returncode == 0, described.stderr
    assert described.stdout.startswith("functions (1):\n  answer "), described.stdout
    assert worker(folder, "functions.so", "--check").returncode == 0
    assert worker(folder, "./functions.so", "invoke", "answer").returncode == 0


def refuses_with_what_was_typed(folder):
    for words in ([], ["--check"]):
        assert_refused(worker(folder, *words), EX_USAGE, "usage: isoworker worker FILE.so")
    assert worker(folder, "--help").stdout.startswith("usage: isoworker worker FILE.so")
    assert_refused(worker(folder, "./nix.so", "--check"), EX_CONFIG,
                   "isoworker worker: module ./nix.so: no such file\n")
    assert_refused(worker(folder, "./functions.so", "--nix"), EX_USAGE,
                   'isoworker worker ./functions.so: "--nix" is not understood; `isoworker worker '
                   "./functions.so --help` says what may stand there\n")
    for words, word in ((["--check", "--json"], "--json"), (["--describe", "--json", "x"], "x"),
                        (["run", "x"], "x"), (["--help", "x"], "x")):
        assert_refused(worker(folder, "./functions.so", *words), EX_USAGE,
                       f'isoworker worker ./functions.so: "{word}" is not understood; ')
    for words, why in ((["--check", "--config"], "needs a file"), (["invoke"], "needs a function"),
                       (["--config=a", "--check", "--config", "b"], "is given twice")):
        done = worker(folder, "./functions.so", *words)
        assert done.returncode == EX_USAGE and why in done.stderr, done


def reads_the_configuration_wherever_it_is_named(folder):
    with open(os.path.join(folder, "bad.yaml"), "w") as file:
        file.write("worker: {concurency: 1}\nmiddleware: [nix]\n")
    prefix = "isoworker worker ./functions.so: bad.yaml:"
    for words in (["--check", "--config", "bad.yaml"], ["--config", "bad.yaml", "--check"],
                  ["--describe", "--json", "--config=bad.yaml"],
                  ["invoke", "answer", "--config", "bad.yaml", "--query", "a=--config"]):
        done = worker(folder, "./functions.so", *words)
        lines = done.stderr.splitlines()
        assert done.returncode == EX_CONFIG and not done.stdout, done
        assert lines[0].startswith(prefix + '1:10: unknown option "concurency"'), lines
        assert lines[1].startswith(prefix + '2:14: unknown name "nix"'), lines
        assert ", auth, compress" in lines[1], lines  # modules, which are loaded by name
        assert len(lines) == 2, lines


def refuses_more(folder):
    assert_refused(worker(folder, "sample.so", "--describe"), EX_CONFIG,
                   "isoworker worker: module sample.so brings no functions; if it brings "
                   "middleware, name that in worker.yaml with `plugin`, see "
                   "`isoworker explain ./sample.so`\n")
    os.chmod(folder, 0o770)
    assert_refused(worker(folder, "./functions.so", "--check"), EX_CONFIG,
                   f"isoworker worker: module ./functions.so is refused: {folder} may be written "
                   f"by others; chmod go-w {folder}\n")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = os.path.realpath(made)
        for name in ("functions.so", "sample.so"):
            shutil.copyfile(os.path.join(MODULES, name), os.path.join(folder, name))
            os.chmod(os.path.join(folder, name), 0o755)
        serves_a_module(folder)
        refuses_with_what_was_typed(folder)
        reads_the_configuration_wherever_it_is_named(folder)
        refuses_more(folder)


main()
