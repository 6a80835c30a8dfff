/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks: posted on a stack without a lock, which the reactor takes whole and turns round. */
#include "reactor/internal.h"

#include <semaphore.h>
#include <unistd.h>

void iswi_tasks_init(iswi_tasks *tasks)
{
    tasks->end = &tasks->first;
}

bool iswi_tasks_wait(const iswi_tasks *tasks)
{
    return tasks->first || atomic_load(&tasks->posted);
}

static void append(iswi_tasks *tasks, iswi_task *task)
{
    task->next = NULL;
    *tasks->end = task;
    tasks->end = &task->next;
}

/* Put what was posted behind what is there, the oldest first. */
static void take_posted(iswi_tasks *tasks)
{
    iswi_task *task = atomic_load_explicit(&tasks->posted, memory_order_relaxed);
    iswi_task *oldest = NULL;

    if (!task)
        return;
    task = atomic_exchange(&tasks->posted, NULL);
    while (task) {
        iswi_task *next = task->next;

        task->next = oldest;
        oldest = task;
        task = next;
    }
    for (task = oldest; task; task = oldest) {
        oldest = task->next;
        append(tasks, task);
    }
}

void iswi_tasks_run(iswi_tasks *tasks)
{
    iswi_task *task;

    take_posted(tasks);
    task = tasks->first;
    tasks->first = NULL; /* what they defer waits for the next turn */
    tasks->end = &tasks->first;
    while (task) {
        iswi_task *next = task->next;

        tasks->go_on = next != NULL;
        task->run(task);
        task = next;
    }
}

void iswi_reactor_defer(iswi_reactor *reactor, iswi_task *task)
{
    append(&reactor->tasks, task);
}

void iswi_reactor_post(iswi_reactor *reactor, iswi_task *task)
{
    iswi_task *before = atomic_load_explicit(&reactor->tasks.posted, memory_order_relaxed);
    uint64_t one = 1;

    do
        task->next = before;
    while (!atomic_compare_exchange_weak(&reactor->tasks.posted, &before, task));
    /* Either we see that it sleeps, or it sees the task. */
    if (atomic_load(&reactor->sleeps) && atomic_exchange(&reactor->sleeps, false))
        (void)!write(reactor->bell, &one, sizeof one);
}

/* -- A call ------------------------------------------------------------------------------------ */

typedef struct waiting_call {
    iswi_task task;
    void (*run)(void *user);
    void *user;
    sem_t done;
} waiting_call;

static void run_call(iswi_task *task)
{
    waiting_call *call = (waiting_call *)task;

    call->run(call->user);
    sem_post(&call->done);
}

void iswi_reactor_call(iswi_reactor *reactor, void (*run)(void *user), void *user)
{
    waiting_call call = { .task.run = run_call, .run = run, .user = user };

    if (iswi_reactor_has_me(reactor)) {
        run(user);
        return;
    }
    sem_init(&call.done, 0, 0);
    iswi_reactor_post(reactor, &call.task);
    while (sem_wait(&call.done) != 0)
        ; /* a signal */
    sem_destroy(&call.done);
}
