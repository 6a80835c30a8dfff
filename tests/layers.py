#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include, and the list of top-level folders, to the table of layers.

Folder order is layer order: a layer may include itself, <isoworker/...>, the C library, and the
layers that ABOVE names for it. A third-party header may stand only where THIRD_PARTY says.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FOLDERS = {"include", "src", "middleware", "samples", "tests", "cmake"}

# src/<layer> to the layers whose headers it may name, besides its own.
ABOVE = {
    "base": set(),
    "reactor": {"base"},
    "url": {"base"},
    "http1": {"base", "url"},
    "wire": {"base"},
    "value": {"base", "wire"},
    "link": {"base", "reactor", "wire"},
    "config": {"base"},
    "store": {"base"},
    "broker": {"base", "reactor"},
    "cron": {"base"},
    "redis": {"store"}, # a shared object of its own, on the public headers and store/driver.h
    "pipeline": {"base", "config", "store"},
    "worker": {"base", "url", "wire", "value", "link", "config", "store", "pipeline"},
    "inprocess": {"base", "worker"},
    "host": {"base", "reactor", "url", "http1", "wire", "value", "link", "config", "broker",
             "cron"},
    "cli": {"base", "value", "config", "host"},
    "httpclient": set(), # no layer either: a program's part, on the public headers
    "bench": {"base", "host", "broker"}, # no layer: nothing stands on it
}

# src/<layer>/<room> to the rooms of its layer whose doors it may name. What lies in the layer's own
# folder puts the rooms together and may name all.
ROOMS = {
    "host": {
        "system": set(),
        "settings": {"system"},
        "tls": {"system"},
        "engine": {"system", "settings"},
        "http": {"system", "settings", "engine", "tls"},
        "queue": {"system", "settings", "engine"},
        "file": {"engine", "queue"},
        "webhooks": {"system", "settings", "engine", "queue"},
        "cloudevents": {"engine", "http", "queue", "webhooks"},
        "sinks": {"engine", "queue", "webhooks", "cloudevents"},
        "timer": {"system", "settings", "engine"},
        "warmup": {"engine"},
        "lambda": {"system", "settings", "engine", "http", "queue", "timer", "webhooks"},
        "remote": {"system", "settings", "tls", "engine"},
        "operate": {"system", "settings", "engine", "http", "webhooks"},
        "debug": {"system", "settings", "engine"},
        "azure": {"system", "settings", "engine", "http", "queue", "timer", "webhooks", "cloudevents",
                  "sinks", "operate", "library", "warmup"},
        "library": {"system", "settings", "engine", "http", "operate"},
    },
    "worker": {
        "context": set(),
        "http": {"context"},
        "registry": {"context", "http"},
        "session": {"context", "http", "registry"},
        "program": {"context", "registry", "session"},
        "testing": {"context", "http", "registry", "program"},
    },
}

# The headers of a room that others may name; None: all.
DOORS = {
    "host/system": None,
    "host/settings": {"settings.h", "change.h"},
    "host/tls": {"session.h", "tls.h"},
    "host/engine": {"call.h", "gather.h", "log.h", "look.h", "make.h", "match.h", "observer.h",
                    "reactors.h", "sink.h", "steer.h", "trigger.h"},
    "host/file": {"trigger.h"},
    "host/http": {"dialect.h", "front.h", "guest.h", "trigger.h"},
    "host/queue": {"feed.h", "foreign.h", "queue.h"},
    "host/sinks": {"sinks.h"},
    "host/timer": {"foreign.h", "plan.h", "report.h", "trigger.h"},
    "host/warmup": {"trigger.h"},
    "host/lambda": {"lambda.h"},
    "host/webhooks": {"request.h", "webhooks.h"},
    "host/remote": {"remote.h"},
    "host/operate": {"check.h", "check_program.h", "control_path.h", "operate.h", "report.h", "takeover.h"},
    "host/cloudevents": {"cloudevents.h"},
    "host/debug": {"crash.h", "gdb.h", "record.h"},
    "host/azure": {"custom.h", "init.h", "messages.h", "worker.h"},
    "host/library": {"create.h", "trigger.h"},
    "worker/context": {"context.h", "failure.h"},
    "worker/http": {"reply.h", "windows.h"},
    "worker/registry": {"call.h", "worker.h"},
    "worker/session": {"session.h"},
    "worker/program": {"crash.h", "local.h", "replay.h", "report.h", "serve.h"},
    "worker/testing": set(),
}

# Rooms that are the public face of their layer: they stand on what puts the others together.
FACES = {"host/library"}

