/* SPDX-License-Identifier: Apache-2.0 */
/* The file of SQLite's: whose it is, what it is made of, and disks that are full or fail. */
#include "broker/sqlite/disk.h"
#include "broker/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of(const fixture *is, const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", is->folder, name);
    return path;
}

static void execute(const fixture *is, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path_of(is, "queues.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* What a put says of a file that is not taken. */
static isw_status put_error(fixture *is, isw_error *error)
{
    const iswi_queue_put item = { .queue = is->queue };
    iswi_broker_op op = { .kind = ISWI_BROKER_PUT, .as.put = { .items = &item, .count = 1 } };
    const isw_status status = iswi_broker_run(is->broker, &op);

    *error = op.error;
    return status;
}

static void assert_refused(fixture *is, isw_status status, const char *sentence)
{
    isw_error error;

    assert_int_equal(put_error(is, &error), status);
    if (!strstr(error.message, sentence))
        fail_msg("\"%s\" does not say \"%s\"", error.message, sentence);
}

/* -- Whose it is ------------------------------------------------------------------------------- */

static void the_file_is_its_users_alone(void **state)
{
    static const char *const names[] = { "deep/q.db", "deep/q.db-wal", "deep/q.db-lock" };
    fixture *is = *state;
    struct stat about;

    iswi_broker_destroy(is->broker);
    is->place = "sqlite:deep/q.db";
    is->broker = broker_open(is);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(path_of(is, names[i]), &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    assert_int_equal(stat(path_of(is, "deep"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    assert_int_equal(stat(path_of(is, "deep/q.db-shm"), &about), -1); /* nobody shares it */
}

static void a_file_of_another_program_is_left_alone(void **state)
{
    fixture *is = *state;

    iswi_broker_destroy(is->broker);
    unlink(path_of(is, "queues.db"));
    execute(is, "CREATE TABLE theirs (x)");
    is->broker = broker_open(is);
    assert_refused(is, ISW_E_CONFIG, "is a file of SQLite's, but of another program");
    iswi_broker_destroy(is->broker);
    execute(is, "INSERT INTO theirs VALUES (1)");
    is->broker = broker_open(is);
}

static void what_is_no_file_of_sqlite_is_refused(void **state)
{
    fixture *is = *state;
    FILE *file;

    iswi_broker_destroy(is->broker);
    file = fopen(path_of(is, "queues.db"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("dear diary, ", file);
    fclose(file);
    is->broker = broker_open(is);
    assert_refused(is, ISW_E_CONFIG, "is no file of queues, nor of SQLite at all");
}

static void a_file_of_a_newer_version_is_refused(void **state)
{
    fixture *is = *state;

    iswi_broker_destroy(is->broker);
    execute(is, "PRAGMA user_version = 1000");
    is->broker = broker_open(is);
    assert_refused(is, ISW_E_CONFIG, "is of a newer isoworker: it has version 1000");
}

static void a_folder_in_the_way_is_told_and_tried_again(void **state)
{
    fixture *is = *state;

    iswi_broker_destroy(is->broker);
    is->place = "sqlite:x/q.db";
    assert_int_equal(close(open(path_of(is, "x"), O_CREAT | O_WRONLY, 0600)), 0);
    is->broker = broker_open(is);
    assert_refused(is, ISW_E_UNAVAILABLE, "cannot ");
    assert_int_equal(unlink(path_of(is, "x")), 0);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
}

static void a_place_without_a_file_is_refused(void **state)
{
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(iswi_broker_check("sqlite:", NULL, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "sqlite:PATH"));
    assert_int_equal(iswi_broker_check("sqlite:x/", NULL, NULL), ISW_E_CONFIG);
    assert_int_equal(iswi_broker_check("sqlite:x", NULL, NULL), ISW_OK);
}

static void put_file(fixture *is, const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path_of(is, name), "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void what_can_never_be_opened_is_told_before(void **state)
{
    static const struct {
        const char *place, *why;
    } wrong[] = { { "sqlite:folder", "\"sqlite:folder\" is a folder" },
                  { "sqlite:text.db", "\"sqlite:text.db\" is a file, but none of SQLite's" },
                  { "sqlite:short.db", "\"sqlite:short.db\" is a file, but none of SQLite's" },
                  { "sqlite:/dev/null", "is no file" },
                  { "sqlite:/proc/q.db", "cannot be made in /proc: " },
                  { "sqlite:/proc/x/q.db", "cannot be made in /proc: " } };
    fixture *is = *state;
    isw_error error = { ISW_OK, "" };

    assert_int_equal(mkdir(path_of(is, "folder"), 0700), 0);
    put_file(is, "text.db", "this is a text, and not a store", 31);
    put_file(is, "short.db", "SQLite", 6);
    put_file(is, "empty.db", "", 0);
    put_file(is, "right.db", "SQLite format 3\0more", 20);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        error = (isw_error){ ISW_OK, "" };
        assert_int_equal(iswi_broker_check(wrong[i].place, is->folder, &error), ISW_E_CONFIG);
        if (!strstr(error.message, wrong[i].why))
            fail_msg("%s: %s", wrong[i].place, error.message);
    }
    assert_int_equal(iswi_broker_check("sqlite:empty.db", is->folder, NULL), ISW_OK);
    assert_int_equal(iswi_broker_check("sqlite:right.db", is->folder, NULL), ISW_OK);
}

static void keep_line(void *user, isw_log_level level, const char *sentence)
{
    (void)level;
    snprintf(user, 256, "%s", sentence);
}

/* A slip in a path makes no tree. */
static void the_folder_of_the_file_alone_is_made(void **state)
{
    fixture *is = *state;
    char said[256] = "";
    iswi_broker_options options = { .place = "sqlite:data/q.db", .folder = is->folder,
                                    .say = keep_line, .user = said };
    isw_error error = { 0 };

    iswi_broker_destroy(is->broker);
    assert_int_equal(iswi_broker_check("sqlite:dta/more/q.db", is->folder, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "/dta: No such file or directory; make that folder"));
    error = (isw_error){ 0 };
    assert_int_equal(iswi_broker_check("sqlite:/proc/self/status/q.db", is->folder, &error),
                     ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "status: Not a directory; name another"));
    assert_int_equal(iswi_broker_check(options.place, is->folder, NULL), ISW_OK);
    assert_int_equal(iswi_broker_check("sqlite:/q.db", is->folder, NULL), ISW_OK);
    assert_int_equal(iswi_broker_create(&options, &is->broker, NULL), ISW_OK);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
    assert_non_null(strstr(said, "/data is new, and was made for sqlite:data/q.db"));
    assert_int_equal(access(path_of(is, "data/q.db"), F_OK), 0);
}

/* With all that there is to wait for but what is due later. */
static void nothing_runs_at_rest(void **state)
{
    fixture *is = *state;
    handed waiting;

    assert_int_equal(declare(is, (iswi_queue_options){ .keep_dead_ms = 3600000,
                                                       .window_ms = 3600000 }),
                     ISW_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(put_text(is, "x"), ISW_OK);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    settle(is, claim(is), ISWI_VERDICT_ABANDON, 3600000, "x");
    complete(is, claim(is));
    hand_claim(is, &waiting, 1);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 0);
    assert_broker_sleeps();
    iswi_broker_recall(is->broker, &waiting.op);
    hand_wait(&waiting);
}

/* -- Another host ------------------------------------------------------------------------------ */

static void another_host_waits_until_the_file_is_free(void **state)
{
    fixture *is = *state;
    fixture other = *is;
    char expected[64];
    iswi_delivery *got;

    assert_int_equal(put_text(is, "x"), ISW_OK);
    iswi_delivery_free(claim(is));
    other.broker = broker_open(&other);
    snprintf(expected, sizeof expected, "is another host's (pid %ld)", (long)getpid());
    assert_refused(&other, ISW_E_UNAVAILABLE, expected);
    iswi_broker_destroy(is->broker);
    got = claim(&other); /* waits until it has it */
    assert_int_equal(got->attempt, 2);
    complete(&other, got);
    iswi_broker_destroy(other.broker);
    is->broker = broker_open(is);
}

static void keep_duplicate(void *user, int descriptor)
{
    *(int *)user = dup(descriptor);
}

/* As the guard does, which outlives a host until its workers are gone. */
static void a_duplicate_of_the_lock_holds_the_claims(void **state)
{
    fixture *is = *state;
    int kept = -1;
    iswi_broker_options options = { .place = is->place, .folder = is->folder,
                                    .lock = keep_duplicate, .user = &kept };
    isw_error error = { 0 };
    iswi_delivery *got;

    assert_int_equal(put_text(is, "x"), ISW_OK);
    iswi_broker_destroy(is->broker);
    assert_int_equal(iswi_broker_create(&options, &is->broker, &error), ISW_OK);
    iswi_delivery_free(claim(is));
    assert_true(kept >= 0);
    broker_reopen(is);
    assert_refused(is, ISW_E_UNAVAILABLE, "is another host's");
    close(kept);
    got = claim(is);
    assert_int_equal(got->attempt, 2);
    complete(is, got);
}

/* -- Disks ------------------------------------------------------------------------------------- */

static int on_disk_begin(void **state)
{
    disk_begin(1);
    return fixture_begin(state);
}

static int on_disk_end(void **state)
{
    fixture_end(state);
    disk_end();
    return 0;
}

static void a_full_disk_is_told_and_gone_on_with(void **state)
{
    static const char big[100000];
    fixture *is = *state;
    isw_error error = { 0 };
    int put_before = 1;
    iswi_delivery *got;

    assert_int_equal(put_text(is, "first"), ISW_OK);
    disk_limit(disk_used() + 1000000);
    while (put(is, (iswi_queue_put){ .body = { big, sizeof big } }) == ISW_OK)
        put_before++;
    assert_true(put_before > 2 && put_before < 12);
    assert_false(iswi_broker_is_well(is->broker, &error));
    assert_non_null(strstr(error.message, "queues.db cannot grow: its disk is full; make room"));
    disk_limit(-1);
    assert_int_equal(put_text(is, "last"), ISW_OK);
    assert_true(iswi_broker_is_well(is->broker, NULL));
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], put_before + 1);
    got = claim(is);
    assert_body(got, "first");
    complete(is, got);
}

/* Nothing that was given the lock in vain keeps it. */
static void a_file_shut_by_a_full_disk_is_opened_when_there_is_room(void **state)
{
    fixture *is = *state;
    int kept = -1;
    iswi_broker_options options = { .place = is->place, .folder = is->folder,
                                    .lock = keep_duplicate, .user = &kept };
    isw_error error = { 0 };
    iswi_delivery *got;

    assert_int_equal(put_text(is, "x"), ISW_OK);
    iswi_delivery_free(claim(is));
    iswi_broker_destroy(is->broker);
    disk_limit(disk_used());
    assert_int_equal(iswi_broker_create(&options, &is->broker, &error), ISW_OK);
    assert_refused(is, ISW_E_UNAVAILABLE, "its disk is full");
    assert_int_equal(kept, -1);
    disk_limit(-1);
    got = claim(is); /* waits until it is open */
    assert_int_equal(got->attempt, 2);
    complete(is, got);
    assert_true(kept >= 0);
    close(kept);
}

static void what_is_too_large_for_the_disk_takes_no_others_with_it(void **state)
{
    enum { OTHERS = 20 };
    static const char big[1000000];
    fixture *is = *state;
    iswi_queue_put large = { .queue = is->queue, .body = { big, sizeof big } };
    iswi_queue_put small = { .queue = is->queue, .body = { "x", 1 } };
    handed ops[OTHERS];

    assert_int_equal(put_text(is, "first"), ISW_OK);
    disk_limit(disk_used() + 600000);
    for (int i = 0; i < OTHERS; i++)
        hand_put(is, &ops[i], i == OTHERS / 2 ? &large : &small);
    for (int i = 0; i < OTHERS; i++) {
        hand_wait(&ops[i]);
        assert_int_equal(ops[i].op.error.status, i == OTHERS / 2 ? ISW_E_UNAVAILABLE : ISW_OK);
    }
    disk_limit(-1);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], OTHERS);
}

/* What fails now and then is told of each; what was acknowledged is there in the end. */
static void a_disk_that_fails_now_and_then_loses_nothing(void **state)
{
    enum { MOST = 200 };
    fixture *is = *state;
    int acknowledged = 0;
    int failed = 0;

    disk_fail_one_of(12);
    for (int i = 0; i < MOST; i++) {
        const isw_status status = put_text(is, "x");

        assert_true(status == ISW_OK || status == ISW_E_UNAVAILABLE);
        acknowledged += status == ISW_OK;
        failed += status == ISW_E_UNAVAILABLE;
        if (i % 4 == 0 && acknowledged > 0) { /* these two wait until they are done */
            complete(is, claim(is));
            acknowledged--;
        }
    }
    disk_fail_one_of(0);
    assert_true(failed > 5);
    assert_true(look(is).counts[ISWI_MESSAGE_READY] >= acknowledged);
    broker_reopen(is);
    assert_true(look(is).counts[ISWI_MESSAGE_READY] >= acknowledged);
    assert_true(look(is).counts[ISWI_MESSAGE_READY] <= acknowledged + failed);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], 0);
}

static void what_is_done_at_the_same_time_is_synced_once(void **state)
{
    enum { COUNT = 64 };
    fixture *is = *state;
    static handed ops[COUNT];
    iswi_queue_put item = { .queue = is->queue, .body = { "x", 1 } };
    int before;

    assert_int_equal(put_text(is, "x"), ISW_OK);
    before = disk_syncs();
    for (int i = 0; i < COUNT; i++)
        hand_put(is, &ops[i], &item);
    for (int i = 0; i < COUNT; i++)
        hand_wait(&ops[i]);
    assert_true(disk_syncs() - before < COUNT / 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(the_file_is_its_users_alone, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_file_of_another_program_is_left_alone,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_is_no_file_of_sqlite_is_refused,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_file_of_a_newer_version_is_refused,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_can_never_be_opened_is_told_before, fixture_begin,
                                    fixture_end),
    cmocka_unit_test_setup_teardown(the_folder_of_the_file_alone_is_made, fixture_begin,
                                    fixture_end),
    cmocka_unit_test_setup_teardown(a_folder_in_the_way_is_told_and_tried_again,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_place_without_a_file_is_refused, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(nothing_runs_at_rest, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(another_host_waits_until_the_file_is_free,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_duplicate_of_the_lock_holds_the_claims,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_full_disk_is_told_and_gone_on_with,
                                    on_disk_begin, on_disk_end),
    cmocka_unit_test_setup_teardown(a_file_shut_by_a_full_disk_is_opened_when_there_is_room,
                                    on_disk_begin, on_disk_end),
    cmocka_unit_test_setup_teardown(what_is_too_large_for_the_disk_takes_no_others_with_it,
                                    on_disk_begin, on_disk_end),
    cmocka_unit_test_setup_teardown(a_disk_that_fails_now_and_then_loses_nothing,
                                    on_disk_begin, on_disk_end),
    cmocka_unit_test_setup_teardown(what_is_done_at_the_same_time_is_synced_once,
                                    on_disk_begin, on_disk_end),
};

ISW_TEST_MAIN(tests)
