/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of the integration tests: functions that behave badly on request. As a program, and with
 * MODULE as a shared object. */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <string.h>
#include <unistd.h>

static uint32_t ms_of(isw_context *ctx)
{
    const char *ms = isw_http_query(ctx, "ms");

    return ms ? (uint32_t)atoi(ms) : 0;
}

static isw_status hello(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hello, %s!\n", isw_http_param(ctx, "name"));
}

static isw_status pid(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%ld %u", (long)getpid(),
                          (unsigned)isw_context_retry(ctx)->count);
}

static isw_status echo(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    return isw_http_reply_bytes(ctx, 200, isw_http_header(ctx, "content-type"), body.data,
                                body.size);
}

static isw_status header(isw_context *ctx)
{
    const char *value = isw_http_header(ctx, isw_http_param(ctx, "name"));

    return isw_http_reply(ctx, 200, "text/plain", "%s", value ? value : "");
}

/* Who calls, and by what. */
static isw_status caller(isw_context *ctx)
{
    const isw_client_certificate *client = isw_http_client_certificate(ctx);
    const isw_principal *principal = isw_context_principal(ctx);
    const char *names = "";

    for (size_t i = 0; client && i < client->name_count; i++)
        names = isw_context_printf(ctx, "%s %.*s", names, (int)client->names[i].size,
                                   client->names[i].data);
    if (!client)
        return isw_http_reply(ctx, 200, "text/plain", "%s nobody", isw_http_scheme(ctx));
    return isw_http_reply(ctx, 200, "text/plain", "%s <%.*s> <%.*s>%s %zu %d %.*s",
                          isw_http_scheme(ctx), (int)client->subject.size, client->subject.data,
                          (int)client->issuer.size, client->issuer.data, names, client->sha256.size,
                          client->expires_s > 1800000000,
                          principal ? (int)principal->scheme.size : 0,
                          principal ? principal->scheme.data : "");
}

static isw_status fail(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_CONFLICT, "this is for the operator");
}

static isw_status crash(isw_context *ctx)
{
    (void)ctx;
    raise(SIGKILL);
    return ISW_OK;
}

/* Stops when it is cancelled. */
static isw_status nap(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "napping in %ld", (long)getpid());
    if (isw_context_sleep(ctx, ms_of(ctx)) != ISW_OK)
        return isw_fail(ctx, ISW_E_CANCELLED, "woken");
    return isw_http_reply(ctx, 200, "text/plain", "%ld", (long)getpid());
}

/* Does not stop when it is cancelled. */
static isw_status stubborn(isw_context *ctx)
{
    usleep(ms_of(ctx) * 1000);
    return isw_http_reply(ctx, 200, "text/plain", "%ld", (long)getpid());
}

static isw_status deaf(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "napping in %ld", (long)getpid());
    return stubborn(ctx);
}

/* -- Crashes ----------------------------------------------------------------------------------- */

static volatile int zero;

static __attribute__((noinline)) int overflow_the_stack(volatile char *above)
{
    volatile char room[4096];

    room[0] = above[0];
    return zero ? 0 : overflow_the_stack(room) + room[0];
}

/* A page behind the end of its file. */
static __attribute__((noinline)) char read_beyond_a_file(void)
{
    FILE *file = tmpfile();
    const volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);

    return *page;
}

static __attribute__((noinline)) void call_nothing(void)
{
    void (*volatile nothing)(void) = NULL;

    nothing();
}

static isw_status fault(isw_context *ctx)
{
    const char *kind = isw_http_param(ctx, "kind");
    volatile int result = 0;

    if (strcmp(kind, "segv") == 0)
        result = *(volatile int *)8;
    else if (strcmp(kind, "call") == 0)
        call_nothing();
    else if (strcmp(kind, "abort") == 0)
        abort();
    else if (strcmp(kind, "divide") == 0)
        result = 7 / zero;
    else if (strcmp(kind, "bus") == 0)
        result = read_beyond_a_file();
    else if (strcmp(kind, "stack") == 0)
        result = overflow_the_stack((volatile char *)kind);
    else if (strcmp(kind, "heap") == 0)
        free((void *)((uintptr_t)kind + 3)); /* the allocator ends us */
    else if (strcmp(kind, "trap") == 0)
        __builtin_trap();
    return isw_http_reply(ctx, 200, NULL, "%d", result);
}

