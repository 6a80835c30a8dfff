# SPDX-License-Identifier: Apache-2.0
"""Holds src/README.md to the way of one invocation.

A host and a worker run with follow.c in them. Requests are followed each from one stillness to the
next, and then many one after the other. What each of the former enters, and all of the latter as
often as they are, is the way, and the page is to have a line for each file of it. So what is tended
now and then, or when nothing else is to do, is no part of it.
"""
import collections
import contextlib
import difflib
import http.client
import itertools
import mmap
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import BIN, WORKER, Host, main, wait_until, worker  # noqa: E402

PAGE = ROOT / "src" / "README.md"
FOLLOWER = os.path.join(os.path.dirname(BIN), "tests", "follow.so")
WARM_UP = 20
REQUESTS = 12
MANY = 200
STILL_S = 0.05
TRIES = 8
STEP = struct.Struct("QQ")  # of follow.c

SIDE = re.compile(r"^\+-+ (host|worker)\b")
LINE = re.compile(r"^\| +((?:[a-z0-9]+/)+[a-z_]+\.c) +([a-z]\w+) +\S.*$")
HELPER = re.compile(r"\bbase/[a-z_]+\.c\b")
CROSSING = "link/ring_writer.c"  # what goes from one process to the other goes through this

Step = collections.namedtuple("Step", "side file function")


class Follower:
    """The file that follow.c writes to."""

    def __init__(self, path):
        with open(path, "w+b") as file:
            file.truncate(16)
        self.path = path

    def open(self):
        fd = os.open(self.path, os.O_RDWR)
        self.memory = mmap.mmap(fd, 0)
        os.close(fd)

    def count(self):
        return struct.unpack_from("Q", self.memory, 8)[0]

    def wait_until_still(self):
        """Until no function began for a while: what has no end that anybody is told has come to it."""
        last = [-1, 0.0]

        def is_still():
            now = time.monotonic()
            if self.count() != last[0]:
                last[:] = self.count(), now
            return now - last[1] > STILL_S

        wait_until(is_still)

    def begin(self):
        self.wait_until_still()
        struct.pack_into("Q", self.memory, 0, 1)

    def steps(self, begin, end):
        return [STEP.unpack_from(self.memory, 16 + STEP.size * at) for at in range(begin, end)]


def maps_of(pid):
    """The executable pages of a process: (from, to, offset, path)."""
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if "x" in words[1] and len(words) == 6:
            begin, end = (int(number, 16) for number in words[0].split("-"))
            yield begin, end, int(words[2], 16), words[5]


def lines_of(path, offsets):
    """(file, function) for each offset in an object, as its debug information has them."""
    done = subprocess.run(["addr2line", "-f", "-e", path], text=True, capture_output=True, check=True,
                          input="".join(f"{offset:#x}\n" for offset in offsets))
    lines = done.stdout.splitlines()
    for function, place in zip(lines[::2], lines[1::2]):
        yield os.path.normpath(place.rsplit(":", 1)[0]), function


def within(file):
    """Where it stands in this tree, also of an object that a compiler's cache has from another copy of
    it; None: elsewhere."""
    for top in ("src", "middleware", "samples", "tests"):
        at = file.rfind(f"/{top}/")
        if at >= 0 and os.path.exists(f"{ROOT}{file[at:]}"):
            return file[at + 1:]
    return None


class Names:
    """What the functions of the processes that were followed are called, and where they stand."""

    def __init__(self, steps):
        self.maps = {pid: list(maps_of(pid)) for _, pid in set(steps)}
        self.sides = {pid: "worker" if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(WORKER)
                      else "host" for pid in self.maps}
        wanted = collections.defaultdict(set)
        for step in set(steps):
            path, offset = self.place(*step)
            wanted[path].add(offset)
        self.found = {}
        for path, offsets in wanted.items():
            offsets = sorted(offsets)
            for offset, names in zip(offsets, lines_of(path, offsets)):
                self.found[path, offset] = names

    def place(self, address, pid):
        for begin, end, offset, path in self.maps[pid]:
            if begin <= address < end:
                return path, address - begin + offset
        raise AssertionError(f"{address:#x} of process {pid} is nobody's")

    def step(self, address, pid):
        """None for what is not of this tree, and for what a header has inline: that belongs to
        whoever includes it."""
        file, function = self.found[self.place(address, pid)]
        file = within(file)
        if not file or file.endswith(".h"):
            return None
        return Step(self.sides[pid], file.removeprefix("src/"), function)


@contextlib.contextmanager
def followed_host():
    with tempfile.NamedTemporaryFile(prefix="isw-way-") as file:
        follower = Follower(file.name)
        # What happens by itself happens later.
        host = Host(worker(), top="host: {heartbeat: 1h, control: false}")
        os.environ.update(ISOWORKER_FOLLOW=file.name, LD_PRELOAD=FOLLOWER)
        try:
            host.__enter__()
        finally:
            del os.environ["ISOWORKER_FOLLOW"], os.environ["LD_PRELOAD"]
        try:
            follower.open()
            yield host, follower
        finally:
            host.__exit__(*sys.exc_info())


