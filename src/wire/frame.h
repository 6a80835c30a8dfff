/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_FRAME_H
#define ISWI_WIRE_FRAME_H

/*
 * The frames of PROTOCOL.md as plain structs, and their codec. Pure: no sockets, no threads, no
 * clock. Text and bytes are views: into the caller's memory when encoding, into the received
 * message when decoding; lists of a decoded frame lie in the arena.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "wire/limits.h"

#include <isoworker/context.h>
#include <isoworker/value.h>
#include <isoworker/status.h>

typedef enum iswi_kind {
    ISWI_WORKER_HELLO = 1,
    ISWI_HOST_HELLO = 2,
    ISWI_METADATA_REQUEST = 3,
    ISWI_METADATA = 4,
    ISWI_LOAD = 5,
    ISWI_LOADED = 6,
    ISWI_INVOKE = 7,
    ISWI_RESPONSE = 8,
    ISWI_CANCEL = 9,
    ISWI_LOG = 10,
    ISWI_STATUS_REQUEST = 11,
    ISWI_STATUS = 12,
    ISWI_CREDIT = 13,
    ISWI_RELOAD = 14,
    ISWI_RELOADED = 15,
    ISWI_WARMUP = 16,
    ISWI_WARMED = 17,
    ISWI_TERMINATE = 18,
    ISWI_ERROR = 19,
    ISWI_GOODBYE = 20,
    ISWI_OUTPUT = 21,
    ISWI_HEAD = 22,
    ISWI_CHUNK = 23,
    ISWI_WINDOW = 24,
    ISWI_METRICS_REQUEST = 25,
    ISWI_METRICS = 26,
    ISWI_KIND_LAST = ISWI_METRICS
} iswi_kind;

typedef struct iswi_strs {
    const isw_str *items;
    size_t count;
} iswi_strs;

/* What brought a failure about, outermost first. */
typedef struct iswi_wire_cause {
    uint64_t code;
    isw_str message;
    isw_str type;
    isw_str place;
} iswi_wire_cause;

typedef struct iswi_wire_status {
    uint64_t code;
    isw_str message;
    isw_str type;
    isw_str place;
    bool user;
    bool retriable;
    struct {
        const iswi_wire_cause *items;
        size_t count;
    } causes;
} iswi_wire_status;

typedef struct iswi_wire_binding {
    isw_str name;
    isw_str type;
    uint64_t direction;
    isw_pairs properties;
} iswi_wire_binding;

/* What scripts of other sites may do. */
typedef struct iswi_wire_cors {
    iswi_strs origins;
    isw_str methods, headers, expose;
    bool credentials;
    uint64_t max_age_s;
} iswi_wire_cors;

typedef struct iswi_wire_function {
    isw_str name;
    isw_str summary;
    isw_str trigger_type;
    isw_str trigger_binding;
    isw_pairs trigger;
    struct {
        const iswi_wire_binding *items;
        size_t count;
    } bindings;
    isw_pairs metadata;
    uint64_t timeout_ms;
    bool idempotent;
    iswi_strs chain;
    bool streams;
    isw_pairs secrets;
    iswi_wire_cors cors;
} iswi_wire_function;

typedef struct iswi_wire_trace {
    isw_str parent;
    isw_str state;
    isw_pairs baggage;
} iswi_wire_trace;

typedef struct iswi_wire_retry {
    uint64_t count;
    uint64_t max;
    isw_str last_error;
} iswi_wire_retry;

typedef struct iswi_worker_hello {
    uint64_t protocol_min, protocol_max;
    isw_bytes token;
    isw_str runtime, runtime_version;
    isw_pairs capabilities;
    uint64_t pid;
} iswi_worker_hello;

typedef struct iswi_host_hello {
    uint64_t protocol;
    isw_bytes proof;
    isw_str host, host_version;
    isw_pairs capabilities;
    uint64_t heartbeat_ms;
    isw_pairs log_levels;
    isw_str worker;
    isw_str directory;
    uint64_t health_every_ms, health_timeout_ms, health_failures; /* 0: as the worker likes */
} iswi_host_hello;

typedef struct iswi_metadata {
    iswi_wire_status status;
    struct {
        const iswi_wire_function *items;
        size_t count;
    } functions;
} iswi_metadata;

typedef struct iswi_load {
    uint64_t function;
    isw_str name;
} iswi_load;