# How a third-party header begins, and the paths that may name it.
THIRD_PARTY = {
    "msgpack": ("src/wire/", "src/value/msgpack.c"),
    "nng/": "src/link/",
    "cyaml/": "src/config/schema.h",
    "yaml.h": "src/config/reader.h",
    "microhttpd.h": "src/bench/http/microhttpd.c",
    "nghttp2/": ("src/host/http/h2", "src/host/azure/grpc", "src/bench/hosts/"),
    "jose/": "middleware/auth",
    "jansson.h": ("middleware/auth", "src/value/json.c", "src/broker/nats/"),
    "curl/": ("middleware/auth", "src/httpclient/", "src/host/webhooks/"),
    "openssl/": ("middleware/auth", "src/host/tls/", "src/host/webhooks/sign.c", "src/redis/",
                 "tests/host/tls/"),
    "hiredis/": "src/redis/",
    "elfutils/": "src/cli/symbolize.c",
    "zlib.h": ("middleware/compress", "tests/middleware/compress.c"),
    "grpcpp/": ("src/bench/grpc", "src/bench/hosts/grpc_worker.cc"),
    "nats/": ("src/broker/nats/", "src/bench/queue"),
    "libpq-fe.h": ("src/broker/postgresql/", "src/bench/queue"),
    "sqlite3.h": ("src/broker/sqlite", "tests/broker/", "src/bench/queue", "samples/notes/",
                  "samples/services_database/"),
}

C11 = set("""assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads
    time uchar wchar wctype""".split())
LIBC = C11 | set("""dirent dlfcn elf fcntl fnmatch ftw getopt grp malloc netdb poll pthread pwd sched search
    semaphore spawn strings sysexits syslog termios ucontext unistd unwind""".split())
LIBC_FOLDERS = ("arpa/", "linux/", "net/", "netinet/", "sys/")

# Of C++, for the files that need it.
CXX = set("""chrono cmath csignal cstdio cstdlib cstring deque memory stdexcept string thread
    vector""".split())

# The floors and peers of `isoworker bench` are what lies below the host and beside it: each is one
# file that reaches past it.
EXCEPTIONS = {
    # It finds what it starts as the command does.
    ("src/bench/case.c", "cli/helper.h"),
    ("src/bench/child.c", "cli/helper.h"),
    ("src/bench/floors.c", "cli/helper.h"),
    ("src/bench/setup.c", "cli/helper.h"),
    ("src/bench/ten.c", "cli/helper.h"),
    ("src/bench/floors.c", "link/ring.h"),
    ("src/bench/floors.c", "nng/nng.h"),
    ("src/bench/floors.c", "nng/protocol/pair0/pair.h"),
    ("src/bench/http/floor.c", "cli/helper.h"),
    ("src/bench/queue/peers.c", "cli/helper.h"),
    ("src/bench/http/stack.c", "cli/helper.h"),
    ("src/bench/hosts/subject.c", "cli/helper.h"),
}

# Samples of more than one file.
EXCEPTIONS |= {(f"samples/{name}/{file}.c", "app.h") for name in ("notes", "unit_tested")
               for file in ("main", "tests", name)}

EXCEPTIONS |= {(f"samples/orders/{file}.c", "orders.h") for file in ("api", "work")}

# Layers whose files name each other in one direction alone.
WITHOUT_CIRCLES = ("base", "broker", "cli", "config", "cron", "http1", "link", "reactor", "redis",
                   "store", "value", "wire")

INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+"|\S+)', re.MULTILINE)


def libc(name, headers=LIBC):
    return name.removesuffix(".h") in headers or (
        headers is LIBC and name.startswith(LIBC_FOLDERS))


def third_party_fault(path, name):
    """What is wrong with a third-party header here; "" if nothing, None if it is none."""
    for start, place in THIRD_PARTY.items():
        if name.startswith(start):
            places = (place,) if isinstance(place, str) else place
            return "" if path.startswith(places) else f"belongs to {' and '.join(places)} alone"
    return None


def angle_fault(path, name):
    if name.startswith("isoworker/"):
        return "" if (ROOT / "include" / name).is_file() else "does not exist"
    if path.startswith("include/"):
        return "" if libc(name, C11) else "a public header takes C11 and <isoworker/...> only"
    fault = third_party_fault(path, name)
    if fault is not None:
        return fault
    if path.endswith(".cc") and name in CXX:
        return ""
    return "" if libc(name) else "neither the C library's nor known here"


def room_of(name):
    """"host/engine" of "host/engine/call.h"; "" for what lies in a layer's own folder."""
    layer, *rest = name.split("/")
    return f"{layer}/{rest[0]}" if len(rest) > 1 and layer in ROOMS else ""


