#include <upcall/io/pipe.hpp>

namespace upcall::pipe {
namespace {

result<byte_stream> adopt_copy(native_handle native) {
    auto copy = descriptor::copy_of(native);
    if (!copy) return failure(copy.error());
    auto adopted = adopt(copy->get());
    if (adopted) copy->release();
    return adopted;
}

}  // namespace

result<ends> open() {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto opened = home->via().open_pipe();
    if (!opened) return failure(opened.error());
    return ends{byte_stream(*home, std::move(opened->first)),
                byte_stream(*home, std::move(opened->second))};
}

result<byte_stream> adopt(native_handle descriptor) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto opened = home->via().adopt(descriptor, handle_kind::stream);
    if (!opened) return failure(opened.error());
    return byte_stream(*home, std::move(*opened));
}

result<byte_stream> standard_input() { return adopt_copy(0); }
result<byte_stream> standard_output() { return adopt_copy(1); }
result<byte_stream> standard_error() { return adopt_copy(2); }

}  // namespace upcall::pipe
