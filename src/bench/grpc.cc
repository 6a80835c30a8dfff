/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC as a peer of the bench, a program of its own: one stream in both directions over a Unix
 * socket, between two processes. It is the leanest that gRPC's C++ offers: the generic API with
 * ByteBuffer, so neither protobuf nor a copy; the minimal stack of filters; completion queues that
 * one thread at each end polls itself, so no thread wakes another; and while more is to be written
 * a hint that it may be sent together.
 *   isoworker-bench-grpc measure SLICE_MS PAYLOADS MODES   samples to standard output
 *   isoworker-bench-grpc serve ADDRESS                     says so on descriptor 3, then echoes
 */
#include "bench/clock.h"
#include "bench/grpc_channel.hh"
#include "bench/plan.h"
#include "bench/process.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <poll.h>
#include <string>
#include <sysexits.h>
#include <unistd.h>
#include <vector>

namespace {

enum Event : intptr_t { CALLED = 1, READ, WRITTEN };

constexpr int PATIENCE_MS = 5000;

void *tag_of(Event event)
{
    return reinterpret_cast<void *>(event);
}

grpc::WriteOptions options_for(bool more)
{
    return more ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions();
}

/* -- The echo ---------------------------------------------------------------------------------- */

/* Reads each byte once, as a function does that looks at what it got. */
bool is_zero(const grpc::ByteBuffer &message)
{
    std::vector<grpc::Slice> slices;
    uint64_t sum = 0;

    if (!message.Dump(&slices).ok())
        return false;
    for (const grpc::Slice &slice : slices)
        sum += iswi_bench_sum(slice.begin(), slice.size());
    return sum == 0;
}

class Echo {
  public:
    bool listen(const std::string &address)
    {
        grpc::ServerBuilder builder;

        builder.AddListeningPort(address, grpc::InsecureServerCredentials());
        builder.AddChannelArgument(GRPC_ARG_MINIMAL_STACK, 1);
        builder.SetMaxReceiveMessageSize(-1);
        builder.RegisterAsyncGenericService(&service);
        queue = builder.AddCompletionQueue();
        server = builder.BuildAndStart();
        if (!server)
            return false;
        service.RequestCall(&context, &stream, queue.get(), queue.get(), tag_of(CALLED));
        return true;
    }

    /* Until the stream ends, or this process is killed. */
    void serve()
    {
        void *tag;
        bool ok;

        while (queue->Next(&tag, &ok) && ok)
            if (tag == tag_of(WRITTEN))
                on_written();
            else
                on_read(tag == tag_of(READ));
    }

  private:
    void on_read(bool message)
    {
        if (message && is_zero(incoming)) {
            outgoing.push_back(incoming);
            if (outgoing.size() == 1)
                write();
        }
        stream.Read(&incoming, tag_of(READ));
    }

    void on_written()
    {
        outgoing.pop_front();
        if (!outgoing.empty())
            write();
    }

    void write()
    {
        stream.Write(outgoing.front(), options_for(outgoing.size() > 1), tag_of(WRITTEN));
    }

    grpc::AsyncGenericService service;
    std::unique_ptr<grpc::ServerCompletionQueue> queue;
    std::unique_ptr<grpc::Server> server;
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream{ &context };
    grpc::ByteBuffer incoming;
    std::deque<grpc::ByteBuffer> outgoing; /* the first one is being written */
};

int serve(const char *address)
{
    Echo echo;
    char ready = 1;

    std::signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    iswi_bench_die_with_parent(SIGKILL);
    if (!echo.listen(address) || !iswi_bench_write_all(ISWI_BENCH_FD, &ready, 1))
        return EX_UNAVAILABLE;
    echo.serve();
    _exit(EX_OK); /* a stream that is half done has nothing to wait for */
}

/* -- Measuring --------------------------------------------------------------------------------- */

class Client {
  public:
    explicit Client(const std::string &address)
    {
        channel = iswi_bench_grpc_channel(address);
        stub = std::make_unique<grpc::GenericStub>(channel);
    }

    bool connect()
    {
        stream = stub->PrepareCall(&context, "/bench/echo", &queue);
        stream->StartCall(tag_of(CALLED));
        patience(PATIENCE_MS);
        if (!next(CALLED))
            return false;
        stream->Read(&incoming, tag_of(READ));
        return true;
    }

    bool run(iswi_bench_samples *samples, int64_t ns)
    {
        int64_t began = iswi_bench_now_ns();

        prepare(samples->payload);
        patience(ns / 1000000 + PATIENCE_MS);
        sent = 0;
        for (;;) {
            bool more = wants_more(*samples, began + ns);

            if (more && !writing && sent - samples->done < samples->in_flight)
                write(samples);
            else if (!more && !writing && sent == samples->done)
                break;
            else if (!step(samples))
                return false;
        }
        samples->elapsed_ns = iswi_bench_now_ns() - began;
        return true;
    }

