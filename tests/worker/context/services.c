/* SPDX-License-Identifier: Apache-2.0 */
/* Services: made at first use, with what they need, and destroyed in time. */
#include "worker/support.h"

#include "worker/registry/worker.h"

#include <isoworker/sys/store.h>
#include <isoworker/testing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

typedef char text; /* what the services are */

static char trace[256];
static isw_status fate; /* of what `create` makes */

/* A service is its own name; each creation and destruction leaves a trace. */
static isw_status create(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)from;
    snprintf(trace + strlen(trace), sizeof trace - strlen(trace), "+%s ", (const char *)user);
    if (fate != ISW_OK)
        return isw_error_set(error, fate, "the disk is full");
    *out = user;
    return ISW_OK;
}

static void destroy(void *service, void *user)
{
    assert_ptr_equal(service, user);
    snprintf(trace + strlen(trace), sizeof trace - strlen(trace), "-%s ", (const char *)user);
}

/* Makes what its first need is, then itself. */
static isw_status create_above(isw_resolver *from, void *user, void **out, isw_error *error)
{
    static const char *const below[][2] = { { "top", "middle" }, { "middle", "bottom" } };

    for (size_t i = 0; i < 2; i++)
        if (strcmp(user, below[i][0]) == 0 && !isw_resolver_service(from, below[i][1], "text"))
            return ISW_E_UNAVAILABLE;
    return create(from, user, out, error);
}

#define SERVICE(text, life, make, ...)                                                       \
    { .name = (text), .type = "text", .lifetime = (life), .create = (make),                  \
      .destroy = destroy, .user = (text), .needs = (const char *const[]){ __VA_ARGS__, NULL } }

static isw_handler_fn handler;

static isw_status call_handler(isw_context *ctx)
{
    return handler(ctx);
}

static const isw_function functions[] = {
    { .name = "f", .trigger = ISW_TRIGGER("timer", NULL), .handler = call_handler },
    { 0 },
};

static isw_worker *worker;

static isw_status make(const isw_service *services, isw_error *error)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    const isw_app app = { .functions = functions, .services = services };
    isw_status status;

    options.config_text = "worker: {}\n";
    trace[0] = '\0';
    fate = ISW_OK;
    assert_int_equal(isw_worker_create(&options, &worker, error), ISW_OK);
    status = isw_worker_add_app(worker, &app, error);
    return status == ISW_OK ? isw_worker_configure(worker, error) : status;
}

