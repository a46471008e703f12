#include <upcall/task/run_blocking.hpp>

namespace upcall::detail {

bool pool_operation::launch(context& where) noexcept {
    if (const cancel_cause why = where.refuses(ends_on_stop); why != cancel_cause::none) {
        result = raw_error(errc_of(why));
        return true;
    }
    kind = op_kind::work;
    data = &work_;
    begin(where);
    if (!where.home().via().start(*this)) return false;
    retire();
    return true;
}

}  // namespace upcall::detail
