#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden frames, from PROTOCOL.md and with another MessagePack library than ours.

    golden.py            write golden/*.hex and the seeds of the fuzzer, ../fuzz/corpus/wire_codec
    golden.py --check    write them to a temporary folder and compare; exits with 1 if they differ

Frames stand in the canonical form: keys ascending, defaults left out, the shortest formats. A new
frame or member gets its line here first.
"""
import filecmp
import os
import sys
import tempfile

import msgpack

HERE = os.path.dirname(os.path.abspath(__file__))
HEX = os.path.join(HERE, "golden")
SEEDS = os.path.join(HERE, "..", "fuzz", "corpus", "wire_codec")

STRING, JSON, BYTES, INT, DOUBLE, BOOL, HTTP, MODEL = range(1, 9)
LIST, MAP, ARRAY = 9, 10, 16
NONE = [0, None]
ID = "0123456789abcdef0123456789abcdef"
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TOKEN = bytes(range(32))
PROOF = bytes(range(255, 223, -1))

REQUEST = {1: "POST", 2: "/orders/7?dry=1&name=J%C3%BCrgen",
           3: ["host", "example.test", "accept", "text/plain", "accept", "application/json"],
           4: ["dry", "1", "name", "Jürgen"], 5: ["id", "7"], 6: b'{"total":12.5}\x00\xff',
           7: "192.0.2.1"}
BLOB = {1: "1.0", 2: "AzureStorageBlobs", 3: "application/json", 4: b'{"Blob":"a/b"}'}

HELLO_FUNCTION = {1: "hello", 3: "http", 5: ["methods", "GET POST", "route", "hello/{name}"]}
ORDER_FUNCTION = {
    1: "take_order-2", 2: "Takes one order.", 3: "queue", 4: "order", 5: ["queue", "orders"],
    6: [{1: "customer", 2: "table", 4: ["table", "customers", "key", "{id}"]},
        {1: "receipt", 2: "blob", 3: 1}, {1: "ledger", 2: "table", 3: 2, 4: ["table", "ledger"]}],
    7: ["roles", "clerk"], 8: 30000, 9: True, 10: ["error_handling", "logging", "auth"],
    11: True, 12: ["header", "x-shop-key", "", "pin"],
    13: {1: ["https://a.example", "https://*.b.example"], 2: "GET, PUT", 3: "content-type",
         4: "etag", 5: True, 6: 600}}


def invoke(trigger, **members):
    body = {1: 1, 2: ID, 3: trigger, 6: members.get("timeout_ms")}
    return 7, 900, {key: value for key, value in body.items() if value is not None}


def of_each_type():
    """Named entries that hold every type of section 6, the edges of the numbers included."""
    values = {
        "none": NONE, "string": [STRING, "grüße \U0001f600"], "empty_string": [STRING, ""],
        "json": [JSON, '{"a":[1,2,{"b":null}]}'], "bytes": [BYTES, b"\x00\x80\xff"],
        "empty_bytes": [BYTES, b""], "double": [DOUBLE, 0.1], "negative_zero": [DOUBLE, -0.0],
        "infinity": [DOUBLE, float("-inf")], "true": [BOOL, True], "false": [BOOL, False],
        "http": [HTTP, REQUEST], "empty_http": [HTTP, {}], "model": [MODEL, BLOB],
    }
    edges = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1,
             -1, -32, -33, -128, -129, -32768, -32769, -2**31, -2**31 - 1, -2**63]
    values.update({f"int {edge}": [INT, edge] for edge in edges})
    return flat(values)


def arrays():
    return flat({
        "strings": [ARRAY + STRING, ["a", "", "ç"]], "empty": [ARRAY + STRING, []],
        "jsons": [ARRAY + JSON, ["1", "{}"]], "bytes": [ARRAY + BYTES, [b"", b"\xfe"]],
        "ints": [ARRAY + INT, list(range(-2, 20))], "doubles": [ARRAY + DOUBLE, [1.0, -2.5]],
        "bools": [ARRAY + BOOL, [True, False]], "models": [ARRAY + MODEL, [BLOB, {}]],
    })


def flat(entries):
    return [element for entry in entries.items() for element in entry]


FRAMES = {
    "worker_hello": (1, 0, {1: 1, 2: 3, 3: TOKEN, 4: "isoworker-c", 5: "0.1.0",
                            6: ["ring", "1", "x-test", ""], 7: 4242}),
    "worker_hello_least": (1, 0, {1: 1, 2: 1, 3: TOKEN}),
    "host_hello": (2, 0, {1: 1, 2: PROOF, 3: "isoworker", 4: "0.1.0", 5: ["ring", "1"], 6: 1000,
                          7: ["*", "warning", "Function.*", "debug"], 8: "orders/3",
                          9: "/srv/orders"}),
    "host_hello_least": (2, 0, {1: 1, 2: PROOF}),
    "metadata_request": (3, 1, {}),
    "metadata": (4, 1, {2: [HELLO_FUNCTION, ORDER_FUNCTION]}),
    "metadata_failed": (4, 1, {1: {1: 16, 2: "functions.yaml:3:1: no such trigger", 3: "Config"}}),
    "load": (5, 2, {1: 1, 2: "hello"}),
    "loaded": (6, 2, {1: 1}),
    "loaded_failed": (6, 2**64 - 1, {1: 0, 2: {1: 5, 2: "no function other"}}),
    "invoke_least": (7, 900, {1: 1, 2: ID}),
    "invoke_http": invoke([HTTP, REQUEST], timeout_ms=30000),
    "invoke_string": invoke([STRING, "a message"]),
    "invoke_full": (7, 2**32, {
        1: 65535, 2: ID, 3: [JSON, '{"id":7}'], 4: ["customer", [MODEL, BLOB], "n", [INT, -1]],
        5: ["dequeue_count", [INT, 3], "first", [BOOL, False]], 6: 2**32,
        7: {1: TRACE_PARENT, 2: "vendor=1", 3: ["user", "7"]},
        8: {1: 2, 2: 5, 3: "the worker ended before it answered"}}),
    "invoke_trace": (7, 901, {1: 1, 2: ID, 7: {1: TRACE_PARENT}}),
    "invoke_stream": (7, 904, {1: 1, 2: ID, 3: [HTTP, {1: "PUT"}], 9: True}),
    "invoke_retry": (7, 902, {1: 1, 2: ID, 8: {1: 1}}),
    "invoke_inputs_of_each_type": (7, 903, {1: 1, 2: ID, 4: of_each_type()}),
    "response_success": (8, 900, {1: 1, 3: [HTTP, {
        3: ["content-type", "text/plain"], 6: b"Hello, Ada!\n", 8: 200}]}),
    "response_least": (8, 900, {}),
    "response_failed": (8, 900, {2: {1: 2, 2: "no total", 3: "ValueError"}, 3: [HTTP, {8: 400}]}),
    "response_shaped": (8, 900, {2: {
        1: 13, 2: "could not place order 7", 3: "OrderError", 4: "orders.c:41", 5: True, 6: True,
        7: [{1: 19, 2: "the database is locked", 3: "sqlite.5", 4: "db.c:12"}, {}]}, 7: True}),
    "response_principal": (8, 900, {1: 1, 3: [STRING, "ok"], 8: "Ada"}),
    "response_took": (8, 901, {1: 1, 9: 1500000000}),
    "response_cancelled": (8, 900, {1: 2, 2: {1: 9}}),
    "response_retry_later": (8, 900, {1: 3, 2: {1: 8, 2: "try again"}, 5: 1500}),
    "response_outputs": (8, 900, {1: 1, 3: [STRING, "ok"], 4: ["receipt", [BYTES, b"%PDF"]],
                                  6: ["orders.count", "3"]}),
    "response_arrays": (8, 900, {1: 1, 4: arrays()}),
    "response_large": (8, 900, {1: 1, 3: [STRING, "x" * 300], 4: flat(
        {f"part {number}": [INT, number] for number in range(20)})}),
    "cancel": (9, 900, {1: 1, 2: 5000}),
    "log": (10, 900, {1: 2, 2: "Function.hello", 3: "said hello", 4: 1700000000123456,
                      5: ["name", [STRING, "Ada"], "took_ms", [DOUBLE, 0.25]]}),
    "log_after": (10, 900, {3: "afterwards", 6: ID, 7: "hello"}),
    "log_least": (10, 0, {}),
    "status_request": (11, 77, {}),
    "status": (12, 77, {1: 2, 2: 1, 3: 12345678}),
    "status_idle": (12, 78, {}),
    "credit": (13, 0, {1: 16}),
    "credit_none": (13, 0, {1: 0}),
    "reload": (14, 3, {1: ["PATH", "/bin", "OLD", ""], 2: "/srv/orders"}),
    "reload_configuration": (14, 3, {3: True}),
    "reloaded": (15, 3, {}),
    "reloaded_failed": (15, 3, {1: {1: 19, 2: "no such folder"}}),
    "warmup": (16, 4, {}),
    "warmed": (17, 4, {}),
    "warmed_failed": (17, 4, {1: {1: 1, 3: "ImportError"}}),
    "terminate": (18, 0, {1: 10000}),
    "error": (19, 0, {1: {1: 17, 2: "load.name: is missing (at byte 7)"}}),
    "error_least": (19, 0, {1: {}}),
    "goodbye": (20, 0, {}),
    "output": (21, 900, {1: "receipt", 2: [MAP, ["total", [DOUBLE, 12.5], "lines", [LIST, [
        [INT, 1], [STRING, "two"], [MAP, []], [ARRAY + STRING, []], NONE]]]]}),
    "head": (22, 900, {1: {3: ["content-type", "text/event-stream"], 8: 200}}),
    "head_least": (22, 900, {1: {}}),
    "chunk": (23, 900, {1: b"data: 1\n\n"}),
    "chunk_end": (23, 900, {2: True}),
    "chunk_broken": (23, 900, {3: {1: 19, 2: "the client went away"}}),
    "window": (24, 900, {1: 262144}),
    "metrics_request": (25, 7, {}),
    "metrics": (26, 7, {1: [
        {1: "orders_total", 3: "Orders that were taken.", 4: ["country", "kind"],
         6: [{1: ["DE", "größer"], 2: [DOUBLE, 3.0]}, {1: ["", "x"], 2: [DOUBLE, 0.5]}]},
        {1: "pool_open", 2: 1, 6: [{2: [DOUBLE, -2.0]}]},
        {1: "wait_seconds", 2: 2, 5: [ARRAY + DOUBLE, [0.1, 1.0]],
         6: [{2: [DOUBLE, 12.25], 3: [ARRAY + INT, [4, 0, 300]]}]}], 2: True}),
    "metrics_none": (26, 0, {}),
}


# Seeds alone: what stands in the ring of a frame whose body lies apart, of 65,536 bytes.
SEEDS_ALONE = {
    "rest_of_a_response": msgpack.packb((8, 7, {1: 1, 3: [HTTP, {6: bytes(65536), 8: 200}], 5: 9}),
                                        use_bin_type=True).replace(bytes(65536), b""),
    "rest_of_a_chunk": msgpack.packb((23, 7, {1: bytes(65536), 2: True}),
                                     use_bin_type=True).replace(bytes(65536), b""),
}


def write(folder, name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def generate(hex_folder, seed_folder):
    for name, frame in FRAMES.items():
        packed = msgpack.packb(frame, use_bin_type=True)
        lines = [packed[at:at + 32].hex() + "\n" for at in range(0, len(packed), 32)]
        write(hex_folder, f"{name}.hex", "".join(lines).encode())
        write(seed_folder, name, packed)
    for name, rest in SEEDS_ALONE.items():
        write(seed_folder, name, rest)


def differences(fresh, committed):
    compared = filecmp.dircmp(fresh, committed)
    _, differ, errors = filecmp.cmpfiles(fresh, committed, compared.common, shallow=False)
    return compared.left_only + compared.right_only + differ + errors


def check():
    with tempfile.TemporaryDirectory() as hex_folder, tempfile.TemporaryDirectory() as seed_folder:
        generate(hex_folder, seed_folder)
        wrong = differences(hex_folder, HEX) + differences(seed_folder, SEEDS)
    for name in wrong:
        print(f"{name} is not what golden.py writes", file=sys.stderr)
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    for folder in (HEX, SEEDS):
        os.makedirs(folder, exist_ok=True)
    generate(HEX, SEEDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
