/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTP1_INTERNAL_H
#define ISWI_HTTP1_INTERNAL_H

/* What the files of this folder share. Whatever returns bool here says whether reading goes on; if
 * not, it has stopped for want of bytes or by a refusal. */
#include "http1/body.h"
#include "http1/head.h"

/* ---- refuse.c ---- */

/* Set the refusal, at byte `at` of the bytes; false. */
bool iswi_http1_refuse_at(iswi_http1_head *head, size_t at, int status, const char *what);

/* The same, in no one place. */
bool iswi_http1_refuse_whole(iswi_http1_head *head, int status, const char *what);

/* The same for a body, at the byte that comes next. */
bool iswi_http1_refuse_body(iswi_http1_body *body, int status, const char *what);

/* ---- meaning.c: what fields say ---- */

/* The field that was read last; its name is small already. */
bool iswi_http1_note_field(iswi_http1_head *head, const char *bytes, iswi_http1_span name,
                           iswi_http1_span value);

/* All were read, and the head ends at `at` with CR LF: what it says, or a refusal. */
void iswi_http1_conclude(iswi_http1_head *head, char *bytes);

/* ---- target.c ---- */

/* Whether the target that begins at bytes[at] may go on there: its first byte tells its form. */
bool iswi_http1_target_begins(iswi_http1_head *head, const char *bytes, size_t at);

/* The target is whole, head->target_span; sets form. */
bool iswi_http1_target_check(iswi_http1_head *head, const char *bytes);

/* Sets target and url, and authority for one in absolute-form. */
bool iswi_http1_target_keep(iswi_http1_head *head, const char *bytes);

/* ---- chunk_line.c: the state of a body between payload and payload ---- */

typedef enum iswi_http1_stage {
    ISWI_BODY_SIZE_BEGIN, /* the first digit of a chunk's size */
    ISWI_BODY_SIZE,
    ISWI_BODY_SPACE,     /* white space before a ';' */
    ISWI_BODY_EXT_BEGIN, /* behind a ';' */
    ISWI_BODY_EXT_NAME,
    ISWI_BODY_EXT_AFTER_NAME,
    ISWI_BODY_EXT_VALUE_BEGIN, /* behind its '=' */
    ISWI_BODY_EXT_VALUE,
    ISWI_BODY_EXT_QUOTED,
    ISWI_BODY_EXT_ESCAPED,
    ISWI_BODY_EXT_END,    /* behind a value */
    ISWI_BODY_LINE_LF,    /* of the line of the size */
    ISWI_BODY_PAYLOAD_CR, /* behind the payload */
    ISWI_BODY_PAYLOAD_LF,
    ISWI_BODY_TRAILER_BEGIN, /* a line of the trailer section, or the empty one */
    ISWI_BODY_TRAILER_NAME,
    ISWI_BODY_TRAILER_VALUE,
    ISWI_BODY_TRAILER_LF,
    ISWI_BODY_LAST_LF, /* of the empty line */
    ISWI_BODY_PAYLOAD, /* of a chunk */
    ISWI_BODY_LENGTH,  /* of a body with a length */
    ISWI_BODY_WHOLE
} iswi_http1_stage;

/* Take one byte of what stands around the chunks; false: it is refused. */
bool iswi_http1_chunk_byte(iswi_http1_body *body, char c);

#endif
