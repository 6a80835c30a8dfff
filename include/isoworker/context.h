/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_CONTEXT_H
#define ISOWORKER_CONTEXT_H

/*
 * isw_context, the FunctionContext: everything about one invocation, as the middleware and the
 * handler see it. The worker makes it when an invocation arrives and ends it when the answer has
 * been sent; nothing that it hands out may be kept longer, and a debug build of the library ends
 * the program when a context is used after that. One thread at a time uses a context, the one that
 * runs its chain. Nothing here blocks. What it can say of failures is in failure.h, of time and
 * cancellation in cancel.h.
 */
#include <isoworker/cancel.h>
#include <isoworker/export.h>
#include <isoworker/failure.h>
#include <isoworker/function.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

ISW_BEGIN_DECLS

/* -- Who is running ---------------------------------------------------------------------------- */

/* The invocation's id, unique for this run of the host: 32 hexadecimal digits from our host. */
ISW_API const char *isw_context_invocation_id(const isw_context *ctx);

/* The function that is invoked, as the worker registered it. */
ISW_API const isw_function *isw_context_function(const isw_context *ctx);

/* What the function's metadata says under `name`, in its table or in the worker's YAML, which comes
 * first; NULL if nothing. */
ISW_API const char *isw_context_metadata(const isw_context *ctx, const char *name);

/* W3C Trace Context of the caller (https://www.w3.org/TR/trace-context/); empty when it sent
 * none. */
typedef struct isw_trace {
    isw_str parent; /* traceparent */
    isw_str state;  /* tracestate */
    isw_pairs baggage;
} isw_trace;
ISW_API const isw_trace *isw_context_trace(const isw_context *ctx);

/* Which try this is. count is 0 on the first one. */
typedef struct isw_retry {
    uint32_t count;
    uint32_t max; /* 0 when the host does not say */
    isw_str last_error;
} isw_retry;
ISW_API const isw_retry *isw_context_retry(const isw_context *ctx);

/* -- Inputs, outputs and the result ------------------------------------------------------------ */

/* The data that the trigger brought; never NULL, of type ISW_VALUE_NONE if it brought none. */
ISW_API const isw_value *isw_context_trigger(const isw_context *ctx);

/* The input binding `name` (the trigger's own included), or NULL. */
ISW_API const isw_value *isw_context_input(const isw_context *ctx, const char *name);

/* What else the trigger tells about this event (such as a queue's delivery count), or NULL. */
ISW_API const isw_value *isw_context_trigger_metadata(const isw_context *ctx, const char *name);

/* All inputs beside the trigger's, all of the trigger's metadata, all outputs that are set. Views
 * that hold until one is set. */
ISW_API isw_map isw_context_inputs(const isw_context *ctx);
ISW_API isw_map isw_context_trigger_metadata_all(const isw_context *ctx);
ISW_API isw_map isw_context_outputs(const isw_context *ctx);

/* Replace or add an input, so that what runs after sees `data`. `data` is copied, arrays and maps
 * included; text and bytes that it points to are not and must live until the invocation ends (use
 * isw_context_alloc). Errors: ISW_E_NO_MEMORY. */
ISW_API isw_status isw_context_set_input(isw_context *ctx, const char *name, const isw_value *data);

/* Result, headers and outputs of one invocation together, as they travel: one message. An answer
 * that is larger when the handler returns, or at the end of the chain, is the function's failure
 * with ISW_E_FAILED (500), and its size stands in the log. Larger bodies leave in pieces
 * (isw_http_write of stream.h) or from a file (isw_http_reply_file of http.h), larger outputs one
 * by one (isw_context_emit). The same becomes of headers beyond ISW_HEAD_MAX_BYTES (stream.h). */
enum { ISW_ANSWER_MAX_BYTES = 67108864 };

/* The result: what the caller gets. NULL while none is set. Set by isw_http_reply for HTTP.
 * The same rule for memory as isw_context_set_input; NULL takes the result back.
 * Errors: ISW_E_INVALID for what cannot travel, such as text that is not UTF-8 or bytes at NULL,
 * which is the function's failure with ISW_E_FAILED (500), ISW_E_NO_MEMORY, ISW_E_CONFLICT after
 * the answer. */
ISW_API const isw_value *isw_context_result(const isw_context *ctx);
ISW_API isw_status isw_context_set_result(isw_context *ctx, const isw_value *data);

