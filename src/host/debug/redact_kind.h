/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_REDACT_KIND_H
#define ISWI_HOST_DEBUG_REDACT_KIND_H

/* What the body of a message is to whoever looks for secrets in it. */
#include <isoworker/value.h>

typedef enum iswi_body_kind {
    ISWI_BODY_OTHER, /* without names that could be found */
    ISWI_BODY_JSON,  /* by its type, or as it begins like it; maybe none that can be read */
    ISWI_BODY_FORM,  /* by its type, or a line like one of no type or as text */
    ISWI_BODY_PARTS, /* multipart/form-data */
    ISWI_BODY_CLOSED /* with names that are not looked for: XML */
} iswi_body_kind;

iswi_body_kind iswi_body_kind_of(const isw_http *http);

/* Whether text begins like an object or a list. */
bool iswi_looks_like_json(isw_str text);

/* Whether its type alone says that it has names in it. */
bool iswi_body_claims(const isw_http *http);

#endif
