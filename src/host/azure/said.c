/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to the Azure Functions host. */
#include "host/azure/internal.h"

#include <isoworker/export.h>

void iswi_azure_say(iswi_azure *azure, const iswi_rpc_message *message)
{
    static const unsigned char head[ISWI_GRPC_HEAD_BYTES];
    size_t size = iswi_proto_size(&iswi_rpc_message_table, message);
    iswi_buffer bytes = { 0 };

    iswi_buffer_reserve(&bytes, sizeof head + size);
    iswi_buffer_append(&bytes, head, sizeof head);
    iswi_proto_write(&iswi_rpc_message_table, message, &bytes);
    iswi_grpc_send(azure->grpc, &bytes);
}

iswi_rpc_result iswi_azure_failure(iswi_rpc_exception *exception, const char *message)
{
    *exception = (iswi_rpc_exception){ .message = isw_str_of(message),
                                       .source = isw_str_of("isoworker") };
    return (iswi_rpc_result){ .status = ISWI_RPC_FAILURE, .exception = exception };
}