def room_fault(path, name):
    own, other = room_of(path.removeprefix("src/")), room_of(name)
    layer = name.split("/")[0]
    if own == other:
        return ""
    if not other:
        same = own and own.startswith(layer + "/") and own not in FACES
        return f"{own} does not stand on what puts it together" if same else ""
    for room in (own, other):
        if room and room not in DOORS:
            return f"{room} is in neither ROOMS nor DOORS"
    if DOORS[other] is not None and name.rsplit("/", 1)[1] not in DOORS[other]:
        return f"is no door of {other}"
    if not own.startswith(layer + "/") or other.split("/")[1] in ROOMS[layer][own.split("/")[1]]:
        return ""
    return f"{own} does not stand on {other}"


def quoted_fault(path, name):
    top, *rest = path.split("/")
    if top == "middleware":
        return "" if (ROOT / top / name).is_file() and "/" not in name else "not of this folder"
    if top != "src" or len(rest) < 2:
        return "takes <isoworker/...> only"
    layer, other = rest[0], name.split("/")[0]
    if not (ROOT / "src" / name).is_file():
        return "does not exist under src/; name it from there"
    if other != layer and other not in ABOVE[layer]:
        return f"{layer} does not stand on {other}"
    return room_fault(path, name)


def include_faults(path, text):
    for match in INCLUDE.finditer(text):
        name = match[1].strip('<>"')
        kind = {"<": angle_fault, '"': quoted_fault}.get(match[1][0])
        fault = kind(path, name) if kind else "an #include is a plain name"
        if fault and (path, name) not in EXCEPTIONS:
            line = text.count("\n", 0, match.start(1)) + 1
            yield f"{path}:{line}: {match[1]}: {fault}"


def circle_of(files):
    """What of `files`, pairs of a path under src/ and its text, stands in a circle of #includes, or
    on one. A .c and its .h are one."""
    needs = {}
    for path, text in files:
        file = path.removeprefix("src/").rsplit(".", 1)[0]
        named = {match[1].strip('"').rsplit(".", 1)[0] for match in INCLUDE.finditer(text)}
        needs.setdefault(file, set()).update(named - {file})
    while True:
        free = {file for file in needs if not needs[file] & needs.keys()}
        if not free:
            return sorted(needs)
        for file in free:
            del needs[file]


def circle_faults(files):
    for layer in WITHOUT_CIRCLES:
        circle = circle_of((path, text) for path, text in files
                           if path.startswith(f"src/{layer}/"))
        if circle:
            yield f"src/{layer}: in a circle of #includes, or on one: {', '.join(circle)}"


# A context is written in its own room; the others read it, and ask.
CONTEXT = "src/worker/context/"
WRITES_CONTEXT = re.compile(r"\bctx(?:->|\.)[\w.]+(?:\[[^]]*\])?[\w.]*"
                            r"(?:\s*[-+*/|&]?=(?!=)|\+\+|--)")


def writer_faults(path, text):
    if not path.startswith("src/worker/") or path.startswith(CONTEXT):
        return
    for match in WRITES_CONTEXT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: {match[0]}: a context is written in {CONTEXT} alone"


WRITING = ["ctx->has_result = false;", "ctx->head.reply.status = 200;", "ctx->body.read += size;",
           "ctx->items[i].value = NULL;", "job->ctx.head.begun = true;", "ctx->item_count++;"]
NOT_WRITING = ["if (ctx->id == id)", "status = f(&ctx->arena);", "test->ctx = made;",
               "a = ctx->result;", "ctx->id >= 1 && ctx->id != 2"]


def sources():
    for top in ("include", "src", "middleware", "samples"):
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix in (".c", ".h", ".cc"):
                yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


def top_level():
    """The names that belong to the project: what git tracks, or all where there is no git."""
    git = shutil.which("git") and subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if git and git.returncode == 0:
        return {name.split("/")[0] for name in git.stdout.split("\0") if "/" in name}
    return {entry.name for entry in ROOT.iterdir() if entry.is_dir()} - {"build"}


def folder_faults():
    folders = {name for name in top_level() if not name.startswith(".")}
    yield from (f"{name}/: no such folder in the design" for name in sorted(folders - FOLDERS))
    yield from (f"{name}/: missing" for name in sorted(FOLDERS - folders))
    layers = {entry.name for entry in (ROOT / "src").iterdir() if entry.is_dir()}
    yield from (f"src/{name}/: no such layer" for name in sorted(layers ^ set(ABOVE)))
    rooms = {entry.relative_to(ROOT / "src").as_posix() for layer in ROOMS
             for entry in (ROOT / "src" / layer).iterdir() if entry.is_dir()}
    known = {f"{layer}/{room}" for layer, all_of in ROOMS.items() for room in all_of}
    yield from (f"src/{name}/: no such room" for name in sorted(rooms ^ known))
    yield from (f"{name}: no room, but has doors" for name in sorted(set(DOORS) ^ known))


