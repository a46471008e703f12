// Ways to take 8,000 bytes from a socket that they come out of in eight pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <upcall/driver/host.hpp>
#include <vector>

namespace upcall_lab {

/// What it took until the last byte was there.
struct effort {
    double notifications = 0;  // waits that said "ready", signals, completions
    double calls = 0;          // system calls
    double copies = 0;         // times that bytes were brought
};

/// A way is set up once for a non-blocking or blocking socket, and used again and again.
class receiving_way {
  public:
    receiving_way() = default;
    receiving_way(const receiving_way&) = delete;
    receiving_way& operator=(const receiving_way&) = delete;
    virtual ~receiving_way() = default;

    /// Takes `size` bytes into `to`. Throws lab_error.
    virtual effort receive(char* to, std::size_t size) = 0;
};

struct receiving_name {
    const char* name;
    /// The kernel interface that it needs.
    std::optional<upcall::kernel_interface> needs;
    std::unique_ptr<receiving_way> (*make)(int socket);
};

const std::vector<receiving_name>& receiving_ways();

}  // namespace upcall_lab
