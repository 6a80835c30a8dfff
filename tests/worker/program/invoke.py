#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What `invoke` of a program refuses, instead of running something that no host would, and what it
tells a function of its event.

    invoke.py BIN-FOLDER
"""
import re
import subprocess
import sys
import tempfile

EX_USAGE = 64


def refused(program, folder, *words):
    done = subprocess.run([program, "invoke", *words], cwd=folder, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == EX_USAGE, done
    return done.stderr


def said(program, folder, *words):
    done = subprocess.run([program, "invoke", *words], cwd=folder, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done
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
        text = said(sys.argv[1] + "/cron", folder, "report")
        assert re.search(r"the report of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text), text
        events = sys.argv[1] + "/events"
        event = ["ship", "--data", '{"item": "tea"}', "--header", "content-type=application/json",
                 "--header", "ce-specversion=1.0", "--header", "ce-id=1", "--header", "ce-source=/s"]
        text = refused(events, folder, *event)
        assert "ship is given events: say what this one is with --header ce-type=TEXT" in text, text
        said(events, folder, *event, "--header", "CE-Type=com.example.order.paid")


if __name__ == "__main__":
    main()