    /* Nothing of gRPC may be in use when its objects go. */
    void leave()
    {
        patience(PATIENCE_MS);
        context.TryCancel();
        queue.Shutdown();
        while (queue.AsyncNext(&seen, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT)
            continue;
    }

  private:
    void patience(int64_t ms)
    {
        deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(ms);
    }

    bool await()
    {
        return queue.AsyncNext(&seen, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT && ok;
    }

    bool next(Event event)
    {
        return await() && seen == tag_of(event);
    }

    void prepare(uint32_t payload)
    {
        if (message.Valid() && message.Length() == payload)
            return;
        std::string zeros(payload, '\0');
        grpc::Slice slice(zeros);

        message = grpc::ByteBuffer(&slice, 1);
    }

    bool wants_more(const iswi_bench_samples &samples, int64_t until_ns) const
    {
        return !sent || (sent < samples.most && !iswi_bench_is_over(until_ns));
    }

    void write(const iswi_bench_samples *samples)
    {
        starts[sent++ % ISWI_BENCH_WINDOW] = iswi_bench_now_ns();
        writing = true;
        stream->Write(message, options_for(sent - samples->done < samples->in_flight &&
                                           sent < samples->most),
                      tag_of(WRITTEN));
    }

    /* Take in one event. */
    bool step(iswi_bench_samples *samples)
    {
        if (!await())
            return false;
        if (seen == tag_of(WRITTEN)) {
            writing = false;
            return true;
        }
        if (incoming.Length() != samples->payload)
            return false;
        iswi_bench_note(samples,
                        iswi_bench_now_ns() - starts[samples->done % ISWI_BENCH_WINDOW]);
        stream->Read(&incoming, tag_of(READ));
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
        return true;
    }

    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<grpc::GenericStub> stub;
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
    grpc::ByteBuffer message, incoming;
    std::chrono::system_clock::time_point deadline;
    void *seen = nullptr;
    bool ok = false;
    uint64_t sent = 0;
    bool writing = false;
    int64_t starts[ISWI_BENCH_WINDOW];
};

bool run_client(void *user, iswi_bench_samples *samples, int64_t ns)
{
    return static_cast<Client *>(user)->run(samples, ns);
}

uint32_t window_of_client(void *, uint32_t)
{
    return ISWI_BENCH_WINDOW;
}

/* Start the echo and wait until it says that it listens: a channel that was refused waits for a
 * second, which would be measured as gRPC's start. */
pid_t spawn_echo(const std::string &address)
{
    char *argv[] = { const_cast<char *>("isoworker-bench-grpc"), const_cast<char *>("serve"),
                     const_cast<char *>(address.c_str()), nullptr };
    int ends[2];
    struct pollfd ready = { -1, POLLIN, 0 };
    char byte;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return 0;
    pid = iswi_bench_spawn("/proc/self/exe", argv, ends[1], -1);
    close(ends[1]);
    ready.fd = ends[0];
    if (pid && (poll(&ready, 1, PATIENCE_MS) != 1 || read(ends[0], &byte, 1) != 1)) {
        iswi_bench_end(pid);
        pid = 0;
    }
    close(ends[0]);
    return pid;
}

bool measure_in(const char *folder, const iswi_bench_plan &plan)
{
    std::string path = std::string(folder) + "/grpc";
    Client client("unix:" + path); /* ready before the echo starts, as our host is */
    iswi_bench_subject subject = { run_client, window_of_client, &client, iswi_bench_now_ns(), 0 };
    bool done;

    subject.echo = spawn_echo("unix:" + path);
    done = subject.echo && client.connect() && iswi_bench_carry_out(&plan, &subject);
    client.leave();
    iswi_bench_end(subject.echo);
    unlink(path.c_str());
    return done;
}

int measure(char **words)
{
    char folder[] = "/tmp/isoworker-bench-XXXXXX";
    iswi_bench_plan plan;
    bool done;

    iswi_bench_catch_signals();
    iswi_bench_die_with_parent(SIGTERM);
    if (!iswi_bench_plan_from_words(words, &plan))
        return EX_USAGE;
    if (!mkdtemp(folder))
        return EX_CANTCREAT;
    done = measure_in(folder, plan);
    rmdir(folder);
    return done ? EX_OK : EX_UNAVAILABLE;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc == 2 + ISWI_BENCH_PLAN_WORDS && std::strcmp(argv[1], "measure") == 0)
        return measure(argv + 2);
    if (argc == 3 && std::strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    std::fprintf(stderr, "isoworker-bench-grpc is started by `isoworker bench`\n");
    return EX_USAGE;
}
