/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_WEBHOOKS_CALLS_H
#define ISWI_HOST_WEBHOOKS_CALLS_H

/* What is called of libcurl, which is loaded when the first output wants it: it brings two dozen
 * libraries. Once loaded it stays. */
#include <curl/curl.h>
#include <isoworker/status.h>

#define ISWI_CURL_CALLS(call)                                                                     \
    call(global_init) call(easy_init) call(easy_setopt) call(easy_getinfo) call(easy_strerror)    \
    call(easy_cleanup) call(multi_init) call(multi_add_handle) call(multi_remove_handle)          \
    call(multi_perform) call(multi_poll) call(multi_wakeup) call(multi_info_read)                 \
    call(multi_cleanup) call(slist_append) call(slist_free_all)

#define ISWI_CURL_MEMBER(name) __typeof__(curl_##name) *name;

typedef struct iswi_curl_calls {
    ISWI_CURL_CALLS(ISWI_CURL_MEMBER)
} iswi_curl_calls;

/* Any thread, one at a time. Errors: ISW_E_UNSUPPORTED, with the package. */
isw_status iswi_curl_load(iswi_curl_calls *out, isw_error *error);

#endif
