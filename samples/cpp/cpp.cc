// SPDX-License-Identifier: Apache-2.0
//
// Functions in C++17: lambdas as handlers, and exceptions that become failures at the boundary,
// since nothing may be thrown through the library, which is C.
//
// RUN     isoworker run samples/cpp
//         curl http://127.0.0.1:7071/api/roots/16
// OUTPUT  The square root of 16 is 4.
//
#include <cmath>
#include <isoworker/isoworker.h>
#include <stdexcept>
#include <string>

namespace {

// A handler out of anything that takes a context and gives the text to answer with.
template <typename Callable>
isw_handler_fn guarded(Callable callable)
{
    static const Callable kept = callable; // one for each lambda, since each has its own type
    return [](isw_context *ctx) -> isw_status {
        try {
            const std::string text = kept(ctx);
            return isw_http_reply(ctx, 200, "text/plain", "%s\n", text.c_str());
        } catch (const std::invalid_argument &wrong) {
            return isw_fail(ctx, ISW_E_INVALID, "%s", wrong.what());
        } catch (const std::exception &error) {
            return isw_fail(ctx, ISW_E_FAILED, "%s", error.what());
        }
    };
}

const auto roots = [](isw_context *ctx) {
    const std::string text = isw_http_param(ctx, "number");
    const int number = std::stoi(text);
    if (number < 0)
        throw std::invalid_argument(text + " has no square root here");
    return "The square root of " + text + " is " + std::to_string(std::lround(std::sqrt(number)))
           + ".";
};

const auto crowd = [](isw_context *) -> std::string {
    throw std::runtime_error("too many lambdas");
};

const isw_function functions[] = {
    { "roots", "takes a square root", ISW_HTTP("GET", "roots/{number}"), guarded(roots) },
    { "crowd", "always throws", ISW_HTTP("GET", "crowd"), guarded(crowd) },
    {},
};

} // namespace

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
