/* SPDX-License-Identifier: Apache-2.0 */
/* Files as replies, from a folder that each case makes anew:
 *   a.txt (26 letters)  sub/b.json  in -> a.txt  sub/up -> ../a.txt  out -> /etc/passwd
 *   door -> /etc  pipe (a fifo) */
#include "support/main.h"

#include "worker/http/file_open.h"
#include "worker/http/types.h"

#include <errno.h>
#include <fcntl.h>
#include <isoworker/isoworker.h>
#include <isoworker/testing.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static char folder[64];
static const char *path;
static isw_file_options options;
static isw_test *test;

static isw_status sends(isw_context *ctx)
{
    return isw_http_reply_file(ctx, path, &options);
}

static isw_status sends_without_options(isw_context *ctx)
{
    return isw_http_reply_file(ctx, isw_context_printf(ctx, "%s/a.txt", folder), NULL);
}

static const isw_function functions[] = {
    { .name = "file", .trigger = ISW_HTTP("GET HEAD POST", NULL), .handler = sends },
    { .name = "plain", .trigger = ISW_HTTP("GET", NULL), .handler = sends_without_options },
    { .name = "tick", .trigger = ISW_TRIGGER("timer", NULL), .handler = sends },
    { 0 },
};
static const isw_app app = { .functions = functions };

/* -- The folder -------------------------------------------------------------------------------- */

