// What the ends of a loop_channel share, without the type of its values.
//
// Values travel in a ring that every thread may fill. The mailboxes carry only news: that there is
// something for a receiver who waits, that a sender waits for room, and the answer. News is a node
// in the core or in the sender's operation, so nothing is allocated, and each node is in one
// mailbox at a time:
//
//     news to the receiver's loop    idle ──receiver waits──▶ armed ──a sender posts──▶ posted
//                                      ▲───────────────── the loop runs it ────────────────┘
//
// A sender that finds the ring full goes to the receiver's loop itself, as a node, and waits there
// in a line. It is over when it was answered and, if it was withdrawn, the withdrawal came back:
// its memory may not go before.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <upcall/sync/detail/line.hpp>

namespace upcall::detail {

class loop_channel_core;

/// A sender's operation. What it shares with the receiver's loop changes hands by mailbox.
class crossing_send : public operation_base, public list_hook<crossing_send> {
  protected:
    friend class loop_channel_core;

    explicit crossing_send(loop_channel_core& core) noexcept;
    ~crossing_send();

    bool launch(context& where) noexcept;

    std::error_code why_;

  private:
    struct news final : ready_node {
        crossing_send* of = nullptr;
    };

    void come_back(std::uint8_t nodes) noexcept;

    loop_channel_core* core_;
    std::shared_ptr<mailbox> home_;
    news arrival_;           // to the receiver's loop, and back with the answer
    news withdrawal_;        // the same for a cancellation
    std::uint8_t away_ = 0;  // nodes that are at the receiver's; the sender's loop
    /// Nodes that the answer brings back; the receiver's loop until then.
    std::uint8_t returning_ = 0;
    // The receiver's loop:
    bool arrived_ = false;
    bool withdrawn_ = false;
    bool in_line_ = false;
};

class loop_channel_core {
  public:
    explicit loop_channel_core(loop& home);

    void hold() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
    }

    // ---- senders: any thread ----------------------------------------------------------------

    void add_sender() noexcept { senders_.fetch_add(1, std::memory_order_relaxed); }
    void drop_sender() noexcept {
        if (senders_.fetch_sub(1, std::memory_order_seq_cst) == 1) tell_receiver();
    }
    /// Puts the sender's value into the ring, unless others wait for room.
    bool try_send(void* value) noexcept {
        if (in_line_.load(std::memory_order_relaxed) > 0 || !push(value)) return false;
        tell_receiver();
        return true;
    }
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }

    // ---- the receiver's loop ----------------------------------------------------------------

    class receive_base : public line_waiter {
      protected:
        bool launch_on(loop_channel_core& core, context& where) noexcept;

      private:
        friend class loop_channel_core;
    };

    /// No more values are taken; waiting senders get theirs back.
    void close() noexcept;

  protected:
    ~loop_channel_core() = default;  // by destroy()
    virtual void destroy() noexcept = 0;
    virtual bool push(void* value) noexcept = 0;
    virtual bool ready() const noexcept = 0;
    virtual void pop_into(receive_base& receiver) noexcept = 0;
    virtual void* value_of(crossing_send& sender) noexcept = 0;

  private:
    friend class crossing_send;
    struct news final : ready_node {
        loop_channel_core* of = nullptr;
    };
    enum class telling : std::uint8_t { idle, armed, posted };

    void tell_receiver() noexcept;
    bool ended() const noexcept {
        return closed() || (had_senders_ && senders_.load(std::memory_order_seq_cst) == 0);
    }
    void serve() noexcept;
    void admit_senders() noexcept;
    void answer(crossing_send& sender, std::error_code why) noexcept;

    void arrived(crossing_send& sender) noexcept;
    void withdrawn(crossing_send& sender) noexcept;

    std::shared_ptr<mailbox> box_;
    std::atomic<std::uint32_t> references_{1};
    std::atomic<std::uint32_t> senders_{0};
    std::atomic<std::uint32_t> in_line_{0};
    std::atomic<telling> telling_{telling::idle};
    std::atomic<bool> closed_{false};
    news news_;
    line receivers_{"loop_channel", waits_for::outside};
    list<crossing_send, crossing_send> line_;

  protected:
    bool had_senders_ = false;
};

}  // namespace upcall::detail
