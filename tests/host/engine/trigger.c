/* SPDX-License-Identifier: Apache-2.0 */
/* A trigger that is written apart from the tree: what comes in is a call of a function of this
 * file. The engine hears of it by its table alone. */
#include "host/trigger_conformance.h"

#include "host/engine/steer.h"
#include "host/engine/triggers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* -- The trigger ------------------------------------------------------------------------------- */

typedef struct dummy_settings {
    const char *greeting;
} dummy_settings;

typedef struct dummy_properties {
    const char *flavour;
    int64_t every_ms;
} dummy_properties;

static const isw_option setting_rows[] = {
    { .name = "greeting", .type = ISW_OPTION_STRING, .default_value = "hello",
      .offset = offsetof(dummy_settings, greeting), .help = "what it says" },
    { 0 },
};

static const isw_option property_rows[] = {
    { .name = "flavour", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(dummy_properties, flavour), .help = "of it" },
    { .name = "every", .type = ISW_OPTION_DURATION, .default_value = "5s", .min = 1000,
      .max = 60000, .offset = offsetof(dummy_properties, every_ms), .help = "how often" },
    { 0 },
};

static const iswi_settings_group group = {
    .name = "dummy",
    .summary = "a trigger of a test",
    .options = setting_rows,
    .size = sizeof(dummy_settings),
};

typedef struct dummy_set {
    iswi_entry **entries;
    size_t count;
} dummy_set;

typedef struct dummy {
    iswi_host *host;
    const dummy_settings *settings;
    pthread_mutex_t lock; /* of what follows */
    dummy_set *set;
    bool closed;
    bool held;
    size_t admitted;
    unsigned tended, asked; /* how often */
    pthread_cond_t changed; /* one of the two */
} dummy;

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    dummy *d = calloc(1, sizeof *d);

    if (!d)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory");
    d->host = with->host;
    d->settings = with->settings;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    *self = d;
    return ISW_OK;
}

static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **out)
{
    dummy_set *set = calloc(1, sizeof *set);

    (void)refuse;
    (void)user;
    if (!set || !(set->entries = calloc(count + 1, sizeof(iswi_entry *)))) {
        free(set);
        return ISW_E_NO_MEMORY;
    }
    memcpy(set->entries, entries, count * sizeof(iswi_entry *));
    set->count = count;
    *out = set;
    return ISW_OK;
}

static void discard(void *user)
{
    dummy_set *set = user;

    if (set)
        free(set->entries);
    free(set);
}

static void publish(void *self, void *set, iswi_more more)
{
    dummy *d = self;

    (void)more;
    pthread_mutex_lock(&d->lock);
    discard(d->set);
    d->set = set;
    pthread_mutex_unlock(&d->lock);
}

static void hold(void *self, bool on)
{
    dummy *d = self;

    pthread_mutex_lock(&d->lock);
    d->held = on;
    pthread_mutex_unlock(&d->lock);
}

/* Each millisecond, until it was ten times. */
static void tend(void *self, bool by_wish, int64_t now_ns, int64_t *next_ns)
{
    dummy *d = self;

    pthread_mutex_lock(&d->lock);
    d->asked += by_wish;
    if (++d->tended < 10 && now_ns + 1000000 < *next_ns)
        *next_ns = now_ns + 1000000;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void quiesce(void *self)
{
    dummy *d = self;

    pthread_mutex_lock(&d->lock);
    d->closed = true;
    pthread_mutex_unlock(&d->lock);
}

static size_t admitted(void *self)
{
    dummy *d = self;
    size_t count;

    pthread_mutex_lock(&d->lock);
    count = d->admitted;
    pthread_mutex_unlock(&d->lock);
    return count;
}

static void stop(void *self)
{
    dummy *d = self;

    discard(d->set);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    const dummy *d = self;

    (void)entry;
    out->text = iswi_arena_printf(arena, "says %s", d->settings->greeting);
}

static const iswi_trigger dummy_trigger = {
    .type = "dummy",
    .title = "the dummy",
    .properties = property_rows,
    .properties_size = sizeof(dummy_properties),
    .settings = &group,
    .start = start,
    .arrange = arrange,
    .discard = discard,
    .publish = publish,
    .hold = hold,
    .tend = tend,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .tell = tell,
};

/* -- What comes in ----------------------------------------------------------------------------- */

typedef struct event {
    dummy *of;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    asked *asked;
    bool taken;
    isw_outcome outcome;
} event;

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    event *e = user;

    (void)invocation_id;
    pthread_mutex_lock(&e->of->lock);
    e->of->admitted--;
    pthread_mutex_unlock(&e->of->lock);
    pthread_mutex_lock(&e->lock);
    e->asked->answers++;
    e->outcome = answer->outcome;
    iswi_answer_release(answer->held);
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

/* The entry, counted as admitted; NULL: it is not taken. */
static iswi_entry *admit(dummy *d, const char *function)
{
    iswi_entry *found = NULL;

    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; d->set && !d->held && !d->closed && i < d->set->count; i++)
        if (strcmp(d->set->entries[i]->name, function) == 0)
            found = d->set->entries[i];
    d->admitted += found != NULL;
    pthread_mutex_unlock(&d->lock);
    return found;
}

