/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minimal language worker of the Azure Functions host in gRPC's C++, a program of its own: the
 * generic API with ByteBuffer, the minimal stack of filters, and a completion queue that one thread
 * polls itself, so that no thread wakes another.
 *   isoworker-bench-grpc-worker PARENT PORT            HTTP comes in messages
 *   isoworker-bench-grpc-worker PARENT PORT OWN_PORT   it comes to the listening descriptor 3
 */
#include "bench/grpc_channel.hh"
#include "bench/hosts/answer.h"
#include "bench/process.h"

extern "C" {
#include "bench/http/server.h"
}

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <sysexits.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

enum Event : intptr_t { CALLED = 1, READ, WRITTEN };

void *tag_of(Event event)
{
    return reinterpret_cast<void *>(event);
}

class Worker {
  public:
    Worker(const std::string &address, const char *own) : url(own)
    {
        channel = iswi_bench_grpc_channel(address);
        stub = std::make_unique<grpc::GenericStub>(channel);
    }

    /* Until the stream ends. */
    void serve()
    {
        unsigned char *first = nullptr;
        size_t size = iswi_bench_first_message(&first);
        void *tag;
        bool ok;

        stream = stub->PrepareCall(&context, "/AzureFunctionsRpcMessages.FunctionRpc/EventStream",
                                   &queue);
        stream->StartCall(tag_of(CALLED));
        if (!queue.Next(&tag, &ok) || !ok)
            return;
        say(first, size);
        stream->Read(&incoming, tag_of(READ));
        while (queue.Next(&tag, &ok) && ok)
            if (tag == tag_of(WRITTEN))
                on_written();
            else
                on_read();
    }

  private:
    void on_read()
    {
        grpc::Slice slice;
        unsigned char *answer = nullptr;
        size_t size = 0;

        if (incoming.TrySingleSlice(&slice).ok() || incoming.DumpToSingleSlice(&slice).ok())
            size = iswi_bench_answer_message(slice.begin(), slice.size(), url, &answer);
        if (size)
            say(answer, size);
        stream->Read(&incoming, tag_of(READ));
    }

    void say(unsigned char *bytes, size_t size)
    {
        grpc::Slice slice(bytes, size, std::free);

        outgoing.emplace_back(&slice, 1);
        if (outgoing.size() == 1)
            write();
    }

    void on_written()
    {
        outgoing.pop_front();
        if (!outgoing.empty())
            write();
    }

    void write()
    {
        stream->Write(outgoing.front(),
                      outgoing.size() > 1 ? grpc::WriteOptions().set_buffer_hint()
                                          : grpc::WriteOptions(),
                      tag_of(WRITTEN));
    }

    const char *url;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<grpc::GenericStub> stub;
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
    grpc::ByteBuffer incoming;
    std::deque<grpc::ByteBuffer> outgoing; /* the first one is being written */
};

} // namespace

int main(int argc, char **argv)
{
    std::string url;

    if (argc < 3 || !iswi_bench_stay_with_parent(argv[1], SIGKILL)) {
        std::fprintf(stderr, "isoworker-bench-grpc-worker is started by `isoworker bench`\n");
        return EX_USAGE;
    }
    std::signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    if (argc == 4) {
        url = std::string("http://127.0.0.1:") + argv[3];
        std::thread([] { iswi_bench_serve(ISWI_BENCH_FD, iswi_bench_speak_http); }).detach();
    }
    Worker worker(std::string("127.0.0.1:") + argv[2], argc == 4 ? url.c_str() : nullptr);

    worker.serve();
    _exit(EX_OK); /* a stream that is half done has nothing to wait for */
}
