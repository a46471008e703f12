// One round of a race.
#pragma once

#include "conformance/posix/races/steering.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

/// Lets turns pass; at its turn each of the two acts: `send` and the cancellation of `what`. Ends
/// when `what` has ended and `send` was called.
template <class Request, class Send>
task<> race(steering& by, running<Request>& what, Send send) {
    const int send_at = by.send_after();
    const int cancel_at = by.cancel_after();
    const bool value_first = by.value_first();
    for (int turn = 0; turn <= steering::turns_most; ++turn) {
        if (turn == send_at && value_first) send();
        if (turn == cancel_at) what.cancel();
        if (turn == send_at && !value_first) send();
        if (what.done() && turn >= send_at) break;
        co_await turns(1);
    }
    // Waits, so that a driver's thread finds a processor on a busy host.
    if (cancel_at == steering::until_done) co_await what.ended();
    what.cancel();
    co_await what.ended();
}

}  // namespace upcall::test