static void start(const isw_service *services)
{
    isw_error error = { 0 };

    if (make(services, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

/* The failure's sentence, or "" for a success. */
static const char *run_handler(isw_handler_fn with)
{
    static char message[512];
    isw_invocation result;
    isw_error error = { 0 };

    handler = with;
    assert_int_equal(isw_worker_invoke(worker, "f", NULL, &result, &error), ISW_OK);
    snprintf(message, sizeof message, "%s",
             result.outcome == ISW_OUTCOME_SUCCESS ? "" : result.failure.message);
    isw_invocation_free(&result);
    return message;
}

static void assert_refused(const isw_service *services, isw_status status, const char *message)
{
    isw_error error = { 0 };

    assert_int_equal(make(services, &error), status);
    assert_string_equal(error.message, message);
    isw_worker_destroy(worker);
}

/* -- Lifetimes --------------------------------------------------------------------------------- */

static isw_status asks_twice(isw_context *ctx)
{
    assert_string_equal(isw_context_service(ctx, "a", "text"), "a");
    assert_string_equal(isw_context_service(ctx, "a", "text"), "a");
    strcat(trace, "| ");
    return ISW_OK;
}

static void a_singleton_is_made_at_first_use_and_ends_with_the_worker(void **state)
{
    const isw_service services[] = { SERVICE("a", ISW_SINGLETON, create, NULL), { 0 } };

    (void)state;
    start(services);
    assert_string_equal(trace, "");
    run_handler(asks_twice);
    run_handler(asks_twice);
    isw_worker_destroy(worker);
    assert_string_equal(trace, "+a | | -a ");
}

static void one_for_each_invocation_ends_with_it(void **state)
{
    const isw_service services[] = { SERVICE("a", ISW_PER_INVOCATION, create, NULL), { 0 } };

    (void)state;
    start(services);
    run_handler(asks_twice);
    run_handler(asks_twice);
    assert_string_equal(trace, "+a | -a +a | -a ");
    isw_worker_destroy(worker);
}

static void one_for_each_call_is_made_each_time(void **state)
{
    const isw_service services[] = { SERVICE("a", ISW_PER_CALL, create, NULL), { 0 } };

    (void)state;
    start(services);
    run_handler(asks_twice);
    assert_string_equal(trace, "+a +a | -a -a ");
    isw_worker_destroy(worker);
}

static isw_status asks_for_the_top(isw_context *ctx)
{
    return ISW_SERVICE(ctx, text, "top") ? ISW_OK : ISW_E_UNAVAILABLE;
}

static void what_is_needed_is_made_before_and_destroyed_after(void **state)
{
    const isw_service services[] = { SERVICE("top", ISW_PER_INVOCATION, create_above, "middle"),
                                     SERVICE("middle", ISW_PER_CALL, create_above, "bottom"),
                                     SERVICE("bottom", ISW_SINGLETON, create, NULL),
                                     { 0 } };

    (void)state;
    start(services);
    assert_string_equal(run_handler(asks_for_the_top), "");
    assert_string_equal(trace, "+bottom +middle +top -top -middle ");
    isw_worker_destroy(worker);
    assert_string_equal(trace, "+bottom +middle +top -top -middle -bottom ");
}

/* -- Failing ----------------------------------------------------------------------------------- */

static void a_create_that_fails_fails_the_invocation_by_name(void **state)
{
    const isw_service services[] = { SERVICE("top", ISW_PER_INVOCATION, create_above, "middle"),
                                     SERVICE("middle", ISW_SINGLETON, create_above, "bottom"),
                                     SERVICE("bottom", ISW_SINGLETON, create, NULL),
                                     { 0 } };

    (void)state;
    start(services);
    fate = ISW_E_IO;
    assert_string_equal(run_handler(asks_for_the_top),
                        "service top: service middle: service bottom: the disk is full");
    assert_string_equal(trace, "+bottom ");
    fate = ISW_OK;
    assert_string_equal(run_handler(asks_for_the_top), ""); /* tried again */
    isw_worker_destroy(worker);
}

static isw_status ignores_it(isw_context *ctx)
{
    isw_context_service(ctx, "top", "number");
    return ISW_OK;
}

static isw_status asks_for_nothing_known(isw_context *ctx)
{
    isw_context_service(ctx, "tap", "text");
    return ISW_OK;
}

static void a_wrong_name_or_type_says_what_is_there(void **state)
{
    const isw_service services[] = { SERVICE("top", ISW_SINGLETON, create, NULL),
                                     SERVICE("bottom", ISW_SINGLETON, create, NULL),
                                     { 0 } };

    (void)state;
    start(services);
    assert_string_equal(run_handler(ignores_it), "service top is of type text, not number");
    assert_string_equal(run_handler(asks_for_nothing_known),
                        "there is no service \"tap\"; known: bottom, top");
    isw_worker_destroy(worker);
}

static isw_status create_in_secret(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)user;
    (void)out;
    (void)error;
    return isw_resolver_service(from, "bottom", "text") ? ISW_OK : ISW_E_INVALID;
}

static void a_need_that_was_not_named_is_refused(void **state)
{
    const isw_service services[] = { SERVICE("top", ISW_SINGLETON, create_in_secret, NULL),
                                     SERVICE("bottom", ISW_SINGLETON, create, NULL),
                                     { 0 } };

    (void)state;
    start(services);
    assert_string_equal(run_handler(asks_for_the_top),
                        "service top: it asks for \"bottom\", which its `needs` lacks");
    isw_worker_destroy(worker);
}

static void needs_that_cannot_be_met_are_refused_at_the_start(void **state)
{
    const isw_service unknown[] = { SERVICE("a", ISW_SINGLETON, create, "z"), { 0 } };
    const isw_service cycle[] = { SERVICE("a", ISW_SINGLETON, create, "b"),
                                  SERVICE("b", ISW_SINGLETON, create, "c"),
                                  SERVICE("c", ISW_PER_CALL, create, "b"),
                                  { 0 } };
    const isw_service shorter[] = { SERVICE("a", ISW_SINGLETON, create, "b"),
                                    SERVICE("b", ISW_PER_CALL, create, "c"),
                                    SERVICE("c", ISW_PER_INVOCATION, create, NULL),
                                    { 0 } };

    (void)state;
    assert_refused(unknown, ISW_E_CONFIG, "service a needs \"z\", which is not there");
    assert_refused(cycle, ISW_E_CONFIG,
                   "service a needs b needs c needs b: a service cannot need itself");
    assert_refused(shorter, ISW_E_CONFIG,
                   "service a needs b needs c: a singleton or a health check cannot need what lives "
                   "for one invocation");
}

static void a_service_can_be_added_alone(void **state)
{
    const isw_service service = SERVICE("a", ISW_SINGLETON, create, NULL);
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_service(worker, &service, &error), ISW_OK);
    assert_int_equal(isw_worker_add_service(worker, &service, &error), ISW_E_CONFLICT);
    isw_worker_destroy(worker);
}

static void what_is_no_service_is_refused(void **state)
{
    const isw_service twice[] = { SERVICE("a", ISW_SINGLETON, create, NULL),
                                  SERVICE("a", ISW_SINGLETON, create, NULL),
                                  { 0 } };
    const isw_service bare[] = { { .name = "a", .type = "text" }, { 0 } };

    (void)state;
    assert_refused(twice, ISW_E_CONFLICT, "there are two services named \"a\"");
    assert_refused(bare, ISW_E_INVALID, "service \"a\" has no create");
}

/* -- At the start ------------------------------------------------------------------------------ */

static isw_status create_nothing(isw_resolver *from, void *user, void **out, isw_error *error)
{
    create(from, user, out, error);
    *out = NULL;
    return fate;
}

static void destroy_nothing(void *service, void *user)
{
    assert_null(service);
    snprintf(trace + strlen(trace), sizeof trace - strlen(trace), "-%s ", (const char *)user);
}

#define HOOK(text)                                                                            \
    { .name = (text), .lifetime = ISW_EAGER_SINGLETON, .create = create_nothing,              \
      .destroy = destroy_nothing, .user = (text) }

static isw_status leaves_a_mark(isw_context *ctx)
{
    (void)ctx;
    strcat(trace, "| ");
    return ISW_OK;
}

static void what_is_eager_is_made_in_its_order_before_the_first_call(void **state)
{
    const isw_service services[] = { HOOK("z"),
                                     SERVICE("top", ISW_EAGER_SINGLETON, create_above, "middle"),
                                     SERVICE("middle", ISW_SINGLETON, create_above, "bottom"),
                                     SERVICE("bottom", ISW_EAGER_SINGLETON, create, NULL),
                                     SERVICE("lazy", ISW_SINGLETON, create, NULL),
                                     { 0 } };

    (void)state;
    start(services);
    assert_string_equal(trace, ""); /* to configure is not to start */
    run_handler(leaves_a_mark);
    run_handler(asks_for_the_top);
    isw_worker_destroy(worker);
    assert_string_equal(trace, "+z +bottom +middle +top | -top -middle -bottom -z ");
}

static void what_may_be_there_before_a_fork_is_made_first_and_the_rest_behind_it(void **state)
{
    const isw_service services[] = { HOOK("z"),
                                     SERVICE("middle", ISW_PRELOADED_SINGLETON, create_above, "bottom"),
                                     SERVICE("bottom", ISW_PRELOADED_SINGLETON, create, NULL),
                                     { 0 } };
    isw_error error = { 0 };

    (void)state;
    start(services);
    assert_int_equal(iswi_services_preload(worker->shared.services, &error), ISW_OK);
    assert_string_equal(trace, "+bottom +middle ");
    run_handler(leaves_a_mark);
    isw_worker_destroy(worker);
    assert_string_equal(trace, "+bottom +middle +z | -z -middle -bottom ");
}

static void what_is_made_before_a_fork_needs_only_what_is_too(void **state)
{
    const isw_service services[] = { SERVICE("middle", ISW_PRELOADED_SINGLETON, create_above, "bottom"),
                                     SERVICE("bottom", ISW_EAGER_SINGLETON, create, NULL),
                                     { 0 } };
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(make(services, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "service middle needs bottom: what is made before a fork can "
                                          "need only what is"));
    isw_worker_destroy(worker);
}

static void an_eager_service_that_fails_keeps_the_worker_from_starting(void **state)
{
    const isw_service services[] = { SERVICE("top", ISW_EAGER_SINGLETON, create_above, "middle"),
                                     SERVICE("middle", ISW_SINGLETON, create_above, "bottom"),
                                     SERVICE("bottom", ISW_SINGLETON, create, NULL),
                                     { 0 } };
    isw_invocation result;
    isw_error error = { 0 };

    (void)state;
    start(services);
    fate = ISW_E_IO;
    assert_int_equal(isw_worker_invoke(worker, "f", NULL, &result, &error), ISW_E_IO);
    assert_string_equal(error.message,
                        "service top: service middle: service bottom: the disk is full");
    fate = ISW_OK;
    assert_string_equal(run_handler(asks_for_the_top), ""); /* tried again */
    isw_worker_destroy(worker);
}

static void a_test_has_what_is_eager_from_its_begin(void **state)
{
    const isw_service services[] = { SERVICE("a", ISW_EAGER_SINGLETON, create, NULL), { 0 } };
    isw_error error = { 0 };
    isw_test *test;

    (void)state;
    assert_int_equal(make(services, &error), ISW_OK);
    assert_int_equal(isw_test_create(worker, &test, &error), ISW_OK);
    assert_string_equal(trace, "+a ");
    isw_test_destroy(test);
    assert_string_equal(trace, "+a -a ");
    assert_int_equal(make(services, &error), ISW_OK);
    fate = ISW_E_IO;
    assert_int_equal(isw_test_create(worker, &test, &error), ISW_E_IO);
    assert_string_equal(error.message, "service a: the disk is full");
    isw_worker_destroy(worker);
}

static isw_status asks_for_a_hook(isw_context *ctx)
{
    return isw_context_service(ctx, "a", "text") ? ISW_OK : ISW_E_UNAVAILABLE;
}

static void what_has_no_type_is_made_at_the_start_or_not_at_all(void **state)
{
    const isw_service hook[] = { HOOK("a"), { 0 } };
    const isw_service bare[] = { { .name = "a", .create = create }, { 0 } };
    const isw_service odd[] = { { .name = "a", .type = "text", .lifetime = (isw_lifetime)77,
                                  .create = create },
                                { 0 } };

    (void)state;
    start(hook);
    assert_string_equal(run_handler(asks_for_a_hook), "service a is of no type, not text");
    isw_worker_destroy(worker);
    assert_refused(bare, ISW_E_INVALID, "service \"a\" has no type");
    assert_refused(odd, ISW_E_INVALID, "service \"a\" has no lifetime that this library knows");
}

/* -- Health ------------------------------------------------------------------------------------ */

#define CHECK(text, ...)                                                                      \
    { .name = (text), .lifetime = ISW_HEALTH_CHECK, .create = create, .destroy = destroy,     \
      .user = (text), .needs = (const char *const[]){ __VA_ARGS__, NULL } }

static void a_test_makes_health_checks(void **state)
{
    const isw_service services[] = { CHECK("net", NULL), CHECK("disk", NULL), { 0 } };
    isw_error error = { 0 };
    isw_test *test;

    (void)state;
    assert_int_equal(make(services, &error), ISW_OK);
    assert_int_equal(isw_test_create(worker, &test, &error), ISW_OK);
    assert_string_equal(trace, ""); /* none is made at the start */
    assert_null(isw_test_health(test));
    assert_string_equal(trace, "+net -net +disk -disk ");
    fate = ISW_E_IO;
    assert_string_equal(isw_test_health(test),
                        "health check net: the disk is full; health check disk: the disk is full");
    isw_test_destroy(test);
}

static isw_status asks_for_a_check(isw_context *ctx)
{
    return isw_context_service(ctx, "disk", "text") ? ISW_OK : ISW_E_UNAVAILABLE;
}

static void a_health_check_is_for_nobody_to_use(void **state)
{
    const isw_service alone[] = { CHECK("disk", NULL), { 0 } };
    const isw_service needed[] = { CHECK("disk", NULL), SERVICE("a", ISW_PER_CALL, create, "disk"),
                                   { 0 } };
    const isw_service needs[] = { CHECK("disk", "b"), SERVICE("b", ISW_PER_CALL, create, "c"),
                                  SERVICE("c", ISW_PER_INVOCATION, create, NULL),
                                  { 0 } };

    (void)state;
    start(alone);
    assert_string_equal(run_handler(asks_for_a_check),
                        "service disk is a health check, for nobody to use");
    isw_worker_destroy(worker);
    assert_refused(needed, ISW_E_CONFIG,
                   "service a needs disk: a health check is nothing that others can need");
    assert_refused(needs, ISW_E_CONFIG,
                   "service disk needs b needs c: a singleton or a health check cannot need what "
                   "lives for one invocation");
}

/* -- Replacing, contexts, threads -------------------------------------------------------------- */

static isw_status expects_the_other(isw_context *ctx)
{
    assert_string_equal(isw_context_service(ctx, "a", "text"), "another");
    return ISW_OK;
}

static void a_service_can_be_replaced_by_one_of_its_type(void **state)
{
    const isw_service services[] = { SERVICE("a", ISW_SINGLETON, create, NULL), { 0 } };
    const isw_service other = { .name = "a", .type = "text", .create = isw_service_user,
                                .user = "another" };
    const isw_service odd = { .name = "a", .type = "number", .create = isw_service_user };
    const isw_service lost = { .name = "b", .type = "text", .create = isw_service_user };
    const isw_app app = { .functions = functions, .services = services };
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };

    (void)state;
    options.config_text = "worker: {}\n";
    assert_int_equal(isw_worker_create(&options, &worker, NULL), ISW_OK);
    assert_int_equal(isw_worker_add_app(worker, &app, NULL), ISW_OK);
    assert_int_equal(isw_worker_replace_service(worker, &odd, &error), ISW_E_INVALID);
    assert_string_equal(error.message,
                        "service a is of type text and cannot be replaced by one of type number");
    assert_int_equal(isw_worker_replace_service(worker, &lost, NULL), ISW_E_NOT_FOUND);
    assert_int_equal(isw_worker_replace_service(worker, &other, NULL), ISW_OK);
    assert_string_equal(run_handler(expects_the_other), "");
    isw_worker_destroy(worker);
}

