/* SPDX-License-Identifier: Apache-2.0 */
/* The near end of the control socket: one connection for each question. */
#include "cli/client.h"

#include "base/text.h"
#include "cli/cli.h"
#include "host/operate/control_path.h"
#include "host/triggers.h"
#include "value/value.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_MOST_S = 3600 };

static int fail(int status, const char *message)
{
    fprintf(stderr, "isoworker: %s\n", message);
    return status;
}

/* Where host.yaml says that its host listens. Its other words need not be right to ask it. */
static bool configured(const char *folder, char *path, size_t size)
{
    iswi_settings_groups groups = iswi_triggers_groups(iswi_host_triggers);
    const iswi_host_settings *settings = NULL;
    isw_error ignored = { ISW_OK, "" };
    iswi_config *config = NULL;
    const char *named = NULL;

    if (iswi_host_settings_read(folder, &groups, NULL, &config, &settings, &ignored) == ISW_OK)
        named = iswi_host_control_path(&settings->host);
    if (named)
        snprintf(path, size, "%s%s%s", *named == '/' ? "" : folder, *named == '/' ? "" : "/",
                 named);
    iswi_config_close(config);
    return named != NULL;
}

static int connect_by_folder(const char *folder, int *fd)
{
    isw_error error = { ISW_OK, "" };
    isw_error unused = { ISW_OK, "" };
    char real[PATH_MAX];
    char path[2 * PATH_MAX];

    if (!realpath(folder, real)) {
        fprintf(stderr, "isoworker: %s: %s\n", folder, strerror(errno));
        return EX_NOINPUT;
    }
    if (configured(real, path, sizeof path)) {
        if (iswi_control_connect_at(path, fd, &error) == ISW_OK ||
            iswi_control_connect(real, fd, &unused) == ISW_OK) /* run with another --control */
            return EX_OK;
        return fail(EX_UNAVAILABLE, error.message);
    }
    if (iswi_control_connect(real, fd, &error) == ISW_OK)
        return EX_OK;
    return fail(EX_UNAVAILABLE, error.message);
}

bool iswi_client_is_there(const iswi_where *where)
{
    isw_error unused = { ISW_OK, "" };
    char path[2 * PATH_MAX];
    char real[PATH_MAX];
    int fd = -1;

    if (where->control || !realpath(where->folder, real))
        return true; /* who asks is told what is wrong with it */
    if ((!configured(real, path, sizeof path) ||
         iswi_control_connect_at(path, &fd, &unused) != ISW_OK) &&
        iswi_control_connect(real, &fd, &unused) != ISW_OK)
        return false;
    close(fd);
    return true;
}

int iswi_client_ask(const iswi_where *where, const char *request, unsigned patience_s, FILE **out)
{
    isw_error error = { ISW_OK, "" };
    struct timeval patience = { .tv_sec = patience_s };
    size_t size = strlen(request);
    int result = EX_OK;
    int fd = -1;

    if (!where->control)
        result = connect_by_folder(where->folder, &fd);
    else if (iswi_control_connect_at(where->control, &fd, &error) != ISW_OK)
        result = fail(EX_UNAVAILABLE, error.message);
    if (result != EX_OK)
        return result;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (send(fd, request, size, MSG_NOSIGNAL) == (ssize_t)size)
        *out = fdopen(fd, "r");
    if (*out)
        return EX_OK;
    close(fd);
    return fail(EX_UNAVAILABLE, "the host closed the connection; it may be ending");
}

int iswi_client_line(FILE *from, char **line, size_t *size)
{
    size_t capacity = 0;
    ssize_t got;

    *line = NULL;
    got = getline(line, &capacity, from);
    if (got > 0) {
        *size = (size_t)got - ((*line)[got - 1] == '\n');
        return EX_OK;
    }
    free(*line);
    *line = NULL;
    if (ferror(from) && (errno == EAGAIN || errno == EWOULDBLOCK))
        return fail(EX_UNAVAILABLE, "the host does not answer; is it stopped?");
    return fail(EX_UNAVAILABLE, "the host gave no answer; it may be ending");
}

typedef struct complaint {
    const char *error, *status;
} complaint;

static const isw_field complaint_fields[] = {
    { ISW_FIELD(STRING, complaint, error) },
    { ISW_FIELD(STRING, complaint, status) },
    { 0 },
};

