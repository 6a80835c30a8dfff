/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_TEMPLATE_SAID_H
#define ISWI_HOST_ENGINE_TEMPLATE_SAID_H

/* What a template prints while it loads, shown line by line under its worker's name. Inside
 * template.c. */

typedef struct iswi_pool iswi_pool;

/* Read what is there of its output (0) or its errors (1). */
void iswi_template_read(iswi_pool *pool, unsigned which);

/* It has ended: lines that are not over, too. */
void iswi_template_show_rest(iswi_pool *pool);

#endif
