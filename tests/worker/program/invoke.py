#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What `invoke` of a program refuses, instead of running something that no host would.

    invoke.py BIN-FOLDER
"""
import subprocess
import sys
import tempfile

EX_USAGE = 64


def refused(program, folder, *words):
    done = subprocess.run([program, "invoke", *words], cwd=folder, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == EX_USAGE, done
    return done.stderr


def main():
    hello = sys.argv[1] + "/hello"
    with tempfile.TemporaryDirectory() as folder:
        text = refused(hello, folder, "hello")
        assert "the route of hello is hello/{name}: say what stands there with --param name=TEXT" \
            in text, text
        text = refused(hello, folder, "hello", "--param", "nome=Ada")
        assert "--param name=TEXT" in text, text
        text = refused(hello, folder, "hello", "--param", "name=Ada", "--data", "@nix")
        assert "nix cannot be read: No such file" in text, text
        text = refused(hello, folder, "--replay", "any", "--without", "auht")
        assert "--without auht: this worker has no such middleware" in text, text


if __name__ == "__main__":
    main()
