/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a request a preflight. */
#include "url/preflight.h"

isw_str iswi_preflight_method(const isw_http *request)
{
    const isw_str *method = isw_pairs_find(&request->headers, "access-control-request-method");

    if (!method || !isw_str_equal(request->method, isw_str_of("OPTIONS")) ||
        !isw_pairs_find(&request->headers, "origin"))
        return (isw_str){ "", 0 };
    return *method;
}

bool iswi_preflight_answered_by(isw_str middleware)
{
    return isw_str_equal(middleware, isw_str_of("cors"));
}
