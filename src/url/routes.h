/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_ROUTES_H
#define ISWI_URL_ROUTES_H

/*
 * The route table of the HTTP trigger: which target a method and a path lead to. It is filled by
 * one thread and read-only afterwards, so that any number of threads match without locks. Targets
 * belong to the caller.
 *
 * At each segment a literal beats a parameter, and a parameter beats a catch-all. Where the
 * better one leads nowhere (its path ends elsewhere, or its methods are others) the next one is
 * tried. Matching is case-sensitive and exact about '/': neither "a//b" nor "a/b/" matches "a/b",
 * and the last slash of "files/a/" does not match "files/{*path}" either.
 */
#include "base/arena.h"

#include <isoworker/value.h>
#include <isoworker/status.h>

typedef struct iswi_routes iswi_routes;

typedef enum iswi_route_result {
    ISWI_ROUTE_FOUND,
    ISWI_ROUTE_NOT_FOUND,
    ISWI_ROUTE_WRONG_METHOD,
    ISWI_ROUTE_BAD_PATH,
    ISWI_ROUTE_NO_MEMORY
} iswi_route_result;

/* What a match gave; all of it lives in the arena. */
typedef struct iswi_route_match {
    void *target;       /* FOUND */
    isw_pairs params;   /* FOUND: decoded; an optional parameter that is absent is not in it, a
                           catch-all that took no segment is in it with an empty value */
    const char *allow;  /* WRONG_METHOD: "GET, HEAD, POST", sorted */
    const char *detail; /* BAD_PATH: a sentence for the client */
} iswi_route_match;

/* NULL when memory is out. */
iswi_routes *iswi_routes_create(void);
void iswi_routes_destroy(iswi_routes *routes); /* may be NULL */

/* Lead `methods` ("GET POST" or "GET,POST"; NULL or "" for any) of `pattern` to `target`. GET
 * also answers HEAD, unless another route of that path names HEAD itself; OPTIONS is answered
 * only where it is named. Both texts are copied. ISW_E_CONFIG for a bad pattern or method,
 * ISW_E_CONFLICT if a route of the same path shape takes one of the methods already,
 * ISW_E_NO_MEMORY; the table is then as it was. */
isw_status iswi_routes_add(iswi_routes *routes, const char *methods, const char *pattern,
                           void *target, isw_error *error);

/* The target that the last refusal with ISW_E_CONFLICT was about; NULL: there was none. */
void *iswi_routes_rival(const iswi_routes *routes);

/* Find the target of `method` and the raw `path`, which is empty or begins with '/'; "" and "/"
 * are the same. Segments are percent-decoded after the path is split. BAD_PATH for an escape that
 * is none, and for a segment that decodes to ".", "..", bad UTF-8, or to something that holds '/',
 * or a NUL. `out` is filled as its members say; any thread. */
iswi_route_result iswi_routes_match(const iswi_routes *routes, isw_str method, isw_str path,
                                    iswi_arena *arena, iswi_route_match *out);

#endif