static isw_status forge(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "first\n12:00:00.000 error host: forged \x1b[31m line");
    printf("printed \x1b[31m by hand\n");
    fflush(stdout);
    return isw_http_reply(ctx, 200, "text/plain", "ok");
}

/* What the caller says, and does not flush it: ?text=, ?line=1 ends it, ?crash=1 crashes then. */
static isw_status prints(isw_context *ctx)
{
    const char *crash = isw_http_query(ctx, "crash");

    printf("%s%s", isw_http_query(ctx, "text"), isw_http_query(ctx, "line") ? "\n" : "");
    isw_context_sleep(ctx, ms_of(ctx));
    if (crash)
        raise(atoi(crash));
    return isw_http_reply(ctx, 200, "text/plain", "%s", isw_context_invocation_id(ctx));
}

/* -- One that never gives borrowed memory back (PROTOCOL.md, section 11) ----------------------- */

enum { LOANS = 1024 }; /* of the host's wide arena, whose words come first */

static void *keep_for_ever(void *user)
{
    _Atomic uint32_t *words = user;

    for (;;) {
        for (unsigned i = 0; i < LOANS; i++)
            atomic_store(&words[i], 1);
        usleep(1000);
    }
    return NULL;
}

static isw_status hoard(isw_context *ctx)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    char *base = NULL;
    pthread_t thread;

    while (maps && !base && fgets(line, sizeof line, maps))
        if (strstr(line, "isoworker-arena"))
            base = (char *)strtoull(line, NULL, 16);
    if (maps)
        fclose(maps);
    if (!base || pthread_create(&thread, NULL, keep_for_ever, base) != 0)
        return isw_fail(ctx, ISW_E_INTERNAL, "there is no arena to hoard in");
    return isw_http_reply(ctx, 200, "text/plain", "mine\n");
}

static isw_status text(isw_context *ctx)
{
    isw_value data = isw_value_json("{\"a\":1}");

    return isw_context_set_result(ctx, &data);
}

static isw_status nothing(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static isw_status later(isw_context *ctx)
{
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 1500);
    return ISW_OK;
}

static isw_status trace(isw_context *ctx)
{
    const isw_trace *given = isw_context_trace(ctx);
    const isw_str *user = isw_pairs_find(&given->baggage, "user");

    return isw_http_reply(ctx, 200, "text/plain", "%.*s%s%.*s", (int)given->parent.size,
                          given->parent.size ? given->parent.data : "", user ? " " : "",
                          user ? (int)user->size : 0, user ? user->data : "");
}

/* A failure with all that one can have. */
static isw_status shape(isw_context *ctx)
{
    isw_fail_as(ctx, &(isw_failure){ .status = ISW_E_UNAVAILABLE,
                                     .message = "the database is locked",
                                     .type = "sqlite.BUSY",
                                     .place = "db.c:12",
                                     .retriable = true });
    return isw_fail_because(ctx, ISW_E_BUSY, "could not place order 7");
}

/* A line on the host's console for each word of the body. */
static isw_status tell(isw_context *ctx)
{
    const isw_value words[] = { isw_value_string("one"), isw_value_int(2) };
    isw_value both = isw_value_array(words, 2);
    isw_status status = isw_context_set_output(ctx, "news", &both);

    return status == ISW_OK ? isw_http_reply(ctx, 200, "text/plain", "told") : status;
}

/* -- Memory: how often the library asked for some ---------------------------------------------- */

static atomic_ulong asked;

#ifndef MODULE
static void *count_and_reallocate(void *user, void *block, size_t size)
{
    (void)user;
    if (!size) {
        free(block);
        return NULL;
    }
    atomic_fetch_add(&asked, 1);
    return realloc(block, size);
}
#endif

static isw_status allocations(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%lu", atomic_load(&asked));
}

/* As much memory of the invocation as the caller says. */
static isw_status fill(isw_context *ctx)
{
    size_t size = (size_t)ms_of(ctx) * 1024;
    char *memory = isw_context_alloc(ctx, size);

    if (!memory)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "no memory");
    memset(memory, 'x', size);
    isw_log(ctx, ISW_LOG_INFO, "%.*s", 300, memory);
    isw_http_set_header(ctx, "x-filled", "yes");
    return isw_http_reply(ctx, 200, "text/plain", "%.*s", (int)size, memory);
}