typedef struct iswi_loaded {
    uint64_t function;
    iswi_wire_status status;
} iswi_loaded;

typedef struct iswi_invoke {
    uint64_t function;
    isw_str invocation_id;
    isw_value trigger;
    isw_map inputs;
    isw_map trigger_metadata;
    uint64_t timeout_ms;
    iswi_wire_trace trace;
    iswi_wire_retry retry;
    bool body_follows;
} iswi_invoke;

typedef struct iswi_response {
    uint64_t outcome;
    iswi_wire_status status;
    isw_value result;
    isw_map outputs;
    uint64_t retry_after_ms;
    isw_pairs trace_attributes;
    bool logged; /* why it did not succeed */
    isw_str principal; /* of the caller */
    uint64_t took_ns;  /* that the invocation has run; 0: not told */
} iswi_response;

typedef enum iswi_cancel_reason {
    ISWI_CANCEL_UNSAID = 0,
    ISWI_CANCEL_DEADLINE = 1,
    ISWI_CANCEL_CALLER_LEFT = 2,
    ISWI_CANCEL_SHUTDOWN = 3
} iswi_cancel_reason;

typedef struct iswi_cancel {
    uint64_t reason;
    uint64_t grace_ms;
} iswi_cancel;

typedef struct iswi_log {
    uint64_t level;
    isw_str category;
    isw_str message;
    uint64_t time_us;
    isw_map fields;
    isw_str invocation, function; /* once its response was sent */
} iswi_log;

typedef enum iswi_health_state {
    ISWI_HEALTH_UNTOLD = 0, /* there are no checks, or nobody asked for them */
    ISWI_HEALTH_GOOD = 1,
    ISWI_HEALTH_BAD = 2,
    ISWI_HEALTH_UNKNOWN = 3 /* the first check is not over */
} iswi_health_state;

typedef struct iswi_status_frame {
    uint64_t running;
    uint64_t waiting;
    uint64_t resident_bytes;
    uint64_t health; /* iswi_health_state */
    isw_str why;     /* it is bad */
} iswi_status_frame;

typedef struct iswi_credit {
    uint64_t limit;
} iswi_credit;

typedef struct iswi_reload {
    isw_pairs environment;
    isw_str directory;
    bool configuration;
} iswi_reload;

/* The body of warmed and error. */
typedef struct iswi_status_body {
    iswi_wire_status status;
} iswi_status_body;

typedef struct iswi_reloaded {
    iswi_wire_status status;
    isw_str warnings; /* sentences, a line each, as is `waits` */
    isw_str waits;
} iswi_reloaded;

typedef struct iswi_terminate {
    uint64_t grace_ms;
} iswi_terminate;

typedef struct iswi_output {
    isw_str name;
    isw_value value;
} iswi_output;

/* Status and headers of a response whose body follows in chunks. */
typedef struct iswi_head {
    isw_http http;
} iswi_head;

typedef struct iswi_chunk {
    isw_bytes bytes;
    bool end;
    iswi_wire_status status;
} iswi_chunk;

typedef struct iswi_window {
    uint64_t bytes;
} iswi_window;

/* One line of a metric. */
typedef struct iswi_wire_series {
    iswi_strs labels; /* values, in the order of the family's names */
    isw_value value;
    isw_value counts;
} iswi_wire_series;

typedef enum iswi_metric_type {
    ISWI_METRIC_COUNTER = 0,
    ISWI_METRIC_GAUGE = 1,
    ISWI_METRIC_HISTOGRAM = 2
} iswi_metric_type;

typedef struct iswi_wire_family {
    isw_str name;
    uint64_t type; /* iswi_metric_type */
    isw_str help;
    iswi_strs labels;
    isw_value bounds;
    struct {
        const iswi_wire_series *items;
        size_t count;
    } series;
} iswi_wire_family;

typedef struct iswi_wire_metrics {
    struct {
        const iswi_wire_family *items;
        size_t count;
    } families;
    bool more;
} iswi_wire_metrics;

