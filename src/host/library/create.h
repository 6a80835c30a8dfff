/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LIBRARY_CREATE_H
#define ISWI_HOST_LIBRARY_CREATE_H

/* A host for a program that brings triggers and sinks of its own, such as the adapters to other
 * hosts. */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

#include <isoworker/host.h>

/* isw_host_create with these lists instead of those that come with a host (NULL: that); they live as
 * long as the host. host.yaml has the groups of the triggers' tables. */
isw_status iswi_library_create(const isw_host_options *options, iswi_trigger_list triggers,
                               iswi_sink_list sinks, isw_host **out, isw_error *error);

#endif