/* Keep so many MiB for good. */
static isw_status leak(isw_context *ctx)
{
    size_t size = (size_t)ms_of(ctx) << 20;
    char *memory = malloc(size);

    if (memory)
        memset(memory, 'x', size);
    return isw_http_reply(ctx, 200, "text/plain", "%ld %d", (long)getpid(), memory ? memory[0] : 0);
}

/* -- Bodies in pieces -------------------------------------------------------------------------- */

enum { PIECE = 50000 };

static uint32_t sum_of(uint32_t sum, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

/* What was read so far, and its process. */
static isw_status swallow(isw_context *ctx)
{
    unsigned char *piece = isw_context_alloc(ctx, PIECE);
    unsigned long long total = 0;
    uint32_t sum = 0;
    size_t got = 1;

    while (got) {
        isw_status status = isw_http_read(ctx, piece, PIECE, &got);

        if (status != ISW_OK)
            return status;
        if (!total)
            isw_log(ctx, ISW_LOG_INFO, "swallowing");
        total += got;
        sum = sum_of(sum, piece, got);
    }
    return isw_http_reply(ctx, 200, "text/plain", "%llu %u %ld", total, sum, (long)getpid());
}

/* As many KiB as the caller says; byte n of each KiB is n modulo 256. */
static isw_status pour(isw_context *ctx)
{
    unsigned char *piece = isw_context_alloc(ctx, 1024 * 64);
    uint32_t left = ms_of(ctx);
    isw_status status = isw_http_begin(ctx, 200, "application/octet-stream");

    for (size_t i = 0; i < 1024 * 64; i++)
        piece[i] = (unsigned char)i;
    while (status == ISW_OK && left) {
        uint32_t part = left < 64 ? left : 64;

        status = isw_http_write(ctx, piece, part * 1024);
        left -= part;
    }
    return status;
}

static isw_status converse(isw_context *ctx)
{
    isw_status status = isw_http_begin(ctx, 200, "text/plain");
    char piece[100];
    size_t got = 1;

    while (status == ISW_OK && got) {
        status = isw_http_read(ctx, piece, sizeof piece, &got);
        if (status != ISW_OK || !got)
            break;
        isw_log(ctx, ISW_LOG_INFO, "heard %.*s", (int)got, piece);
        status = isw_http_printf(ctx, "<%.*s>", (int)got, piece);
    }
    return status;
}

static isw_status breaks(isw_context *ctx)
{
    isw_http_begin(ctx, 200, "text/plain");
    isw_http_printf(ctx, "half of it");
    return isw_fail(ctx, ISW_E_FAILED, "the disk is full");
}

/* One event, and the next when it is cancelled, which is too late. */
static isw_status watch(isw_context *ctx)
{
    isw_http_event(ctx, &(isw_event){ .data = "begins" });
    isw_context_sleep(ctx, 600000);
    return isw_http_event(ctx, &(isw_event){ .data = "ends" });
}

static isw_status emits(isw_context *ctx)
{
    for (int i = 0; i < 3; i++) {
        isw_value number = isw_value_int(i);

        if (isw_context_emit(ctx, "numbers", &number) != ISW_OK)
            return ISW_E_FAILED;
    }
    return isw_fail(ctx, ISW_E_FAILED, "what is out is out");
}

static const isw_property numbers_file[] = { { "path", "numbers.txt" }, { NULL, NULL } };
static const isw_binding numbers[] = {
    { .name = "numbers", .type = "file", .direction = ISW_OUT, .properties = numbers_file },
    { 0 },
};

/* What lies in the application's folder. */
static isw_status send_file(isw_context *ctx)
{
    isw_file_options options = ISW_FILE_OPTIONS_INIT;

    options.root = ".";
    return isw_http_reply_file(ctx, isw_http_param(ctx, "path"), &options);
}

static const isw_binding tells[] = {
    { .name = "news", .type = "log", .direction = ISW_OUT },
    { 0 },
};

/* -- Answers that are none, or wrong ----------------------------------------------------------- */

static isw_status made_by_hand(isw_context *ctx)
{
    static const isw_pair headers[] = { { { "x-made", 6 }, { "by hand", 7 } } };
    static const isw_http made = { .headers = { headers, 1 }, .body = { "made", 4 },
                                   .status = 201 };
    isw_value value = { .type = ISW_VALUE_HTTP, .as.http = &made };

    return isw_context_set_result(ctx, &value);
}

/* As many headers as `n` says, of `bytes` each. */
static isw_status bulky(isw_context *ctx)
{
    const char *type = isw_http_query(ctx, "type");
    int bytes = type ? atoi(type) : atoi(isw_http_query(ctx, "bytes"));
    isw_value plain = isw_value_string("bulky");

    if (type)
        return isw_http_reply(ctx, 200, isw_context_printf(ctx, "%0*d", bytes, 1), "x");
    for (int i = atoi(isw_http_query(ctx, "n")); i > 0; i--)
        isw_http_add_header(ctx, "x-bulk", isw_context_printf(ctx, "%0*d", bytes, i));
    if (isw_http_query(ctx, "begin"))
        return isw_http_begin(ctx, 200, "text/plain");
    if (isw_http_query(ctx, "fail"))
        return isw_fail(ctx, ISW_E_NOT_FOUND, "no bulk");
    if (isw_http_query(ctx, "plain"))
        return isw_context_set_result(ctx, &plain);
    return isw_http_reply(ctx, 200, "text/plain", "bulky");
}

static isw_status large(isw_context *ctx)
{
    const char *mib = isw_http_query(ctx, "mib");
    size_t size = (size_t)(mib ? atoi(mib) : 0) << 20;
    void *body = isw_context_alloc(ctx, size);

    if (!body)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "no memory");
    memset(body, 'x', size);
    return isw_http_reply_bytes(ctx, 200, "text/plain", body, size);
}

