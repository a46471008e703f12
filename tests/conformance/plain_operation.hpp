// An operation as the driver sees it, awaited like any other: for cases about the seam itself.
#pragma once

#include <upcall/upcall.hpp>

namespace upcall::test {

class plain_operation : public io_operation_base {
  public:
    struct arguments {
        op_kind what{};
        handle_record* on = nullptr;
        void* with = nullptr;
        std::size_t length = 0;
        std::uint64_t position = 0;
    };
    explicit plain_operation(arguments&& given) noexcept {
        kind = given.what;
        target = given.on;
        data = given.with;
        size = given.length;
        offset = given.position;
    }

    bool launch(context& where) noexcept {
        const cancel_cause refused = where.refuses(ends_on_stop);
        if (refused != cancel_cause::none) {
            result = raw_error(errc_of(refused));
            return true;
        }
        begin(where);
        if (!where.home().via().start(*this)) return false;
        retire();
        return true;
    }
    upcall::result<std::int64_t> take() const noexcept {
        if (result < 0) return failure(error_of(*this));
        return result;
    }
};

inline request<plain_operation> plain(plain_operation::arguments asked) {
    return request<plain_operation>(std::move(asked));
}

}  // namespace upcall::test
