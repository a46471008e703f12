#include "lab/durable.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "lab/clocks.hpp"
#include "lab/findings.hpp"
#include "lab/owned_fd.hpp"
#include "lab/raw/ring_io.hpp"
#include "lab/scratch.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

namespace abi = upcall::uring_abi;

constexpr std::size_t durable_bytes = 4096;

struct alignas(durable_bytes) block {
    std::array<char, durable_bytes> bytes{};
};

void expect(const char* what, ssize_t result, ssize_t wanted) {
    if (result != wanted) throw lab_error(failed(what, result < 0 ? errno : EIO));
}

void write_plain(int file, const block& from, off_t at) {
    expect("write a block", ::pwrite(file, from.bytes.data(), durable_bytes, at), durable_bytes);
}

class method {
  public:
    method() = default;
    method(const method&) = delete;
    method& operator=(const method&) = delete;
    virtual ~method() = default;
    virtual void write(const block& from, off_t at) = 0;
};

class write_and_sync final : public method {
  public:
    write_and_sync(int file, bool data_only) : file_(file), data_only_(data_only) {}
    void write(const block& from, off_t at) override {
        write_plain(file_, from, at);
        expect("sync", data_only_ ? ::fdatasync(file_) : ::fsync(file_), 0);
    }

  private:
    int file_;
    bool data_only_;
};

class write_through final : public method {
  public:
    write_through(int file, int flags) : file_(open_again(file, O_WRONLY | flags)) {}
    void write(const block& from, off_t at) override { write_plain(file_.get(), from, at); }

  private:
    owned_fd file_;
};

class write_through_once final : public method {
  public:
    explicit write_through_once(int file) : file_(file) {}
    void write(const block& from, off_t at) override {
        const iovec piece{.iov_base = const_cast<char*>(from.bytes.data()),
                          .iov_len = durable_bytes};
        expect("write with RWF_DSYNC", ::pwritev2(file_, &piece, 1, at, RWF_DSYNC), durable_bytes);
    }

  private:
    int file_;
};

/// A write and a sync that waits for it, handed over together.
class linked_in_ring final : public method {
  public:
    explicit linked_in_ring(int file) : file_(file) { open_ring(ring_, 8); }
    void write(const block& from, off_t at) override {
        abi::sqe* const writing = ring_.next_entry();
        abi::sqe* const syncing = ring_.next_entry();
        if (writing == nullptr || syncing == nullptr) throw lab_error("the ring is full");
        writing->opcode = abi::op::write;
        writing->fd = file_;
        writing->addr = reinterpret_cast<std::uint64_t>(from.bytes.data());
        writing->len = durable_bytes;
        writing->off = static_cast<std::uint64_t>(at);
        writing->flags = abi::sqe_flag::io_link;
        syncing->opcode = abi::op::fsync;
        syncing->fd = file_;
        syncing->fsync_flags = abi::fsync_datasync;
        int worst = 0;
        for (unsigned ended = 0; ended < 2;) {
            enter_ring(ring_, 2 - ended);
            ended += ring_.reap([&](const abi::cqe& each) {
                if (each.res < 0) worst = each.res;
            });
        }
        if (worst < 0) throw lab_error(failed("write and sync by io_uring", -worst));
    }

  private:
    upcall::ring ring_;
    int file_;
};

std::unique_ptr<method> make_method(const std::string& name, int file) {
    if (name == "fsync") return std::make_unique<write_and_sync>(file, false);
    if (name == "fdatasync") return std::make_unique<write_and_sync>(file, true);
    if (name == "O_DSYNC") return std::make_unique<write_through>(file, O_DSYNC);
    if (name == "direct O_DSYNC") return std::make_unique<write_through>(file, O_DSYNC | O_DIRECT);
    if (name == "RWF_DSYNC") return std::make_unique<write_through_once>(file);
    if (name == "io_uring link") return std::make_unique<linked_in_ring>(file);
    throw lab_error("there is no method '" + name + "'");
}

}  // namespace

const std::vector<std::string>& durable_methods() {
    static const std::vector<std::string> all = {"fsync",     "fdatasync",      "O_DSYNC",
                                                 "RWF_DSYNC", "direct O_DSYNC", "io_uring link"};
    return all;
}

samples write_durably(const std::string& name, int file, unsigned blocks, double seconds) {
    const auto by = make_method(name, file);
    const auto from = std::make_unique<block>();
    samples times;
    const double start = now_ns();
    unsigned at = 0;
    for (double now = start; now < start + seconds * 1e9;) {
        from->bytes.front() = static_cast<char>(at);
        by->write(*from, static_cast<off_t>(at % blocks * durable_bytes));
        ++at;
        const double then = now_ns();
        times.push_back(then - now);
        now = then;
    }
    return times;
}

}  // namespace upcall_lab
