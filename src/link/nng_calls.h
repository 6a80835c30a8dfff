/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_NNG_CALLS_H
#define ISWI_LINK_NNG_CALLS_H

/*
 * What the message lane calls of nng. The library is loaded when a process opens its first such
 * lane, and not with us: a worker that begins on the ring has no use for it, nor has our host, and
 * its loading, with the four libraries that it brings, took a third of the time that a worker needs
 * until it serves. Once loaded it stays, since it has threads. A static build has it in itself.
 */
#include <isoworker/status.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#define ISWI_NNG_CALLS(call)                                                                      \
    call(aio_alloc) call(aio_count) call(aio_free) call(aio_get_output) call(aio_result)          \
    call(aio_set_iov) call(aio_set_timeout) call(aio_stop) call(aio_wait)                         \
    call(stream_close) call(stream_free) call(stream_get_uint64) call(stream_recv)                \
    call(stream_send) call(stream_dialer_alloc) call(stream_dialer_dial)                          \
    call(stream_dialer_free) call(stream_dialer_set_bool) call(stream_dialer_set_ptr) call(strerror) \
    call(tls_config_alloc) call(tls_config_auth_mode) call(tls_config_ca_chain)                   \
    call(tls_config_free) call(tls_config_own_cert) call(tls_config_server_name)                  \
    ISWI_NNG_NEWER_CALLS(call)

/* Of 1.10 and later. */
#if NNG_MAJOR_VERSION > 1 || NNG_MINOR_VERSION >= 10
#define ISWI_NNG_NEWER_CALLS(call) call(init_set_parameter)
#else
#define ISWI_NNG_NEWER_CALLS(call)
#endif

#define ISWI_NNG_MEMBER(name) __typeof__(nng_##name) *name;

typedef struct iswi_nng_calls {
    ISWI_NNG_CALLS(ISWI_NNG_MEMBER)
} iswi_nng_calls;

/* Load `library`, as the loader finds it, if it is not there yet; a static build does not look at
 * the name. Any thread. Errors: ISW_E_UNAVAILABLE when it is missing or no such library. */
isw_status iswi_nng_load(const char *library, iswi_nng_calls *out, isw_error *error);

#endif
