/* SPDX-License-Identifier: Apache-2.0 */
/* Short-lived programs: what they print, and how they end. */
#include "support/main.h"

#include "host/system/capture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct captured {
    iswi_capture_end end;
    char text[64];
} captured;

static captured run(const char *script, int64_t patience_ms)
{
    char *arguments[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
    const iswi_capture what = { .program = "/bin/sh",
                                .arguments = arguments,
                                .environment = environ,
                                .input = -1,
                                .errors = -1,
                                .most = 32,
                                .patience_ms = patience_ms };
    iswi_buffer out = { 0 };
    captured result = { .text = "" };

    assert_true(iswi_capture_watch(&what, &out, &result.end));
    if (out.size)
        memcpy(result.text, out.data, out.size < 63 ? out.size : 63);
    iswi_buffer_fini(&out);
    return result;
}

static void one_that_ends_is_heard_out(void **state)
{
    captured got = run("echo all; exec >&-; exit 3", 60000);

    (void)state;
    assert_string_equal(got.text, "all\n");
    assert_false(got.end.late);
    assert_int_equal(got.end.signal, 0);
    assert_int_equal(got.end.status, 3);
}

static void one_that_was_killed_says_so(void **state)
{
    captured got = run("echo half; kill -9 $$", 60000);

    (void)state;
    assert_string_equal(got.text, "half\n");
    assert_false(got.end.late);
    assert_int_equal(got.end.signal, SIGKILL);
}

static void one_that_takes_too_long_or_prints_too_much_is_ended(void **state)
{
    (void)state;
    assert_true(run("exec sleep 1000", 50).end.late);
    assert_true(run("exec >&-; exec sleep 1000", 50).end.late);
    assert_true(run("exec yes", 60000).end.late);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_that_ends_is_heard_out),
    cmocka_unit_test(one_that_was_killed_says_so),
    cmocka_unit_test(one_that_takes_too_long_or_prints_too_much_is_ended),
};

ISW_TEST_MAIN(tests)
