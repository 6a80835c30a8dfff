/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_POSTGRESQL_CALLS_H
#define ISWI_BROKER_POSTGRESQL_CALLS_H

/*
 * What is called of libpq. It is loaded when a place of PostgreSQL is first looked at, and not with
 * us: it brings a dozen libraries, and few hosts have use for it. Once loaded it stays.
 */
#include <isoworker/status.h>
#include <libpq-fe.h>

#define ISWI_PQ_CALLS(call)                                                                       \
    call(conninfoFree) call(conninfoParse) call(freemem) call(connectStartParams)                 \
    call(connectPoll) call(status) call(socket) call(errorMessage) call(finish)                   \
    call(setnonblocking) call(sendQueryPrepared) call(sendPrepare)                     \
    call(enterPipelineMode) call(exitPipelineMode) call(pipelineSync) call(flush)                 \
    call(consumeInput) call(isBusy) call(getResult) call(resultStatus) call(resultErrorField)     \
    call(clear) call(ntuples) call(getvalue) call(getlength) call(getisnull) call(notifies)       \
    call(backendPID) call(setNoticeProcessor) call(sendQuery) call(transactionStatus)

#define ISWI_PQ_MEMBER(name) __typeof__(PQ##name) *name;

typedef struct iswi_pq_calls {
    ISWI_PQ_CALLS(ISWI_PQ_MEMBER)
} iswi_pq_calls;

/* Load libpq, if it is not there yet. Any thread. Errors: ISW_E_UNSUPPORTED, with the package. */
isw_status iswi_pq_load(iswi_pq_calls *out, isw_error *error);

#endif