static isw_status create_for(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)user;
    (void)error;
    *out = isw_resolver_context(from);
    return *out ? ISW_OK : ISW_E_INTERNAL;
}

static void see_the_end(void *service, void *user)
{
    const isw_failure *failure = isw_context_failure(service);

    (void)user;
    strcat(trace, failure ? failure->message : "success");
}

static isw_status fails_in_the_end(isw_context *ctx)
{
    assert_ptr_equal(isw_context_service(ctx, "a", "isw_context"), ctx);
    return isw_fail(ctx, ISW_E_INVALID, "in the end");
}

static void a_service_of_an_invocation_learns_how_it_ended(void **state)
{
    const isw_service services[] = { { .name = "a", .type = "isw_context",
                                       .lifetime = ISW_PER_INVOCATION, .create = create_for,
                                       .destroy = see_the_end },
                                     { 0 } };

    (void)state;
    start(services);
    run_handler(fails_in_the_end);
    assert_string_equal(trace, "in the end");
    isw_worker_destroy(worker);
}

/* -- Stores ------------------------------------------------------------------------------------ */

/* The service is the store that it has opened; `user` says what for. */
static isw_status open_store(isw_resolver *from, void *user, void **out, isw_error *error)
{
    const isw_store_options options = { sizeof options, 8, 0 };

    return isw_store_open_for(from, user, &options, (isw_store **)out, error);
}