typedef struct iswi_frame {
    uint64_t kind; /* iswi_kind, or an extension above ISWI_KIND_CORE_MAX */
    uint64_t id;
    union {
        iswi_worker_hello worker_hello;
        iswi_host_hello host_hello;
        iswi_metadata metadata;
        iswi_load load;
        iswi_loaded loaded;
        iswi_invoke invoke;
        iswi_response response;
        iswi_cancel cancel;
        iswi_log log;
        iswi_status_frame status;
        iswi_credit credit;
        iswi_reload reload;
        iswi_reloaded reloaded;
        iswi_status_body warmed;
        iswi_terminate terminate;
        iswi_status_body error;
        iswi_output output;
        iswi_head head;
        iswi_chunk chunk;
        iswi_window window;
        iswi_wire_metrics metrics;
    } as;
} iswi_frame;

/* Append `frame` to `out`. Values that equal their default are left out. On failure nothing is
 * appended. Errors: ISW_E_INVALID when a value breaks a limit or text is not UTF-8 (the message
 * names the frame and the key), ISW_E_TOO_LARGE for the frame, ISW_E_NO_MEMORY. */
isw_status iswi_frame_encode(const iswi_frame *frame, iswi_buffer *out, isw_error *error);

enum {
    ISWI_SPLICE_LEAST = 4096,
    ISWI_SPLICES_MAX = 4,
    ISWI_PIECES_MAX = 2 * ISWI_SPLICES_MAX + 1
};

/* A payload that is only pointed to, and where among the bytes it belongs. */
typedef struct iswi_splice {
    size_t at;
    isw_bytes payload;
    bool may_lie_apart; /* it is the whole of a bin */
} iswi_splice;

/* An encoded frame without its large payloads, which stay where they are until a link takes them.
 * Zeroed it is empty; used for one frame after the other, its memory stays warm. */
typedef struct iswi_encoded {
    iswi_buffer bytes;
    iswi_splice splices[ISWI_SPLICES_MAX];
    unsigned splice_count;
} iswi_encoded;

/* As iswi_frame_encode, in place of what `out` held: payloads from ISWI_SPLICE_LEAST bytes on are
 * pointed to, the first ISWI_SPLICES_MAX of them. Errors as there. */
isw_status iswi_frame_gather(const iswi_frame *frame, iswi_encoded *out, isw_error *error);

/* The frame in order; returns how many pieces. Views, valid as long as `encoded` and the payloads
 * are untouched. */
unsigned iswi_encoded_pieces(const iswi_encoded *encoded, isw_bytes pieces[ISWI_PIECES_MAX]);

/* Which of the pieces may lie apart from the others (PROTOCOL.md, section 11): a bin of a response
 * or chunk that is longer than all else together. `count` when there is none. */
unsigned iswi_encoded_apart(const iswi_encoded *encoded, uint64_t kind, const isw_bytes *pieces,
                            unsigned count);

/* Read the frame at the start of `bytes` and say in *used how many bytes it has. An extension kind
 * is read over: `as` is zero then. Errors: ISW_E_PROTOCOL naming frame, key and byte,
 * ISW_E_NO_MEMORY; *frame and *used are undefined then. */
isw_status iswi_frame_decode(const void *bytes, size_t size, iswi_arena *arena, iswi_frame *frame,
                             size_t *used, isw_error *error);

/* The same of a frame of whose bins the first that is longer than `bytes` lies in `apart`, if its
 * data is not NULL. That memory may change: it is pointed to, and not looked at. Bytes apart that
 * are of no bin are ISW_E_PROTOCOL, too. */
isw_status iswi_frame_decode_apart(isw_bytes bytes, isw_bytes apart, iswi_arena *arena,
                                   iswi_frame *frame, size_t *used, isw_error *error);

/* Only kind, id and size of the frame at the start of `bytes`; checks that it is well formed, not
 * what it holds. Takes no memory. Errors: ISW_E_PROTOCOL. */
isw_status iswi_frame_peek(const void *bytes, size_t size, uint64_t *kind, uint64_t *id,
                           size_t *used, isw_error *error);

isw_status iswi_frame_peek_apart(isw_bytes bytes, isw_bytes apart, uint64_t *kind, uint64_t *id,
                                 size_t *used, isw_error *error);

/* "invoke", ...; "extension" above the core, "?" for what is not defined. Static text. */
const char *iswi_kind_name(uint64_t kind);

/* A status between its wire form and ours. An unknown code becomes ISW_E_FAILED. */
isw_status iswi_status_of_wire(const iswi_wire_status *status);
iswi_wire_status iswi_status_to_wire(isw_status status, const char *message);

#endif
