/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the connection that a request came by, as PROTOCOL.md has it in section 13, "Who
 * calls". The request may outlive its connection, and has a copy. */
#include "host/http/internal.h"

#include "host/tls/session.h"

static bool write_certificate(const iswi_tls_peer *peer, iswi_arena *arena, isw_value *out)
{
    isw_value *names = iswi_arena_alloc(arena, (peer->name_count + 1) * sizeof *names);
    isw_named_value *members = iswi_arena_alloc(arena, 5 * sizeof *members);

    if (!names || !members)
        return false;
    for (size_t i = 0; i < peer->name_count; i++)
        names[i] = isw_value_text(peer->names[i]);
    members[0] = isw_named("subject", isw_value_text(peer->subject));
    members[1] = isw_named("issuer", isw_value_text(peer->issuer));
    members[2] = isw_named("names", isw_value_array(names, peer->name_count));
    members[3] = isw_named("sha256", isw_value_text(peer->fingerprint));
    members[4] = isw_named("expires", isw_value_int(peer->expires_s));
    *out = isw_value_map(members, 5);
    return true;
}

bool iswi_http_know_scheme(iswi_http_request *request, const char *scheme,
                           const iswi_tls_session *session)
{
    const iswi_tls_peer *peer = session ? iswi_tls_peer_of(session) : NULL;
    isw_named_value *all;

    if (!session && strcmp(scheme, "http") == 0)
        return true;
    all = iswi_arena_alloc(&request->arena, 2 * sizeof *all);
    if (!all)
        return false;
    all[0] = isw_named("scheme", isw_value_string(scheme));
    request->metadata = (isw_map){ all, 1 };
    if (!peer)
        return true;
    request->certificate = iswi_tls_peer_copy(peer, &request->arena);
    all[1].name = isw_str_of("client_certificate");
    request->metadata.count = 2;
    return request->certificate &&
           write_certificate(request->certificate, &request->arena, &all[1].value);
}