static isw_status status_named(const char *name)
{
    static const isw_status all[] = {
#define STATUS(name, number, http, text) ISW_##name,
        ISW_STATUS_TABLE(STATUS)
#undef STATUS
    };

    for (size_t i = 0; name && i < sizeof all / sizeof all[0]; i++)
        if (strcmp(isw_status_name(all[i]), name) == 0)
            return all[i];
    return ISW_E_INVALID;
}

int iswi_client_refused(const char *name)
{
    isw_status status = status_named(name);

    if (isw_status_retriable(status))
        return EX_TEMPFAIL;
    return status == ISW_E_IO ? EX_IOERR : EX_DATAERR;
}

/* What the host says is none of what was expected. */
static int refuse_answer(const isw_error *error)
{
    fprintf(stderr, "isoworker: the host's answer cannot be read; is it of another version? (%s)\n",
            error->message);
    return EX_PROTOCOL;
}

int iswi_client_value(isw_str line, iswi_arena *arena, isw_value *out)
{
    complaint said = { NULL, NULL };
    isw_error error = { ISW_OK, "" };

    if (iswi_json_parse(arena, line, out, &error) == ISW_OK)
        iswi_bind(arena, out, "", complaint_fields, false, &said, &error);
    if (said.error)
        return fail(iswi_client_refused(said.status), said.error);
    return error.status == ISW_OK ? EX_OK : refuse_answer(&error);
}

int iswi_client_pass(isw_str line)
{
    static const char refused[] = "{\"error\":";
    complaint said = { NULL, NULL };
    isw_error error = { ISW_OK, "" };
    bool is_error =
        line.size > sizeof refused && memcmp(line.data, refused, sizeof refused - 1) == 0;
    isw_value value;
    iswi_arena arena;
    int result = EX_OK;

    fprintf(is_error ? stderr : stdout, "%.*s\n", (int)line.size, line.data);
    if (!is_error)
        return EX_OK;
    iswi_arena_init(&arena, 1024);
    if (iswi_json_parse(&arena, line, &value, &error) == ISW_OK)
        iswi_bind(&arena, &value, "", complaint_fields, false, &said, &error);
    result = iswi_client_refused(said.status);
    iswi_arena_fini(&arena);
    return result;
}

int iswi_client_bind(const isw_value *value, iswi_arena *arena, const isw_field *fields, void *out)
{
    isw_error error = { ISW_OK, "" };

    return iswi_bind(arena, value, "", fields, false, out, &error) == ISW_OK
               ? EX_OK
               : refuse_answer(&error);
}

int iswi_client_answer(FILE *from, iswi_arena *arena, const isw_field *fields, void *out)
{
    isw_value value;
    char *line;
    size_t size;
    int result = iswi_client_line(from, &line, &size);

    if (result != EX_OK)
        return result;
    result = iswi_client_value((isw_str){ line, size }, arena, &value);
    if (result == EX_OK)
        result = iswi_client_bind(&value, arena, fields, out);
    free(line);
    return result;
}

void iswi_client_member(iswi_buffer *out, const char *name, const char *value)
{
    if (!value)
        return;
    iswi_buffer_printf(out, ",\"%s\":", name);
    iswi_json_string(out, isw_str_of(value));
}

bool iswi_client_folder(int argc, char **argv, int index, iswi_where *where)
{
    if (where->folder && index < argc) {
        fprintf(stderr, "isoworker: -C has named the folder: \"%s\" is one too many\n", argv[index]);
        return false;
    }
    if (index + 1 < argc) {
        fail(EX_USAGE, "this command takes one folder");
        return false;
    }
    if (!where->folder)
        where->folder = index < argc ? argv[index] : ".";
    return true;
}

int iswi_client_options(int argc, char **argv, const char *usage, iswi_where *where, long *wait_s)
{
    static const struct option options[] = {
        { "wait", required_argument, NULL, 'w' },
        { "control", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int letter;

    while ((letter = iswi_cli_option(argc, argv, "C:", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter == 'C')
            where->folder = optarg;
        else if (letter == 'c')
            where->control = optarg;
        else if (letter != 'w' || !iswi_client_wait(optarg, wait_s))
            return EX_USAGE;
    }
    return ISWI_CLI_GO_ON;
}

bool iswi_client_wait(const char *text, long *seconds)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*end || end == text || number < 0 || number > WAIT_MOST_S) {
        fprintf(stderr, "isoworker: --wait takes seconds, from 0 to %d\n", WAIT_MOST_S);
        return false;
    }
    *seconds = number;
    return true;
}
