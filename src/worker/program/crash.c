/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a crash leaves behind. Invariant: from the signal on nothing is called but what
 * signal-safety(7) allows, the unwinder of the compiler apart: it is linked into the library, so
 * that nothing need be loaded for it, then or at a start, and it finds frames without a lock (glibc
 * 2.35, _dl_find_object). It comes last, so that a stack too broken to walk costs only the frames.
 * Memory that may be broken is read through the kernel, which refuses where we would crash again.
 */
#include "worker/program/crash.h"

#include "base/clock.h"
#include "worker/context/context.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

enum { STACK_BYTES = 64 * 1024, FRAMES = 64, TEXT_BYTES = 256, PATIENCE_S = 5 };

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/* Of the process; a signal handler has no other way to what it needs. */
static struct {
    pthread_key_t stack; /* of a thread, to give it back at its end */
    atomic_bool installed;
    atomic_flag taken; /* a thread writes the report */
    int fd;            /* the host's; -1: none */
    char symbolizer[PATH_MAX];
} crash = { .taken = ATOMIC_FLAG_INIT, .fd = -1 };

/* -- Writing ----------------------------------------------------------------------------------- */

static void put(int fd, const char *text)
{
    size_t size = strlen(text);

    while (size) {
        ssize_t written = write(fd, text, size);

        if (written <= 0)
            return;
        text += written;
        size -= (size_t)written;
    }
}

static void put_number(int fd, uint64_t number, unsigned base)
{
    char digits[24];
    char *at = &digits[sizeof digits - 1];

    *at = '\0';
    do
        *--at = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    put(fd, at);
}

static void put_line(int fd, const char *name, uint64_t number, unsigned base)
{
    put(fd, name);
    put_number(fd, number, base);
    put(fd, "\n");
}