# What asks the locale that a program has set: numbers and names on a wire must not. isw_str_equal_nocase
# (value.h) and base/number.h take its place; what is for people's eyes alone may ask.
LOCALE = re.compile(r"\b(?:strn?casecmp|strcasestr|strto(?:d|f|ld)|atof|to(?:upper|lower)|"
                    r"is(?:alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit))"
                    r"(?= *\()|%[-+ #0-9.*']*l?[aefgAEFG](?![\w%])")
LOCALE_FREE = ("include/", "src/", "middleware/")
LOCALE_MAY = ("src/base/number.c", "src/cli/", "src/bench/",
              "src/config/value.c")  # which writes for libcyaml, and that reads by the locale
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def locale_faults(path, text):
    if not path.startswith(LOCALE_FREE) or path.startswith(LOCALE_MAY):
        return
    bare = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for match in LOCALE.finditer(bare):
        line = bare.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: {match[0]}: asks the locale"


ASKING = ['x(strcasecmp(a, b))', 'strtod(text, NULL)', 'printf("%.3f", x)', 'printf("%g;", x)',
          'isdigit (c)', 'tolower(c)', 'p("%-8.*e")']
NOT_ASKING = ['isw_str_equal_nocase(a, b)', 'printf("%d %s%%full", 1, a)', '/* strtod() */',
              'printf("%02x"', 'my_tolower(c)', 'strtoll(a)']

# Two files that name each other, each by its header, and one that stands on them.
CIRCLE = [("src/base/a.c", '#include "base/a.h"\n#include "base/b.h"'), ("src/base/a.h", ""),
          ("src/base/b.h", '#include "base/a.h"'), ("src/base/c.c", '#include "base/b.h"'),
          ("src/base/d.h", "")]

# What the rules must refuse: a checker that finds nothing proves nothing.
WRONG = [
    ("include/isoworker/x.h", "#include <nng/nng.h>"),
    ("include/isoworker/x.h", "#include <unistd.h>"),
    ("include/isoworker/x.h", '#include "status.h"'),
    ("src/base/x.c", '#include "wire/frame.h"'),
    ("src/wire/x.c", "#include <nng/nng.h>"),
    ("src/host/x.c", '#include "worker/registry/worker.h"'),
    ("src/host/x.c", '#include "pipeline/chain.h"'),
    ("src/host/http/x.c", '#include "host/operate/control.h"'),
    ("src/host/http/x.c", '#include "host/host.h"'),
    ("src/host/nowhere/x.c", '#include "host/engine/call.h"'),
    ("src/host/operate/x.c", '#include "host/http/internal.h"'),
    ("src/cli/x.c", '#include "host/http/internal.h"'),
    ("src/host/host.c", '#include "host/debug/redact.h"'),
    ("src/worker/context/x.c", '#include "worker/http/reply.h"'),
    ("src/worker/context/x.c", '#include "worker/registry/worker.h"'),
    ("src/worker/http/x.c", '#include "worker/context/metrics.h"'),
    ("src/worker/program/x.c", '#include "worker/session/internal.h"'),
    ("src/cli/x.c", '#include "link/link.h"'),
    ("src/cli/x.c", "#include <microhttpd.h>"),
    ("src/cli/x.cc", "#include <grpcpp/grpcpp.h>"),
    ("src/cli/x.c", "#include <vector>"),
    ("src/link/x.c", '  #  include "config/config.h"'),
    ("src/config/load.c", "#include <yaml.h>"),
    ("src/worker/x.c", "#include <openssl/evp.h>"),
    ("src/worker/x.c", "#include HEADER"),
    ("middleware/logging.c", "#include <curl/curl.h>"),
    ("middleware/x.c", '#include "base/alloc.h"'),
    ("middleware/x.c", '#include "../src/base/alloc.h"'),
    ("samples/x/x.c", '#include "x.h"'),
    ("samples/x/x.c", "#include <msgpack.h>"),
]


def main():
    faults = [f"{path}: {line} is not refused by this test" for path, line in WRONG
              if not list(include_faults(path, line))]
    faults += [f"{line}: asks the locale, and is not refused by this test" for line in ASKING
               if not list(locale_faults("src/x.c", line))]
    faults += [fault for line in NOT_ASKING for fault in locale_faults("src/x.c", line)]
    faults += [f"{line}: writes a context, and is not refused by this test" for line in WRITING
               if not list(writer_faults("src/worker/http/x.c", line))]
    faults += [fault for line in NOT_WRITING
               for fault in writer_faults("src/worker/http/x.c", line)]
    if circle_of(CIRCLE) != ["base/a", "base/b", "base/c"] or circle_of(CIRCLE[1:]):
        faults.append("a circle is not told from a row by this test")
    for path, text in sources():
        faults += include_faults(path, text)
        faults += locale_faults(path, text)
        faults += writer_faults(path, text)
    faults += circle_faults(list(sources()))
    faults += folder_faults()
    print("\n".join(faults) or "layers: every #include keeps to the table, nothing asks the locale")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
