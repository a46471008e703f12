// The files of the log.
#pragma once

#include <array>

#include <upcall/upcall.hpp>

#include "sim/wire.hpp"

namespace upcall_sim {

inline constexpr std::size_t clients_max = 8;
using last_numbers = std::array<answer, clients_max>;

/// One for a start of the program. Errors of the kernel that it cannot live with are thrown.
class log_store {
  public:
    /// Reads what is there, and makes it durable before anything is said of it.
    upcall::task<> open();
    /// Keeps one number; when this has ended it is durable. One caller at a time.
    upcall::task<> append(ask what);
    const answer& last(std::uint32_t client) const noexcept { return last_[client]; }

  private:
    struct record {
        std::uint32_t client = 0;
        std::uint32_t number = 0;
        std::uint64_t payload = 0;
        std::uint64_t check = 0;
    };
    static std::uint64_t check_of(const record& of) noexcept;

    upcall::task<> read_snapshot();
    upcall::task<> read_log();
    upcall::task<> take_snapshot();
    upcall::task<> write_snapshot();
    upcall::task<> empty_log();
    upcall::task<bool> sync_log();
    void apply(const record& one);

    last_numbers last_{};
    upcall::file log_;
    std::uint64_t end_ = 0;
    std::uint32_t records_ = 0;
};

}  // namespace upcall_sim
