#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Writes the corpus of the fuzz target live_ring, one script for each attack; see script.c."""
import os
import random
import struct

(WORD, FLIP, BYTES, NOISE, STREAM, RECORD, EMPTY, FRAME, MUTANT, BATCH, CALL, LISTEN, ANSWER,
 PAUSE, FLOOD, LOANS, APART) = range(17)
LARGE, EARLY = 1, 2
PIN_BELL, FLIP_TAIL, FLIP_HEAD, ALL_WORDS, ALL_MEMORY, RING_BELLS = range(1, 7)
DOWN, UP = 0, 1
TAIL, HEAD, BELL, SLEEPS, CRAMPED = range(0, 10, 2)  # plus the ring
ABSOLUTE = 10
EDGES = [0, 1, 9, 1 << 19, (1 << 19) + 1, 1 << 20, 1 << 26, (1 << 26) + 1, (1 << 32) - 1, 1 << 32,
         (1 << 63) - 1, 1 << 63]
METADATA, LOADED, INVOKE, RESPONSE, LOG = 4, 6, 7, 8, 10
STATUS_REQUEST, STATUS, CREDIT, ERROR, GOODBYE = 11, 12, 13, 19, 20


def edge(value):
    """A number as script.c reads it: one of a table, or any of 16 bits; the high bit negates."""
    sign, value = (0x80, -value) if value < 0 else (0, value)
    if value in EDGES:
        return bytes([sign | EDGES.index(value)])
    return struct.pack(">BH", sign | 0x7f, value)


def text(data):
    return bytes([len(data)]) + data


def word(ring, which, value):
    return bytes([WORD, ring + which]) + edge(value)


def flip(ring, which, value, rounds=255):
    return bytes([FLIP, ring + which]) + edge(value) + bytes([rounds])


def noise(where, seed, count=255):
    return struct.pack(">BBHB", NOISE, where, seed, count)


def record(kind, value, data=b""):
    return bytes([RECORD, kind]) + edge(value) + text(data)


def loan(size, offset, word=0, beyond=0):
    return bytes([RECORD, 2]) + edge(size) + edge(offset) + bytes([beyond, word]) + text(b"")


def loan_apart(size, offset, rest, word=0, beyond=0, data=b""):
    return bytes([RECORD, 3]) + edge(size) + edge(offset) + bytes([beyond, word]) + edge(rest) + text(data)


TEXT, CHUNK, CHANGED, SHORT, SCRIBBLED, TWICE = (1 << bit for bit in range(6))


def apart(how=0, offset=0, joined=4, word=0, size=b"", change=b""):
    """An answer of which all but its begin lies apart."""
    size = size or (b"\1" if how & SHORT else b"\0\0")
    change = change or (b"\3\1" if how & CHANGED else b"")
    return bytes([APART, how]) + size + edge(offset) + bytes([joined]) + change + bytes([word])


def loans(of, value, hoard=0):
    return bytes([LOANS, of + 2 * hoard + 4 * value])


def seen(number):
    return bytes([number * 8 + 4])


def frame(kind, joined=b"\0", data=b"", value=0):
    return bytes([FRAME, kind]) + joined + text(data) + edge(value)


def mutant(kind, change, position, joined=b"\0", data=b"", value=0):
    return bytes([MUTANT, change, kind, position]) + joined + text(data) + edge(value)


def batch(times, *rest):
    return bytes([BATCH, times]) + frame(*rest)[1:]


def call(count, size):
    return bytes([CALL, (count - 1) * 4 + size])


def flood(kind):
    return bytes([FLOOD, kind, 255])


def pause(steps):
    return bytes([PAUSE, steps])


def answer(again=0):
    return bytes([ANSWER, again])


LISTEN_STEP = bytes([LISTEN])
SOME = call(4, 1) + pause(20) + LISTEN_STEP  # some calls in flight, and their ids known
LAST = call(8, 1) + pause(40)                # and calls that find what is left