static void close_store(void *service, void *user)
{
    (void)user;
    isw_store_close(service);
}

#define STORING(text, life)                                                                  \
    { .name = (text), .type = "isw_store", .lifetime = (life), .create = open_store,         \
      .destroy = close_store, .user = "what" }

static isw_status counts_up(isw_context *ctx)
{
    const isw_store_step step = { 1, INT64_MIN, INT64_MAX, 60000, true };
    const isw_str name = isw_str_of("n");
    isw_store *store = ISW_SERVICE(ctx, isw_store, "a");
    isw_store *other = ISW_SERVICE(ctx, isw_store, "b");
    int64_t value = 0;

    assert_non_null(store);
    assert_non_null(other);
    for (int i = 0; i < 3; i++)
        assert_int_equal(isw_store_add(store, (isw_store_key){ &name, 1 }, &step, &value, NULL),
                         ISW_OK);
    assert_int_equal(value, 3);
    assert_int_equal(isw_store_add(other, (isw_store_key){ &name, 1 }, &step, &value, NULL), ISW_OK);
    assert_int_equal(value, 1);
    return ISW_OK;
}

static isw_status asks_for_a_store(isw_context *ctx)
{
    return ISW_SERVICE(ctx, isw_store, "a") ? ISW_OK : ISW_E_UNAVAILABLE;
}

