/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_FUTEX_H
#define ISWI_LINK_FUTEX_H

/* The kernel's wait and wake on a word (futex(2)). Linux alone. */
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleep while the word is `seen`, for `timeout_ns` at most; negative: for ever. `shared`: its
 * memory is, with another process. */
static inline void iswi_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout_ns,
                                   int shared)
{
    struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };

    syscall(SYS_futex, word, shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, seen,
            timeout_ns < 0 ? NULL : &timeout, NULL, 0);
}

/* Wake as many of those that sleep on it. */
static inline void iswi_futex_wake(_Atomic uint32_t *word, int most, int shared)
{
    syscall(SYS_futex, word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

#endif