/* The output binding `name`, or NULL while it is not set; and set it, or with NULL take it back.
 * Several values for one output are an array. Memory as above. Errors, recorded on ctx:
 * ISW_E_NOT_FOUND if the function declares no such output, ISW_E_INVALID for a value that cannot
 * travel (text that is not UTF-8, deeper than 12 levels, more than 16,384 elements or 4,096
 * members), ISW_E_NO_MEMORY, ISW_E_CONFLICT. */
ISW_API const isw_value *isw_context_output(const isw_context *ctx, const char *name);
ISW_API isw_status isw_context_set_output(isw_context *ctx, const char *name,
                                          const isw_value *data);

/* Forget result, outputs, failure, outcome and the reply's headers, for a middleware that runs the
 * rest of the chain again: nothing of the first run is then in the answer of the second. */
ISW_API void isw_context_start_over(isw_context *ctx);

/* The same for a middleware that is not the outermost, so that the headers which those outside it
 * have given the reply stay: mark before the first run, start over from there before the next.
 * The members are the library's. Errors: ISW_E_NO_MEMORY, recorded on ctx. */
typedef struct isw_mark {
    isw_pair *headers;
    size_t header_count;
} isw_mark;
ISW_API isw_status isw_context_mark(isw_context *ctx, isw_mark *mark);
ISW_API void isw_context_start_over_from(isw_context *ctx, const isw_mark *mark);

/* -- Afterwards -------------------------------------------------------------------------------- */

/* Have `call` called after the answer was sent, on the invocation's thread, the last one that was
 * added first. The context is whole and can log; the answer is given: to change it is an
 * ISW_E_CONFLICT. The worker counts the invocation as running until then.
 * Errors: ISW_E_NO_MEMORY. */
typedef void (*isw_after_fn)(isw_context *ctx, void *user);
ISW_API isw_status isw_context_after(isw_context *ctx, isw_after_fn call, void *user);

/* -- Memory and items -------------------------------------------------------------------------- */

/* `size` bytes that live until the invocation ends, aligned for any type; NULL when out of memory.
 * Never freed by the caller. */
ISW_API void *isw_context_alloc(isw_context *ctx, size_t size);

/* A NUL-terminated copy, or formatted text, that lives as long; NULL when out of memory. */
ISW_API char *isw_context_strndup(isw_context *ctx, const char *text, size_t size);
ISW_API char *isw_context_printf(isw_context *ctx, const char *format, ...) ISW_PRINTF(2, 3);

/* `text` as a JSON string with its quotes (RFC 8259), with the same lifetime; NULL when out of
 * memory. Bytes that are not UTF-8 become U+FFFD. */
ISW_API const char *isw_context_json_string(isw_context *ctx, const char *text);

/* What middleware and handlers leave for each other during one invocation. The key is compared by
 * its address, which also stands for the type of the value: declare one `const isw_item_key` for
 * each kind of item, in a header that both sides include. */
typedef struct isw_item_key {
    const char *name;            /* for people */
    void (*destroy)(void *item); /* called when the invocation ends or the item is replaced; may
                                    be NULL */
} isw_item_key;
ISW_API void *isw_context_item(const isw_context *ctx, const isw_item_key *key);

/* Set or, with NULL, remove an item. Ownership of `item` moves on success.
 * Errors: ISW_E_NO_MEMORY. */
ISW_API isw_status isw_context_set_item(isw_context *ctx, const isw_item_key *key, void *item);

/* Who calls, as an authentication middleware found out. */
typedef struct isw_principal {
    isw_str scheme;  /* "key", "jwt", ...; empty for an anonymous caller */
    isw_str subject; /* the key's name or the token's sub */
    isw_str issuer;
    const isw_str *roles;
    size_t role_count;
    const isw_str *scopes;
    size_t scope_count;
} isw_principal;

/* The caller, or NULL when no middleware has identified one. */
ISW_API const isw_principal *isw_context_principal(const isw_context *ctx);

/* For authentication middleware: say who calls; NULL: nobody is known. `principal` is copied, what it
 * points to lives until the invocation ends. The host's access log shows the subject. */
ISW_API void isw_context_set_principal(isw_context *ctx, const isw_principal *principal);

ISW_END_DECLS

#endif