def follow():
    """The steps of each request, and those of many."""
    with followed_host() as (host, follower):
        client = http.client.HTTPConnection("127.0.0.1", host.port)

        def ask():
            client.request("GET", "/api/hello/Ada")
            assert client.getresponse().read() == b"Hello, Ada!\n"

        for _ in range(WARM_UP):
            ask()
        follower.begin()
        marks = [follower.count()]
        for _ in range(REQUESTS):
            ask()
            follower.wait_until_still()
            marks.append(follower.count())
        for _ in range(MANY):
            ask()
        follower.wait_until_still()
        marks.append(follower.count())
        client.close()
        ways = [follower.steps(begin, end) for begin, end in zip(marks, marks[1:])]
        names = Names([step for way in ways for step in way])
    ways = [list(filter(None, (names.step(*step) for step in way))) for way in ways]
    return ways[:-1], ways[-1]


class Page:
    """What src/README.md says of the way: its lines in order, and the helpers beside them."""

    def __init__(self, text):
        self.lines = []
        self.helpers = set()
        side = None
        for line in text.split("## The way of one invocation")[1].split("\n## ")[0].splitlines():
            side = (SIDE.match(line) or [None, side])[1]
            found = LINE.match(line)
            if found:
                self.lines.append(Step(side, *found.groups()))
            else:
                self.helpers.update(HELPER.findall(line))

    def files(self, side):
        return tuple(line.file for line in self.lines if line.side == side)


def is_helper(step):
    return HELPER.fullmatch(step.file)


def always(ways, many):
    often = collections.Counter(step[:2] for step in many)
    steps = set.intersection(*(set(way) for way in ways))
    return {step for step in steps if often[step[:2]] >= MANY}


def first_entries(way, side, files):
    """The files of one side in the order in which a way enters them first."""
    return tuple(dict.fromkeys(step.file for step in way if step.side == side and
                               step.file in files and not is_helper(step)))


def crosses(page, way):
    """Whether the worker begins after the host has sent, and the host goes on with what the worker
    sent: with the first line of its second part."""
    parts = [list(lines) for _, lines in itertools.groupby(page.lines, lambda line: line.side)]
    if [part[0].side for part in parts] != ["host", "worker", "host"]:
        return False
    back = parts[2][0].file
    at = {}
    for number, step in enumerate(way):
        at.setdefault((step.side, step.file), number)
        at.setdefault(step.side, number)
    try:
        return (at["host", CROSSING] < at["worker"] and
                at["worker", CROSSING] < at["host", back])
    except KeyError:
        return False


def faults(page, ways, many):
    """What the page says that is not so, and what it does not say."""
    steps = always(ways, many)
    helpers = {step.file for step in steps if is_helper(step)}
    for file in sorted(helpers ^ page.helpers):
        yield f"{file}: {'not named' if file in helpers else 'not entered'}"
    for side in ("host", "worker"):
        files = {step.file for step in steps if step.side == side}
        # More than one, where threads of a side go on at the same time.
        orders = collections.Counter(first_entries(way, side, files) for way in ways)
        if page.files(side) not in orders:
            usual = orders.most_common(1)[0][0]
            yield "\n".join(difflib.unified_diff(page.files(side), usual, "src/README.md",
                                                 f"the way in the {side}", lineterm="", n=2))
    named = {line[:2]: line for line in page.lines}
    for place in sorted({step[:2] for step in steps if not is_helper(step)}):
        entered = sorted(step.function for step in steps if step[:2] == place)
        if place not in named or named[place].function not in entered:
            yield f"{place[1]}: in the {place[0]} it is entered by one of: {', '.join(entered)}"
    if not any(crosses(page, way) for way in ways):
        yield "the parts in the host and in the worker do not follow each other as they stand there"


class Way(unittest.TestCase):
    def test_the_page_names_each_file_of_an_invocation_in_the_order_in_which_it_is_entered(self):
        page = Page(PAGE.read_text(encoding="utf-8"))
        for _ in range(TRIES):  # where others keep the processors busy, it sleeps on the way
            ways, many = follow()
            found = "\n".join(faults(page, ways, many))
            if not found:
                break
        else:
            self.fail(found)
        for spoil in (self.leave_out, self.swap, self.name_a_stranger, self.rename):
            with self.subTest(spoil.__name__):  # a check that finds nothing proves nothing
                spoilt = Page(PAGE.read_text(encoding="utf-8"))
                spoil(spoilt)
                self.assertNotEqual(list(faults(spoilt, ways, many)), [])

    def leave_out(self, page):
        del page.lines[len(page.lines) // 2]

    def swap(self, page):
        page.lines[1:3] = reversed(page.lines[1:3])

    def name_a_stranger(self, page):
        page.helpers.add("base/stranger.c")

    def rename(self, page):
        page.lines[-1] = page.lines[-1]._replace(function="stranger")


if __name__ == "__main__":
    main()