static isw_status deep(isw_context *ctx)
{
    isw_value value = isw_value_int(1);

    for (int i = 0; i < 20; i++) {
        isw_value *inner = isw_context_alloc(ctx, sizeof *inner);

        *inner = value;
        value = isw_value_array(inner, 1);
    }
    return isw_context_set_output(ctx, "news", &value);
}

/* What C code passes on easily: the NULL of a getenv, or of a parameter that did not come. */
static isw_status null(isw_context *ctx, const char *how)
{
    const char *none = isw_http_query(ctx, "none");
    isw_value bytes = isw_value_bytes(none, 5);
    isw_value hand = { .type = ISW_VALUE_HTTP };

    if (strcmp(how, "null_header") == 0)
        return isw_http_set_header(ctx, "x-null", none);
    if (strcmp(how, "null_name") == 0)
        return isw_http_add_header(ctx, none, "x");
    if (strcmp(how, "null_removed") == 0)
        return isw_http_remove_header(ctx, none);
    if (strcmp(how, "null_cookie") == 0)
        return isw_http_set_cookie(ctx, (const isw_cookie *)none);
    if (strcmp(how, "null_cookie_value") == 0)
        return isw_http_set_cookie(ctx, &(isw_cookie){ .name = "c", .value = none });
    if (strcmp(how, "null_json") == 0)
        return isw_http_reply_json(ctx, 200, isw_context_input(ctx, none));
    if (strcmp(how, "null_body") == 0)
        return isw_http_reply_bytes(ctx, 200, NULL, none, 5);
    if (strcmp(how, "null_location") == 0)
        return isw_http_redirect(ctx, 302, none);
    if (strcmp(how, "null_path") == 0)
        return isw_http_reply_file(ctx, none, NULL);
    if (strcmp(how, "null_event") == 0)
        return isw_http_event(ctx, (const isw_event *)none);
    if (strcmp(how, "null_output") == 0)
        return isw_context_set_output(ctx, none, &bytes);
    if (strcmp(how, "null_emitted") == 0)
        return isw_context_emit(ctx, "news", (const isw_value *)none);
    if (strcmp(how, "null_service") == 0)
        return isw_context_service(ctx, none, "none") ? ISW_OK : ISW_E_INVALID;
    if (strcmp(how, "null_bound") == 0)
        return isw_bind(ctx, isw_context_input(ctx, "none"), "", NULL, &hand);
    return isw_context_set_result(ctx, strcmp(how, "null_bytes") == 0 ? &bytes : &hand);
}

