/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_NATS_CALLS_H
#define ISWI_BROKER_NATS_CALLS_H

/*
 * What is called of libnats. It is loaded when a place on NATS is first looked at, and not with us:
 * few hosts have use for it. Once loaded it stays.
 */
#include <isoworker/status.h>
#include <nats/nats.h>

#define ISWI_NATS_CALLS(call)                                                                     \
    call(natsOptions_Create) call(natsOptions_Destroy) call(natsOptions_SetURL)                   \
    call(natsOptions_SetName) call(natsOptions_SetTimeout) call(natsOptions_SetAllowReconnect)    \
    call(natsOptions_SetPingInterval) call(natsOptions_SetIOBufSize)                              \
    call(natsOptions_SetEventLoop) call(natsOptions_SetSecure)                                    \
    call(natsOptions_SetExpectedHostname) call(natsOptions_LoadCATrustedCertificates)             \
    call(natsOptions_LoadCertificatesChain) call(natsOptions_SetUserCredentialsFromFiles)         \
    call(natsOptions_SetNKeyFromSeed)                                                             \
    call(natsConnection_Connect) call(natsConnection_Destroy) call(natsConnection_IsClosed)       \
    call(natsConnection_GetLastError) call(natsConnection_GetMaxPayload)                          \
    call(natsConnection_Buffered) call(natsConnection_ProcessReadEvent)                           \
    call(natsConnection_ProcessWriteEvent) call(natsConnection_PublishMsg)                        \
    call(natsConnection_SubscribeSync) call(natsSubscription_SetPendingLimits)                    \
    call(natsSubscription_NextMsg) call(natsSubscription_Destroy) call(natsMsg_Create)            \
    call(natsMsg_Destroy) call(natsMsg_GetSubject) call(natsMsg_GetReply) call(natsMsg_GetData)   \
    call(natsMsg_GetDataLength) call(natsMsgHeader_Set) call(natsMsgHeader_Get)                   \
    call(natsStatus_GetText) call(nats_GetLastError)

#define ISWI_NATS_MEMBER(name) __typeof__(name) *name;

typedef struct iswi_nats_calls {
    ISWI_NATS_CALLS(ISWI_NATS_MEMBER)
} iswi_nats_calls;

/* Load libnats, if it is not there yet. Any thread. Errors: ISW_E_UNSUPPORTED, with the package. */
isw_status iswi_nats_load(iswi_nats_calls *out, isw_error *error);

/* The same for a table of others: where in `out` which function goes. */
typedef struct iswi_nats_symbol {
    const char *name;
    size_t offset;
} iswi_nats_symbol;

isw_status iswi_nats_find(const iswi_nats_symbol *symbols, size_t count, void *out,
                          isw_error *error);

#endif
