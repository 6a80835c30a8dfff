/* SPDX-License-Identifier: Apache-2.0 */
/* A session from hello to goodbye, against a host that knows every trick. */
#include "worker/support.h"

#include "support/scripted_host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static isw_status succeeds(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static const isw_property queue_options[] = { { "queue", "orders" }, { NULL, NULL } };
static const isw_property metadata[] = { { "auth_level", "admin" }, { NULL, NULL } };
static const isw_binding bindings[] = {
    { .name = "out", .type = "queue", .direction = ISW_OUT, .properties = queue_options },
    { 0 },
};
static const isw_function functions[] = {
    { .name = "web", .summary = "says hello", .trigger = ISW_HTTP("GET", "hello/{name}"),
      .handler = succeeds, .metadata = metadata, .timeout_ms = 250 },
    { .name = "bare", .trigger = ISW_HTTP(NULL, NULL), .handler = succeeds },
    { .name = "job", .trigger = ISW_TRIGGER("queue", queue_options), .handler = succeeds,
      .bindings = bindings, .idempotent = true },
    { 0 },
};

typedef struct session {
    isw_worker *worker;
    scripted_host host;
} session;

static void begin(session *s)
{
    isw_error error = { 0 };

    if (make_worker(functions,
                    "worker: {concurrency: 2}\n"
                    "middleware:\n"
                    "  - error_handling\n"
                    "  - logging: {when: {trigger: queue}}\n",
                    &s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_start(&s->host, s->worker);
}

static void begin_greeted(session *s)
{
    begin(s);
    assert_int_equal(host_greet(&s->host), 8);
}

static void finish(session *s, isw_status status, const char *message)
{
    assert_int_equal(host_join(&s->host), status);
    assert_string_equal(s->host.error.message, message);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

/* The host goes: the end of every session that is not about its end. */
static void finish_by_closing(session *s)
{
    host_close(&s->host);
    finish(s, ISW_E_CLOSED, "the host went away");
}

static void assert_str(isw_str text, const char *expected)
{
    if (!isw_str_equal(text, isw_str_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.size, text.size ? text.data : "", expected);
}

static void assert_pair(const isw_pairs *pairs, size_t i, const char *name, const char *value)
{
    assert_true(i < pairs->count);
    assert_str(pairs->items[i].name, name);
    assert_str(pairs->items[i].value, value);
}

/* -- Hello ------------------------------------------------------------------------------------- */

static void the_worker_speaks_first_and_proves_itself(void **state)
{
    const iswi_worker_hello *hello;
    session s;

    (void)state;
    begin(&s);
    hello = &host_expect(&s.host, ISWI_WORKER_HELLO)->as.worker_hello;
    assert_int_equal(hello->protocol_min, 1);
    assert_int_equal(hello->protocol_max, 1);
    assert_memory_equal(hello->token.data, scripted_token, ISWI_TOKEN_BYTES);
    assert_str(hello->runtime, "isoworker-c");
    assert_int_equal(hello->pid, getpid());
    host_close(&s.host);
    finish(&s, ISW_E_CLOSED,
           "the host went away before it said hello; its log says why, unless it could not prove "
           "itself by its certificate");
}

static void send_hello_of(session *s, uint64_t protocol, const void *proof)
{
    iswi_frame frame = { .kind = ISWI_HOST_HELLO };

    frame.as.host_hello.protocol = protocol;
    frame.as.host_hello.proof = (isw_bytes){ proof, ISWI_TOKEN_BYTES };
    host_expect(&s->host, ISWI_WORKER_HELLO);
    host_send(&s->host, &frame);
}

static void a_host_that_cannot_prove_itself_gets_nothing(void **state)
{
    unsigned char proof[ISWI_TOKEN_BYTES];
    session s;

    (void)state;
    memcpy(proof, scripted_token + ISWI_TOKEN_BYTES, sizeof proof);
    proof[31] ^= 1;
    begin(&s);
    send_hello_of(&s, 1, proof);
    host_expect_close(&s.host);
    finish(&s, ISW_E_UNAUTHENTICATED, "the host could not prove who it is");
}

static void the_workers_own_half_is_no_proof(void **state)
{
    session s;

    (void)state;
    begin(&s);
    send_hello_of(&s, 1, scripted_token);
    host_expect_close(&s.host);
    finish(&s, ISW_E_UNAUTHENTICATED, "the host could not prove who it is");
}

static void a_version_that_was_not_offered_ends_the_session(void **state)
{
    session s;

    (void)state;
    begin(&s);
    send_hello_of(&s, 2, scripted_token + ISWI_TOKEN_BYTES);
    host_expect_close(&s.host);
    finish(&s, ISW_E_UNSUPPORTED, "the host chose a protocol version that was not offered");
}

static void a_frame_before_hello_ends_the_session(void **state)
{
    static const iswi_kind kinds[] = { ISWI_METADATA_REQUEST, ISWI_INVOKE, ISWI_TERMINATE };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        session s;

        begin(&s);
        host_expect(&s.host, ISWI_WORKER_HELLO);
        if (kinds[i] == ISWI_INVOKE)
            host_invoke(&s.host, 1, 0, NULL);
        else
            host_send_kind(&s.host, kinds[i], 1);
        host_expect_close(&s.host);
        finish(&s, ISW_E_PROTOCOL, "the host sent something before its hello");
    }
}

static void a_worker_may_be_stopped_before_hello(void **state)
{
    session s;

    (void)state;
    begin(&s);
    host_expect(&s.host, ISWI_WORKER_HELLO);
    isw_worker_stop(s.worker);
    finish(&s, ISW_OK, "");
}

/* -- Functions --------------------------------------------------------------------------------- */

static void metadata_describes_functions_and_chains(void **state)
{
    const iswi_wire_function *items;
    const iswi_frame *frame;
    session s;

    (void)state;
    begin_greeted(&s);
    host_send_kind(&s.host, ISWI_METADATA_REQUEST, 5);
    frame = host_expect(&s.host, ISWI_METADATA);
    assert_int_equal(frame->id, 5);
    assert_int_equal(frame->as.metadata.functions.count, 3);
    items = frame->as.metadata.functions.items; /* sorted by name */
    assert_str(items[0].name, "bare");
    assert_pair(&items[0].trigger, 0, "methods", "");
    assert_pair(&items[0].trigger, 1, "route", "bare");
    assert_str(items[1].name, "job");
    assert_str(items[1].trigger_type, "queue");
    assert_pair(&items[1].trigger, 0, "queue", "orders");
    assert_true(items[1].idempotent);
    assert_str(items[1].bindings.items[0].name, "out");
    assert_int_equal(items[1].bindings.items[0].direction, ISW_OUT);
    assert_pair(&items[1].bindings.items[0].properties, 0, "queue", "orders");
    assert_int_equal(items[1].chain.count, 2);
    assert_str(items[1].chain.items[1], "logging");
    assert_str(items[2].summary, "says hello");
    assert_pair(&items[2].trigger, 0, "methods", "GET");
    assert_pair(&items[2].trigger, 1, "route", "hello/{name}");
    assert_pair(&items[2].metadata, 0, "auth_level", "admin");
    assert_int_equal(items[2].timeout_ms, 250);
    assert_int_equal(items[2].chain.count, 1);
    assert_str(items[2].chain.items[0], "error_handling");
    finish_by_closing(&s);
}

static void load_says_whether_a_function_is_known(void **state)
{
    static const char *const names[] = { "web", "we", "webb", "" };
    session s;

    (void)state;
    begin_greeted(&s);
    for (uint64_t i = 0; i < 4; i++) {
        const iswi_frame *frame;

        host_load(&s.host, i, names[i]);
        frame = host_expect(&s.host, ISWI_LOADED);
        assert_int_equal(frame->id, 1000 + i);
        assert_int_equal(frame->as.loaded.function, i);
        assert_int_equal(frame->as.loaded.status.code, i ? ISW_E_NOT_FOUND : ISW_OK);
    }
    host_load(&s.host, UINT64_MAX, "web");
    assert_int_equal(host_expect(&s.host, ISWI_LOADED)->as.loaded.status.code, ISW_E_TOO_LARGE);
    finish_by_closing(&s);
}

/* -- Other requests ---------------------------------------------------------------------------- */

static void status_and_warmup_are_answered(void **state)
{
    const iswi_frame *frame;
    session s;

    (void)state;
    begin_greeted(&s);
    host_send_kind(&s.host, ISWI_STATUS_REQUEST, 7);
    frame = host_expect(&s.host, ISWI_STATUS);
    assert_int_equal(frame->id, 7);
    assert_int_equal(frame->as.status.running + frame->as.status.waiting, 0);
    assert_true(frame->as.status.resident_bytes > 100000);
    host_send_kind(&s.host, ISWI_WARMUP, 8);
    frame = host_expect(&s.host, ISWI_WARMED);
    assert_int_equal(frame->id, 8);
    assert_int_equal(frame->as.warmed.status.code, ISW_OK);
    finish_by_closing(&s);
}

static uint64_t reload(session *s, const isw_pair *pairs, size_t count, const char *directory)
{
    iswi_frame frame = { .kind = ISWI_RELOAD, .id = 3 };

    frame.as.reload.environment = (isw_pairs){ pairs, count };
    frame.as.reload.directory = isw_str_of(directory);
    host_send(&s->host, &frame);
    return host_expect(&s->host, ISWI_RELOADED)->as.reloaded.status.code;
}

static void reload_sets_environment_and_folder(void **state)
{
    const isw_pair good[] = {
        { isw_str_of("ISW_TEST_NEW"), isw_str_of("value") },
        { isw_str_of("ISW_TEST_OLD"), isw_str_of("") },
    };
    const isw_pair bad[] = { { isw_str_of("A=B"), isw_str_of("value") } };
    int here = open(".", O_RDONLY | O_DIRECTORY);
    char folder[8];
    session s;

    (void)state;
    setenv("ISW_TEST_OLD", "x", 1);
    begin_greeted(&s);
    assert_int_equal(reload(&s, good, 2, "/"), ISW_OK);
    assert_string_equal(getenv("ISW_TEST_NEW"), "value");
    assert_null(getenv("ISW_TEST_OLD"));
    assert_string_equal(getcwd(folder, sizeof folder), "/");
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_int_equal(reload(&s, bad, 1, NULL), ISW_E_INVALID);
    assert_int_equal(reload(&s, NULL, 0, "/nonexistent"), ISW_E_IO);
    finish_by_closing(&s);
}

/* The file is gone: the worker says so, and keeps what it has. */
static void reload_reads_the_configuration_again(void **state)
{
    iswi_frame frame = { .kind = ISWI_RELOAD, .id = 4, .as.reload.configuration = true };
    const iswi_frame *answer;
    session s;

    (void)state;
    begin_greeted(&s);
    for (int i = 0; i < 2; i++) {
        host_send(&s.host, &frame);
        answer = host_expect(&s.host, ISWI_RELOADED);
        assert_int_equal(answer->id, 4);
        assert_int_equal(answer->as.reloaded.status.code, ISW_E_IO);
        assert_non_null(strstr(answer->as.reloaded.status.message.data, "cannot be read"));
    }
    host_send_kind(&s.host, ISWI_METADATA_REQUEST, 5);
    answer = host_expect(&s.host, ISWI_METADATA);
    assert_int_equal(answer->as.metadata.functions.items[0].chain.count, 1);
    finish_by_closing(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_worker_speaks_first_and_proves_itself),
    cmocka_unit_test(a_host_that_cannot_prove_itself_gets_nothing),
    cmocka_unit_test(the_workers_own_half_is_no_proof),
    cmocka_unit_test(a_version_that_was_not_offered_ends_the_session),
    cmocka_unit_test(a_frame_before_hello_ends_the_session),
    cmocka_unit_test(a_worker_may_be_stopped_before_hello),
    cmocka_unit_test(metadata_describes_functions_and_chains),
    cmocka_unit_test(load_says_whether_a_function_is_known),
    cmocka_unit_test(status_and_warmup_are_answered),
    cmocka_unit_test(reload_sets_environment_and_folder),
    cmocka_unit_test(reload_reads_the_configuration_again),
};

ISW_TEST_MAIN(tests)
