// Pipes, and other descriptors that bytes come out of or go into: standard input and output,
// terminals, devices, files read from where they stand.
//
//     auto [reader, writer] = pipe::open().value();
//     auto input = pipe::standard_input().value();
//     while (auto chunk = co_await input.receive()) …
//
// See io/stream.hpp for what byte streams do. Writing to a pipe whose reader is gone fails with
// broken_pipe and never raises SIGPIPE. Writes of up to PIPE_BUF bytes (4096 on Linux) are not
// mixed with those of other processes (pipe(7)).
#pragma once

#include <upcall/io/stream.hpp>

namespace upcall::pipe {

/// The two ends of a pipe, each with an owner of its own.
struct ends {
    byte_stream reader;
    byte_stream writer;
};

/// A new pipe on the current loop. Errors: no_loop; those of pipe2(2).
result<ends> open();

/// Takes a descriptor of this process and makes a stream of it on the current loop; on error the
/// caller still owns it. Regular files are read and written at their position, which all holders of
/// the descriptor share; reading one ends at its end. Errors: no_loop; those of the driver.
result<byte_stream> adopt(native_handle descriptor);

/// Streams over copies of the process's own descriptors 0, 1 and 2, which stay open. While one
/// lives, the descriptor is in non-blocking mode for all who share it; closing the stream switches
/// that back. Where two of them are one terminal, close the one made first last: they share the
/// mode, and a call on the other would block the loop from then on. Errors: no_loop; those of
/// fcntl(2) and of the driver.
result<byte_stream> standard_input();
result<byte_stream> standard_output();
result<byte_stream> standard_error();

}  // namespace upcall::pipe