/* A failure that is none, and text that is not. */
static isw_status no_failure(isw_context *ctx, const char *how)
{
    isw_value text = isw_value_string("a\xff");

    if (strcmp(how, "no_failure") == 0)
        return isw_fail(ctx, ISW_OK, "all is well");
    if (strcmp(how, "no_failure_because") == 0)
        return isw_fail_because(ctx, ISW_OK, "all is well");
    if (strcmp(how, "no_failure_as") == 0)
        return isw_fail_as(ctx, &(isw_failure){ .status = ISW_OK, .message = "well" });
    if (strcmp(how, "no_failure_replied") == 0)
        return isw_http_reply_failure(ctx, false);
    if (strcmp(how, "no_text_json") == 0)
        text.type = ISW_VALUE_JSON;
    if (strcmp(how, "no_text_typed") == 0)
        isw_http_set_header(ctx, "content-type", "text/csv");
    return isw_context_set_result(ctx, &text);
}

/* Mistakes of a programmer, by name; the caller is right. */
static isw_status mistake(isw_context *ctx)
{
    static const isw_pair bad[] = { { { "x-bad", 5 }, { "a\r\nb", 4 } } };
    static const isw_http made = { .headers = { bad, 1 }, .status = 200 };
    static const isw_http odd_status = { .status = 999 };
    const char *how = isw_http_param(ctx, "how");
    isw_value nan = isw_value_double(0.0 / zero);
    isw_value hand = { .type = ISW_VALUE_HTTP, .as.http = &made };
    isw_value one = isw_value_int(1);
    isw_file_options file = ISW_FILE_OPTIONS_INIT;

    if (strncmp(how, "null_", 5) == 0)
        return null(ctx, how);
    if (strncmp(how, "no_", 3) == 0)
        return no_failure(ctx, how);
    if (strcmp(how, "status") == 0)
        return isw_http_reply(ctx, 999, NULL, "x");
    if (strcmp(how, "informational") == 0)
        return isw_http_reply(ctx, 150, NULL, "x");
    if (strcmp(how, "header") == 0)
        return isw_http_set_header(ctx, "x-bad", "a\r\nb");
    if (strcmp(how, "unheeded") == 0)
        isw_http_set_header(ctx, "x bad", "a");
    if (strcmp(how, "type") == 0)
        return isw_http_reply(ctx, 200, "text/plain\n", "x");
    if (strcmp(how, "redirect") == 0)
        return isw_http_redirect(ctx, 302, "/with space");
    if (strcmp(how, "cookie") == 0)
        return isw_http_set_cookie(ctx, &(isw_cookie){ .name = "a b", .value = "c" });
    if (strcmp(how, "event") == 0)
        return isw_http_event(ctx, &(isw_event){ .id = "a\nb" });
    if (strcmp(how, "begin") == 0)
        return isw_http_begin(ctx, 204, NULL);
    if (strcmp(how, "write") == 0)
        return isw_http_write(ctx, "x", 1);
    if (strcmp(how, "output") == 0)
        return isw_context_set_output(ctx, "none", &one);
    if (strcmp(how, "emit") == 0)
        return isw_context_emit(ctx, "none", &one);
    if (strcmp(how, "json") == 0)
        return isw_http_reply_json(ctx, 200, &nan);
    if (strcmp(how, "service") == 0)
        return isw_context_service(ctx, "none", "none") ? ISW_OK : ISW_E_INVALID;
    if (strcmp(how, "deep") == 0)
        return deep(ctx);
    if (strcmp(how, "file") == 0) {
        file.download_name = "";
        return isw_http_reply_file(ctx, "/etc/hostname", &file);
    }
    if (strcmp(how, "made_status") == 0)
        hand.as.http = &odd_status;
    if (strncmp(how, "made", 4) == 0)
        return isw_context_set_result(ctx, &hand);
    return isw_http_reply(ctx, 200, "text/plain", "x");
}

