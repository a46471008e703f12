// A pipe whose both ends can be overlapped, which those of CreatePipe cannot.
#pragma once

#include <upcall/driver/handle.hpp>

namespace upcall::iocp {

struct pipe_pair {
    native_handle read_end;
    native_handle write_end;
};

/// The caller owns both ends. Neither is inherited by child processes.
result<pipe_pair> make_pipe_pair() noexcept;

}  // namespace upcall::iocp
