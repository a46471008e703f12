#include <upcall/task/detail/begun_operation.hpp>

#include <upcall/base/fatal.hpp>

namespace upcall::detail {

scope_member::scope_member(scope& in, const char* what, const begun_by& by) noexcept
    : in_(&in), by_(by) {
    if (!in.where().home().on_its_thread()) [[unlikely]]
        fatal("%s was called on another thread than that of the loop of its scope, in task \"%s\"",
              what, in.where().name());
}

void scope_member::fail(std::exception_ptr why) noexcept {
    in_->failed(by_.name ? by_.name : in_->own_.name(), std::move(why));
}

}  // namespace upcall::detail
