/* SPDX-License-Identifier: Apache-2.0 */
/* The suite. The host is no more than its folder and its log. */
#include "host/sink_conformance.h"

#include "config/properties.h"
#include "host/engine/engine.h"
#include "support/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, SHARE = 200, PAIRS_MAX = 8, WIDE = 3000, CALLS_MOST = 100 };

typedef struct made_host {
    iswi_host host;
    pthread_mutex_t lock;
    char *log;
    size_t size;
    size_t said; /* lines of the host's own */
} made_host;

/* -- One output -------------------------------------------------------------------------------- */

static void on_line(void *user, const iswi_logline *line, iswi_speaker speaker)
{
    made_host *made = user;
    size_t size = line->message.size;
    char *more;

    pthread_mutex_lock(&made->lock);
    if (speaker == ISWI_SPEAKER_HOST) {
        made->said++;
        pthread_mutex_unlock(&made->lock);
        return;
    }
    more = realloc(made->log, made->size + size + 2);
    memcpy(more + made->size, line->message.data, size);
    made->size += size + 1;
    memcpy(more + made->size - 1, "\n", 2);
    made->log = more;
    pthread_mutex_unlock(&made->lock);
}

static isw_pairs pairs_of(const isw_pair *items)
{
    isw_pairs pairs = { items, 0 };

    while (items && items[pairs.count].name.size)
        pairs.count++;
    return pairs;
}

static isw_status try_pairs(iswi_host *host, const isw_pairs *given, void **self,
                            isw_error *error)
{
    static const iswi_sink_place place = { "f", "w", "out" };
    const void *properties = NULL;

    if (iswi_properties_read(subject.sink->properties, subject.sink->properties_size, given,
                             &host->arena, &properties, error) != ISW_OK)
        return error->status;
    return subject.sink->open(host, &place, properties, self, error);
}

static void close_self(void *self)
{
    if (subject.sink->close)
        subject.sink->close(self);
}

isw_status conforming_try(conforming_output *o, const isw_pair *given, isw_error *error)
{
    isw_pairs pairs = pairs_of(given);
    void *self = NULL;

    if (try_pairs(o->host, &pairs, &self, error) != ISW_OK)
        return error->status;
    close_self(self);
    return ISW_OK;
}

