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
    auto reader = detail::make_owner<byte_stream>(*home, opened->first);
    if (!reader) return failure(reader.error());
    auto writer = detail::make_owner<byte_stream>(*home, opened->second);
    if (!writer) return failure(writer.error());
    return ends{std::move(*reader), std::move(*writer)};
}

result<byte_stream> adopt(native_handle descriptor) {
    return detail::adopt_owner<byte_stream>(descriptor, handle_kind::stream);
}

result<byte_stream> standard_input() { return adopt_copy(0); }
result<byte_stream> standard_output() { return adopt_copy(1); }
result<byte_stream> standard_error() { return adopt_copy(2); }

}  // namespace upcall::pipe
