// The real loop over a kernel that is the checker: it wakes, and knows no handles.
#pragma once

#include <memory>

#include <upcall/loop/loop.hpp>

#include "model/programs.hpp"

namespace model {

class kernel : public upcall::driver {
  public:
    using handle = upcall::handle;
    using record = upcall::handle_record;
    template <class T>
    using result = upcall::result<T>;

    explicit kernel(const upcall::driver_environment& lent) noexcept : driver(lent) {}
    ~kernel() override { await_helpers(); }

    std::string_view name() const noexcept override { return "model"; }
    void cancel(upcall::io_operation&) noexcept override {}
    /// A deadline may pass at any time.
    void poll(upcall::time_point deadline) noexcept override {
        if (deadline == upcall::never)
            woken_.wait();
        else if (!woken_.take() && deadline > now_)
            now_ = deadline;
        collect_elsewhere();
    }
    void wake() noexcept override { woken_.raise(); }
    upcall::time_point now() noexcept override { return now_; }
    std::uint64_t random() noexcept override { return 0; }

    result<handle> open_socket(upcall::address_family, upcall::socket_type) noexcept override {
        return none();
    }
    result<std::pair<handle, handle>> open_pair(upcall::socket_type) noexcept override {
        return none();
    }
    result<std::pair<handle, handle>> open_pipe() noexcept override { return none(); }
    result<void> bind(record&, const upcall::address&) noexcept override { return none(); }
    result<void> listen(record&, int) noexcept override { return none(); }
    result<upcall::address> local_address(record&) noexcept override { return none(); }
    result<upcall::address> peer_address(record&) noexcept override { return none(); }
    result<void> set_option(record&, upcall::socket_option, std::int64_t) noexcept override {
        return none();
    }
    result<std::int64_t> get_option(record&, upcall::socket_option) noexcept override {
        return none();
    }
    result<void> shut_down(record&, upcall::shut) noexcept override { return none(); }
    result<handle> adopt(upcall::native_handle, upcall::handle_kind) noexcept override {
        return none();
    }
    result<upcall::native_handle> release(handle&) noexcept override { return none(); }

  protected:
    /// Whoever the program lets do it answers, by `finish_elsewhere`.
    bool submit(upcall::io_operation&) noexcept override { return false; }
    void cancel_all(record&) noexcept override {}
    std::int64_t destroy(record&) noexcept override { return 0; }

  private:
    static std::unexpected<std::error_code> none() noexcept {
        return upcall::failure(upcall::errc::unsupported);
    }

    signal woken_;
    upcall::time_point now_{};
};

/// On the thread that will run it, over what `make` makes. Its chooser takes what is in front,
/// which keeps it from looking for posts a thousand times before it sleeps.
inline std::unique_ptr<upcall::loop> make_loop_over(const upcall::driver_maker& make) {
    upcall::loop_options options;
    options.buffers = {.small_bytes = 64, .small_count = 1, .large_bytes = 64, .large_count = 1};
    options.choose = [](std::size_t) { return std::size_t{0}; };
    auto made = upcall::loop::create(make, std::move(options));
    return std::move(*made);
}

/// The same over a kernel of this kind, made of what it is lent and `more`.
template <class Kernel = kernel, class... More>
std::unique_ptr<upcall::loop> make_loop(More&... more) {
    return make_loop_over([&](const upcall::driver_environment& lent)
                              -> upcall::result<std::unique_ptr<upcall::driver>> {
        return std::make_unique<Kernel>(lent, more...);
    });
}

}  // namespace model
