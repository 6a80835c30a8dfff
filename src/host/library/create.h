/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LIBRARY_CREATE_H
#define ISWI_HOST_LIBRARY_CREATE_H

/* A host for a program that brings triggers of its own, such as the adapters to other hosts. */
#include "host/engine/trigger.h"

#include <isoworker/host.h>

/* isw_host_create with this list instead of the one that comes with a host (NULL: that); it lives as
 * long as the host. host.yaml has the groups of its tables. */
isw_status iswi_library_create(const isw_host_options *options, iswi_trigger_list triggers,
                               isw_host **out, isw_error *error);

#endif
