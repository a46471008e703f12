// Opens a socket and connects it; whoever derives makes its own kind of connection of the handle.
#pragma once

#include <upcall/driver/driver.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

class connect_operation : public io_operation_base {
  public:
    struct arguments {
        upcall::result<address> peer;
        address local;
        socket_type type;
    };
    explicit connect_operation(arguments&& given) noexcept : given_(std::move(given)) {}
    bool launch(context& where) noexcept;

  protected:
    /// The outcome, once. A socket that did not connect is closed.
    upcall::result<handle> take_handle();
    loop& home() const noexcept { return *home_; }

  private:
    std::int64_t prepare(context& where) noexcept;

    arguments given_;
    handle socket_;
    loop* home_ = nullptr;
};

}  // namespace upcall::detail
