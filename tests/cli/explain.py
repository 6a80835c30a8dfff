#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`isoworker explain`: the list, each entry of it, and what it refuses.

usage: explain.py ISOWORKER
"""
import subprocess
import sys

ISOWORKER = sys.argv[1]
EX_USAGE, EX_CONFIG = 64, 78


def explain(*words):
    return subprocess.run([ISOWORKER, "explain", *words], capture_output=True, text=True,
                          timeout=30, check=False)


def names_of(listing):
    head = listing.split("\n\n")[0]
    return [line.split()[0] for line in head.splitlines()[1:]]


def main():
    listing = explain()
    assert listing.returncode == 0, listing.stderr
    names = names_of(listing.stdout)
    assert {"auth", "error_handling", "logging"} <= set(names), names
    assert "on_request" in listing.stdout, listing.stdout
    for name in names:
        one = explain(name)
        assert one.returncode == 0, one.stderr
        assert one.stdout.startswith(f"{name}: "), one.stdout
        assert "options" in one.stdout, one.stdout
    assert "failure_level  one of trace, debug" in explain("logging").stdout
    unknown = explain("nix")
    assert unknown.returncode == EX_USAGE
    assert unknown.stderr.startswith('isoworker: there is no middleware "nix"; there are: '
                                     'circuit_breaker, cors, error_handling, '), unknown.stderr
    missing = explain("./nix.so")
    assert missing.returncode == EX_CONFIG
    assert "./nix.so: no such file" in missing.stderr, missing.stderr
    assert explain("a", "b").returncode == EX_USAGE
    assert explain("--help").returncode == 0


main()
