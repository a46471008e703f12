// A kernel that knows no entries which stay armed refuses each that asks to. Went wrong: of several
// in one turn only the first was tried again as one that does not, the others ended with EINVAL.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>

#include "driver/uring/abi.hpp"
#include "driver/uring/entries.hpp"
#include "support/next_call.hpp"
#include "support/uring_bench.hpp"

namespace upcall::test {
namespace {

using namespace uring_abi;

/// The submissions of the ring that was made last, mapped a second time.
class seen_submissions {
  public:
    void of(int fd, const params& shape) {
        forget();
        indices_ = map(fd, indices_size, map_offset::sq_ring);
        entries_size_ = shape.sq_entries * sizeof(sqe);
        entries_ = map(fd, entries_size_, map_offset::sqes);
        offsets_ = shape.sq_off;
    }
    void forget() {
        if (indices_) ::munmap(indices_, indices_size);
        if (entries_) ::munmap(entries_, entries_size_);
        indices_ = entries_ = nullptr;
    }

    /// Gives each entry that asks to stay armed a flag that no kernel knows.
    void spoil() {
        if (!indices_ || !entries_) return;
        const std::uint32_t tail = at(offsets_.tail);
        for (std::uint32_t head = at(offsets_.head); head != tail; ++head) {
            sqe& entry = static_cast<sqe*>(entries_)[head & at(offsets_.ring_mask)];
            if (stays_armed(entry)) {
                entry.ioprio = unknown_flag;
                ++spoiled;
            }
        }
    }

    int spoiled = 0;

  private:
    static constexpr std::size_t indices_size = 4096;  // they come first
    static constexpr std::uint16_t unknown_flag = 1U << 15;

    static void* map(int fd, std::size_t size, std::uint64_t where) {
        void* found = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                             static_cast<off_t>(where));
        return found == MAP_FAILED ? nullptr : found;
    }
    std::uint32_t at(std::uint32_t offset) const {
        auto* number = reinterpret_cast<std::uint32_t*>(static_cast<std::byte*>(indices_) + offset);
        return std::atomic_ref(*number).load(std::memory_order_acquire);
    }

    void* indices_ = nullptr;
    void* entries_ = nullptr;
    std::size_t entries_size_ = 0;
    sq_offsets offsets_{};
};

seen_submissions* watched = nullptr;

}  // namespace
}  // namespace upcall::test

/// Stands before the C library's, and turns the kernel into an older one while a test asks for it.
extern "C" long syscall(long number, ...) noexcept {
    namespace test = upcall::test;
    namespace abi = upcall::uring_abi;
    static constinit test::next_call<test::system_call> real("syscall");
    va_list list;
    va_start(list, number);
    const test::call_arguments given(list);
    va_end(list);
    if (test::watched && number == abi::enter_number) test::watched->spoil();
    const long answer = given.pass_to(real, number);
    if (test::watched && number == abi::setup_number && answer >= 0)
        test::watched->of(static_cast<int>(answer), *reinterpret_cast<abi::params*>(given.at[1]));
    return answer;
}

namespace upcall::test {
namespace {

class kernel_without_multishot : public uring_bench {
  protected:
    void SetUp() override {
        watched = &submissions_;
        uring_bench::SetUp();
    }
    void TearDown() override {
        uring_bench::TearDown();
        watched = nullptr;
        submissions_.forget();
    }

    int refused() const { return submissions_.spoiled; }

    static constexpr int sources = 3;

  private:
    seen_submissions submissions_;
};

TEST_F(kernel_without_multishot, accepts_on_all_listeners_that_were_armed_at_once) {
    std::array<handle, sources> listeners;
    std::array<bench_operation, sources> accepting;
    for (std::size_t i = 0; i < sources; ++i) {
        listeners[i] = bench().listening();
        bench().accept(accepting[i], listeners[i], op_multishot);
    }
    for (std::size_t i = 0; i < sources; ++i) {
        const address where = bench().via().local_address(*listeners[i].record()).value();
        handle client = bench().via().open_socket(where.family(), socket_type::stream).value();
        bench_operation connecting;
        bench().connect(connecting, client, where);
        EXPECT_EQ(bench().finish(connecting), 0);
        const std::int64_t accepted = bench().finish(accepting[i]);
        ASSERT_GE(accepted, 0) << "listener " << i << ": " << error_from_raw(accepted).message();
        bench().via().own(static_cast<native_handle>(accepted)).close();
    }
    EXPECT_EQ(refused(), sources);
}

TEST_F(kernel_without_multishot, receives_on_all_streams_that_were_armed_at_once) {
    std::array<std::pair<handle, handle>, sources> pairs;
    std::array<bench_operation, sources> receiving;
    for (std::size_t i = 0; i < sources; ++i) {
        pairs[i] = bench().via().open_pair(socket_type::stream).value();
        bench().receive(receiving[i], pairs[i].second, op_multishot);
    }
    for (std::size_t i = 0; i < sources; ++i) {
        bench_operation writing;
        bench().write(writing, pairs[i].first, bytes_of("x"));
        EXPECT_EQ(bench().finish(writing), 1);
        EXPECT_EQ(bench().finish(receiving[i]), 1) << "stream " << i;
        if (receiving[i].leased) bench().buffers().give_back(receiving[i].leased);
    }
    EXPECT_EQ(refused(), sources);
}

}  // namespace
}  // namespace upcall::test
