#include <upcall/io/registered_buffer.hpp>
#include <upcall/loop/loop.hpp>

namespace upcall {

result<registered_buffer> registered_buffer::create(std::size_t size) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    try {
        registered_buffer made(aligned_buffer{size});
        if (size > 0 && home->via().register_memory(made.span()) == 0) made.home_ = home;
        return made;
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
}

registered_buffer::~registered_buffer() {
    if (home_) home_->via().forget_memory(span());
}

}  // namespace upcall