SCRIPTS = {
    "answers_all": (0, 0, SOME, answer(), pause(20), call(2, 2), pause(20), answer()),
    "apart": (LARGE, 0, SOME, *(apart(SCRIBBLED, 1 << 19, number * 8 + 4, number)
                                for number in range(4)), LAST),
    "apart_at_its_edges": (LARGE, 0, SOME, *(apart(0, offset, 4) for offset in (0, 1, 9, -1)), LAST),
    "apart_beyond": (LARGE, 0, SOME, apart(0, -1), LAST),
    "apart_changed": (LARGE, ALL_MEMORY, SOME, *(apart(CHANGED, 0, 4, 0, b"", bytes([at, at % 8]))
                                                 for at in range(14)), LAST),
    "apart_held_by_a_dead_one": (LARGE, ALL_MEMORY, call(8, 1) + pause(20) + LISTEN_STEP,
                                 *(apart(0, 4096, number * 8 + 4, number) for number in range(8)),
                                 pause(20)),
    "apart_lies_of_sizes": (LARGE, 0, SOME, *(loan_apart(size, 0, rest, 1, 0, b"x" * 20)
                            for size in (0, 9, 1 << 19, -1) for rest in (0, 9, 1 << 19, -1)), LAST),
    "apart_of_chunks": (LARGE, 0, SOME, apart(CHUNK), apart(CHUNK, 9, 12), answer(), LAST),
    "apart_of_text": (LARGE, 0, SOME, apart(TEXT | SCRIBBLED), LAST),
    "apart_and_short": (LARGE, 0, SOME, apart(SHORT), LAST),
    "apart_twice": (LARGE, 0, SOME, apart(TWICE), LAST),
    "apart_word_beyond": (LARGE, 0, SOME, apart(0, 0, 4, 128), LAST),
    "apart_word_still_held": (LARGE, 0, SOME, apart(0, 0, 12), apart(0, 0, 28), LAST),
    "arena_at_its_edges": (LARGE, 0, SOME, *(loan(size, offset) for size in (0, 1, 1 << 19, -1)
                           for offset in (0, 1, 9, -1)), LAST),
    "arena_beyond": (LARGE, 0, SOME, loan(1 << 32, -1), LAST),
    "arena_never_released": (LARGE, 0, loans(DOWN, 1, 1), *(call(8, 3) + pause(10) + LISTEN_STEP
                             for _ in range(4)), answer(), loans(DOWN, 1, 1), pause(100), LAST),
    "arena_of_garbage": (LARGE, 0, SOME, noise(3, 5), loan(1 << 19, 0), LAST),
    "arena_released_early": (LARGE, ALL_WORDS, call(8, 3), loans(DOWN, 0), call(8, 3),
                             loans(DOWN, 0), call(8, 3), answer(), LAST),
    "arena_word_beyond": (LARGE, 0, SOME, loan(100, 0, 128), LAST),
    "arena_word_far_beyond": (LARGE, 0, SOME, loan(100, 0, 0, 255), LAST),
    "arena_words_of_our_own": (LARGE, 0, SOME, loans(UP, 1), loan(9, 0, 3), loan(9, 0, 3), LAST),
    "bell_pinned_at_the_end": (0, PIN_BELL, SOME, answer(), word(UP, BELL, 7)),
    "bells_at_the_end": (0, RING_BELLS, SOME),
    "credit_0": (0, 0, SOME, frame(CREDIT), LAST),
    "credit_of_all": (0, 0, frame(CREDIT, value=65535), SOME, LAST),
    "credit_beyond": (0, 0, SOME, frame(CREDIT, value=1 << 32), LAST),
    "cramped": (LARGE, 0, word(DOWN, CRAMPED + ABSOLUTE, 1), SOME,
                *(flip(UP, CRAMPED, 1) for _ in range(4)), LAST),
    "early_garbage": (EARLY, 0, bytes([STREAM]) + text(b"\xc1" * 64), pause(100)),
    "early_loaded": (EARLY, 0, frame(LOADED), frame(LOADED), pause(100)),
    "early_metadata": (EARLY, 0, frame(METADATA), pause(20), frame(METADATA), pause(40)),
    "early_noise": (EARLY, ALL_MEMORY, noise(0, 1), noise(1, 2), pause(100)),
    "empty_messages": (LARGE, 0, SOME, bytes([EMPTY, 255]) * 4, answer(), LAST),
    "error": (0, 0, SOME, frame(ERROR), LAST),
    "extension": (0, 0, SOME, frame(64), frame(200), answer()),
    "flip_head": (LARGE, FLIP_HEAD, SOME, *(flip(DOWN, HEAD, 1 << 19) + call(2, 2)
                                            for _ in range(8)), LAST),
    "flip_tail": (LARGE, FLIP_TAIL, SOME, *(flip(UP, TAIL, 9) for _ in range(8)), LAST),
    "flood_of_credit": (LARGE, 0, SOME, flood(CREDIT), answer(), LAST),
    "flood_of_errors": (LARGE, 0, SOME, flood(ERROR) * 4, LAST),
    "flood_of_logs": (LARGE, 0, SOME, flood(LOG) * 2, answer(), LAST),
    "flood_of_questions": (LARGE, 0, SOME, flood(STATUS_REQUEST) * 4, answer(), LAST),
    "garbage": (LARGE, 0, SOME, record(1, 5, b"\xc1" * 5), LAST),
    "goodbye": (0, 0, SOME, frame(GOODBYE), LAST, answer()),
    "goodbye_and_more": (0, 0, SOME, batch(4, GOODBYE), frame(CREDIT, value=9), answer(), LAST),
    "head_backwards": (LARGE, 0, SOME, word(DOWN, HEAD, -1), LAST),
    "head_beyond": (LARGE, 0, SOME, word(DOWN, HEAD, (1 << 19) + 1), LAST),
    "head_far": (LARGE, 0, SOME, word(DOWN, HEAD, 1 << 63), LAST),
    "invoke": (0, 0, SOME, frame(INVOKE), LAST),
    "length_lies_long": (LARGE, 0, SOME, record(1, 1 << 26, b"x" * 32), answer(), LAST),
    "length_lies_short": (0, 0, SOME, record(1, 1, b"\x93\x0a\x00\x80"), LAST),
    "length_too_long": (0, 0, SOME, record(1, (1 << 26) + 1), LAST),
    "length_all_bits": (0, 0, SOME, record(1, -1), LAST),
    "logs": (LARGE, 0, SOME, *(batch(16, LOG, seen(0), b"\x1b[31mline\n") for _ in range(16)),
             answer(), LAST),
    "log_of_bad_text": (0, 0, SOME, mutant(LOG, 0x80, 40, seen(0), b"text"), LAST),
    "never_read": (LARGE, 0, *(call(8, 3) for _ in range(4)), pause(255), pause(255)),
    "noise_haunts": (LARGE, ALL_WORDS, noise(1, 3), SOME),
    "record_unknown": (0, 0, SOME, record(7, 1, b"x"), LAST),
    "response_garbled": (0, 0, SOME, *(mutant(RESPONSE, 1 << bit, bit, seen(0), b"data", 1)
                                       for bit in range(8)), LAST),
    "response_of_any_id": (0, 0, SOME, frame(RESPONSE, b"\3" + b"\xff" * 8, b"", 1), LAST),
    "response_of_a_reused_place": (0, 0, SOME, answer(), pause(20), SOME,
                                   frame(RESPONSE, seen(0), b"old", 1), LAST),
    "response_of_another_time": (0, 0, SOME, frame(RESPONSE, b"\1", b"", 1), LAST),
    "response_twice": (0, 0, SOME, answer(), answer(1), LAST),
    "sleeps": (LARGE, 0, SOME, *(flip(DOWN, SLEEPS, 1) + flip(UP, SLEEPS, 1) for _ in range(4)),
               answer(), LAST),
    "status_unasked": (0, 0, SOME, *(frame(STATUS, value=-1) for _ in range(4)), answer(), LAST),
    "tail_backwards": (LARGE, 0, SOME, word(UP, TAIL, -1), LAST),
    "tail_beyond": (LARGE, 0, SOME, word(UP, TAIL, (1 << 19) + 1), LAST),
    "tail_far": (LARGE, 0, SOME, word(UP, TAIL, 1 << 63), LAST),
    "tail_over_old_bytes": (LARGE, 0, SOME, word(UP, TAIL, 1 << 19), LAST),
    "too_late": (0, 0, SOME, pause(255), *(pause(255) for _ in range(24)), answer(), LAST),
}


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../corpus/live_ring")
    os.makedirs(folder, exist_ok=True)
    for seed in range(6):
        dice = random.Random(seed)
        steps = dice.randbytes(150 + 50 * seed)
        SCRIPTS[f"random_{seed}"] = (dice.randrange(4), dice.randrange(256), steps)
    for name, (how, haunt, *steps) in SCRIPTS.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(bytes([how, haunt]) + b"".join(steps))


if __name__ == "__main__":
    main()