/* Whether `size` bytes at `from` could be read. */
static bool copy(const void *from, void *to, size_t size)
{
    struct iovec remote = { (void *)from, size };
    struct iovec local = { to, size };

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* A line of a name and a text that may lie in broken memory. */
static void put_text(int fd, const char *name, const char *from)
{
    char text[TEXT_BYTES];
    size_t size = 0;

    while (size + 1 < sizeof text && copy(from + size, &text[size], 1) && text[size] > ' ')
        size++;
    text[size] = '\0';
    put(fd, name);
    put(fd, text);
    put(fd, "\n");
}

static void put_running(int fd)
{
    const isw_context *running = iswi_running();
    isw_context ctx;
    iswi_entry entry;
    isw_function function;

    if (!running || !copy(running, &ctx, sizeof ctx) ||
        !copy(ctx.entry, &entry, sizeof entry) || !copy(entry.function, &function, sizeof function))
        return;
    put_text(fd, "function ", function.name);
    put_text(fd, "invocation ", ctx.invocation_id);
}

static void put_maps(int fd)
{
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char part[4096];
    ssize_t got;

    while (maps >= 0 && (got = read(maps, part, sizeof part - 1)) > 0) {
        part[got] = '\0';
        put(fd, part);
    }
    if (maps >= 0)
        close(maps);
}

static uintptr_t place_of(const ucontext_t *machine)
{
#if defined(__x86_64__)
    return (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)machine->uc_mcontext.pc;
#else
    (void)machine;
    return 0;
#endif
}

/* A call of what is no code has pushed where it came from, and the frames cannot be told. */
static uintptr_t caller_of(const ucontext_t *machine)
{
    uintptr_t caller = 0;

#if defined(__x86_64__)
    copy((const void *)machine->uc_mcontext.gregs[REG_RSP], &caller, sizeof caller);
#elif defined(__aarch64__)
    caller = (uintptr_t)machine->uc_mcontext.regs[30];
#else
    (void)machine;
#endif
    return caller;
}

typedef struct walk {
    uintptr_t frames[FRAMES], stack;
    int count;
} walk;

/* A frame that is where the last one was says that the stack leads nowhere. */
static _Unwind_Reason_Code note_frame(struct _Unwind_Context *frame, void *user)
{
    walk *w = user;
    uintptr_t place = _Unwind_GetIP(frame);
    uintptr_t stack = _Unwind_GetCFA(frame);

    if (w->count == FRAMES || !place ||
        (w->count && place == w->frames[w->count - 1] && stack == w->stack))
        return _URC_END_OF_STACK;
    w->frames[w->count++] = place;
    w->stack = stack;
    return _URC_NO_REASON;
}

static void put_frames(int fd, const ucontext_t *machine)
{
    uintptr_t place = place_of(machine);
    walk w = { .count = 0 };
    int first = 0;

    _Unwind_Backtrace(note_frame, &w);
    while (first < w.count && w.frames[first] != place)
        first++;
    for (int i = first + 1; i < w.count; i++)
        put_line(fd, "frame ", w.frames[i], 16);
    if (first + 1 >= w.count)
        put_line(fd, "frame ", caller_of(machine), 16);
}

/* The report as `isoworker symbolize` reads it. */
static void report(int fd, int number, const siginfo_t *info, const ucontext_t *machine)
{
    put(fd, "isoworker crash 1\n");
    put_line(fd, "signal ", (uint64_t)number, 10);
    if (info->si_code > 0)
        put_line(fd, "address ", (uintptr_t)info->si_addr, 16);
    put_running(fd);
    put_line(fd, "place ", place_of(machine), 16);
    put(fd, "maps\n");
    put_maps(fd);
    put(fd, "frames\n");
    put_frames(fd, machine);
    put(fd, "end\n");
}

/* -- Without a host ---------------------------------------------------------------------------- */

static void show(int fd)
{
    char *arguments[] = { crash.symbolizer, (char *)"symbolize", NULL };
    int status;
    pid_t pid = _Fork();

    if (pid == 0) {
        lseek(fd, 0, SEEK_SET);
        dup2(fd, 0);
        dup2(2, 1);
        execv(crash.symbolizer, arguments);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

static void report_here(int number, const siginfo_t *info, const ucontext_t *machine)
{
    int fd = *crash.symbolizer ? memfd_create("isoworker-crash", MFD_CLOEXEC) : -1;

    put(2, "isoworker: crashed with signal ");
    put_number(2, (uint64_t)number, 10);
    put(2, "\n");
    if (fd >= 0) {
        report(fd, number, info, machine);
        show(fd);
    } else {
        put_running(2); /* `isoworker` is not in PATH, to make more of it */
    }
}

/* -- The signal -------------------------------------------------------------------------------- */

static void on_crash(int number, siginfo_t *info, void *machine)
{
    if (atomic_flag_test_and_set(&crash.taken))
        for (;;)
            pause(); /* another thread was first, and ends us all */
    signal(SIGALRM, SIG_DFL);
    alarm(PATIENCE_S);
    if (crash.fd >= 0)
        report(crash.fd, number, info, machine);
    else
        report_here(number, info, machine);
    signal(number, SIG_DFL);
    if (info->si_code <= 0) /* else it happens again when we return, at the very place */
        raise(number);
}

/* -- Before ------------------------------------------------------------------------------------ */

static void end_stack(void *memory)
{
    stack_t none = { .ss_flags = SS_DISABLE };

    sigaltstack(&none, NULL);
    munmap(memory, STACK_BYTES);
}

/* Where the handler runs when the thread's own stack is what broke. */
static void make_stack(void)
{
    stack_t stack = { .ss_size = STACK_BYTES };

    stack.ss_sp = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
    if (stack.ss_sp == MAP_FAILED)
        return;
    if (sigaltstack(&stack, NULL) != 0 || pthread_setspecific(crash.stack, stack.ss_sp) != 0)
        end_stack(stack.ss_sp);
}

/* This program, where it is that. */
static bool is_symbolizer(void)
{
    ssize_t size = readlink("/proc/self/exe", crash.symbolizer, PATH_MAX - 1);
    const char *slash;

    crash.symbolizer[size > 0 ? size : 0] = '\0';
    slash = strrchr(crash.symbolizer, '/');
    return slash && strcmp(slash, "/isoworker") == 0;
}

/* For a worker that no host has started: `isoworker`, which may run it in its own process, or is in
 * PATH. */
static void find_symbolizer(void)
{
    const char *list = getenv("PATH");

    if (is_symbolizer())
        return;
    while (list && *list) {
        int size = (int)strcspn(list, ":");

        if (size && snprintf(crash.symbolizer, PATH_MAX, "%.*s/isoworker", size, list) < PATH_MAX &&
            access(crash.symbolizer, X_OK) == 0)
            return;
        list += size;
        list += *list == ':';
    }
    crash.symbolizer[0] = '\0';
}

static int host_fd(void)
{
    const char *text = getenv("ISOWORKER_CRASH_FD");
    char *end;
    long fd = text && *text ? strtol(text, &end, 10) : -1;

    if (fd < 0 || fd > 65535 || *end || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    unsetenv("ISOWORKER_CRASH_FD");
    return (int)fd;
}

void iswi_crash_install(void)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
    struct sigaction before;

    if (atomic_exchange(&crash.installed, true) || pthread_key_create(&crash.stack, end_stack) != 0)
        return;
    crash.fd = host_fd();
    if (crash.fd < 0)
        find_symbolizer();
    action.sa_sigaction = on_crash;
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGALRM); /* it ends a report that does not end itself */
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    iswi_running_prepare(make_stack);
}
