// Closing and waiting for it, the same for everything that keeps its handle in a core.
#pragma once

#include <cstdint>
#include <utility>

#include <upcall/driver/handle.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

/// `Owner` has a pointer `core_` and befriends this. The core has `home`, `record` and `abandon`.
template <class Owner>
class close_operation : public operation_base {
  public:
    struct arguments {
        Owner* from;
    };
    explicit close_operation(arguments&& given) noexcept : from_(given.from) {}

    bool launch(context& where) noexcept {
        if (!from_->core_) return true;
        if (&where.home() != &from_->core_->home()) {
            outcome_ = raw_error(errc::wrong_loop);
            return true;
        }
        auto* core = std::exchange(from_->core_, nullptr);
        handle_record& record = core->record();
        record.on_closed_argument = this;
        record.on_closed = [](void* argument, std::int64_t outcome) noexcept {
            auto& self = *static_cast<close_operation*>(argument);
            self.outcome_ = outcome;
            // Through the queue even if it is done already, behind what was in flight.
            self.complete();
        };
        begin(where);
        cancel = [](operation&) noexcept {};  // closing goes on
        core->abandon();
        return false;
    }

    result<void> take() const noexcept {
        if (outcome_ < 0) return failure(error_from_raw(outcome_));
        return {};
    }

  private:
    Owner* from_;
    std::int64_t outcome_ = 0;
};

}  // namespace upcall::detail
