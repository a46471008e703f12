// The files of the log.
#pragma once

#include <array>
#include <functional>

#include <upcall/upcall.hpp>

#include "sim/wire.hpp"

namespace upcall_sim {

inline constexpr std::size_t clients_max = 8;
using last_numbers = std::array<answer, clients_max>;

/// One for a start of the program. Errors of the kernel that it cannot live with are thrown.
class log_store {
  public:
    /// `on_failed_sync` is called for every sync that fails, and outlives this.
    explicit log_store(const std::function<void()>& on_failed_sync)
        : on_failed_sync_(on_failed_sync) {}

    /// Reads what is there, and makes it durable before anything is said of it.
    upcall::task<> open();
    /// Keeps one number; when this has ended it is durable. One caller at a time.
    upcall::task<> append(ask what);
    const answer& last(std::uint32_t client) const noexcept { return last_[client]; }

  private:
    struct record {
        std::uint32_t client = 0;
        std::uint32_t number = 0;
        std::array<std::uint64_t, 40> body{};  // so that most of them lie in two sectors
        std::uint64_t payload = 0;
        std::uint64_t check = 0;
    };
    static std::uint64_t check_of(const record& of) noexcept;

    upcall::task<> read_snapshot();
    upcall::task<> read_log();
    upcall::task<> take_snapshot();
    upcall::task<> write_snapshot();
    upcall::task<> empty_log();
    upcall::task<> sync_directory();
    upcall::task<bool> sync_log();
    upcall::task<bool> try_to_sync(upcall::file& of);
    void apply(const record& one);

    const std::function<void()>& on_failed_sync_;
    last_numbers last_{};
    upcall::file log_;
    std::uint64_t end_ = 0;
    std::uint32_t records_ = 0;
};

}  // namespace upcall_sim
