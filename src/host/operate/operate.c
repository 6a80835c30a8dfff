/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of what operators have, put together. */
#include "host/operate/operate.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"
#include "host/engine/steer.h"
#include "host/operate/control.h"
#include "host/operate/metrics.h"
#include "host/operate/succession.h"
#include "host/operate/takeover.h"

#define STUCK_NS INT64_C(5000000000) /* of a loop that was woken and has not turned */

static void on_line(void *user, const iswi_logline *line, iswi_speaker speaker)
{
    iswi_console_line(user, line, speaker == ISWI_SPEAKER_HOST);
}

/* One that is to take another's place does so once all its workers serve, and else ends. */
static bool succeed(iswi_operate *operate)
{
    isw_error error = { ISW_OK, "" };
    iswi_buffer why = { 0 };
    bool serves = iswi_report_serves(operate->host, &why);

    if (!serves) {
        isw_error_set(&error, ISW_E_UNAVAILABLE, "not ready to take the place of another host: %s",
                      iswi_buffer_text(&why) ? iswi_buffer_text(&why) : "");
        iswi_host_give_up(operate->host, &error);
    } else if (iswi_takeover_ready(operate->takeover)) {
        iswi_host_admit(operate->host);
        if (operate->admin)
            iswi_http_open(operate->admin);
        iswi_control_wake(operate->control);
    }
    iswi_buffer_fini(&why);
    return serves;
}

static void on_settled(void *user)
{
    iswi_operate *operate = user;

    operate->settled = true;
    if (iswi_takeover_is_done(operate->takeover))
        iswi_service_settled(operate->service);
    else if (!succeed(operate))
        return;
    iswi_greeting_show(operate);
}

/* A service manager hears one host alone. */
static void on_turn(void *user, int64_t now_ns, int64_t *next_ns)
{
    iswi_operate *operate = user;

    if (!iswi_takeover_is_done(operate->takeover) ||
        iswi_succession_is_over(operate->succession))
        return;
    if (operate->settled)
        iswi_service_settled(operate->service);
    iswi_service_turns(operate->service, iswi_succession_goes_on(operate->succession), now_ns,
                       next_ns);
}

static void on_ready(void *user, iswi_process *process, pid_t pid)
{
    iswi_operate *operate = user;

    (void)pid;
    if (operate->served) /* which is made before the first of them begins */
        atomic_store(&operate->served[iswi_process_worker(process)], true);
}

/* False: no memory. */
static bool prepare_journal(iswi_operate *operate, int64_t lines)
{
    if (!operate->journal || lines == iswi_host_settings_of(operate->host)->host.log_lines)
        return true;
    operate->next_room = iswi_journal_room_make((size_t)lines);
    return operate->next_room != NULL;
}

static void on_renew(void *user, bool take)
{
    iswi_operate *operate = user;

    if (take)
        atomic_store(&operate->console.json, operate->next_json);
    if (take && operate->next_room)
        iswi_journal_take_room(operate->journal, operate->next_room);
    else
        iswi_journal_room_free(operate->next_room);
    operate->next_room = NULL;
    iswi_admin_renew(operate, take);
}

static isw_status on_prepare(void *user, const iswi_host_settings *settings, isw_error *error)
{
    iswi_operate *operate = user;

    operate->next_json = operate->format_is_said ? atomic_load(&operate->console.json)
                                                 : settings->logging.format == 1;
    if (!prepare_journal(operate, settings->host.log_lines))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for host.log_lines");
    if (iswi_admin_prepare(operate, &settings->admin, error) != ISW_OK)
        on_renew(operate, false);
    return error->status;
}

static void stop(void *user)
{
    iswi_operate *operate = user;

    iswi_host_probed_by(operate->host, NULL, operate);
    iswi_control_stop(operate->control);
    iswi_admin_stop(operate);
}

static void destroy(void *user)
{
    iswi_operate *operate = user;

    iswi_service_destroy(operate->service);
    iswi_succession_free(operate->succession);
    iswi_console_fini(&operate->console);
    iswi_journal_destroy(operate->journal);
    iswi_control_free(operate->control);
    iswi_free(operate->served);
    iswi_free(operate);
}

static const iswi_observer observer = {
    .ready = on_ready,
    .settled = on_settled,
    .turns = on_turn,
    .prepares = on_prepare,
    .renews = on_renew,
    .stop = stop,
    .destroy = destroy,
};

isw_status iswi_operate_attach(iswi_host *host, const iswi_operate_options *options,
                               iswi_log_sink *log, iswi_operate **out, isw_error *error)
{
    iswi_operate *operate = iswi_calloc(1, sizeof *operate);

    if (!operate)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the console");
    operate->host = host;
    operate->hidden = options->hidden;
    operate->format_is_said = options->format_is_said;
    operate->tells = options->service;
    operate->takeover = options->takeover;
    operate->succession_options = options->succession;
    iswi_console_init(&operate->console, options->output, options->json, options->color);
    if (iswi_host_observe(host, &observer, operate, error) != ISW_OK) {
        destroy(operate);
        return error->status;
    }
    *log = (iswi_log_sink){ options->level, on_line, &operate->console };
    *out = operate;
    return ISW_OK;
}

/* It is woken each time, and was well if it has turned since the time before. */
static bool turns(iswi_operate *operate)
{
    const unsigned long long turn = iswi_host_turns(operate->host);
    const long long now_ns = iswi_now_ns();

    if (turn == atomic_load(&operate->probed_turn) && atomic_load(&operate->probed_ns))
        return now_ns - atomic_load(&operate->probed_ns) < STUCK_NS;
    atomic_store(&operate->probed_turn, turn);
    atomic_store(&operate->probed_ns, now_ns);
    iswi_host_wake(operate->host);
    return true;
}

static bool probe(void *user, iswi_probe what)
{
    iswi_operate *operate = user;
    iswi_buffer reasons = { NULL, 0, 0, false }; /* which are an operator's to see */
    bool is;

    if (what == ISWI_PROBE_HEALTH)
        return turns(operate);
    is = what == ISWI_PROBE_READY ? iswi_report_ready(operate->host, &reasons)
                                  : iswi_report_startup(operate, &reasons);
    iswi_buffer_fini(&reasons);
    return is;
}

isw_status iswi_operate_open(iswi_operate *operate, const char *path, isw_error *error)
{
    const iswi_host_settings *settings = iswi_host_settings_of(operate->host);
    isw_status status = ISW_OK;

    operate->served = iswi_calloc(iswi_host_worker_most(operate->host), sizeof *operate->served);
    if (!operate->served)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the state of workers");
    iswi_host_probed_by(operate->host, probe, operate);
    if (operate->tells)
        status = iswi_service_create(operate->host, &operate->service, error);
    if (status != ISW_OK)
        return status;
    if ((iswi_host_has_control(&settings->host) && !operate->hidden) || path ||
        settings->admin.listen || operate->takeover)
        status = iswi_control_create(operate, path, error);
    if (status == ISW_OK && settings->admin.listen)
        status = iswi_admin_start(operate, error);
    if (status == ISW_OK && operate->control)
        status = iswi_control_start(operate->control, error);
    return status;
}