void conforming_open(conforming_output *o)
{
    made_host *made = calloc(1, sizeof *made);
    isw_pairs pairs = pairs_of(subject.given);
    isw_error error = { ISW_OK, "" };

    assert_non_null(made);
    *o = (conforming_output){ .folder = "/tmp/isw-sink-XXXXXX",
                              .host = &made->host,
                              .item = { .function = "f", .worker = "w", .invocation_id = "1",
                                        .output = "out" } };
    assert_non_null(mkdtemp(o->folder));
    pthread_mutex_init(&made->lock, NULL);
    made->log = calloc(1, 1);
    made->host.folder = o->folder;
    made->host.log = (iswi_log_sink){ ISW_LOG_INFO, on_line, made };
    iswi_arena_init(&made->host.arena, 1024);
    if (try_pairs(o->host, &pairs, &o->self, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

void conforming_close(conforming_output *o)
{
    made_host *made = (made_host *)o->host;
    char command[64];

    close_self(o->self);
    iswi_arena_fini(&made->host.arena);
    pthread_mutex_destroy(&made->lock);
    free(made->log);
    free(made);
    snprintf(command, sizeof command, "rm -r %s", o->folder);
    assert_int_equal(system(command), 0);
}

isw_status conforming_put(conforming_output *o, const isw_value *value, isw_error *error)
{
    iswi_sink_item item = o->item;

    item.value = value;
    return subject.sink->put(o->self, &item, error);
}

char *conforming_read(conforming_output *o)
{
    return subject.read(o->folder, ((made_host *)o->host)->log);
}

static void assert_came(conforming_output *o, const char *lines)
{
    char *came = conforming_read(o);

    assert_string_equal(came, lines);
    free(came);
}

/* -- Cases ------------------------------------------------------------------------------------- */

void conforms_and_puts_each_value_as_a_line(void **state)
{
    static const isw_named_value members[] = {
        { { "a", 1 }, { .type = ISW_VALUE_INT, .as.integer = 1 } },
    };
    const isw_value values[] = {
        isw_value_string("one\ntwo"),
        { .type = ISW_VALUE_JSON, .as.string = isw_str_of("[1, 2]") },
        { .type = ISW_VALUE_INT, .as.integer = -3 },
        { .type = ISW_VALUE_BYTES, .as.bytes = { "b\n", 2 } },
        { .type = ISW_VALUE_MAP, .as.map = { members, 1 } },
    };
    conforming_output o;
    isw_error error = { ISW_OK, "" };

    (void)state;
    conforming_open(&o);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(conforming_put(&o, &values[i], &error), ISW_OK);
    assert_came(&o, "\"one\\ntwo\"\n[1, 2]\n-3\n\"b\\n\"\n{\"a\":1}\n");
    assert_int_equal(((made_host *)o.host)->said, 0);
    conforming_close(&o);
}

/* As isw_queue_put has it; and with options that are none, which are not looked at. */
void conforms_and_puts_of_a_message_its_body(void **state)
{
    const isw_named_value options[] = { isw_named("priority", isw_value_int(1000)) };
    const isw_named_value whole[] = { isw_named("$queue", isw_value_map(options, 1)),
                                      isw_named("body", isw_value_string("body")) };
    const isw_named_value plain[] = { isw_named("$queue", isw_value_map(NULL, 0)),
                                      isw_named("body", isw_value_int(7)) };
    const isw_value values[] = { isw_value_map(whole, 2), isw_value_map(plain, 2) };
    conforming_output o;
    isw_error error = { ISW_OK, "" };

    (void)state;
    conforming_open(&o);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(conforming_put(&o, &values[i], &error), ISW_OK);
    assert_came(&o, "\"body\"\n7\n");
    assert_int_equal(((made_host *)o.host)->said, 2);
    conforming_close(&o);
}

/* A line that is written in pieces would be mixed with others. */
static void *put_a_share(void *user)
{
    conforming_output *o = user;
    char wide[WIDE + 1];
    isw_value value;
    isw_error error = { ISW_OK, "" };
    size_t taken = 0;

    memset(wide, 'x', WIDE);
    wide[WIDE] = '\0';
    value = isw_value_string(wide);
    for (int i = 0; i < SHARE; i++)
        taken += conforming_put(o, &value, &error) == ISW_OK;
    return (void *)(uintptr_t)taken;
}

void conforms_when_threads_share_it(void **state)
{
    pthread_t threads[THREADS];
    conforming_output o;
    size_t taken = 0;
    size_t lines = 0;
    char *came;

    (void)state;
    conforming_open(&o);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_a_share, &o), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        taken += (uintptr_t)result;
    }
    assert_int_equal(taken, THREADS * SHARE);
    came = conforming_read(&o);
    for (const char *at = came; *at; at += WIDE + 3, lines++) {
        assert_true(at[0] == '"' && strspn(at + 1, "x") == WIDE);
        assert_memory_equal(at + 1 + WIDE, "\"\n", 2);
    }
    assert_int_equal(lines, THREADS * SHARE);
    free(came);
    conforming_close(&o);
}

void conforms_when_outputs_share_where_it_goes(void **state)
{
    isw_pairs pairs = pairs_of(subject.given);
    const isw_value first = isw_value_string("first");
    const isw_value second = isw_value_string("second");
    conforming_output o;
    isw_error error = { ISW_OK, "" };
    iswi_sink_item item;
    void *other;

    (void)state;
    conforming_open(&o);
    assert_int_equal(try_pairs(o.host, &pairs, &other, &error), ISW_OK);
    item = o.item;
    item.value = &second;
    assert_int_equal(conforming_put(&o, &first, &error), ISW_OK);
    assert_int_equal(subject.sink->put(other, &item, &error), ISW_OK);
    close_self(other);
    assert_int_equal(conforming_put(&o, &first, &error), ISW_OK);
    assert_came(&o, "\"first\"\n\"second\"\n\"first\"\n");
    conforming_close(&o);
}

/* One that it does not take beside those it does, and each value that it refuses. */
void conforms_and_refuses_properties(void **state)
{
    isw_pair pairs[PAIRS_MAX] = { { isw_str_of("strange"), isw_str_of("x") } };
    size_t count = pairs_of(subject.given).count;
    conforming_output o;
    isw_error error = { ISW_OK, "" };

    (void)state;
    conforming_open(&o);
    if (count)
        memcpy(pairs + 1, subject.given, count * sizeof pairs[0]);
    assert_int_equal(conforming_try(&o, pairs, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "no property \"strange\"; it takes "));
    for (const isw_pair *wrong = subject.wrong; wrong && wrong->name.size; wrong++) {
        error.status = ISW_OK;
        memcpy(pairs, subject.given, count * sizeof pairs[0]);
        pairs[0] = *wrong;
        pairs[count] = (isw_pair){ { "", 0 }, { "", 0 } };
        assert_int_equal(conforming_try(&o, pairs, &error), ISW_E_CONFIG);
        assert_true(error.message[0] != '\0');
    }
    conforming_close(&o);
}

/* Whatever fails, a value is whole or not there, and what is not there is told. */
void conforms_and_tells_when_memory_is_out(void **state)
{
    const isw_value value = isw_value_string("value");
    conforming_output o;
    isw_status status = ISW_E_NO_MEMORY;

    (void)state;
    conforming_open(&o);
    for (size_t fail_at = 1; status != ISW_OK && fail_at < CALLS_MOST; fail_at++) {
        isw_error error = { ISW_OK, "" };
        counter count;

        counter_init(&count, fail_at);
        status = conforming_put(&o, &value, &error);
        counter_fini(&count);
        assert_int_equal(error.status, status);
        assert_came(&o, status == ISW_OK ? "\"value\"\n" : "");
    }
    assert_int_equal(status, ISW_OK);
    conforming_close(&o);
}
