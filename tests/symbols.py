#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Reads what a shared library exports: every name begins with isw_, and what the public headers
declare is there.

usage: symbols.py NM LIBRARY INCLUDE_FOLDER [HEADER...]

With headers it is a library for these alone, and may export more of what others declare; without it
is one for all but what stands in OTHERS.
"""
import re
import subprocess
import sys
from pathlib import Path

DECLARATION = re.compile(r"\bISW_API\b[^;{]*?\b(isw_\w+)\s*(?:\(|;)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def exported(nm, library):
    out = subprocess.run([nm, "--dynamic", "--defined-only", "--format=posix", library],
                         capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].split("@")[0] for line in out.splitlines()}
    # AddressSanitizer marks each exported variable by a name of its own.
    return {name for name in names if not name.startswith("__odr_asan.")}


OTHERS = ["host.h", "http_client.h"]  # of libraries of their own


def declared(folder, headers=()):
    names = set()
    for header in Path(folder).rglob("*.h"):
        if headers and header.name not in headers:
            continue
        names |= set(DECLARATION.findall(COMMENT.sub("", header.read_text(encoding="utf-8"))))
    return names


def main(nm, library, folder, *headers):
    have, allowed = exported(nm, library), declared(folder)
    wanted = declared(folder, headers) if headers else allowed - declared(folder, OTHERS)
    allowed = allowed if headers else wanted
    faults = [f"{name}: exported, but does not begin with isw_" for name in sorted(have)
              if not name.startswith("isw_")]
    faults += [f"{name}: declared, but not exported" for name in sorted(wanted - have)]
    faults += [f"{name}: exported, but in no public header" for name in sorted(have - allowed)
               if name.startswith("isw_")]
    if len(wanted) < (5 if headers else 50):
        faults.append(f"only {len(wanted)} declarations found: is this the right folder?")
    print("\n".join(faults) or f"symbols: {len(have)} exported, all of them declared")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 3 else __doc__)
