/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread runs. State of the process and of its threads, since a signal handler has no other
 * way to it. */
#include "worker/context/context.h"

static _Atomic(void (*)(void)) prepare_thread;

/* Initial-exec: to look at it must not allocate. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct {
    const isw_context *running;
    bool ready;
} mine;

const isw_context *iswi_running_set(const isw_context *ctx)
{
    const isw_context *before = mine.running;
    void (*prepare)(void) = NULL;

    if (!mine.ready)
        prepare = atomic_load_explicit(&prepare_thread, memory_order_relaxed);
    if (prepare) {
        prepare();
        mine.ready = true;
    }
    mine.running = ctx;
    return before;
}

const isw_context *iswi_running(void)
{
    return mine.running;
}

void iswi_running_prepare(void (*prepare)(void))
{
    atomic_store(&prepare_thread, prepare);
    prepare();
    mine.ready = true;
}
