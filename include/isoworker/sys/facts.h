/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SYS_FACTS_H
#define ISOWORKER_SYS_FACTS_H

/*
 * What an instance of middleware tells of itself (`tell` of isw_middleware), so that nobody has to
 * say it twice: what is secret to it stays out of the host's records, what scripts of other sites
 * may do holds for the answers that the host makes itself, too, and an order of the chain that
 * cannot be meant is told to whoever wrote it. The first two travel with the
 * description of each function whose chain has the instance (PROTOCOL.md, section 5), anew after
 * each reload.
 */
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <isoworker/value.h>
#include <stdbool.h>
#include <stdint.h>

ISW_BEGIN_DECLS

/* Where facts gather; good for one call of `tell`. */
typedef struct isw_facts isw_facts;

/* -- What is secret ---------------------------------------------------------------------------- */

/* Where a name stands. */
typedef enum isw_secret_place {
    ISW_SECRET_ANYWHERE = 0,
    ISW_SECRET_HEADER, /* of requests and answers */
    ISW_SECRET_QUERY,  /* a parameter of a query */
    ISW_SECRET_COOKIE, /* our host's records hold no value of a cookie, whatever its name */
    ISW_SECRET_FIELD   /* of a form, or a member of JSON, at any depth */
} isw_secret_place;

/* The value of what has this name is not for records; letter case is ignored, and the name is
 * copied. NULL and "" tell nothing. Our host leaves it out wherever such a name stands, since a
 * function may give back as one thing what came as another. */
ISW_API void isw_facts_secret(isw_facts *facts, isw_secret_place place, const char *name);

/* -- Where it may stand ------------------------------------------------------------------------ */

/* It cannot be meant that this instance stands inside of the middleware `other` (outside of it) in
 * one chain; `why` is what then comes of it, a clause: "browsers' preflights bear no credentials
 * and get 401". `--check` and a start warn of it, with both places and the function; the worker
 * serves all the same. For orders that nobody can mean, not for those that are a matter of taste.
 * `other` may be its own name. Both texts live as long as the instance. */
ISW_API void isw_facts_not_inside(isw_facts *facts, const char *other, const char *why);
ISW_API void isw_facts_not_outside(isw_facts *facts, const char *other, const char *why);

/* -- What it reads ----------------------------------------------------------------------------- */

/* It acts on this metadata of a function, or on its table of fields: names separated by spaces out
 * of auth_level, roles, scopes, body and query. `--check` and a start warn of functions that have
 * what nothing in their chain acts on, since they ask for protection that they do not get. */
ISW_API void isw_facts_reads(isw_facts *facts, const char *names);

/* -- Other sites ------------------------------------------------------------------------------- */

/* What scripts of other sites may do (the Fetch standard, "CORS protocol"). */
typedef struct isw_cors {
    const char *const *origins; /* that may call: "https://a.example"; with one '*' for a part of
                                   the host's name; "null"; or "*" for any */
    size_t origin_count;
    const char *methods; /* that they may use, as the header has it: "GET, PUT" */
    const char *headers; /* of requests that they may set, likewise */
    const char *expose;  /* of answers that they may read, likewise; NULL or "" for none */
    bool credentials;    /* they may send cookies; not with "*" */
    int64_t max_age_s;   /* how long a browser need not ask again */
} isw_cors;

/* All is copied. The outermost policy of a chain counts; that of an entry with a header in its
 * `when` comes and goes with the request, and is not told. */
ISW_API void isw_facts_cors(isw_facts *facts, const isw_cors *policy);

/* Whether it lets a script of `origin` (may be NULL) call. Any thread. */
ISW_API bool isw_cors_allows(const isw_cors *policy, const char *origin);

enum { ISW_CORS_HEADERS_MAX = 6 };

/* The headers by which an answer to a request of `origin` (NULL: it has no such header) keeps to
 * the policy, of a preflight or of another request; how many of `out`. Their texts live as long as
 * the policy and `origin`, but for numbers, which are written to `digits`. Any thread. */
ISW_API size_t isw_cors_headers(const isw_cors *policy, const char *origin, bool preflight,
                                char digits[24], isw_pair out[ISW_CORS_HEADERS_MAX]);

ISW_END_DECLS

#endif
