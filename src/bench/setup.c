/* SPDX-License-Identifier: Apache-2.0 */
/* A case of ours, as text, as a struct and as YAML. Invariant: what a text does not name is as in
 * the plainest case, so all cases differ by their text alone. */
#include "bench/setup.h"

#include "bench/samples.h"
#include "bench/ten.h"
#include "cli/helper.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

const char iswi_bench_key[] = "bench-key";

static const char auth[] =
    "  - auth:\n"
    "      keys:\n"
    "        - name: bench\n"
    "          hash: sha256:4b67f4a0c2b62a93f5eb08e010668e55:"
    "8df66d7d9730c63a558073dc80bb99cb89da50837f34e2176a07290ec1e1f117\n";

typedef struct number {
    const char *name;
    size_t offset;
    unsigned least, most;
} number;

#define NUMBER(member, low, high)                                             \
    {                                                                         \
        #member, offsetof(iswi_bench_setup, member), low, high                \
    }

static const number numbers[] = {
    NUMBER(functions, 1, 16000), NUMBER(workers, 1, 64),  NUMBER(in_flight, 1, 10000),
    NUMBER(middleware, 0, 64),   NUMBER(counted, 0, 1), NUMBER(http, 0, 64),
    NUMBER(port, 0, 65535),      NUMBER(warm, 0, 1),
};

/* "functions=10,workers=2" from the first comma on. */
static bool parse_numbers(const char *text, iswi_bench_setup *setup)
{
    while (*text == ',') {
        size_t size = strcspn(++text, "=");
        const number *found = NULL;
        unsigned long value;
        char *end;

        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            if (strlen(numbers[i].name) == size && strncmp(numbers[i].name, text, size) == 0)
                found = &numbers[i];
        if (!found || text[size] != '=')
            return false;
        value = strtoul(text + size + 1, &end, 10);
        if (end == text + size + 1 || value < found->least || value > found->most)
            return false;
        *(unsigned *)((char *)setup + found->offset) = (unsigned)value;
        text = end;
    }
    return !*text;
}

bool iswi_bench_parse_setup(const char *text, iswi_bench_setup *setup)
{
    static const char *const lanes[] = { "message", "ring", "in-process", "process", "none" };
    size_t size = strcspn(text, "+,");
    const char *after = text + strcspn(text, ",");
    bool known = false;

    *setup = (iswi_bench_setup){ .functions = 1, .workers = 1, .in_flight = ISWI_BENCH_WINDOW };
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++)
        known = known || (strlen(lanes[i]) == size && strncmp(lanes[i], text, size) == 0);
    setup->ring = text[0] == 'r';
    setup->in_process = text[0] == 'i';
    setup->inside = text[0] == 'n';
    setup->object = text[0] == 'p' || setup->inside;
    setup->chain = strncmp(text + size, "+chain", 6) == 0;
    setup->auth = strncmp(text + size, "+chain+auth", 11) == 0;
    setup->ten = strncmp(text + size, "+ten", 4) == 0;
    size += setup->auth ? 11 : setup->chain ? 6 : setup->ten ? 4 : 0;
    return known && text + size == after && parse_numbers(after, setup);
}

static void write_command(const iswi_bench_setup *setup, FILE *file)
{
    char worker[PATH_MAX] = ""; /* where it should be: the host says if it is not there */
    char command[PATH_MAX] = "isoworker";

    iswi_cli_find_helper("isoworker-bench-worker", worker);
    iswi_cli_find_command(command);
    if (setup->object)
        fprintf(file, "    isolation: %s\n    command: [\"%s\", worker, ./" ISWI_BENCH_OBJECT "]\n",
                setup->inside ? "none" : "process", command);
    else if (setup->program)
        fprintf(file, "    command: [\"%s\"]\n", setup->program);
    else
        fprintf(file, "    command: [\"%s\", %s, \"%u\"]\n", worker,
                setup->http ? "serve-http" : "serve", setup->functions);
}

void iswi_bench_write_host_yaml(const iswi_bench_setup *setup, FILE *file)
{
    fputs("host: {function_timeout: 0, control: false}\n", file);
    if (setup->http)
        fprintf(file, "http: {listen: \"127.0.0.1:%u\", threads: %u}\n", setup->port, setup->http);
    else
        fputs("http: {enabled: false}\n", file);
    fprintf(file,
            "logging: {level: warning}\n"
            "workers:\n"
            "  - name: bench\n"
            "    processes: %u\n"
            "    start_timeout: 60s\n",
            setup->workers);
    if (setup->warm)
        fputs("    start: warm\n", file);
    if (!setup->object)
        fprintf(file, "    give_up_after: %u\n    link: {lane: %s}\n",
                setup->http || setup->warm ? 8 : 1, /* in vain; those are killed */
                setup->ring ? "ring" : "message");
    write_command(setup, file);
}

/* It lies beside the worker, and is no program itself. */
static int open_object(void)
{
    char path[PATH_MAX + sizeof ISWI_BENCH_OBJECT];

    if (!iswi_cli_find_helper("isoworker-bench-worker", path))
        return -1;
    strcpy(strrchr(path, '/') + 1, ISWI_BENCH_OBJECT);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool iswi_bench_copy_object(const char *folder)
{
    char to[PATH_MAX];
    int in = open_object();
    int out = -1;
    ssize_t got = -1;

    snprintf(to, sizeof to, "%s/" ISWI_BENCH_OBJECT, folder);
    if (in >= 0)
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    while (out >= 0 && (got = sendfile(out, in, NULL, 1 << 20)) > 0)
        continue;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return got == 0;
}

void iswi_bench_remove_object(const char *folder)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/" ISWI_BENCH_OBJECT, folder);
    unlink(path);
}

/* At level debug logging has nothing to say under a host or a terminal that shows info or less. */
void iswi_bench_write_worker_yaml(const iswi_bench_setup *setup, FILE *file)
{
    fprintf(file, "worker: {max_in_flight: %u}\n", 2 * setup->in_flight);
    if (setup->chain || setup->auth || setup->ten || setup->middleware)
        fputs("middleware:\n", file);
    if (setup->chain)
        fputs("  - error_handling\n  - logging: {success_level: debug}\n", file);
    if (setup->auth)
        fputs(auth, file);
    for (unsigned i = 0; setup->ten && i < ISWI_BENCH_TEN; i++)
        fprintf(file, "  - %s: %s\n", iswi_bench_ten[i].name, iswi_bench_ten[i].options);
    for (unsigned i = 0; i < setup->middleware; i++)
        fputs("  - nothing\n", file);
}
