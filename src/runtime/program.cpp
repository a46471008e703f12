#include <upcall/runtime/program.hpp>

namespace upcall {
program_control::program_control(std::shared_ptr<mailbox> box) noexcept : box_(std::move(box)) {
    stop_.act = [](scope& tasks) noexcept { tasks.stop(); };
    cancel_.act = [](scope& tasks) noexcept { tasks.cancel(); };
}

void program_control::post(const std::shared_ptr<program_control>& of, wish& what) noexcept {
    if (what.posted.exchange(true, std::memory_order_relaxed)) return;
    what.of = of;
    what.run = [](ready_node& node) noexcept {
        auto& self = static_cast<wish&>(node);
        const auto control = std::move(self.of);
        if (control->tasks_) self.act(*control->tasks_);
    };
    if (!of->box_->post(what)) what.of.reset();
}

void program_control::stop(const std::shared_ptr<program_control>& of) noexcept {
    post(of, of->stop_);
}

void program_control::cancel(const std::shared_ptr<program_control>& of) noexcept {
    post(of, of->cancel_);
}

program::~program() {
    tasks_.cancel();
    home_.run_until([this] { return tasks_.size() == 0; });
    services_.cancel();
    home_.run_until([this] { return services_.size() == 0; });
    control_->tasks_ = nullptr;
}

std::exception_ptr program::run() {
    home_.run_until([this] { return tasks_.size() == 0; });
    return tasks_.exception();
}

}  // namespace upcall
