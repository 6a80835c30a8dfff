#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Reads which object file takes a symbol from which other one, and says where some need each other
in a circle. Callbacks are no such need: who calls them does not know them.

usage: circles.py [--rooms] NM OBJECT...
  --rooms  only circles of folders; within one its files may need each other
"""
import subprocess
import sys
from pathlib import PurePath


def symbols(nm, path):
    """What an object has for others, and what it takes."""
    out = subprocess.run([nm, "--extern-only", "--format=posix", path], capture_output=True,
                         text=True, check=True).stdout
    rows = [line.split()[:2] for line in out.splitlines()]
    return ({name for name, kind in rows if kind not in "Uvw"},
            {name for name, kind in rows if kind == "U"})


def name_of(path, rooms):
    """The source as its layer names it: http/form.c from .../isw_worker.dir/http/form.c.o."""
    source = PurePath(path.rpartition(".dir/")[2]).with_suffix("")
    return source.parts[0] if rooms and len(source.parts) > 1 else source.as_posix()


def needs_of(nm, objects, rooms):
    """For each name those that it needs, each with the symbols that it takes from there."""
    read = [(name_of(path, rooms), *symbols(nm, path)) for path in objects]
    home = {symbol: name for name, has, _ in read for symbol in has}
    needs = {name: {} for name, _, _ in read}
    for name, _, takes in read:
        for symbol in sorted(takes & set(home)):
            if home[symbol] != name:
                needs[name].setdefault(home[symbol], []).append(symbol)
    return needs


def reach(needs, start):
    """All that `start` needs, however far away."""
    seen, waiting = set(), list(needs[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += needs[name]
    return seen


def circles(needs):
    far = {name: reach(needs, name) for name in needs}
    found = {frozenset(other for other in far[name] if name in far[other]) for name in needs
             if name in far[name]}
    return sorted(sorted(circle) for circle in found)


def faults(needs):
    for circle in circles(needs):
        yield f"a circle: {', '.join(circle)}"
        for name in circle:
            for other in circle:
                if other in needs[name]:
                    yield f"  {name} takes {', '.join(needs[name][other])} from {other}"


# What must be found, and what must not: a checker that finds nothing proves nothing.
ROUND = {"a": {"b": ["x"]}, "b": {"c": ["y"]}, "c": {"a": ["z"]}, "d": {"a": ["w"]}}
STRAIGHT = {"a": {"b": ["x"], "c": ["y"]}, "b": {"c": ["y"]}, "c": {}}


def main(arguments):
    rooms = arguments[0] == "--rooms"
    nm, *objects = arguments[rooms:]
    needs = needs_of(nm, objects, rooms)
    told = list(faults(needs))
    if circles(ROUND) != [["a", "b", "c"]] or circles(STRAIGHT):
        told.append("this test does not know a circle when it sees one")
    if not rooms and len(needs) > 1 and not any(needs.values()):
        told.append("no file takes anything from another: are these the objects of a layer?")
    print("\n".join(told) or f"circles: none among {len(needs)}")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 2 else __doc__)
