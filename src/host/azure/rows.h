/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_ROWS_H
#define ISWI_HOST_AZURE_ROWS_H

/* How the rows of values.c and messages.c are written. */
#include "host/azure/proto.h"

#include <stddef.h>

#define TITLED(n, kind, at, title) \
    .number = (n), .type = ISWI_PROTO_##kind, .offset = (at), .name = (title)
#define ROW(n, kind, st, member, title) { TITLED(n, kind, offsetof(st, member), title) }
#define LIST(n, kind, st, member, title) \
    { TITLED(n, kind, offsetof(st, member), title), .repeated = true }
#define ONE(n, kind, st, member, title) \
    { TITLED(n, kind, offsetof(st, member), title), .choice = true }
#define SUB(n, st, member, tab, title) \
    { TITLED(n, MESSAGE, offsetof(st, member), title), .table = &(tab) }
#define SUBS(n, st, member, tab, title) \
    { TITLED(n, MESSAGE, offsetof(st, member), title), .table = &(tab), .repeated = true }
#define ONE_SUB(n, st, member, tab, title) \
    { TITLED(n, MESSAGE, offsetof(st, member), title), .table = &(tab), .choice = true }
#define ITEMS(kind, title) { TITLED(1, kind, 0, title), .repeated = true }
#define TABLE(title, st, list)                                                    \
    { .name = (title), .rows = (list), .count = sizeof(list) / sizeof((list)[0]), \
      .size = sizeof(st) }
#define CHOICE(title, st, list)                                                   \
    { .name = (title), .rows = (list), .count = sizeof(list) / sizeof((list)[0]), \
      .size = sizeof(st), .which = offsetof(st, which) }

#endif
