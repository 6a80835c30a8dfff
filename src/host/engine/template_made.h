/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_TEMPLATE_MADE_H
#define ISWI_HOST_ENGINE_TEMPLATE_MADE_H

/* What a template was made from, and what it makes. Inside template.c. */
#include "host/system/template.h"

typedef struct iswi_pool iswi_pool;

/* One is about to be made from what there is now. */
void iswi_template_note_made(iswi_pool *pool);

/* Whether that is another by now, of what the host knows already; files are looked at apart. */
bool iswi_template_is_outdated(const iswi_pool *pool);

/* As iswi_template_fork, of a template that is ready. */
iswi_fork iswi_template_ask(iswi_pool *pool, const iswi_spawn_options *options, iswi_spawned *os,
                            isw_error *error);

#endif
