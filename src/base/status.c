/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and errors: the table of <isoworker/status.h> as text. */
#include <isoworker/status.h>

#include <stdarg.h>
#include <stdio.h>

typedef struct status_row {
    const char *name;
    const char *text;
    int http;
} status_row;

static const status_row rows[] = {
#define STATUS_ROW(name, number, http, text) [number] = { "ISW_" #name, text, http },
    ISW_STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

static const status_row *row_of(isw_status status)
{
    static const status_row unknown = { "ISW_E_?", "unknown status", 500 };
    size_t number = (size_t)status;

    return number < sizeof rows / sizeof rows[0] ? &rows[number] : &unknown;
}

const char *isw_status_name(isw_status status)
{
    return row_of(status)->name;
}

const char *isw_status_text(isw_status status)
{
    return row_of(status)->text;
}

int isw_status_http(isw_status status)
{
    return row_of(status)->http;
}

bool isw_status_retriable(isw_status status)
{
    switch (status) {
    case ISW_E_BUSY:
    case ISW_E_UNAVAILABLE:
    case ISW_E_TIMEOUT:
    case ISW_E_WORKER_LOST:
    case ISW_E_NO_MEMORY:
    case ISW_E_CLOSED:
        return true;
    default:
        return false;
    }
}

isw_status isw_error_set(isw_error *error, isw_status status, const char *format, ...)
{
    va_list args;

    if (!error || error->status != ISW_OK)
        return status;
    error->status = status;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return status;
}

const char *isw_version(void)
{
    return ISW_VERSION_STRING;
}
