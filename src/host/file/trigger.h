/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_FILE_TRIGGER_H
#define ISWI_HOST_FILE_TRIGGER_H

/* Functions that are given files which come into a folder: ISW_FILE("inbox"). */
#include "host/engine/trigger.h"

extern const iswi_trigger iswi_file_trigger;

#endif
