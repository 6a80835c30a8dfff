/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_GRPC_CHANNEL_HH
#define ISWI_BENCH_GRPC_CHANNEL_HH

#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>

/* A channel with the settings that serve gRPC best here: the least filters, and messages of any size.
 * The address as gRPC has it. */
inline std::shared_ptr<grpc::Channel> iswi_bench_grpc_channel(const std::string &address)
{
    grpc::ChannelArguments arguments;

    arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

#endif
