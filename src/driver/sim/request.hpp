// What the simulated kernel knows of one operation, and how its answers travel to the program.
//
//     waiting ──decided: the effect has happened──▶ decided ──the driver hands it over──▶ reaped
//
// Cancelling acts on `waiting` alone. A decided request is on its way through its lane and the
// completion queue of its driver; whatever is asked then, its value arrives. That is the race that
// programs must survive, and the seed decides who wins it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include <upcall/base/list.hpp>
#include <upcall/driver/io_operation.hpp>

#include "event_queue.hpp"

namespace upcall::sim {

class machine;
class object;
class sim_driver;

struct on_object {};  // tags: the lists that a request can be in
struct on_handle {};
struct on_driver {};

class request final : public event_target,
                      public list_hook<on_object>,
                      public list_hook<on_handle>,
                      public list_hook<on_driver>,
                      public std::enable_shared_from_this<request> {
  public:
    enum class stage : std::uint8_t { waiting, decided, reaped };
    enum : std::uint32_t { event_withdraw, event_perform };

    request(machine& in, sim_driver& driver, io_operation& operation, std::uint64_t number)
        : kernel(&in), via(&driver), op(&operation), id(number) {}

    /// The program asks for the end; some time later the kernel takes note.
    void ask_to_end();

    /// For what does not wait in an object: does it after `latency`; until the middle of that it
    /// can be called off.
    void plan(duration latency);

    void fire(std::uint32_t what, std::uint64_t argument) override;

    bool is_source() const noexcept { return op->is_source(); }

    machine* kernel;
    sim_driver* via;
    io_operation* op;
    /// What it waits in; null for calls on paths and work.
    std::shared_ptr<object> on;
    /// While in flight it owns itself.
    std::shared_ptr<request> self;
    std::uint64_t id;
    /// Bytes that a write has moved so far.
    std::size_t moved = 0;
    /// Planned requests: from here on it cannot be called off.
    time_point begins = never;
    stage at = stage::waiting;
    bool asked = false;
    /// Its program is over, and it was answered: whatever else comes is late.
    bool given_up = false;
    /// Set while it is being submitted, if it may finish inside that call.
    bool may_finish_at_once = false;
    bool finished_at_once = false;

  private:
    void withdraw();
};

using request_list = list<request, on_object>;

/// One outcome on its way.
struct answer {
    std::shared_ptr<request> to;
    std::int64_t result = 0;
    std::byte* leased = nullptr;
    bool last = true;
};

/// The way of answers that must not overtake one another: one per direction of a stream.
class lane final : public event_target, public std::enable_shared_from_this<lane> {
  public:
    explicit lane(machine& kernel) noexcept : kernel_(&kernel) {}

    /// Decides `to`, or gives one value to a source when not `last`. With `last`, the request is
    /// in no list of the object's any more.
    void send(request& to, std::int64_t result, std::byte* leased = nullptr, bool last = true);

    void fire(std::uint32_t what, std::uint64_t argument) override;

  private:
    machine* kernel_;
    std::deque<answer> due_;
};

}  // namespace upcall::sim