static void a_singleton_has_a_store_of_its_own(void **state)
{
    const isw_service services[] = { STORING("a", ISW_SINGLETON), STORING("b", ISW_EAGER_SINGLETON),
                                     { 0 } };

    (void)state;
    start(services);
    assert_string_equal(run_handler(counts_up), "");
    isw_worker_destroy(worker);
}

static void what_lives_shorter_has_no_store(void **state)
{
    const isw_service services[] = { STORING("a", ISW_PER_INVOCATION), { 0 } };

    (void)state;
    start(services);
    assert_string_equal(run_handler(asks_for_a_store), "service a: a store is for singletons");
    isw_worker_destroy(worker);
}

static atomic_int creations;
static pthread_barrier_t together;

static isw_status count(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)from;
    (void)error;
    atomic_fetch_add(&creations, 1);
    *out = user;
    return ISW_OK;
}

static isw_status asks_at_once(isw_context *ctx)
{
    pthread_barrier_wait(&together);
    return isw_context_service(ctx, "a", "text") ? ISW_OK : ISW_E_INTERNAL;
}

static void *invoke_once(void *user)
{
    isw_invocation result;
    isw_error error = { 0 };

    (void)user;
    if (isw_worker_invoke(worker, "f", NULL, &result, &error) == ISW_OK)
        isw_invocation_free(&result);
    return NULL;
}

