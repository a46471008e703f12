#include <cerrno>
#include <memory>
#include <utility>

#include <upcall/driver/sim_kernel.hpp>

#include "driver.hpp"
#include "machine.hpp"

namespace upcall {
namespace sim {
namespace {

/// A call that was planned from outside of the kernel.
class planned_call final : public event_target {
  public:
    planned_call(machine& kernel, std::function<void()> call)
        : kernel_(&kernel), call_(std::move(call)) {}
    void fire(std::uint32_t, std::uint64_t) override {
        kernel_->interrupt();
        call_();
    }

  private:
    machine* kernel_;
    std::function<void()> call_;
};

}  // namespace
}  // namespace sim

sim_kernel::sim_kernel(const sim_options& options) : sim_kernel(options, choices(options.seed)) {}

sim_kernel::sim_kernel(const sim_options& options, choices chosen)
    : machine_(std::make_unique<sim::machine>(options, std::move(chosen))) {}

sim_kernel::~sim_kernel() = default;

time_point sim_kernel::now() const noexcept { return machine_->now(); }
void sim_kernel::spend(duration length) noexcept { machine_->spend(length); }
choices& sim_kernel::chosen() noexcept { return machine_->choice; }
std::uint64_t sim_kernel::digest() const noexcept { return machine_->digest(); }
std::uint64_t sim_kernel::outcomes() const noexcept { return machine_->outcomes(); }
std::size_t sim_kernel::open_descriptors() const noexcept { return machine_->descriptors(); }

void sim_kernel::trace(void (*notify)(void*, const sim_event&) noexcept, void* argument) noexcept {
    machine_->tracer = notify;
    machine_->tracer_argument = argument;
}

void sim_kernel::on_stall(void (*notify)(void*) noexcept, void* argument) noexcept {
    machine_->stalled = notify;
    machine_->stalled_argument = argument;
}

result<void> sim_kernel::close(native_handle native) noexcept {
    if (!machine_->at(sim_host::first).close(native)) return sim::errno_failure(EBADF);
    return {};
}

// ---- several computers --------------------------------------------------------------------------

sim_host sim_kernel::add_host() { return machine_->add_node().id(); }

address sim_kernel::address_of(sim_host host, std::uint16_t port,
                               address_family family) const noexcept {
    return machine_->at(host).name_of(family, port);
}

void sim_kernel::power_off(sim_host host) {
    if (is_on(host)) machine_->end_program(machine_->at(host), true);
}

void sim_kernel::power_on(sim_host host) {
    if (!is_on(host)) machine_->power_on(machine_->at(host));
}

void sim_kernel::kill(sim_host host) { machine_->end_program(machine_->at(host), false); }
bool sim_kernel::is_on(sim_host host) const noexcept { return machine_->at(host).is_on(); }

void sim_kernel::fail_at(sim_host host, std::uint64_t outcome, std::function<void()> failed) {
    machine_->at(host).fail_at(outcome, std::move(failed));
}

std::uint64_t sim_kernel::outcomes(sim_host host) const noexcept {
    return machine_->at(host).outcomes();
}

void sim_kernel::cut(sim_host from, sim_host to) {
    machine_->cut(machine_->at(from), machine_->at(to));
}

void sim_kernel::mend(sim_host from, sim_host to) {
    machine_->mend(machine_->at(from), machine_->at(to));
}

void sim_kernel::clog(sim_host from, sim_host to, duration length) {
    machine_->lines.clog({static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)},
                         saturating_add(now(), length));
}

void sim_kernel::end_faults() { machine_->end_faults(); }

void sim_kernel::at(time_point when, std::function<void()> call) {
    machine_->plan(when, std::make_shared<sim::planned_call>(*machine_, std::move(call)), 0);
}

void sim_kernel::interrupt() noexcept { machine_->interrupt(); }
void sim_kernel::all_are_run(bool really) noexcept { machine_->all_are_run(really); }
bool sim_kernel::pass_time() { return machine_->pass_time(); }

std::vector<sim_waiting> sim_kernel::waiting(sim_host host) const {
    return machine_->waiting(machine_->at(host));
}

// ---- drivers ------------------------------------------------------------------------------------

std::unique_ptr<driver> make_sim_driver(sim_kernel& kernel, const driver_environment& lent) {
    return make_sim_driver(kernel, sim_host::first, lent);
}

std::unique_ptr<driver> make_sim_driver(sim_kernel& kernel, sim_host on,
                                        const driver_environment& lent) {
    return std::make_unique<sim::sim_driver>(kernel.inside().at(on), lent);
}

}  // namespace upcall
