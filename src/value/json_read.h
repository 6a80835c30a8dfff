/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_VALUE_JSON_READ_H
#define ISWI_VALUE_JSON_READ_H

/* JSON as it mostly comes, read at once into values. Inside the layer. Pure; any thread. */
#include "base/arena.h"

/* *out gets the value of `text`, all of it in the arena. False: nothing is said of it, and who has
 * more time is to look: the text is none, or has what is rare (numbers that are large, objects that
 * are), or there is no memory. What is taken here, jansson takes, as the same value. */
bool iswi_json_read(iswi_arena *arena, isw_str text, isw_value *out);

#endif
