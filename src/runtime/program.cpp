#include <upcall/runtime/program.hpp>

namespace upcall {
void program_control::post(const std::shared_ptr<program_control>& of,
                           void (*act)(scope&) noexcept) {
    using call = detail::posted_call<std::function<void()>>;
    auto node = std::make_unique<call>([of, act] {
        if (of->tasks_) act(*of->tasks_);
    });
    if (of->box_->post(*node)) static_cast<void>(node.release());
}

void program_control::stop(const std::shared_ptr<program_control>& of) {
    post(of, [](scope& tasks) noexcept { tasks.stop(); });
}

void program_control::cancel(const std::shared_ptr<program_control>& of) {
    post(of, [](scope& tasks) noexcept { tasks.cancel(); });
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
