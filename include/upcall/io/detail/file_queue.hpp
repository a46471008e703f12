// The queue behind file::limit_transfers: so many transfers of a file are with the kernel at a
// time, and of those that wait, the next is of the task class that had least of its share.
//
// Start-time fair queueing (Jin, Chase, Kaur: "Interposed proportional sharing for a storage
// service utility", 2004): each class counts what it had, divided by its shares. The one whose
// count is lowest comes next, and its count at that moment is where a class that comes back after a
// rest begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include <upcall/base/list.hpp>
#include <upcall/base/result.hpp>
#include <upcall/driver/io_operation.hpp>

namespace upcall::detail {

class file_queue;
class file_transfer;

struct file_queue_end {
    void operator()(file_queue* ended) const noexcept;
};
/// The file's own: the queue itself stays until its last transfer has come back.
using file_queue_owner = std::unique_ptr<file_queue, file_queue_end>;

class file_queue {
  public:
    static constexpr std::uint32_t depth_max = 4096;
    /// What a transfer is charged beside its bytes: one of a few bytes, too, keeps a disk busy.
    static constexpr std::uint64_t transfer_bytes = 16384;

    static result<file_queue_owner> create(std::uint32_t depth) noexcept;

    /// Takes a transfer that was begun in its context. True: it is over, with the outcome in its
    /// `result`. False: it will be completed.
    bool take(file_transfer& op) noexcept;

  private:
    friend file_queue_end;

    /// What the driver works on in a transfer's place. It completes in the loop's own class, not in
    /// that of the transfer: else its place at the kernel would be empty until that class has its
    /// turn.
    struct place : io_operation {
        file_queue* of = nullptr;
        file_transfer* serves = nullptr;
        place* next_free = nullptr;
    };

    struct lane {
        // Only compared: between two transfers the class may end, and another be where it was.
        const task_class* of = nullptr;
        std::uint64_t had = 0;
        queue<io_operation, &io_operation::driver_next> waiting;
    };

    explicit file_queue(std::uint32_t depth);
    ~file_queue() = default;

    lane* lane_of(const task_class& wanted) noexcept;
    lane* next_lane() noexcept;
    bool admit(lane& from, file_transfer& op) noexcept;
    void admit_waiting() noexcept;
    bool hand_over(place& by, file_transfer& op) noexcept;
    void come_back(place& by) noexcept;
    void cancel(file_transfer& op) noexcept;
    void give_back(place& by) noexcept;
    void close() noexcept;
    void end_if_unused() noexcept;

    std::unique_ptr<place[]> places_;
    place* free_ = nullptr;
    std::uint32_t busy_ = 0;
    bool closed_ = false;
    std::uint64_t served_ = 0;  // the count of the class that was last served, before it was
    std::list<lane> lanes_;
};

}  // namespace upcall::detail