/* With a header, and then as the caller says. */
static isw_status odd(isw_context *ctx)
{
    const char *how = isw_http_param(ctx, "how");
    isw_value map = isw_value_map(NULL, 0);

    isw_http_set_header(ctx, "x-mark", "set");
    isw_http_set_header(ctx, "etag", "\"of the function\"");
    if (strcmp(how, "json") == 0)
        return text(ctx);
    if (strcmp(how, "empty") == 0)
        isw_http_set_header(ctx, "x-empty", "");
    if (strcmp(how, "map") == 0)
        return isw_context_set_result(ctx, &map);
    if (strcmp(how, "made") == 0)
        return made_by_hand(ctx);
    if (strcmp(how, "fail") == 0)
        return isw_fail(ctx, ISW_E_CONFLICT, "after it was set");
    if (strcmp(how, "late") == 0) {
        isw_http_reply(ctx, 200, "text/plain", "all is well");
        return isw_fail(ctx, ISW_E_UNAVAILABLE, "but it is not");
    }
    return ISW_OK;
}

/* -- Metrics of its own ------------------------------------------------------------------------ */

static const isw_metric events = { .name = "test_events_total", .help = "Events that came.",
                                   .type = ISW_COUNTER, .labels = { "kind" } };
static const isw_metric level = { .name = "test_level", .help = "Where it stands.",
                                  .type = ISW_GAUGE };

static isw_status count(isw_context *ctx)
{
    isw_metrics *metrics = isw_context_metrics(ctx);

    isw_series_add(isw_metric_series(metrics, &events, isw_http_query(ctx, "kind"), NULL), 1);
    isw_series_set(isw_metric_series(metrics, &level, NULL), 5);
    return isw_http_reply(ctx, 200, "text/plain", "%ld", (long)getpid());
}

/* A metric as the query describes it: type c, g or h, and up to two labels. */
static isw_status measure(isw_context *ctx)
{
    const char *type = isw_http_query(ctx, "type");
    isw_metric metric = { .name = isw_http_query(ctx, "name"), .help = "Made by a test.",
                          .labels = { isw_http_query(ctx, "a"), isw_http_query(ctx, "b") } };
    isw_series *series;

    metric.type = *type == 'c' ? ISW_COUNTER : *type == 'g' ? ISW_GAUGE : ISW_HISTOGRAM;
    series = isw_metric_series(isw_context_metrics(ctx), &metric, "x", "", NULL);
    if (series && metric.type == ISW_HISTOGRAM)
        isw_series_observe(series, 0.5);
    else
        isw_series_add(series, 1);
    return isw_http_reply(ctx, 200, "text/plain", "%s", series ? "counts" : "refused");
}

/* Who asks, whom, how and under which name, and what else is said of that. */
static isw_status forwarded(isw_context *ctx)
{
    const char *const names[] = { "host", "x-forwarded-proto", "x-request-id", "x-forwarded-for",
                                  "x-forwarded-host", "forwarded" };
    const isw_http *request = isw_http_request(ctx);
    char text[1024];
    int size = snprintf(text, sizeof text, "client=%.*s\n", (int)request->client.size,
                        request->client.data);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const isw_str *value = isw_pairs_find(&request->headers, names[i]);

        if (value)
            size += snprintf(text + size, sizeof text - (size_t)size, "%s=%.*s\n", names[i],
                             (int)value->size, value->data);
    }
    if (isw_http_query(ctx, "own"))
        isw_http_add_header(ctx, "x-request-id", "mine");
    return isw_http_reply(ctx, 200, "text/plain", "%s", text);
}

/* What it would send on. */
static isw_status outgoing(isw_context *ctx)
{
    const char *text = "";
    isw_pairs headers;

    if (isw_context_outgoing(ctx, &headers) != ISW_OK)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; text && i < headers.count; i++)
        text = isw_context_printf(ctx, "%s%.*s=%.*s\n", text, (int)headers.items[i].name.size,
                                  headers.items[i].name.data, (int)headers.items[i].value.size,
                                  headers.items[i].value.data);
    return isw_http_reply(ctx, 200, "text/plain", "%s", text);
}