static char *at(const char *name)
{
    static char text[128];

    snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static void write_file(const char *name, const char *content)
{
    const struct timespec times[2] = { { 784111777, 0 }, { 784111777, 5 } };
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static int set_up(void **state)
{
    isw_worker_options worker_options = ISW_WORKER_OPTIONS_INIT;
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    (void)state;
    strcpy(folder, "/tmp/isw-files-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(at("sub"), 0755), 0);
    write_file("a.txt", LETTERS);
    write_file("sub/b.json", "{}");
    assert_int_equal(symlink("a.txt", at("in")), 0);
    assert_int_equal(symlink("../a.txt", at("sub/up")), 0);
    assert_int_equal(symlink("/etc/passwd", at("out")), 0);
    assert_int_equal(symlink("/etc", at("door")), 0);
    assert_int_equal(mkfifo(at("pipe"), 0644), 0);
    options = (isw_file_options)ISW_FILE_OPTIONS_INIT;
    options.root = folder;
    path = "a.txt";
    worker_options.config_text = "worker: {}\n";
    if (isw_worker_create(&worker_options, &worker, &error) != ISW_OK ||
        isw_worker_add_app(worker, &app, &error) != ISW_OK ||
        isw_test_create(worker, &test, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = { "a.txt", "sub/b.json", "in",    "sub/up", "out",
                                         "door",  "pipe",       "large", "sub" };

    (void)state;
    isw_test_destroy(test);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(at(names[i]));
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static const isw_test_result *get(const char *name)
{
    path = name;
    return isw_test_http(test, "GET", "/file");
}

static void assert_fails(const char *name, isw_status status)
{
    const isw_test_result *result = get(name);

    if (!result->failure)
        fail_msg("\"%s\" is sent: %s", name, result->body);
    if (result->failure->status != status)
        fail_msg("\"%s\": %s", name, result->failure->message);
}

/* -- Whole files ------------------------------------------------------------------------------- */

static void a_file_is_sent_with_what_is_known_of_it(void **state)
{
    const isw_test_result *result = get("a.txt");
    struct stat info;
    char etag[64];

    (void)state;
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, LETTERS);
    assert_string_equal(isw_test_reply_header(result, "content-type"),
                        "text/plain; charset=utf-8");
    assert_string_equal(isw_test_reply_header(result, "last-modified"),
                        "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(isw_test_reply_header(result, "accept-ranges"), "bytes");
    assert_null(isw_test_reply_header(result, "content-range"));
    assert_null(isw_test_reply_header(result, "content-disposition"));
    assert_int_equal(stat(at("a.txt"), &info), 0);
    snprintf(etag, sizeof etag, "\"1a-%llx-%llx\"", 784111777000000005ULL,
             (unsigned long long)info.st_ino);
    assert_string_equal(isw_test_reply_header(result, "etag"), etag);
}

static void options_are_not_needed(void **state)
{
    const isw_test_result *result = isw_test_http(test, "GET", "/plain");

    (void)state;
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, LETTERS);
}

static void an_empty_file_is_sent(void **state)
{
    const isw_test_result *result;

    (void)state;
    write_file("a.txt", "");
    result = get("a.txt");
    assert_int_equal(result->http_status, 200);
    assert_int_equal(result->body_size, 0);
    isw_test_header(test, "range", "bytes=0-");
    assert_int_equal(get("a.txt")->http_status, 416);
}

static void the_tag_is_another_when_the_file_is(void **state)
{
    const char *name = "etag";
    char first[64];

    (void)state;
    strcpy(first, isw_test_reply_header(get("a.txt"), name));
    assert_string_equal(isw_test_reply_header(get("a.txt"), name), first);
    remove(at("sub/b.json")); /* so that the inode may be the same again */
    write_file("sub/b.json", LETTERS);
    assert_string_not_equal(isw_test_reply_header(get("sub/b.json"), name), first);
}

static void a_date_ahead_of_the_clock_is_not_sent(void **state)
{
    const struct timespec times[2] = { { 4102444800, 0 }, { 4102444800, 0 } };

    (void)state;
    assert_int_equal(utimensat(AT_FDCWD, at("a.txt"), times, 0), 0);
    assert_string_equal(isw_test_reply_header(get("a.txt"), "last-modified"),
                        "Thu, 01 Jan 2026 00:00:00 GMT"); /* the test's clock */
}

static void head_is_answered_like_get_and_ranges_are_not_for_it(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "range", "bytes=0-1");
    result = isw_test_http(test, "HEAD", "/file");
    assert_int_equal(result->http_status, 200);
    assert_int_equal(result->body_size, 26); /* the host makes Content-Length of it */
    assert_non_null(isw_test_reply_header(result, "etag"));
}

static void a_function_of_another_trigger_can_answer_with_a_file(void **state)
{
    (void)state;
    assert_string_equal(isw_test_invoke(test, "tick", NULL)->body, LETTERS);
}

/* -- Conditions and ranges --------------------------------------------------------------------- */

static void what_the_client_has_is_not_sent_again(void **state)
{
    const isw_test_result *result = get("a.txt");
    char etag[64];

    (void)state;
    strcpy(etag, isw_test_reply_header(result, "etag"));
    isw_test_header(test, "if-none-match", etag);
    result = get("a.txt");
    assert_int_equal(result->http_status, 304);
    assert_int_equal(result->body_size, 0);
    assert_string_equal(isw_test_reply_header(result, "etag"), etag);
    assert_non_null(isw_test_reply_header(result, "last-modified"));
    /* What stands outside may know what it stands for; the host does not send it. */
    assert_string_equal(isw_test_reply_header(result, "content-length"), "26");
}

static void a_range_is_sent_with_its_place(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "range", "bytes=-3");
    result = get("a.txt");
    assert_int_equal(result->http_status, 206);
    assert_string_equal(result->body, "xyz");
    assert_string_equal(isw_test_reply_header(result, "content-range"), "bytes 23-25/26");
    assert_non_null(isw_test_reply_header(result, "etag"));
}

static void a_range_beyond_the_end_is_answered_with_the_size(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "range", "bytes=26-");
    result = get("a.txt");
    assert_int_equal(result->http_status, 416);
    assert_string_equal(isw_test_reply_header(result, "content-range"), "bytes */26");
    assert_string_equal(isw_test_reply_header(result, "content-type"), "application/problem+json");
    assert_non_null(strstr(result->body, "\"title\":\"Range Not Satisfiable\",\"status\":416"));
}

static void a_condition_that_fails_is_a_problem(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "if-match", "\"other\"");
    result = get("a.txt");
    assert_int_equal(result->http_status, 412);
    assert_non_null(strstr(result->body, "\"title\":\"Precondition Failed\",\"status\":412"));
    assert_null(isw_test_reply_header(result, "etag"));
}

/* -- What is not there ------------------------------------------------------------------------- */

static void what_is_no_file_is_not_found(void **state)
{
    static const char *const bad[] = { "",       ".",       "sub",  "sub/",
                                       "a.txt/", "a.txt/x", "none", "pipe" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(bad[i], ISW_E_NOT_FOUND);
    options.root = NULL;
    assert_fails("/nowhere/at/all", ISW_E_NOT_FOUND);
    assert_fails("/tmp", ISW_E_NOT_FOUND);
    assert_fails("/dev/null", ISW_E_NOT_FOUND);
}

static void a_path_cannot_leave_its_root(void **state)
{
    static const char *const bad[] = { "/etc/passwd", "../../etc/passwd", "sub/../../x/a.txt",
                                       "out", "door/passwd", "..", "//etc/passwd",
                                       "/proc/self/root/etc/passwd" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(bad[i], ISW_E_NOT_FOUND);
    assert_string_equal(get("sub/b.json")->body, "{}");
    assert_string_equal(get("./sub//b.json")->body, "{}");
}

static void links_that_stay_within_are_followed(void **state)
{
    struct open_how how = { .flags = O_PATH | O_DIRECTORY };
    long fd = syscall(SYS_openat2, AT_FDCWD, folder, &how, sizeof how);

    (void)state;
    if (fd < 0)
        skip(); /* an old kernel, or valgrind, does not know the call that follows them safely */
    close((int)fd);
    assert_string_equal(get("in")->body, LETTERS);
    assert_string_equal(get("sub/up")->body, LETTERS);
}

static int stepwise(const char *name)
{
    int root = open(folder, O_PATH | O_DIRECTORY);
    int fd = iswi_open_stepwise(root, name);
    int error = fd < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    close(root);
    return error;
}

static void without_the_kernels_help_no_link_and_no_step_up_is_followed(void **state)
{
    static const char *const bad[] = { "", "/etc/passwd", "../a.txt", "sub/../a.txt", "in", "out",
                                       "door/passwd", "sub/up", "a.txt/", "a.txt/x", "none",
                                       "sub/none" };
    static char name[300];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (stepwise(bad[i]) != ENOENT)
            fail_msg("\"%s\" gives %d", bad[i], stepwise(bad[i]));
    memset(name, 'x', sizeof name - 1);
    assert_int_equal(stepwise(name), ENOENT);
    assert_int_equal(stepwise("a.txt"), 0);
    assert_int_equal(stepwise("sub//b.json"), 0);
}

static void a_root_that_is_not_there_is_not_the_callers_fault(void **state)
{
    (void)state;
    options.root = "/nowhere/at/all";
    assert_fails("a.txt", ISW_E_IO);
}

static void a_file_that_may_not_be_read_is_forbidden(void **state)
{
    (void)state;
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(at("a.txt"), 0), 0);
    setfsuid(65534); /* the superuser would read everything */
    assert_fails("a.txt", ISW_E_FORBIDDEN);
    setfsuid(geteuid());
}

static void make_large(off_t size)
{
    write_file("large", "");
    assert_int_equal(truncate(at("large"), size), 0);
}

static void a_large_file_is_sent_in_pieces_with_its_length(void **state)
{
    const isw_test_result *result;
    int fd;

    (void)state;
    make_large(40 * 1024 * 1024);
    fd = open(at("large"), O_WRONLY);
    assert_int_equal(pwrite(fd, "end", 3, 40 * 1024 * 1024 - 3), 3);
    close(fd);
    result = get("large");
    assert_int_equal(result->http_status, 200);
    assert_int_equal(result->body_size, 40 * 1024 * 1024);
    assert_string_equal(result->body + result->body_size - 3, "end");
    assert_string_equal(isw_test_reply_header(result, "content-length"), "41943040");
    assert_non_null(isw_test_reply_header(result, "etag"));
    isw_test_header(test, "range", "bytes=1-41943038");
    result = get("large");
    assert_int_equal(result->http_status, 206);
    assert_int_equal(result->body_size, 41943038);
    assert_string_equal(isw_test_reply_header(result, "content-range"),
                        "bytes 1-41943038/41943040");
}

static void head_of_a_large_file_sends_its_length_alone(void **state)
{
    const isw_test_result *result;

    (void)state;
    make_large(INT64_C(1) << 33);
    path = "large";
    result = isw_test_http(test, "HEAD", "/file");
    assert_int_equal(result->http_status, 200);
    assert_int_equal(result->body_size, 0);
    assert_string_equal(isw_test_reply_header(result, "content-length"), "8589934592");
}

static void of_a_large_file_a_part_can_be_sent(void **state)
{
    const isw_test_result *result;

    (void)state;
    make_large(40 * 1024 * 1024);
    isw_test_header(test, "range", "bytes=41943038-");
    result = get("large");
    assert_int_equal(result->http_status, 206);
    assert_int_equal(result->body_size, 2);
    assert_null(isw_test_reply_header(result, "content-length"));
}

/* -- Options ----------------------------------------------------------------------------------- */

static const char *disposition_of(const char *name)
{
    options.download_name = name;
    return isw_test_reply_header(get("a.txt"), "content-disposition");
}

static void a_name_to_save_under_is_written_for_all_clients(void **state)
{
    (void)state;
    assert_string_equal(disposition_of("my file.txt"), "attachment; filename=\"my file.txt\"");
    assert_string_equal(disposition_of("\xe2\x82\xac \"5\".txt"),
                        "attachment; filename=\"_ _5_.txt\"; "
                        "filename*=UTF-8''%E2%82%AC%20%225%22.txt");
    assert_string_equal(disposition_of("../100%\\a"), "attachment; filename=\".._100__a\"; "
                                                      "filename*=UTF-8''..%2F100%25%5Ca");
}

static void wrong_options_are_refused(void **state)
{
    static const char *const names[] = { "", "a\r\nb", "a\tb", "J\xfcrgen" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        options.download_name = names[i];
        assert_fails("a.txt", ISW_E_FAILED);
    }
    options.download_name = NULL;
    options.content_type = "text/plain\r\nx: y";
    assert_fails("a.txt", ISW_E_FAILED);
}

static void a_content_type_goes_by_the_end_of_the_name_or_the_option(void **state)
{
    (void)state;
    assert_string_equal(iswi_content_type_of("x/y.tar.GZ"), "application/gzip");
    assert_string_equal(iswi_content_type_of("x.html/y"), "application/octet-stream");
    assert_string_equal(iswi_content_type_of(".html"), "application/octet-stream");
    assert_string_equal(iswi_content_type_of("y.unknown"), "application/octet-stream");
    assert_string_equal(isw_test_reply_header(get("sub/b.json"), "content-type"),
                        "application/json");
    options.content_type = "application/vnd.example";
    assert_string_equal(isw_test_reply_header(get("a.txt"), "content-type"),
                        "application/vnd.example");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_file_is_sent_with_what_is_known_of_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown(options_are_not_needed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_empty_file_is_sent, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_tag_is_another_when_the_file_is, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_date_ahead_of_the_clock_is_not_sent, set_up, tear_down),
    cmocka_unit_test_setup_teardown(head_is_answered_like_get_and_ranges_are_not_for_it, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_function_of_another_trigger_can_answer_with_a_file, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(what_the_client_has_is_not_sent_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_range_is_sent_with_its_place, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_range_beyond_the_end_is_answered_with_the_size, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_condition_that_fails_is_a_problem, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_file_is_not_found, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_path_cannot_leave_its_root, set_up, tear_down),
    cmocka_unit_test_setup_teardown(links_that_stay_within_are_followed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(without_the_kernels_help_no_link_and_no_step_up_is_followed,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_root_that_is_not_there_is_not_the_callers_fault, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_file_that_may_not_be_read_is_forbidden, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_large_file_is_sent_in_pieces_with_its_length, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(head_of_a_large_file_sends_its_length_alone, set_up, tear_down),
    cmocka_unit_test_setup_teardown(of_a_large_file_a_part_can_be_sent, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_name_to_save_under_is_written_for_all_clients, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(wrong_options_are_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_content_type_goes_by_the_end_of_the_name_or_the_option,
                                    set_up, tear_down),
};

ISW_TEST_MAIN(tests)
