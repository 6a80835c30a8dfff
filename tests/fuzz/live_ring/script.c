/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps. Invariant: each is bounded by a byte or two of the script, and all by the clock, so
 * that the worst script costs less than the host's own patience.
 */
#include "fuzz/live_ring/script.h"

#include "base/clock.h"
#include "fuzz/live_ring/live.h"

#include <time.h>

enum {
    STEPS_MAX = 200,
    RUN_NS = 400000000,
    RECORD_IN_ARENA = 2,
    RECORD_APART = 3,
    BATCH_MAX = 16,
    APART_MAX = 64 * 1024
};

/* -- What a script is read as ------------------------------------------------------------------ */

static uint64_t number(script *s, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (s->at < s->end ? *s->at++ : 0);
    return value;
}

static unsigned byte(script *s)
{
    return (unsigned)number(s, 1);
}

/* Up to `most` bytes as they stand in the script. */
static isw_bytes bytes_of(script *s, size_t most)
{
    size_t size = byte(s);
    isw_bytes bytes = { s->at, size < most ? size : most };

    if (bytes.size > (size_t)(s->end - s->at))
        bytes.size = (size_t)(s->end - s->at);
    s->at += bytes.size;
    return bytes;
}

/* A number near an edge, or any. */
static uint64_t edge(script *s)
{
    static const uint64_t edges[] = { 0,
                                      1,
                                      9,
                                      ISWI_RING_BYTES,
                                      ISWI_RING_BYTES + 1,
                                      2 * (uint64_t)ISWI_RING_BYTES,
                                      ISWI_MESSAGE_MAX_BYTES,
                                      ISWI_MESSAGE_MAX_BYTES + 1,
                                      UINT32_MAX,
                                      (uint64_t)1 << 32,
                                      INT64_MAX,
                                      (uint64_t)1 << 63 };
    const unsigned count = sizeof edges / sizeof edges[0];
    unsigned which = byte(s);
    uint64_t value = (which & 0x7f) < count ? edges[which & 0x7f] : number(s, 2);

    return which & 0x80 ? 0 - value : value;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* -- Words ------------------------------------------------------------------------------------- */

enum { TAIL, HEAD, BELL, SLEEPS, CRAMPED, WORDS };

static uint64_t load_word(const iswi_ring *ring, unsigned word)
{
    const iswi_ring_words *words = ring->words;

    switch (word) {
    case TAIL:
        return atomic_load(&words->tail);
    case HEAD:
        return atomic_load(&words->head);
    case BELL:
        return atomic_load(&words->bell);
    case SLEEPS:
        return atomic_load(&words->sleeps);
    default:
        return atomic_load(&words->cramped);
    }
}

static void store_word(const iswi_ring *ring, unsigned word, uint64_t value)
{
    iswi_ring_words *words = ring->words;

    switch (word) {
    case TAIL:
        atomic_store(&words->tail, value);
        break;
    case HEAD:
        atomic_store(&words->head, value);
        break;
    case BELL:
        atomic_store(&words->bell, (uint32_t)value);
        break;
    case SLEEPS:
        atomic_store(&words->sleeps, (uint32_t)value);
        break;
    default:
        atomic_store(&words->cramped, (uint32_t)value);
    }
}

static iswi_ring *ring_of(attacker *a, unsigned which)
{
    return which & 1 ? &a->up : &a->down;
}

static void step_word(script *s, attacker *a)
{
    unsigned which = byte(s);
    const iswi_ring *ring = ring_of(a, which);
    unsigned word = which / 2 % WORDS;
    bool absolute = which >= 2 * WORDS;

    store_word(ring, word, (absolute ? 0 : load_word(ring, word)) + edge(s));
    iswi_ring_wake_always(&a->up);
}

/* Two values in turn, for a reader that looks twice. */
static void step_flip(script *s, attacker *a)
{
    unsigned which = byte(s);
    const iswi_ring *ring = ring_of(a, which);
    unsigned word = which / 2 % WORDS;
    uint64_t first = load_word(ring, word);
    uint64_t second = first + edge(s);

    for (unsigned rounds = 1 + 64 * byte(s); rounds > 0; rounds--) {
        store_word(ring, word, second);
        store_word(ring, word, first);
        if (rounds % 64 == 0)
            iswi_ring_wake_always(&a->up);
    }
}

/* -- Memory ------------------------------------------------------------------------------------ */

/* Bytes that another process reads or writes at the same time: that is what is tried. */
static void poke(attacker *a, uint64_t at, unsigned char value)
{
    *(volatile unsigned char *)(a->memory + at % a->size) = value;
}

static void step_bytes(script *s, attacker *a)
{
    uint64_t at = number(s, 4);
    isw_bytes bytes = bytes_of(s, 64);

    for (size_t i = 0; i < bytes.size; i++)
        poke(a, at + i, ((const unsigned char *)bytes.data)[i]);
    iswi_ring_wake_always(&a->up);
}

static void noise(attacker *a, uint64_t begin, uint64_t size, uint64_t seed, unsigned count)
{
    for (; count > 0; count--) {
        uint64_t random = next_random(&seed);

        poke(a, begin + random / 256 % size, (unsigned char)random);
    }
    iswi_ring_wake_always(&a->up);
}

/* The words of loans, and the begin of either arena, which is lent first. */
static void noise_lent(attacker *a, uint64_t seed, unsigned count)
{
    enum { LENT_MOST = 256 * 1024 };
    uint64_t words = (uint64_t)((unsigned char *)a->down_arena.words - a->memory);

    noise(a, (uint64_t)(a->up_arena.bytes - a->memory), LENT_MOST, seed, count / 2);
    noise(a, (uint64_t)(a->down_arena.bytes - a->memory), LENT_MOST, seed + 1, count / 4);
    noise(a, words, a->up_arena.loans * sizeof(uint32_t), seed + 2, count / 4);
}

/* All of the memory, the words, the ring that the host reads, or what lies behind both. */
static void step_noise(script *s, attacker *a)
{
    unsigned where = byte(s) % 4;
    uint64_t seed = 0x9e3779b97f4a7c15u + number(s, 2);
    unsigned count = 16 * byte(s);
    uint64_t up = (uint64_t)(a->up.bytes - a->memory);

    if (where == 3)
        noise_lent(a, seed, count);
    else if (where == 1)
        noise(a, 0, ISWI_RING_PAGE, seed, count);
    else if (where == 2) /* near where the host reads */
        noise(a, up + (a->up.position & (ISWI_RING_BYTES - 1)), 4096, seed, count);
    else
        noise(a, 0, a->size, seed, count);
}

/* -- The stream -------------------------------------------------------------------------------- */

static void step_stream(script *s, attacker *a)
{
    isw_bytes bytes = bytes_of(s, 255);

    attacker_put(a, bytes.data, bytes.size);
}

static size_t write_number(unsigned char *at, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (unsigned char)value;
    return 8;
}

/* A record of any type, with a size that may lie; an offset and a word if the type has them. */
static void step_record(script *s, attacker *a)
{
    unsigned char head[ATTACKER_LOAN_BYTES + 8] = { (unsigned char)byte(s) };
    size_t size = 1 + write_number(head + 1, edge(s));
    isw_bytes bytes;

    if (head[0] == RECORD_IN_ARENA || head[0] == RECORD_APART) {
        uint64_t offset = edge(s);

        if (offset == 9) /* where the host itself put something */
            offset = a->offset;
        size += write_number(head + size, offset);
        head[size++] = (unsigned char)byte(s);
        head[size++] = 0;
        head[size++] = 0;
        head[size++] = (unsigned char)byte(s);
    }
    if (head[0] == RECORD_APART)
        size += write_number(head + size, edge(s));
    bytes = bytes_of(s, 255);
    attacker_put(a, head, size);
    attacker_put(a, bytes.data, bytes.size);
}

/* All words of an arena at once, and whether anything is given back from now on. */
static void step_loans(script *s, attacker *a)
{
    unsigned how = byte(s);
    const iswi_arena_memory *arena = how & 1 ? &a->up_arena : &a->down_arena;

    a->hoards = how & 2;
    for (unsigned i = 0; i < arena->loans; i++)
        atomic_store(&arena->words->lent[i], how / 4);
}

static void step_empty(script *s, attacker *a)
{
    static const unsigned char empty[9 * 64] = { 0 };
    unsigned char burst[sizeof empty];

    memcpy(burst, empty, sizeof burst);
    for (size_t i = 0; i < sizeof burst; i += 9)
        burst[i] = 1;
    for (unsigned rounds = byte(s); rounds > 0; rounds--)
        attacker_put(a, burst, sizeof burst);
}

/* -- Frames ------------------------------------------------------------------------------------ */

/* The id of an invocation that is or was in flight, one that never was, or any. */
static uint64_t id_of(script *s, const attacker *a)
{
    unsigned which = byte(s);
    uint64_t id = a->seen[which / 8 % ATTACKER_SEEN_MAX];

    switch (which % 8) {
    case 0:
        return which / 8;
    case 1:
        return id + 65536; /* the same place at another time */
    case 2:
        return id ^ 1;
    case 3:
        return number(s, 8);
    default:
        return id;
    }
}

static void fill_body(script *s, const attacker *a, iswi_frame *frame)
{
    static const char text[] = "0123456789abcdef";
    isw_bytes bytes = bytes_of(s, 255);
    uint64_t value = edge(s);

    switch (frame->kind) {
    case ISWI_RESPONSE:
        frame->as.response.outcome = value & 7;
        frame->as.response.result = isw_value_bytes(bytes.data, bytes.size);
        frame->as.response.status.message = isw_str_of(text);
        break;
    case ISWI_LOG:
        frame->as.log.level = value;
        frame->as.log.category = isw_str_of(text);
        frame->as.log.message = (isw_str){ bytes.data, bytes.size };
        break;
    case ISWI_CREDIT:
        frame->as.credit.limit = value;
        break;
    case ISWI_LOADED:
        frame->as.loaded.function = a->function;
        break;
    case ISWI_STATUS:
        frame->as.status.resident_bytes = value;
        break;
    case ISWI_ERROR:
        frame->as.error.status = iswi_status_to_wire(ISW_E_PROTOCOL, text);
        break;
    default:
        break;
    }
}

/* `times` frames of any kind in one message, with one byte changed if `change` is not 0. */
static void send_frames(script *s, attacker *a, unsigned change, unsigned times)
{
    iswi_frame frame = { .kind = byte(s) };
    unsigned char head[9] = { 1 };
    iswi_buffer bytes = { 0 };
    unsigned position = change ? byte(s) : 0;

    frame.id = id_of(s, a);
    fill_body(s, a, &frame);
    while (times-- > 0)
        iswi_frame_encode(&frame, &bytes, NULL);
    if (bytes.size && change)
        bytes.data[position % bytes.size] ^= (unsigned char)change;
    write_number(head + 1, bytes.size);
    attacker_put(a, head, sizeof head);
    attacker_put(a, bytes.data, bytes.size);
    iswi_buffer_fini(&bytes);
}

/* A frame without the last of its bytes, which lie apart at some offset and with some word. What
 * it is, and whether that could be, are bits of `how`. */
static void step_apart(script *s, attacker *a)
{
    enum { TEXT = 1, CHUNK = 2, CHANGED = 4, SHORT = 8, SCRIBBLED = 16, TWICE = 32 };
    static const unsigned char zeros[APART_MAX];
    unsigned char record[ATTACKER_LOAN_BYTES + 8] = { RECORD_APART };
    unsigned how = byte(s);
    size_t part = how & SHORT ? 100 + (size_t)byte(s) : APART_MAX - (size_t)number(s, 2) % 1024;
    iswi_frame frame = { .kind = how & CHUNK ? ISWI_CHUNK : ISWI_RESPONSE };
    iswi_buffer bytes = { 0 };
    uint64_t offset = edge(s);
    size_t size = 1 + write_number(record + 1, part);

    frame.id = id_of(s, a);
    frame.as.response.outcome = ISW_OUTCOME_SUCCESS;
    frame.as.response.result = isw_value_bytes(zeros, part);
    if (how & TEXT)
        frame.as.response.result.type = ISW_VALUE_STRING; /* of NUL */
    if (how & CHUNK)
        frame.as.chunk = (iswi_chunk){ .bytes = { zeros, part } };
    for (int i = 0; i < (how & TWICE ? 2 : 1); i++)
        iswi_frame_encode(&frame, &bytes, NULL);
    bytes.size -= bytes.size < part ? bytes.size : part;
    if (how & CHANGED && bytes.size)
        bytes.data[byte(s) % bytes.size] ^= (unsigned char)(1 << byte(s) % 8);
    size += write_number(record + size, offset);
    record[size + 3] = (unsigned char)byte(s); /* the word */
    size += 4;
    size += write_number(record + size, bytes.size);
    attacker_put(a, record, size);
    attacker_put(a, bytes.data, bytes.size);
    if (how & SCRIBBLED)
        noise_lent(a, 77 + offset, 4096);
    iswi_buffer_fini(&bytes);
}

/* -- Calls and time ---------------------------------------------------------------------------- */

static void step_call(script *s)
{
    static const size_t sizes[] = { 10, 100, 4096, 64 * 1024 };
    unsigned how = byte(s);

    for (unsigned i = 0; i <= how / 4 % 8; i++)
        live_call_attacker("attacked", sizes[how % 4]);
}

static void step_pause(script *s)
{
    struct timespec pause = { 0, 50000 * (long)byte(s) };

    nanosleep(&pause, NULL);
}

static void step_answer(script *s, attacker *a)
{
    unsigned again = byte(s) % 4;

    a->answered -= a->answered < again ? a->answered : again;
    attacker_listen(a);
    attacker_answer(a);
}

/* The same again and again, with answers that nobody reads. */
static void step_flood(script *s, attacker *a)
{
    const iswi_frame frame = { .kind = byte(s), .id = 1 };

    for (unsigned rounds = 16 * byte(s); rounds > 0; rounds--)
        attacker_send(a, &frame);
}

enum {
    WORD, FLIP, BYTES, NOISE, STREAM, RECORD, EMPTY, FRAME, MUTANT, BATCH, CALL, LISTEN, ANSWER,
    PAUSE, FLOOD, LOANS, APART, STEPS
};

static void step(script *s, attacker *a)
{
    switch (byte(s) % STEPS) {
    case WORD: step_word(s, a); break;
    case FLIP: step_flip(s, a); break;
    case BYTES: step_bytes(s, a); break;
    case NOISE: step_noise(s, a); break;
    case STREAM: step_stream(s, a); break;
    case RECORD: step_record(s, a); break;
    case EMPTY: step_empty(s, a); break;
    case FRAME: send_frames(s, a, 0, 1); break;
    case MUTANT: send_frames(s, a, byte(s), 1); break;
    case BATCH: send_frames(s, a, 0, 1 + byte(s) % BATCH_MAX); break;
    case CALL: step_call(s); break;
    case LISTEN: attacker_listen(a); break;
    case ANSWER: step_answer(s, a); break;
    case PAUSE: step_pause(s); break;
    case LOANS: step_loans(s, a); break;
    case APART: step_apart(s, a); break;
    default: step_flood(s, a);
    }
}

/* -- All of it --------------------------------------------------------------------------------- */

script script_begin(const uint8_t *data, size_t size)
{
    script s = { .at = data, .end = data + size };
    unsigned how = byte(&s);

    s.large = how & 1;
    s.early = how & 2;
    s.haunt = byte(&s);
    return s;
}

void script_run(script *s, attacker *a)
{
    int64_t until = iswi_now_ns() + RUN_NS;

    for (int i = 0; i < STEPS_MAX && s->at < s->end && iswi_now_ns() < until; i++)
        step(s, a);
}

void script_haunt(const script *s, attacker *a)
{
    enum { NOTHING, PIN_BELL, FLIP_TAIL, FLIP_HEAD, ALL_WORDS, ALL_MEMORY, RING_BELLS, HAUNTS };
    uint64_t tail = load_word(&a->up, TAIL);
    uint64_t head = load_word(&a->down, HEAD);

    for (unsigned i = 0; i < 256; i++) {
        switch (s->haunt % HAUNTS) {
        case PIN_BELL: /* as if nobody had rung it, whoever rings it */
            store_word(&a->up, BELL, s->haunt);
            if (i % 64 == 0) {
                iswi_ring_wake_always(&a->up);
                store_word(&a->up, BELL, s->haunt);
            }
            break;
        case FLIP_TAIL:
            store_word(&a->up, TAIL, i & 1 ? tail : tail + 9);
            break;
        case FLIP_HEAD:
            store_word(&a->down, HEAD, i & 1 ? head : head + 1);
            store_word(&a->down, CRAMPED, 1);
            break;
        case ALL_WORDS:
            noise(a, 0, ISWI_RING_PAGE, 1 + i + s->haunt, 8);
            break;
        case ALL_MEMORY:
            noise(a, 0, a->size, 1 + i + s->haunt, 8);
            break;
        case RING_BELLS:
            iswi_ring_wake_always(&a->up);
            break;
        default:
            return;
        }
    }
}
