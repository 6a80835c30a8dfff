/* SPDX-License-Identifier: Apache-2.0 */
/* As isoworker.c, for the library of the host. */
#include <isoworker/host.h>