static void begin(iswi_host *host, const char *function, asked *of)
{
    event *e = calloc(1, sizeof *e);
    iswi_entry *entry;
    void *self;

    iswi_host_trigger(host, 0, &self);
    *e = (event){ .of = self, .asked = of };
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, NULL);
    of->own = e;
    entry = admit(self, function);
    e->taken = entry != NULL;
    if (entry)
        iswi_call_start(host, &(iswi_call){ .function = entry->function,
                                            .trigger = isw_value_string("an event"),
                                            .answer = on_answer,
                                            .user = e });
}

static bool end(asked *of)
{
    event *e = of->own;
    bool succeeded;

    pthread_mutex_lock(&e->lock);
    if (!e->taken)
        of->answers++;
    while (!of->answers)
        pthread_cond_wait(&e->changed, &e->lock);
    succeeded = e->taken && e->outcome == ISW_OUTCOME_SUCCESS;
    pthread_mutex_unlock(&e->lock);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    free(e);
    return succeeded;
}

const conforming_trigger subject = {
    .trigger = &dummy_trigger,
    .yaml = "dummy: {greeting: good morning}",
    .misspelt = "flavor",
    .meant = "flavour",
    .begin = begin,
    .end = end,
};

/* -- Besides ----------------------------------------------------------------------------------- */

static void its_group_of_host_yaml_is_read_by_its_table(void **state)
{
    isw_error error = { ISW_OK, "" };
    conforming_host h;

    (void)state;
    assert_int_equal(conforming_start(&h, "dummy: {greting: x}", "dummy", false, &error),
                     ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "host.yaml:1:9: unknown option \"greting\" in \"dummy\"; "
                                          "did you mean \"greeting\"?"));
    error.status = ISW_OK;
    assert_int_equal(conforming_start(&h, "dummy: {greeting: moin}", "dummy", false, &error),
                     ISW_OK);
    conforming_await_line(&h, "says moin");
    conforming_await_line(&h, "4 functions, Ctrl-C ends");
    conforming_stop(&h);
}

static void a_host_has_the_triggers_of_its_list_and_no_other(void **state)
{
    isw_error error = { ISW_OK, "" };
    conforming_host h;

    (void)state;
    assert_int_equal(conforming_start(&h, "http: {enabled: false}", "dummy", false, &error),
                     ISW_E_CONFIG);
    error.status = ISW_OK;
    assert_int_equal(conforming_start(&h, subject.yaml, "http", false, &error), ISW_OK);
    conforming_await_line(&h, "function echo of worker w is not served: this host has no trigger "
                              "of the type \"http\"; it has dummy");
    conforming_stop(&h);
}

static void a_function_that_streams_is_told_where_no_body_comes_in_pieces(void **state)
{
    isw_error error = { ISW_OK, "" };
    conforming_host h;

    (void)state;
    assert_int_equal(conforming_start(&h, subject.yaml, "dummy", false, &error), ISW_OK);
    conforming_await(&h, "streams");
    conforming_await_line(&h, "function streams of worker w gets each body whole: its trigger "
                              "\"dummy\" sends none in pieces");
    conforming_stop(&h);
}