static const isw_function functions[] = {
    { .name = "outgoing", .trigger = ISW_HTTP("GET", "outgoing"), .handler = outgoing,
      .timeout_ms = 60000 },
    { .name = "forwarded", .trigger = ISW_HTTP("GET", "forwarded"), .handler = forwarded },
    { .name = "hello", .trigger = ISW_HTTP("GET", "hello/{name}"), .handler = hello },
    { .name = "pid", .trigger = ISW_HTTP("GET", "pid"), .handler = pid, .idempotent = true },
    { .name = "count", .trigger = ISW_HTTP("GET", "count"), .handler = count },
    { .name = "measure", .trigger = ISW_HTTP("GET", "measure"), .handler = measure },
    { .name = "echo", .trigger = ISW_HTTP("POST", "echo"), .handler = echo },
    { .name = "header", .trigger = ISW_HTTP("GET", "header/{name}"), .handler = header },
    { .name = "caller", .trigger = ISW_HTTP("GET", "caller"), .handler = caller },
    { .name = "fail", .trigger = ISW_HTTP("GET", "fail"), .handler = fail },
    { .name = "crash", .trigger = ISW_HTTP("POST", "crash"), .handler = crash },
    { .name = "nap", .trigger = ISW_HTTP("GET", "nap"), .handler = nap, .timeout_ms = 500 },
    { .name = "again", .trigger = ISW_HTTP("GET", "again"), .handler = nap, .idempotent = true },
    { .name = "once", .trigger = ISW_HTTP("GET", "once"), .handler = nap },
    { .name = "stubborn", .trigger = ISW_HTTP("GET", "stubborn"), .handler = stubborn,
      .timeout_ms = 300 },
    { .name = "deaf", .trigger = ISW_HTTP("GET", "deaf"), .handler = deaf },
    { .name = "hoard", .trigger = ISW_HTTP("POST", "hoard"), .handler = hoard },
    { .name = "fault", .trigger = ISW_HTTP("POST", "fault/{kind}"), .handler = fault },
    { .name = "forge", .trigger = ISW_HTTP("GET", "forge"), .handler = forge },
    { .name = "prints", .trigger = ISW_HTTP("GET", "prints"), .handler = prints },
    { .name = "text", .trigger = ISW_HTTP("GET", "text"), .handler = text },
    { .name = "nothing", .trigger = ISW_HTTP("GET", "nothing"), .handler = nothing },
    { .name = "later", .trigger = ISW_HTTP("GET", "later"), .handler = later },
    { .name = "shape", .trigger = ISW_HTTP("GET", "shape"), .handler = shape },
    { .name = "tell", .trigger = ISW_HTTP("POST", "tell"), .handler = tell, .bindings = tells },
    { .name = "trace", .trigger = ISW_HTTP("GET", "trace"), .handler = trace },
    { .name = "allocations", .trigger = ISW_HTTP("GET", "allocations"), .handler = allocations },
    { .name = "fill", .trigger = ISW_HTTP("GET", "fill"), .handler = fill },
    { .name = "leak", .trigger = ISW_HTTP("GET", "leak"), .handler = leak },
    { .name = "swallow", .trigger = ISW_HTTP("PUT", "swallow"), .handler = swallow,
      .streams = true },
    { .name = "pour", .trigger = ISW_HTTP("GET", "pour"), .handler = pour },
    { .name = "file", .trigger = ISW_HTTP("GET HEAD", "file/{*path}"), .handler = send_file },
    { .name = "converse", .trigger = ISW_HTTP("POST", "converse"), .handler = converse,
      .streams = true },
    { .name = "breaks", .trigger = ISW_HTTP("GET", "breaks"), .handler = breaks },
    { .name = "watch", .trigger = ISW_HTTP("GET", "watch"), .handler = watch },
    { .name = "odd", .trigger = ISW_HTTP("GET POST HEAD", "odd/{how}"), .handler = odd },
    { .name = "bulky", .trigger = ISW_HTTP("GET", NULL), .handler = bulky },
    { .name = "large", .trigger = ISW_HTTP("GET", "large"), .handler = large },
    { .name = "mistake", .trigger = ISW_HTTP("GET", "mistake/{how}"), .handler = mistake,
      .bindings = tells },
    { .name = "emits", .trigger = ISW_HTTP("POST", "emits"), .handler = emits,
      .bindings = numbers },
    { 0 },
};

#ifdef MODULE
static const isw_app app = { .functions = functions };

ISW_APP_MODULE(&app);
#else
int main(int argc, char **argv)
{
    static const isw_allocator counting = { count_and_reallocate, NULL };

    isw_allocator_set(&counting);
    return isw_main(argc, argv, functions);
}
#endif
