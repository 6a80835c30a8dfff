/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_ISOWORKER_H
#define ISOWORKER_ISOWORKER_H

/*
 * isoworker: functions in a process of their own.
 *
 * This header is all that a worker needs. It brings in, in reading order: what a function is
 * (function.h), what its handler sees (value.h, context.h with failure.h and cancel.h,
 * convert.h, bind.h, http.h, form.h, stream.h, log.h, span.h, outgoing.h, metric.h, service.h; queue.h,
 * cloudevent.h), and how a
 * worker runs (worker.h). Authors of middleware include isoworker/sys/middleware.h as well, those
 * of shared objects isoworker/sys/module.h, and the tests of an application isoworker/testing.h.
 */
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <isoworker/value.h>
#include <isoworker/function.h>
#include <isoworker/context.h>
#include <isoworker/convert.h>
#include <isoworker/bind.h>
#include <isoworker/http.h>
#include <isoworker/form.h>
#include <isoworker/stream.h>
#include <isoworker/log.h>
#include <isoworker/metric.h>
#include <isoworker/queue.h>
#include <isoworker/cloudevent.h>
#include <isoworker/service.h>
#include <isoworker/span.h>
#include <isoworker/outgoing.h>
#include <isoworker/worker.h>

#endif
