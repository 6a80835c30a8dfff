/* SPDX-License-Identifier: Apache-2.0 */
#include <isoworker/isoworker.h>

extern const isw_app app; /* for main.c and tests.c */
