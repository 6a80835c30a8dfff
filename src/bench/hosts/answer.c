/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hosts/answer.h"

#include "bench/hosts/foreign.h"
#include "host/azure/messages.h"

static size_t write_message(const iswi_rpc_message *message, unsigned char **out)
{
    iswi_buffer bytes = { 0 };

    iswi_buffer_reserve(&bytes, iswi_proto_size(&iswi_rpc_message_table, message));
    iswi_proto_write(&iswi_rpc_message_table, message, &bytes);
    if (bytes.failed) {
        iswi_buffer_fini(&bytes);
        return 0;
    }
    *out = bytes.data;
    return bytes.size;
}

size_t iswi_bench_first_message(unsigned char **out)
{
    const iswi_rpc_start start = { .worker_id = isw_str_of("bench") };

    return write_message(&(iswi_rpc_message){ .which = ISWI_RPC_START, .as.start = &start }, out);
}

static const iswi_rpc_result success = { .status = ISWI_RPC_SUCCESS };

static size_t answer_init(const char *url, unsigned char **out)
{
    const isw_pair capability = { isw_str_of("HttpUri"), isw_str_of(url ? url : "") };
    const iswi_rpc_init_done done = { .capabilities = { &capability, url ? 1 : 0 },
                                      .result = &success };

    return write_message(&(iswi_rpc_message){ .which = ISWI_RPC_INIT_DONE, .as.init_done = &done },
                         out);
}

static size_t answer_index(unsigned char **out)
{
    const iswi_rpc_function function = { .name = isw_str_of("http"),
                                         .function_id = isw_str_of("http") };
    const iswi_rpc_index_done done = { .functions = { &function, 1 }, .result = &success };

    return write_message(&(iswi_rpc_message){ .which = ISWI_RPC_INDEX_DONE,
                                              .as.index_done = &done }, out);
}

static size_t answer_load(const iswi_rpc_load *load, unsigned char **out)
{
    const iswi_rpc_load_done done = { .function_id = load->function_id, .result = &success };

    return write_message(&(iswi_rpc_message){ .which = ISWI_RPC_LOAD_DONE, .as.load_done = &done },
                         out);
}

/* With a greeting, unless that goes by itself. */
static size_t answer_invoke(const iswi_rpc_invoke *invoke, bool forwarded, unsigned char **out)
{
    static const isw_pair headers[] = { { { "content-type", 12 }, { "text/plain", 10 } } };
    static const char hello[] = ISWI_BENCH_HELLO "\n";
    const iswi_rpc_data body = { .which = ISWI_RPC_BYTES,
                                 .as.bytes = { (const unsigned char *)hello, sizeof hello - 1 } };
    const iswi_rpc_http http = { .status_code = isw_str_of("200"),
                                 .headers = { headers, 1 },
                                 .body = &body };
    const iswi_rpc_data returned = { .which = ISWI_RPC_HTTP, .as.http = &http };
    const iswi_rpc_invoke_done done = { .invocation_id = invoke->invocation_id,
                                        .result = &success,
                                        .returned = forwarded ? NULL : &returned };

    return write_message(&(iswi_rpc_message){ .which = ISWI_RPC_INVOKE_DONE,
                                              .as.invoke_done = &done }, out);
}

size_t iswi_bench_answer_message(const void *message, size_t size, const char *url,
                                 unsigned char **out)
{
    isw_error error = { ISW_OK, "" };
    iswi_rpc_message read;
    iswi_arena arena;
    size_t said = 0;

    iswi_arena_init(&arena, 4096);
    if (iswi_proto_read(&iswi_rpc_message_table, (isw_bytes){ message, size }, &arena, &read,
                        &error) != ISW_OK)
        read.which = 0;
    if (read.which == ISWI_RPC_INVOKE)
        said = answer_invoke(read.as.invoke, url != NULL, out);
    else if (read.which == ISWI_RPC_INIT)
        said = answer_init(url, out);
    else if (read.which == ISWI_RPC_INDEX)
        said = answer_index(out);
    else if (read.which == ISWI_RPC_LOAD)
        said = answer_load(read.as.load, out);
    iswi_arena_fini(&arena);
    return said;
}
