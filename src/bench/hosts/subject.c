/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping what is called. Invariant: it ends when this process does, and its folder
 * goes with it. */
#include "bench/hosts/subject.h"

#include "bench/http/socket.h"
#include "bench/process.h"
#include "bench/setup.h"
#include "cli/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MOST = 16, WORD_BYTES = 64 };

static const char grpc_worker[] = "isoworker-bench-grpc-worker";

const char *iswi_bench_subject_missing(iswi_bench_subject_kind kind)
{
    char path[PATH_MAX];

    if (kind == ISWI_BENCH_BARE_GRPC && !iswi_cli_find_helper(grpc_worker, path))
        return "not built (Debian: libgrpc++-dev)";
    if (kind >= ISWI_BENCH_RUN && !iswi_cli_find_command(path))
        return "the command isoworker is not where it belongs";
    return NULL;
}

/* -- Bare ones --------------------------------------------------------------------------------- */

/* As descriptor 3 it has a socket that listens. */
static bool start_bare(iswi_bench_subject_program *subject,
                       const iswi_bench_foreign_options *options)
{
    const bool grpc = subject->kind == ISWI_BENCH_BARE_GRPC;
    const bool loop = subject->kind == ISWI_BENCH_BARE_LOOP;
    char own[WORD_BYTES], port[WORD_BYTES], number[WORD_BYTES];
    char path[PATH_MAX] = "/proc/self/exe";
    unsigned own_port = 0;
    const int listener = loop ? -1 : iswi_bench_listen(&own_port);
    char *words[] = { (char *)"isoworker-bench", (char *)"peer", (char *)"echo-http", own, NULL,
                      NULL, NULL, NULL };

    snprintf(own, sizeof own, "%ld", (long)getpid());
    snprintf(port, sizeof port, "%u", subject->port);
    snprintf(number, sizeof number, "%u", loop ? options->in_flight : own_port);
    if (subject->kind == ISWI_BENCH_BARE_CUSTOM)
        words[2] = (char *)"echo-custom";
    if (loop) {
        words[2] = (char *)"runtime-loop";
        words[4] = port;
        words[5] = number;
        words[6] = (char *)(options->json ? "json" : "url");
    }
    if (grpc) {
        memcpy(words, (char *[]){ (char *)grpc_worker, own, port,
                                  options->forwards ? number : NULL, NULL }, 5 * sizeof *words);
        iswi_cli_find_helper(grpc_worker, path);
    }
    if (!grpc && !loop)
        subject->port = own_port;
    subject->pid = iswi_bench_spawn(path, words, listener, subject->said);
    if (listener >= 0)
        close(listener);
    return subject->pid > 0;
}

/* -- Ours -------------------------------------------------------------------------------------- */

static bool write_file(const char *folder, const char *name, const iswi_bench_setup *setup,
                       void (*write)(const iswi_bench_setup *setup, FILE *file))
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "we");
    if (!file)
        return false;
    write(setup, file);
    return fclose(file) == 0;
}

static bool make_folder(iswi_bench_subject_program *subject)
{
    iswi_bench_setup setup;
    char text[64];

    strcpy(subject->folder, "/tmp/isoworker-bench-XXXXXX");
    snprintf(text, sizeof text, "%s,http=1,port=%u", subject->inside ? "none" : "ring",
             subject->kind == ISWI_BENCH_RUN ? subject->port : 0);
    if (!mkdtemp(subject->folder)) {
        *subject->folder = '\0';
        return false;
    }
    return iswi_bench_parse_setup(text, &setup) &&
           (!subject->inside || iswi_bench_copy_object(subject->folder)) &&
           write_file(subject->folder, "host.yaml", &setup, iswi_bench_write_host_yaml) &&
           write_file(subject->folder, "worker.yaml", &setup, iswi_bench_write_worker_yaml);
}

static void set_lambda(unsigned port, unsigned in_flight)
{
    char text[WORD_BYTES];

    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    setenv("AWS_LAMBDA_RUNTIME_API", text, 1);
    snprintf(text, sizeof text, "%u", in_flight);
    setenv("AWS_LAMBDA_MAX_CONCURRENCY", text, 1);
}

/* Its words behind those that make it end with us. */
static void say(char *words[WORDS_MOST], const char *one)
{
    while (*words)
        words++;
    *words = (char *)one;
}

static void say_azure(char *words[WORDS_MOST], const char *url, bool forwards)
{
    say(words, "azure");
    say(words, "--functions-uri");
    say(words, url);
    say(words, "--functions-worker-id");
    say(words, "bench");
    say(words, "--http");
    say(words, forwards ? "forward" : "message");
}

static bool start_ours(iswi_bench_subject_program *subject,
                       const iswi_bench_foreign_options *options)
{
    const bool called = subject->kind == ISWI_BENCH_RUN || subject->kind == ISWI_BENCH_CUSTOM;
    char own[WORD_BYTES], port[WORD_BYTES], url[WORD_BYTES];
    char path[PATH_MAX];
    char *words[WORDS_MOST] = { (char *)"isoworker-bench", (char *)"peer", (char *)"become", own,
                                path };

    if (called)
        subject->port = iswi_bench_free_port();
    snprintf(own, sizeof own, "%ld", (long)getpid());
    snprintf(port, sizeof port, "%u", subject->port);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", subject->port);
    if (!make_folder(subject) || !iswi_cli_find_command(path))
        return false;
    if (subject->kind == ISWI_BENCH_RUN) {
        say(words, "run");
    } else if (subject->kind == ISWI_BENCH_CUSTOM) {
        say(words, "azure");
        say(words, "--custom-handler");
        say(words, "--port");
        say(words, port);
        if (!options->json)
            say(words, "--forwarding");
    } else if (subject->kind == ISWI_BENCH_AZURE) {
        say_azure(words, url, options->forwards);
    } else {
        set_lambda(subject->port, options->in_flight);
        say(words, "lambda");
    }
    say(words, subject->folder);
    subject->pid = iswi_bench_spawn("/proc/self/exe", words, -1, subject->said);
    return subject->pid > 0;
}

bool iswi_bench_subject_start(iswi_bench_subject_program *subject,
                              const iswi_bench_foreign_options *options)
{
    subject->said = memfd_create("isoworker-bench", MFD_CLOEXEC);
    return subject->kind < ISWI_BENCH_RUN ? start_bare(subject, options)
                                          : start_ours(subject, options);
}

static void show_said(int fd)
{
    char text[4096];
    const ssize_t size = fd >= 0 ? pread(fd, text, sizeof text, 0) : 0;

    if (size > 0)
        fprintf(stderr, "%.*s", (int)size, text);
}

void iswi_bench_subject_stop(iswi_bench_subject_program *subject, bool loud)
{
    static const char *const names[] = { "host.yaml", "worker.yaml" };
    char path[128];

    if (subject->kind < ISWI_BENCH_RUN)
        iswi_bench_end(subject->pid);
    else
        iswi_bench_ask_to_end(subject->pid);
    subject->pid = 0;
    if (loud)
        show_said(subject->said);
    if (subject->said >= 0)
        close(subject->said);
    subject->said = -1;
    for (size_t i = 0; *subject->folder && i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", subject->folder, names[i]);
        unlink(path);
    }
    if (subject->inside)
        iswi_bench_remove_object(subject->folder);
    if (*subject->folder)
        rmdir(subject->folder);
    *subject->folder = '\0';
}
