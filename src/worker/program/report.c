/* SPDX-License-Identifier: Apache-2.0 */
/* What a program says of a worker that is not as it should be, and the status that it ends with. */
#include "worker/program/report.h"

#include "worker/program/program.h"

#include <errno.h>
#include <sysexits.h>

int iswi_report_status(isw_status status)
{
    switch (status) {
    case ISW_E_CONFIG:
    case ISW_E_CONFLICT:
    case ISW_E_INVALID:
        return EX_CONFIG;
    case ISW_E_PROTOCOL:
    case ISW_E_UNSUPPORTED:
    case ISW_E_UNAUTHENTICATED:
        return EX_PROTOCOL;
    case ISW_E_NO_MEMORY:
        return EX_OSERR;
    case ISW_E_IO:
        return EX_IOERR;
    default:
        return EX_UNAVAILABLE;
    }
}

int iswi_report_fail(const iswi_report_to *to, const isw_error *error)
{
    fprintf(to->file, "%s: %s\n", to->name, error->message);
    return iswi_report_status(error->status);
}

int iswi_report_run(const iswi_report_to *to, const isw_worker *worker, const isw_error *error)
{
    int code = iswi_report_fail(to, error);

    if (atomic_load(&worker->begun) == ISWI_BEGUN_IN_VAIN && error->status != ISW_E_CONFIG)
        return EX_UNAVAILABLE;
    return code;
}

int iswi_report_faults(const iswi_report_to *to, isw_status status, iswi_faults *faults,
                       const isw_error *error)
{
    iswi_buffer text = { 0 };

    if (status != ISW_OK) {
        iswi_faults_tell(faults, to->name, error, &text);
        fputs(iswi_buffer_text(&text) ? iswi_buffer_text(&text) : error->message, to->file);
        iswi_buffer_fini(&text);
    }
    iswi_faults_fini(faults);
    if (status == ISW_OK)
        return EX_OK;
    return isw_status_retriable(status) ? iswi_report_status(status) : EX_CONFIG;
}

int iswi_report_configure(const iswi_report_to *to, isw_worker *worker)
{
    iswi_faults faults = { .count = 0 };
    isw_error error = { ISW_OK, "" };
    isw_status status = iswi_worker_configure(worker, &faults, &error);

    return iswi_report_faults(to, status, &faults, &error);
}

size_t iswi_report_warn(const iswi_report_to *to, isw_worker *worker)
{
    iswi_faults warnings = { .count = 0 };
    isw_error none = { ISW_OK, "" };
    iswi_buffer text = { 0 };
    size_t count;

    iswi_worker_warn_of_doubts(worker, &warnings);
    count = warnings.count;
    if (count)
        iswi_faults_tell(&warnings, to->name, &none, &text);
    fputs(iswi_buffer_text(&text) ? iswi_buffer_text(&text) : "", to->file);
    iswi_buffer_fini(&text);
    iswi_faults_fini(&warnings);
    return count;
}

/* -- Of a program ------------------------------------------------------------------------------ */

static iswi_report_to own(void)
{
    return (iswi_report_to){ program_invocation_short_name, stderr };
}

int iswi_program_fail(const isw_error *error)
{
    const iswi_report_to to = own();

    return iswi_report_fail(&to, error);
}

int iswi_program_fail_to_run(const isw_worker *worker, const isw_error *error)
{
    const iswi_report_to to = own();

    return iswi_report_run(&to, worker, error);
}

int iswi_program_tell(isw_status status, iswi_faults *faults, const isw_error *error)
{
    const iswi_report_to to = own();

    return iswi_report_faults(&to, status, faults, error);
}

int iswi_program_configure(isw_worker *worker)
{
    const iswi_report_to to = own();

    return iswi_report_configure(&to, worker);
}

size_t iswi_program_warn(isw_worker *worker)
{
    const iswi_report_to to = own();

    return iswi_report_warn(&to, worker);
}
