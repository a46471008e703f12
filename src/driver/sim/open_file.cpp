#include "open_file.hpp"

#include <upcall/base/fatal.hpp>

#include "machine.hpp"

namespace upcall::sim {

open_file::open_file(node& on, file_reference file, std::uint32_t options)
    : object(on),
      file_(std::move(file)),
      options_(options),
      refusals_(std::make_shared<lane>(on.kernel())) {}

void open_file::start(request& made) { refusals_->send(made, raw_error(errc::unsupported)); }

void open_file::withdraw(request& waiting) {
    fatal("request %llu waits in a file", static_cast<unsigned long long>(waiting.id));
}

}  // namespace upcall::sim