static void threads_that_ask_at_once_get_one_singleton(void **state)
{
    const isw_service services[] = { { .name = "a", .type = "text", .create = count, .user = "a" },
                                     { 0 } };
    pthread_t threads[4];

    (void)state;
    start(services);
    handler = asks_at_once;
    atomic_store(&creations, 0);
    pthread_barrier_init(&together, NULL, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, invoke_once, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&creations), 1);
    pthread_barrier_destroy(&together);
    isw_worker_destroy(worker);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_singleton_is_made_at_first_use_and_ends_with_the_worker),
    cmocka_unit_test(one_for_each_invocation_ends_with_it),
    cmocka_unit_test(one_for_each_call_is_made_each_time),
    cmocka_unit_test(what_is_needed_is_made_before_and_destroyed_after),
    cmocka_unit_test(a_create_that_fails_fails_the_invocation_by_name),
    cmocka_unit_test(a_wrong_name_or_type_says_what_is_there),
    cmocka_unit_test(a_need_that_was_not_named_is_refused),
    cmocka_unit_test(needs_that_cannot_be_met_are_refused_at_the_start),
    cmocka_unit_test(a_service_can_be_added_alone),
    cmocka_unit_test(what_is_no_service_is_refused),
    cmocka_unit_test(what_is_eager_is_made_in_its_order_before_the_first_call),
    cmocka_unit_test(what_may_be_there_before_a_fork_is_made_first_and_the_rest_behind_it),
    cmocka_unit_test(what_is_made_before_a_fork_needs_only_what_is_too),
    cmocka_unit_test(an_eager_service_that_fails_keeps_the_worker_from_starting),
    cmocka_unit_test(a_test_has_what_is_eager_from_its_begin),
    cmocka_unit_test(what_has_no_type_is_made_at_the_start_or_not_at_all),
    cmocka_unit_test(a_test_makes_health_checks),
    cmocka_unit_test(a_health_check_is_for_nobody_to_use),
    cmocka_unit_test(a_service_can_be_replaced_by_one_of_its_type),
    cmocka_unit_test(a_service_of_an_invocation_learns_how_it_ended),
    cmocka_unit_test(a_singleton_has_a_store_of_its_own),
    cmocka_unit_test(what_lives_shorter_has_no_store),
    cmocka_unit_test(threads_that_ask_at_once_get_one_singleton),
};

ISW_TEST_MAIN(tests)
