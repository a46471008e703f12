// A kernel whose operations another thread of the program answers, as a device does, unless they
// are taken back first: whichever asks first, and nobody else, ends an operation.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>

#include <upcall/task/request.hpp>

#include "model/model_loop.hpp"

namespace model {

class answering_kernel final : public kernel {
  public:
    static constexpr std::size_t most = 2;
    static constexpr std::int64_t answer = 7;

    /// What the program sees of it, and outlives it.
    struct shared {
        struct one {
            upcall::io_operation* op = nullptr;
            std::atomic<bool> ended{false};
            bool answered = false;  // plain: who reads it is behind the end
        };
        std::array<one, most> begun;
        std::size_t count = 0;
        int destroyed = 0;  // handles

        /// Any thread: ends the operation that was begun as number `which` with a value.
        void answer_to(std::size_t which) {
            one& mine = begun[which];
            if (mine.ended.exchange(true, std::memory_order_acq_rel)) return;
            mine.answered = true;
            mine.op->result = answer;
            mine.op->via->finish_elsewhere(*mine.op);
        }
    };

    answering_kernel(const upcall::driver_environment& lent, shared& seen) noexcept
        : kernel(lent), seen_(seen) {}
    ~answering_kernel() override { await_helpers(); }

    void cancel(upcall::io_operation& op) noexcept override {
        for (shared::one& each : seen_.begun)
            if (each.op == &op && !each.ended.exchange(true, std::memory_order_acq_rel))
                return finish(op, -ECANCELED);
    }
    handle open() { return hand_out(*make_record()); }

  protected:
    bool submit(upcall::io_operation& op) noexcept override {
        check(seen_.count < most, "the program begins no more than it can answer");
        seen_.begun[seen_.count++].op = &op;
        return false;
    }
    void cancel_all(record& closing) noexcept override {
        for (shared::one& each : seen_.begun)
            if (each.op && each.op->target == &closing) return cancel(*each.op);
    }
    std::int64_t destroy(record& closed) noexcept override {
        ++seen_.destroyed;
        note_gone();
        delete &closed;
        return 0;
    }

  private:
    record* make_record() {
        auto* made = new record;
        made->via = this;
        return made;
    }

    shared& seen_;
};

/// An operation on it. `idle`: a stop ends it, too.
class asked_operation : public upcall::io_operation_base {
  public:
    struct arguments {
        upcall::handle_record* on = nullptr;
        bool idle = false;
    };
    explicit asked_operation(arguments&& given) noexcept {
        target = given.on;
        ends_on_stop = given.idle;
    }
    bool launch(upcall::context& where) noexcept {
        const upcall::cancel_cause refused = where.refuses(ends_on_stop);
        if (refused != upcall::cancel_cause::none) {
            result = upcall::raw_error(upcall::errc_of(refused));
            return true;
        }
        begin(where);
        if (!where.home().via().start(*this)) return false;
        retire();
        return true;
    }
    upcall::result<std::int64_t> take() const noexcept {
        if (result < 0) return upcall::failure(upcall::error_of(*this));
        return result;
    }
};

inline upcall::request<asked_operation> ask(upcall::handle_record* on = nullptr,
                                            bool idle = false) {
    return upcall::request<asked_operation>({on, idle});
}

}  // namespace model
