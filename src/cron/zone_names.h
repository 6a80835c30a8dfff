/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_ZONE_NAMES_H
#define ISWI_CRON_ZONE_NAMES_H

/* Names of zones. Any thread. */
#include <stdbool.h>
#include <stddef.h>

enum { ISWI_ZONE_NAME_MAX = 63 };

/* Whether it can be a name, so that it leads to no file elsewhere. */
bool iswi_zone_name_valid(const char *name);

/* The zone in `folder` whose name is the nearest, by the list that tzdata has there; false: none is
 * near. */
bool iswi_zone_name_near(const char *folder, const char *name, char out[ISWI_ZONE_NAME_MAX + 1]);

#endif