static unsigned await(dummy *d, const unsigned *count, unsigned least)
{
    unsigned reached;

    pthread_mutex_lock(&d->lock);
    while (*count < least)
        pthread_cond_wait(&d->changed, &d->lock);
    reached = *count;
    pthread_mutex_unlock(&d->lock);
    return reached;
}

static void it_is_tended_when_it_wants_and_hears_of_who_has_files_read(void **state)
{
    isw_error error = { ISW_OK, "" };
    conforming_host h;
    void *self;
    dummy *d;

    (void)state;
    assert_int_equal(conforming_start(&h, subject.yaml, "dummy", false, &error), ISW_OK);
    conforming_await(&h, "echo");
    iswi_host_trigger(h.host, 0, &self);
    d = self;
    assert_true(await(d, &d->tended, 10) >= 10);
    assert_int_equal(d->asked, 0);
    iswi_host_reload(h.host);
    assert_int_equal(await(d, &d->asked, 1), 1);
    iswi_host_reload(h.host);
    assert_int_equal(await(d, &d->asked, 2), 2);
    conforming_stop(&h);
}

/* Of a host that takes the place of another one: nothing is done twice. */
static void one_that_cannot_be_shut_is_held_until_it_is_opened(void **state)
{
    const dummy_settings settings = { .greeting = "" };
    const iswi_trigger_start with = { .settings = &settings, .shut = true };
    iswi_triggers all = { .count = 0 };
    dummy *d;

    (void)state;
    assert_int_equal(iswi_triggers_start(&all, &dummy_trigger, &with, NULL), ISW_OK);
    d = all.items[0].self;
    assert_true(d->held);
    iswi_triggers_open(&all);
    assert_false(d->held);
    iswi_triggers_leave(&all); /* it has no hook for that */
    assert_true(d->closed);
    iswi_triggers_stop(&all);
}

static void assert_refused(const char *name, const char *value, const char *text)
{
    const isw_pair pair = { isw_str_of(name), isw_str_of(value) };
    isw_error error = { ISW_OK, "" };
    const void *out = NULL;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_trigger_properties(&dummy_trigger, &(isw_pairs){ &pair, 1 }, &arena, &out,
                                             &error), ISW_E_CONFIG);
    assert_string_equal(error.message, text);
    assert_null(out);
    iswi_arena_fini(&arena);
}

static void properties_are_held_to_their_rows(void **state)
{
    const isw_pair pairs[] = { { isw_str_of("every"), isw_str_of("2s") } };
    isw_error error = { ISW_OK, "" };
    const void *out = NULL;
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_trigger_properties(&dummy_trigger, &(isw_pairs){ pairs, 1 }, &arena, &out,
                                             &error), ISW_OK);
    assert_int_equal(((const dummy_properties *)out)->every_ms, 2000);
    assert_null(((const dummy_properties *)out)->flavour);
    iswi_arena_fini(&arena);
    assert_refused("every", "soon", "its trigger \"dummy\": property \"every\" must be a duration "
                                    "(250ms, 10s, 5m, 1h) from 1s to 1m, not \"soon\"");
    assert_refused("every", "2m", "its trigger \"dummy\": property \"every\" must be a duration "
                                  "(250ms, 10s, 5m, 1h) from 1s to 1m, not \"2m\"");
    assert_refused("evry", "2s", "its trigger \"dummy\": no property \"evry\"; did you mean "
                                 "\"every\"? it takes flavour, every");
}

static const struct CMUnitTest tests[] = {
    TRIGGER_CONFORMANCE,
    cmocka_unit_test(its_group_of_host_yaml_is_read_by_its_table),
    cmocka_unit_test(a_host_has_the_triggers_of_its_list_and_no_other),
    cmocka_unit_test(a_function_that_streams_is_told_where_no_body_comes_in_pieces),
    cmocka_unit_test(it_is_tended_when_it_wants_and_hears_of_who_has_files_read),
    cmocka_unit_test(one_that_cannot_be_shut_is_held_until_it_is_opened),
    cmocka_unit_test(properties_are_held_to_their_rows),
};

ISW_TEST_MAIN(tests)
