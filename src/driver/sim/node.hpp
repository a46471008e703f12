// One computer of the simulated network: its addresses, names, files and descriptors, and whether
// it has power.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include <upcall/driver/address.hpp>
#include <upcall/driver/sim_kernel.hpp>

#include "file_system.hpp"
#include "network.hpp"
#include "object.hpp"

namespace upcall::sim {

class node {
  public:
    node(machine& kernel, std::uint32_t number);
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    network names;  // of streams
    network datagram_names;
    file_system files;

    machine& kernel() const noexcept { return *kernel_; }
    sim_host id() const noexcept { return sim_host{number_}; }
    std::uint32_t number() const noexcept { return number_; }

    /// Its name on the network. The first computer has every address.
    address name_of(address_family family, std::uint16_t port) const noexcept;
    bool owns(const address& where) const noexcept;

    // ---- descriptors ------------------------------------------------------------------------

    /// Names `made` by the lowest free number; EMFILE.
    result<native_handle> install(std::shared_ptr<object> made);
    bool full() const noexcept;
    /// Null when nothing has that number.
    std::shared_ptr<object> find(native_handle native) const;
    void replace(native_handle native, std::shared_ptr<object> by);
    /// Removes and closes it. False: there is none.
    bool close(native_handle native);
    std::size_t descriptors() const noexcept { return descriptors_.size(); }

    template <class Visit>
    void for_each_object(Visit&& visit) const {
        for (const auto& [native, object] : descriptors_) visit(*object);
    }

    // ---- power ------------------------------------------------------------------------------

    bool is_on() const noexcept { return on_; }
    /// How often it was switched on: what was made before the last time is gone.
    std::uint64_t boots() const noexcept { return boots_; }
    /// The program is gone; the kernel closes what it had.
    void close_all();
    /// All is gone but what the disk holds. Nobody is told.
    void power_off();
    void power_on() noexcept;

    /// Counts an outcome that its program is about to get. True: instead, the power fails now.
    bool counts_to_failure() noexcept { return ++outcomes_ == fails_at_; }
    void fail_at(std::uint64_t outcome, std::function<void()> failed) {
        fails_at_ = outcome;
        failed_ = std::move(failed);
    }
    void tell_of_failure() {
        if (failed_) failed_();
    }
    std::uint64_t outcomes() const noexcept { return outcomes_; }

  private:
    machine* kernel_;
    std::uint32_t number_;
    std::map<native_handle, std::shared_ptr<object>> descriptors_;
    std::set<native_handle> free_;  // numbers that were used before
    bool on_ = true;
    std::uint64_t boots_ = 1;
    std::uint64_t outcomes_ = 0;
    std::uint64_t fails_at_ = 0;
    std::function<void()> failed_;
};

}  // namespace upcall::sim
