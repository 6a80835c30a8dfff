/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to a file: all of them, to where it lies, and what is said when they cannot be written. */
#include "support/main.h"

#include "host/system/log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_BYTES = 4096, THREADS = 4, LINES = 2000 };

typedef struct place {
    char folder[32];
    char path[64], moved[64];
    iswi_log_file *file;
    pthread_mutex_t lock; /* of what was said */
    pthread_cond_t changed;
    char said[TEXT_BYTES];
    int sentences;
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);

    strcpy(p->folder, "/tmp/isw-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/log", p->folder);
    snprintf(p->moved, sizeof p->moved, "%s/log.1", p->folder);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    place *p = *state;

    unlink(p->path);
    unlink(p->moved);
    rmdir(p->folder);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return 0;
}

static void hear(void *user, bool wrong, const char *sentence)
{
    place *p = user;

    pthread_mutex_lock(&p->lock);
    snprintf(p->said + strlen(p->said), TEXT_BYTES - strlen(p->said), "%s%s\n",
             wrong ? "! " : "", sentence);
    p->sentences++;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void await_sentences(place *p, int count)
{
    pthread_mutex_lock(&p->lock);
    while (p->sentences < count)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void open_file(place *p)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_log_file_open(&(iswi_log_file_options){ p->path, hear, p }, &p->file, &error))
        fail_msg("%s", error.message);
}

static void add(place *p, const char *line)
{
    iswi_log_file_add(p->file, line, strlen(line));
}

static void has(const char *path, const char *text)
{
    char got[TEXT_BYTES] = "";
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof got - 1), strlen(text));
    assert_string_equal(got, text);
    close(fd);
}

/* It waits for what the thread does. */
static void await_size(const char *path, off_t size)
{
    struct stat found = { .st_size = -1 };

    while (stat(path, &found) != 0 || found.st_size < size)
        poll(NULL, 0, 5);
}

static void lines_are_appended_to_what_is_there(void **state)
{
    place *p = *state;
    struct stat found;

    open_file(p);
    add(p, "one\n");
    iswi_log_file_close(p->file);
    open_file(p);
    add(p, "two\n");
    add(p, "three\n");
    iswi_log_file_close(p->file);
    has(p->path, "one\ntwo\nthree\n");
    assert_int_equal(stat(p->path, &found), 0);
    assert_int_equal(found.st_mode & 0137, 0); /* nobody else reads who came */
    assert_string_equal(p->said, "");
}

static void a_line_is_written_soon_while_it_stays_open(void **state)
{
    place *p = *state;

    open_file(p);
    add(p, "one\n");
    await_size(p->path, 4);
    iswi_log_file_close(p->file);
    has(p->path, "one\n");
}

static void a_file_that_was_moved_away_is_made_anew_when_asked(void **state)
{
    place *p = *state;

    open_file(p);
    add(p, "before\n");
    await_size(p->path, 7);
    assert_int_equal(rename(p->path, p->moved), 0);
    add(p, "still\n");
    iswi_log_file_reopen(p->file);
    await_size(p->path, 0);
    add(p, "after\n");
    iswi_log_file_close(p->file);
    has(p->moved, "before\nstill\n");
    has(p->path, "after\n");
}

static void a_file_that_cannot_be_made_anew_is_written_on(void **state)
{
    place *p = *state;

    open_file(p);
    assert_int_equal(rename(p->path, p->moved), 0);
    assert_int_equal(mkdir(p->path, 0700), 0);
    iswi_log_file_reopen(p->file);
    await_sentences(p, 1);
    assert_non_null(strstr(p->said, "the file that was open is written on: Is a directory"));
    add(p, "on\n");
    iswi_log_file_close(p->file);
    has(p->moved, "on\n");
    rmdir(p->path);
}

static void a_full_disk_is_told_once_and_lines_are_counted(void **state)
{
    place *p = *state;

    assert_int_equal(symlink("/dev/full", p->path), 0);
    open_file(p);
    add(p, "one\ntwo\n");
    await_sentences(p, 1);
    add(p, "three\n");
    iswi_log_file_reopen(p->file); /* which writes it first */
    while (iswi_log_file_lost(p->file) < 3)
        poll(NULL, 0, 5);
    assert_int_equal(unlink(p->path), 0);
    iswi_log_file_reopen(p->file);
    await_size(p->path, 0);
    add(p, "four\n");
    await_sentences(p, 2);
    assert_int_equal(iswi_log_file_lost(p->file), 3);
    iswi_log_file_close(p->file);
    has(p->path, "four\n");
    assert_int_equal(p->sentences, 2);
    assert_non_null(strstr(p->said, "are lost, and counted, until it can be written again: No "
                                    "space left on device\n"));
    assert_non_null(strstr(p->said, "is written again; 3 lines were lost\n"));
}

static void a_reader_that_stops_holds_nobody_up(void **state)
{
    place *p = *state;
    char *lines = malloc(ISWI_LOG_FILE_ROOM);
    int fd;

    assert_int_equal(mkfifo(p->path, 0600), 0);
    fd = open(p->path, O_RDWR | O_NONBLOCK);
    open_file(p);
    memset(lines, 'x', ISWI_LOG_FILE_ROOM);
    for (size_t i = 1023; i < ISWI_LOG_FILE_ROOM; i += 1024)
        lines[i] = '\n';
    for (int i = 0; i < 4; i++) /* more than the pipe and the room hold */
        iswi_log_file_add(p->file, lines, ISWI_LOG_FILE_ROOM);
    iswi_log_file_close(p->file);
    assert_non_null(strstr(p->said, "are lost, and counted"));
    free(lines);
    close(fd);
}

static void a_place_that_cannot_be_had_is_named(void **state)
{
    place *p = *state;
    isw_error error = { ISW_OK, "" };

    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_int_equal(iswi_log_file_open(&(iswi_log_file_options){ p->path, hear, p }, &p->file,
                                        &error), ISW_E_IO);
    assert_non_null(strstr(error.message, p->path));
    assert_non_null(strstr(error.message, "cannot be opened: Is a directory"));
    rmdir(p->path);
}

static void *add_many(void *user)
{
    for (int i = 0; i < LINES; i++)
        add(user, "0123456789012345678901234567890123456789\n");
    return NULL;
}

static void no_line_of_many_threads_is_lost_or_torn(void **state)
{
    place *p = *state;
    pthread_t threads[THREADS];
    char line[64];
    size_t count = 0;
    FILE *file;

    open_file(p);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, p), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    iswi_log_file_close(p->file);
    file = fopen(p->path, "r");
    while (fgets(line, sizeof line, file)) {
        assert_string_equal(line, "0123456789012345678901234567890123456789\n");
        count++;
    }
    fclose(file);
    assert_int_equal(count, THREADS * LINES);
    assert_string_equal(p->said, "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(lines_are_appended_to_what_is_there, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_line_is_written_soon_while_it_stays_open, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_made_anew_when_asked, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_file_that_cannot_be_made_anew_is_written_on, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_full_disk_is_told_once_and_lines_are_counted, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_reader_that_stops_holds_nobody_up, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_place_that_cannot_be_had_is_named, set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_line_of_many_threads_is_lost_or_torn, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
