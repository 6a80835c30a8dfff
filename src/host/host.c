/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a host together: the engine, the lists of triggers and sinks, and what stands beside. */
#include "host/host.h"

#include "host/debug/crash.h"
#include "host/debug/gdb.h"
#include "host/debug/record.h"
#include "host/engine/look.h"
#include "host/operate/operate.h"
#include "host/operate/takeover.h"
#include "host/remote/remote.h"
#include "host/sinks/sinks.h"
#include "host/triggers.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Where the control socket was asked to be; NULL: where it belongs. A relative path means the
 * folder that whoever wrote it was in. */
static const char *control_path(const iswi_host *host, const char *override,
                                char path[2 * PATH_MAX])
{
    const char *own = iswi_host_control_path(&iswi_host_settings_of(host)->host);
    const char *named = override ? override : own;
    char here[PATH_MAX] = ".";

    if (!named || *named == '/')
        return named;
    if (override && !getcwd(here, sizeof here))
        snprintf(here, sizeof here, ".");
    snprintf(path, 2 * PATH_MAX, "%s/%s", override ? here : iswi_host_folder(host), named);
    return path;
}

static isw_status start_log(iswi_host *host, const iswi_host_overrides *overrides,
                            iswi_operate **operate, isw_error *error)
{
    const iswi_logging_settings *logging = &iswi_host_settings_of(host)->logging;
    iswi_log_sink log;
    iswi_operate_options options = { .output = overrides->output,
                                     .json = overrides->json >= 0 ? overrides->json
                                                                  : logging->format == 1,
                                     .format_is_said = overrides->json >= 0,
                                     .color = overrides->color,
                                     .hidden = overrides->hidden,
                                     .service = overrides->service,
                                     .takeover = overrides->takeover,
                                     .succession = overrides->succession,
                                     .level = (isw_log_level)logging->level };

    if (iswi_operate_attach(host, &options, &log, operate, error) != ISW_OK)
        return error->status;
    iswi_host_log_to(host, &log, &overrides->listener);
    return ISW_OK;
}

static isw_status start_operators(iswi_host *host, iswi_operate *operate, const char *control,
                                  isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    char path[2 * PATH_MAX];

    iswi_operate_open(operate,
                      iswi_host_is_confined(host) ? NULL : control_path(host, control, path), &own);
    return iswi_host_place_listen(host, "admin", &own, error);
}

static isw_status start_debugging(iswi_host *host, const iswi_host_overrides *overrides,
                                  isw_error *error)
{
    isw_status status = iswi_crash_attach(host, error);

    if (status == ISW_OK && overrides->debugged)
        status = iswi_gdb_attach(host, overrides->debugged, iswi_host_runtime_folder(host), error);
    for (const char *const *at = overrides->wait_for; status == ISW_OK && at && *at; at++)
        status = iswi_host_await(host, *at, error);
    return status;
}

isw_status iswi_host_create(const char *folder, const iswi_host_overrides *overrides,
                            iswi_host **out, isw_error *error)
{
    const iswi_host_make make = {
        .triggers = overrides->triggers ? overrides->triggers : iswi_host_triggers,
        .sinks = overrides->sinks ? overrides->sinks : iswi_host_sinks,
        .faults = overrides->faults,
        .debug = overrides->debug || overrides->debugged,
        .watch = overrides->watch,
        .config = overrides->config,
        .settings = overrides->settings,
        .from_text = overrides->from_text,
        .legacy = iswi_takeover_legacy(overrides->takeover),
    };
    iswi_operate *operate = NULL;
    iswi_host *host = NULL;
    isw_status status = iswi_host_begin(folder, &make, &host, error);

    if (status == ISW_OK)
        status = start_log(host, overrides, &operate, error);
    if (status == ISW_OK)
        status = iswi_host_prepare(host, error);
    if (status == ISW_OK)
        status = start_debugging(host, overrides, error);
    if (status == ISW_OK)
        status = iswi_host_open(host, error);
    if (status == ISW_OK)
        status = iswi_remote_attach(host, make.legacy, error);
    if (status == ISW_OK && overrides->record)
        status = iswi_record_attach(host, overrides->record, error);
    if (status == ISW_OK)
        status = iswi_host_start_triggers(host, overrides->listen, overrides->port, error);
    if (status == ISW_OK)
        status = start_operators(host, operate, overrides->control, error);
    if (status == ISW_OK)
        *out = host;
    else
        iswi_host_destroy(host);
    return status;
}
