#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tables of src/host/azure/ to the protocol's own description, field by field, where a copy
of that is at hand: ISOWORKER_FUNCTION_RPC names the folder with FunctionRpc.proto. Without one it
holds them to what tests/integration/azure_rpc.py has written down.

A field of ours that is not in an older copy is told, and no fault: baggage is younger than most.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

TYPES = ["string", "bytes", "bool", "int32", "int64", "sint64", "double"]
YOUNGER = {("RpcTraceContext", "baggage")}


def ours(program):
    """(message, field) to (number, kind, repeated, choice)."""
    fields = {}
    told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        message, name, number, kind, repeated, choice, table = line.split("\t")
        if message.startswith("map<"):
            continue
        kind = TYPES[int(kind)] if int(kind) < len(TYPES) else table
        fields[message, name] = (int(number), kind, repeated == "1", choice == "1")
    return fields


def blocks(text):
    """Each message with the text between its braces, that of those within it left out."""
    for match in re.finditer(r"\bmessage\s+(\w+)\s*\{", text):
        depth, at = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield match[1], text[match.end():at - 1]


def theirs(folder):
    fields, enums = {}, set()
    for path in Path(folder).rglob("*.proto"):
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8-sig"), flags=re.S)
        enums |= set(re.findall(r"\benum\s+(\w+)", text))
        for message, body in blocks(text):
            body = re.sub(r"\benum\s+\w+\s*\{[^}]*\}", "", body)
            chosen = set()
            for inner in re.findall(r"\boneof\s+\w+\s*\{([^}]*)\}", body):
                chosen |= set(re.findall(r"(\w+)\s*=\s*\d+", inner))
            for repeated, kind, name, number in re.findall(
                    r"(repeated\s+)?(map\s*<[^>]*>|[\w.]+)\s+(\w+)\s*=\s*(\d+)", body):
                kind = re.sub(r"\s", "", kind).split(".")[-1]
                repeated = bool(repeated) or kind.startswith("map")
                fields[message, name] = (int(number), kind, repeated, name in chosen)
    return {key: (number, "int32" if kind in enums else kind, repeated, choice)
            for key, (number, kind, repeated, choice) in fields.items()}


def written_down():
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))
    try:
        from azure_messages import MESSAGES
    except ImportError as error:
        print(f"python3-grpcio and python3-protobuf are not installed: {error}")
        sys.exit(77)
    fields = {}
    for message, text in MESSAGES.items():
        for field in text.split():
            name, number, kind = field.split(":")
            repeated = kind[0] == "*" or kind.startswith("{}")
            kind = f"map<string,{kind[2:]}>" if kind.startswith("{}") else kind.lstrip("*")
            fields[message, name.rstrip("|")] = (int(number), kind, repeated, name.endswith("|"))
    return fields


def main():
    folder = os.environ.get("ISOWORKER_FUNCTION_RPC")
    described = theirs(folder) if folder else written_down()
    faults = []
    known = ours(sys.argv[1])
    for key, field in known.items():
        other = described.get(key)
        if other == field or (field[1] == "Duration" and other and other[1] == "Timestamp") or \
                (not other and (key in YOUNGER or key[0] == "Duration")):
            continue
        faults.append(f"{'.'.join(key)}: {field} here, {other} there")
    print("\n".join(faults) or f"{len(known)} fields agree with "
          f"{folder or 'what the tests have written down'}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
