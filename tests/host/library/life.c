/* SPDX-License-Identifier: Apache-2.0 */
/* A host as a part of a program: made, started, ended. */
#include "host/library/support.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* -- Made -------------------------------------------------------------------------------------- */

static void write_yaml(const char *folder, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/host.yaml", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void remove_yaml(const char *folder)
{
    char path[256];

    snprintf(path, sizeof path, "%s/host.yaml", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void host_yaml_makes_a_host_with_http(void **state)
{
    char folder[] = "/tmp/isw-library-XXXXXX";
    isw_error error = { ISW_OK, "" };
    isw_host_options options;
    seen s;
    isw_host *host;

    (void)state;
    seen_init(&s);
    assert_non_null(mkdtemp(folder));
    write_yaml(folder, "workers:\n  - {name: plugins, command: [" WORKER "]}\n");
    options = options_of(&s);
    options.folder = folder;
    options.port = 0;
    host = make_host(&options);
    assert_int_equal(isw_host_add_worker(host, &(isw_host_worker)ISW_HOST_WORKER_INIT, &error),
                     ISW_E_UNSUPPORTED);
    assert_null(isw_host_url(host));
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    assert_non_null(strstr(isw_host_url(host), "http://127.0.0.1:"));
    assert_echo(host);
    isw_host_destroy(host);
    remove_yaml(folder);
}

static void note_pid(void *user, int64_t pid)
{
    seen *s = user;

    pthread_mutex_lock(&s->lock);
    s->pid = pid;
    pthread_mutex_unlock(&s->lock);
}

static void one_host_takes_the_place_of_another(void **state)
{
    char folder[] = "/tmp/isw-library-XXXXXX";
    char control[64];
    isw_error error = { ISW_OK, "" };
    isw_host_options options;
    seen s[2];
    isw_host *first;
    isw_host *next;

    (void)state;
    seen_init(&s[0]);
    seen_init(&s[1]);
    assert_non_null(mkdtemp(folder));
    snprintf(control, sizeof control, "%s/control", folder);
    write_yaml(folder, "workers:\n  - {name: plugins, command: [" WORKER "]}\n");
    options = options_of(&s[0]);
    options.folder = folder;
    options.port = 0;
    options.control = control;
    options.replaced = note_pid;
    first = make_host(&options);
    assert_int_equal(isw_host_start(first, &error), ISW_OK);
    assert_int_equal(isw_host_wait_ready(first, PATIENCE_MS, &error), ISW_OK);
    options.event = NULL;
    options.user = &s[1];
    options.replace = "";
    next = make_host(&options);
    assert_int_equal(isw_host_start(next, &error), ISW_OK);
    assert_int_equal(isw_host_wait(first, &error), ISW_OK);
    assert_int_equal(s[0].pid, getpid());
    assert_string_equal(isw_host_url(next), isw_host_url(first));
    isw_host_destroy(first);
    assert_echo(next);
    isw_host_destroy(next);
    remove_yaml(folder);
}

static void one_that_is_watched_keeps_its_place(void **state)
{
    char folder[] = "/tmp/isw-library-XXXXXX";
    char control[64];
    isw_error error = { ISW_OK, "" };
    isw_host_options options;
    seen s;
    isw_host *first;
    isw_host *next;

    (void)state;
    seen_init(&s);
    assert_non_null(mkdtemp(folder));
    snprintf(control, sizeof control, "%s/control", folder);
    write_yaml(folder, "workers:\n  - {name: plugins, command: [" WORKER "]}\n");
    options = options_of(&s);
    options.folder = folder;
    options.port = 0;
    options.control = control;
    options.watched = true;
    first = make_host(&options);
    assert_int_equal(isw_host_start(first, &error), ISW_OK);
    options.replace = control;
    next = make_host(&options);
    assert_int_equal(isw_host_start(next, &error), ISW_E_CONFLICT);
    assert_message(&error, "the host that runs keeps its place: this host, pid ");
    isw_host_destroy(next);
    assert_echo(first);
    isw_host_destroy(first);
    remove_yaml(folder);
}

static void a_host_listens_at_each_address_of_its_options(void **state)
{
    char folder[] = "/tmp/isw-library-XXXXXX";
    char path[64];
    const char *addresses[] = { "127.0.0.1:0", path, NULL };
    isw_error error = { ISW_OK, "" };
    isw_host_options options;
    struct stat found;
    seen s;
    isw_host *host;

    (void)state;
    seen_init(&s);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "unix:%s/s", folder);
    options = options_of(&s);
    options.addresses = addresses;
    host = make_host(&options);
    addresses[0] = addresses[1] = "nonsense"; /* they were copied */
    add_worker(host, "plugins");
    assert_null(isw_host_url_at(host, 0));
    if (isw_host_start(host, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_non_null(strstr(isw_host_url_at(host, 0), "http://127.0.0.1:"));
    assert_string_equal(isw_host_url_at(host, 1), path);
    assert_null(isw_host_url_at(host, 2));
    assert_int_equal(stat(path + strlen("unix:"), &found), 0);
    isw_host_destroy(host);
    assert_int_equal(rmdir(folder), 0); /* the socket is gone */
}

static void all_that_is_wrong_with_host_yaml_is_told(void **state)
{
    char folder[] = "/tmp/isw-library-XXXXXX";
    isw_error error = { ISW_OK, "" };
    isw_host_options options;
    isw_host *host = NULL;
    seen s;

    (void)state;
    seen_init(&s);
    assert_non_null(mkdtemp(folder));
    write_yaml(folder, "host: {heartbeet: 1s, log_lines: many}\nworkers:\n  - {name: a, command: [./nix]}\n");
    options = options_of(&s);
    options.folder = folder;
    assert_int_equal(isw_host_create(&options, &host, &error), ISW_E_CONFIG);
    assert_message(&error, "host.yaml:1:8: ");
    assert_int_equal(s.faults, 2);
    assert_null(host);
    remove_yaml(folder);
}

static void refuse_worker(const isw_host_worker *worker, isw_status status, const char *text)
{
    isw_host *host = make_host(NULL);
    isw_error error = { ISW_OK, "" };

    add_worker(host, "plugins");
    assert_int_equal(isw_host_add_worker(host, worker, &error), status);
    assert_string_equal(error.message, text);
    isw_host_destroy(host);
}

static void a_worker_that_cannot_be_is_refused_when_it_is_added(void **state)
{
    static const char *const command[] = { WORKER, NULL };
    static const char *const missing[] = { "./$nothing \"here\"", NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    char text[4096];
    char folder[2048];

    (void)state;
    assert_non_null(getcwd(folder, sizeof folder));
    worker.name = "second";
    refuse_worker(&worker, ISW_E_CONFIG, "worker \"second\" has no program");
    worker.command = missing;
    snprintf(text, sizeof text,
             "worker \"second\": there is no program %s/./$nothing \"here\"", folder);
    refuse_worker(&worker, ISW_E_CONFIG, text);
    worker.command = command;
    worker.processes = 1000;
    refuse_worker(&worker, ISW_E_CONFIG,
                  "worker \"second\": \"processes\" must be a whole number from 1 to 64, not \"1000\" "
                  "(it is too large)");
    worker.processes = 1;
    worker.name = "plugins";
    refuse_worker(&worker, ISW_E_CONFLICT, "there are two workers named \"plugins\"");
}

static void a_worker_whose_bounds_cannot_hold_is_refused_when_it_is_added(void **state)
{
    static const char *const command[] = { WORKER, NULL };
    static const char *const limits[] = { "nofile", NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;

    (void)state;
    worker.name = "second";
    worker.command = command;
    worker.memory_limit = worker.recycle_memory = 64 << 20;
    refuse_worker(&worker, ISW_E_CONFIG,
                  "worker \"second\": recycle_after.memory is not below memory_limit, at which the "
                  "process is killed; write less, or leave it out: at nine tenths of the limit another "
                  "process takes over");
    worker.memory_limit = 0;
    worker.cpu_limit = -1;
    refuse_worker(&worker, ISW_E_CONFIG,
                  "worker \"second\": cpu_limit takes processors, such as 0.5 or 2: at least 0.01, at "
                  "most 1024; leave it out for all that there are");
    worker.cpu_limit = 0.5;
    worker.rlimits = limits;
    refuse_worker(&worker, ISW_E_CONFIG,
                  "worker \"second\": rlimits.nofile \"\": it is not a decimal number; or write "
                  "unlimited");
    worker.rlimits = NULL;
    worker.processes = 1;
    worker.processes_max = 4;
    refuse_worker(&worker, ISW_E_CONFIG, "worker \"second\": processes has either a count or a max; "
                                         "leave out one of them");
    worker.processes = 0;
    worker.processes_target = 1.5;
    refuse_worker(&worker, ISW_E_CONFIG, "worker \"second\": target is a part of what the processes "
                                         "take: above 0, at most 1");
}

static void a_worker_is_held_to_the_bounds_that_it_was_added_with(void **state)
{
    static const char *const command[] = { WORKER, NULL };
    static const char *const limits[] = { "nofile=222", "core=0", NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    struct rlimit found;
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    worker.name = "bounded";
    worker.command = command;
    worker.rlimits = limits;
    worker.nice = getpriority(PRIO_PROCESS, 0) < 16 ? getpriority(PRIO_PROCESS, 0) + 3 : 0;
    worker.memory_limit = INT64_C(1) << 40;
    worker.recycle_invocations = 10;
    worker.recycle_age_ms = 3600000;
    worker.processes_max = 2;
    worker.processes_min = 1;
    worker.processes_target = 0.5;
    worker.processes_keep_ms = 1000;
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    assert_int_equal(isw_host_wait_ready(host, PATIENCE_MS, &error), ISW_OK);
    assert_int_equal(prlimit((pid_t)s.pid, RLIMIT_NOFILE, NULL, &found), 0);
    assert_int_equal(found.rlim_cur, 222);
    assert_int_equal(prlimit((pid_t)s.pid, RLIMIT_CORE, NULL, &found), 0);
    assert_int_equal(found.rlim_max, 0);
    if (worker.nice)
        assert_int_equal(getpriority(PRIO_PROCESS, (id_t)s.pid), worker.nice);
    for (int i = 0; i < 12; i++)
        assert_echo(host);
    await_line(&s, "since it has answered recycle_after.invocations");
    isw_host_destroy(host);
}

static void a_worker_is_forked_by_its_template_if_it_was_added_so(void **state)
{
    static const char *const command[] = { WORKER, NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, "logging: {level: debug}\n");
    worker.name = "warm";
    worker.command = command;
    worker.start = "cold";
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "start"));
    worker.start = "warm";
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    await_line(&s, "its template is ready");
    assert_echo(host);
    isw_host_destroy(host);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* there is nobody left */
}

static void a_worker_of_an_older_header_has_no_bounds(void **state)
{
    static const char *const command[] = { WORKER, NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    isw_host *host = make_host(NULL);

    (void)state;
    worker.name = "old";
    worker.command = command;
    worker.cpu_limit = -1; /* what lies behind the end of a smaller struct */
    worker.size = offsetof(isw_host_worker, processes_min);
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
    isw_host_destroy(host);
}

static void a_worker_gets_what_it_was_added_with(void **state)
{
    static const char *const command[] = { WORKER, NULL };
    static const char *const environment[] = { "COLOUR=${blue} \"\\$\n", NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    isw_host_result result;
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    worker.name = "painters";
    worker.command = command;
    worker.environment = environment;
    worker.processes = 2;
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    assert_int_equal(call(host, "variable", NULL, &result, &error), ISW_OK);
    assert_int_equal(result.result.as.string.size, strlen("${blue} \"\\$\n"));
    assert_memory_equal(result.result.as.string.data, "${blue} \"\\$\n",
                        result.result.as.string.size);
    isw_host_result_release(&result);
    await_events(&s, ISW_HOST_WORKER_READY, 2);
    isw_host_destroy(host);
    assert_int_equal(s.of[ISW_HOST_WORKER_STARTED], 2);
    assert_int_equal(s.of[ISW_HOST_WORKER_ENDED], 2);
    assert_int_equal(s.of[ISW_HOST_WORKER_GIVEN_UP], 0);
}

static void a_host_needs_a_worker(void **state)
{
    isw_host *host = make_host(NULL);
    isw_error error = { ISW_OK, "" };

    (void)state;
    assert_int_equal(isw_host_start(host, &error), ISW_E_CONFIG);
    assert_message(&error, "the host has no worker");
    isw_host_destroy(host);
}

/* -- In a program ------------------------------------------------------------------------------ */

static void two_hosts_live_in_one_program(void **state)
{
    isw_error error = { ISW_OK, "" };
    seen seen_of[2];
    isw_host *hosts[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        seen_init(&seen_of[i]);
        hosts[i] = start_host(&seen_of[i]);
    }
    assert_int_equal(call(hosts[0], "crash", NULL, NULL, &error), ISW_E_WORKER_LOST);
    assert_echo(hosts[1]);
    await_events(&seen_of[0], ISW_HOST_WORKER_STARTED, 2);
    isw_host_destroy(hosts[0]);
    assert_echo(hosts[1]);
    isw_host_destroy(hosts[1]);
    assert_int_equal(seen_of[1].of[ISW_HOST_WORKER_STARTED], 1);
}

static void a_host_starts_once(void **state)
{
    running *r = *state;
    isw_error error = { ISW_OK, "" };

    assert_int_equal(isw_host_start(r->host, &error), ISW_E_UNSUPPORTED);
    assert_message(&error, "has been started before");
}

static void a_stop_before_the_start_ends_it(void **state)
{
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    add_worker(host, "plugins");
    isw_host_stop(host);
    assert_int_equal(isw_host_run(host, &error), ISW_OK);
    isw_host_destroy(host);
}

static void a_host_whose_workers_are_all_given_up_ends_with_the_reason(void **state)
{
    static const char *const failing[] = { "/bin/false", NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    seen s;
    isw_host *host;

    (void)state;
    host = host_of(&s, NULL);
    worker.name = "failing";
    worker.command = failing;
    worker.give_up_after = 1;
    assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
    assert_int_equal(isw_host_run(host, &error), ISW_E_UNAVAILABLE);
    assert_message(&error, "no worker could be brought to serve: worker failing: it exited with "
                           "status 1");
    assert_int_equal(s.faults, 1);
    error.status = ISW_OK;
    assert_int_equal(call(host, "echo", NULL, NULL, &error), ISW_E_UNAVAILABLE);
    assert_message(&error, "worker failing");
    isw_host_destroy(host);
}

static void hidden_ends_of_children_are_refused(void **state)
{
    isw_host *host = make_host(NULL);
    isw_error error = { ISW_OK, "" };
    void (*before)(int) = signal(SIGCHLD, SIG_IGN);

    (void)state;
    add_worker(host, "plugins");
    assert_int_equal(isw_host_start(host, &error), ISW_E_UNSUPPORTED);
    assert_message(&error, "SIGCHLD is ignored in this program");
    signal(SIGCHLD, before);
    isw_host_destroy(host);
}

static pthread_t handled_by;
static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    (void)number;
    handled_by = pthread_self();
    handled = 1;
}

/* None of the host's threads lets a signal through that this one holds back. */
static void signals_of_the_program_run_on_its_own_threads(void **state)
{
    sigset_t usr1;
    sigset_t before;
    seen s;
    isw_host *host;

    (void)state;
    seen_init(&s);
    signal(SIGUSR1, on_signal);
    host = start_host(&s);
    assert_echo(host);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, &before);
    kill(getpid(), SIGUSR1);
    assert_echo(host);
    assert_false(handled);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_true(handled);
    assert_true(pthread_equal(handled_by, pthread_self()));
    isw_host_destroy(host);
    signal(SIGUSR1, SIG_DFL);
}

static unsigned count_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* nng closes what it was given back on a thread of its own, a moment later. */
static void await_files(unsigned count)
{
    const struct timespec moment = { 0, 1000000 };

    for (int i = 0; i < 10000 && count_files() > count; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(count_files(), count);
}

static void a_host_leaves_no_descriptor_and_no_child(void **state)
{
    unsigned before = 0;

    (void)state;
    for (int i = 0; i < 2; i++) { /* what is made once for the process is there after the first */
        seen s;
        isw_host *host;

        before = count_files();
        seen_init(&s);
        host = start_host(&s);
        assert_echo(host);
        isw_host_destroy(host);
    }
    await_files(before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void send_pid(void *user, const isw_host_event *event)
{
    if (event->kind == ISW_HOST_WORKER_READY)
        assert_int_equal(write(*(int *)user, &event->pid, sizeof event->pid), sizeof event->pid);
}

static void run_until_killed(int pipe)
{
    isw_host_options options = ISW_HOST_OPTIONS_INIT;
    isw_host *host;

    options.event = send_pid;
    options.user = &pipe;
    host = make_host(&options);
    add_worker(host, "plugins");
    isw_host_run(host, NULL);
}

static void no_worker_outlives_a_program_that_is_killed(void **state)
{
    struct pollfd worker = { .events = POLLIN };
    int64_t pid = 0;
    int ends[2];
    pid_t program;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    program = fork();
    if (program == 0)
        run_until_killed(ends[1]);
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    worker.fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    assert_true(worker.fd >= 0);
    assert_int_equal(poll(&worker, 1, 0), 0);
    kill(program, SIGKILL);
    assert_int_equal(poll(&worker, 1, PATIENCE_MS), 1);
    waitpid(program, NULL, 0);
    close(worker.fd);
    close(ends[0]);
    close(ends[1]);
}

static void nothing_is_printed_unless_that_was_asked_for(void **state)
{
    FILE *out = tmpfile();
    int before[2] = { dup(1), dup(2) };
    isw_host_options options = ISW_HOST_OPTIONS_INIT;
    isw_error error = { ISW_OK, "" };
    isw_host *host;

    (void)state;
    fflush(NULL);
    dup2(fileno(out), 1);
    dup2(fileno(out), 2);
    options.yaml = "logging: {level: trace}\n";
    host = make_host(&options);
    add_worker(host, "plugins");
    assert_int_equal(isw_host_start(host, &error), ISW_OK);
    assert_int_equal(call(host, "crash", NULL, NULL, &error), ISW_E_WORKER_LOST);
    assert_echo(host);
    isw_host_destroy(host);
    for (int i = 0; i < 2; i++) {
        dup2(before[i], i + 1);
        close(before[i]);
    }
    assert_int_equal(lseek(fileno(out), 0, SEEK_END), 0);
    fclose(out);
}

static const struct CMUnitTest tests[] = {
    /* It forks, and nng cannot be used by a child of a program that has used it. */
    cmocka_unit_test(no_worker_outlives_a_program_that_is_killed),
    cmocka_unit_test(host_yaml_makes_a_host_with_http),
    cmocka_unit_test(a_host_listens_at_each_address_of_its_options),
    cmocka_unit_test(one_host_takes_the_place_of_another),
    cmocka_unit_test(one_that_is_watched_keeps_its_place),
    cmocka_unit_test(all_that_is_wrong_with_host_yaml_is_told),
    cmocka_unit_test(a_worker_that_cannot_be_is_refused_when_it_is_added),
    cmocka_unit_test(a_worker_whose_bounds_cannot_hold_is_refused_when_it_is_added),
    cmocka_unit_test(a_worker_is_held_to_the_bounds_that_it_was_added_with),
    cmocka_unit_test(a_worker_is_forked_by_its_template_if_it_was_added_so),
    cmocka_unit_test(a_worker_of_an_older_header_has_no_bounds),
    cmocka_unit_test(a_worker_gets_what_it_was_added_with),
    cmocka_unit_test(a_host_needs_a_worker),
    cmocka_unit_test(two_hosts_live_in_one_program),
    cmocka_unit_test_setup_teardown(a_host_starts_once, run_host, end_host),
    cmocka_unit_test(a_stop_before_the_start_ends_it),
    cmocka_unit_test(a_host_whose_workers_are_all_given_up_ends_with_the_reason),
    cmocka_unit_test(hidden_ends_of_children_are_refused),
    cmocka_unit_test(signals_of_the_program_run_on_its_own_threads),
    cmocka_unit_test(a_host_leaves_no_descriptor_and_no_child),
    cmocka_unit_test(nothing_is_printed_unless_that_was_asked_for),
};

ISW_TEST_MAIN(tests)
