#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""judge.py EXPECTED JUNIT: says whether a run of ctest went as it must on this Debian.

EXPECTED has a test a line that fails there, with its reason behind it; `#` begins a comment.
JUNIT is what ctest wrote. Exits with 0 if no other test failed. A test of the list that did not
fail is told, since its line is to be taken out then.
"""
import sys
import xml.etree.ElementTree as ElementTree


def expected(path):
    with open(path) as file:
        lines = [line.split("#", 1)[0].split(None, 1) for line in file]
    return {line[0]: line[1].strip() if len(line) > 1 else "" for line in lines if line}


def main(list_path, junit_path):
    known = expected(list_path)
    nameless = [name for name, reason in known.items() if not reason]
    status = {case.get("name"): case.get("status")
              for case in ElementTree.parse(junit_path).iter("testcase")}
    failed = {name for name, how in status.items() if how == "fail"}
    other = sorted(failed - set(known))
    mended = sorted(name for name in known if status.get(name) == "run")
    for name in sorted(failed & set(known)):
        print(f"known to fail: {name}: {known[name]}")
    for name in mended:
        print(f"no longer fails, take it out of {list_path}: {name}")
    for name in nameless:
        print(f"{list_path}: {name} has no reason")
    for name in other:
        print(f"failed: {name}")
    print(f"{len(status)} tests, {len(failed)} failed: {len(failed) - len(other)} known, "
          f"{len(other)} not")
    return 1 if other or nameless or not status else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
