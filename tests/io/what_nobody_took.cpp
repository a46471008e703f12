// What was opened or accepted and then never taken, and what goes on after its file was closed.
#include <upcall/io/file.hpp>
#include <upcall/io/unix.hpp>
#include <upcall/os/descriptor.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/this_task.hpp>
#include <upcall/task/when_all.hpp>

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "pairs.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

using namespace std::chrono_literals;

class untaken : public io_test {};
UPCALL_FOR_EVERY_LOOP(untaken);

task<> fail_after(event& done) {
    static_cast<void>(co_await done.wait());
    throw std::runtime_error("instead of an outcome");
}

// Went wrong: when one part of a group threw, the descriptors of the others stayed open. The
// fixture counts them.
TEST_P(untaken, accepted_peers_are_reset) {
    run([]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const auto where = listener.local_address().value();
        event accepted;
        auto accept_then_tell = [&]() -> task<> {
            auto peer = co_await tcp::connect(where);
            EXPECT_TRUE(peer);
            for (int turn = 0; turn < 20; ++turn) co_await yield();
            accepted.set();
            // The other side went away with the group.
            const auto end = co_await peer->receive();
            EXPECT_FALSE(end);
        };
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now(accept_then_tell());
            bool thrown = false;
            try {
                co_await when_all(listener.accept(), fail_after(accepted));
            } catch (const std::runtime_error&) {
                thrown = true;
            }
            EXPECT_TRUE(thrown);
        });
    });
}

task<> fail_once_more_is_open(std::size_t before) {
    while (open_descriptors().size() <= before) static_cast<void>(co_await sleep(1ms));
    throw std::runtime_error("instead of an outcome");
}

TEST_P(untaken, opened_files_are_closed) {
    const scratch_folder folder;
    std::ofstream(folder / "x") << "some bytes";
    run([&]() -> task<> {
        // Threads of the pool may need descriptors of their own.
        auto warm = co_await file::open(folder / "x", open_read);
        EXPECT_TRUE(warm);
        bool thrown = false;
        try {
            co_await when_all(file::open(folder / "x", open_read),
                              fail_once_more_is_open(open_descriptors().size()));
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
    });
}

/// Descriptors that have the file at `path` open. Threads of drivers have some of their own, which
/// come and go.
std::size_t descriptors_of(const std::filesystem::path& path) {
    const std::vector<int> all = open_descriptors();
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](int each) {
        std::error_code gone;
        const auto link = std::filesystem::path("/proc/self/fd") / std::to_string(each);
        return std::filesystem::read_symlink(link, gone) == path;
    }));
}

// Went wrong: the message had been received, and its descriptors were nobody's.
TEST_P(untaken, received_descriptors_are_owned) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::datagram::pair().value();
        auto [left, right] = unix_socket::pair().value();
        const scratch_folder folder;
        std::ofstream(folder / "x") << "x";
        const descriptor passed(::open((folder / "x").c_str(), O_RDONLY | O_CLOEXEC));
        const native_handle number = passed.get();
        EXPECT_TRUE(co_await here.send_with(bytes_of("x"), std::span(&number, 1)));
        EXPECT_TRUE(co_await left.write_with(bytes_of("x"), std::span(&number, 1)));
        std::vector<descriptor> arrived;
        std::string one(8, '\0');
        std::string other(8, '\0');
        const auto path = std::filesystem::canonical(folder / "x");
        auto fail_once_both_came = [&path]() -> task<> {
            while (descriptors_of(path) < 3) static_cast<void>(co_await sleep(1ms));
            for (int turn = 0; turn < 20; ++turn) co_await yield();
            throw std::runtime_error("instead of an outcome");
        };
        bool thrown = false;
        try {
            co_await when_all(there.receive_with(room_in(one), arrived),
                              right.read_with(room_in(other), arrived), fail_once_both_came());
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
        EXPECT_EQ(arrived.size(), 2U);
    });
}

// Went wrong: a transfer in several steps went on at whatever took the place of its file's record.
TEST_P(untaken, a_transfer_of_a_closed_file_ends_with_it) {
    const scratch_folder folder;
    std::ofstream(folder / "x") << std::string(4096, 'x');
    std::ofstream(folder / "y") << std::string(65536, 'y');
    run([&]() -> task<> {
        loop& at = co_await this_task::home();
        auto opened = co_await file::open(folder / "x", open_read);
        auto first = std::make_unique<file>(std::move(opened.value()));
        descriptor other(::open((folder / "y").c_str(), O_RDONLY | O_CLOEXEC));
        std::string room(8192, '-');
        transfer got;
        auto read = [&]() -> task<> { got = co_await first->read_exactly_at(room_in(room), 0); };
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now(read());
            co_await yield();
            // Until the first step is done and waits to be run, behind this.
            while (at.ready().empty()) co_await yield();
            first.reset();
            auto in_its_place = file::adopt(other.get());
            EXPECT_TRUE(in_its_place);
            other.release();
            co_await side.join();
        });
        EXPECT_FALSE(got);
        EXPECT_EQ(got.bytes, 4096U);
        EXPECT_EQ(room.find('y'), std::string::npos);
    });
}

// Went wrong: nobody held the record of the file that is copied to, nor between two steps that of
// the other one, and the copy went on with what took its place.
TEST_P(untaken, a_copy_ends_with_either_of_its_files) {
    constexpr std::size_t several_steps = std::size_t{24} << 20;
    for (const bool close_source : {true, false}) {
        const scratch_folder folder;
        for (const char* name : {"from", "to", "y"}) std::ofstream(folder / name) << "some bytes";
        std::filesystem::resize_file(folder / "from", several_steps);
        run([&]() -> task<> {
            loop& at = co_await this_task::home();
            auto from =
                std::make_unique<file>((co_await file::open(folder / "from", open_read)).value());
            auto to =
                std::make_unique<file>((co_await file::open(folder / "to", open_write)).value());
            descriptor other(::open((folder / "y").c_str(), O_RDWR | O_CLOEXEC));
            transfer copied;
            auto copy_all = [&]() -> task<> { copied = co_await copy(*from, *to); };
            co_await with_scope([&](scope& side) -> task<> {
                side.spawn_now(copy_all());
                co_await yield();
                // Until the first step is done and waits to be run, behind this.
                while (at.ready().empty()) co_await yield();
                (close_source ? from : to).reset();
                auto in_its_place = file::adopt(other.get());
                EXPECT_TRUE(in_its_place);
                other.release();
                co_await side.join();
            });
            EXPECT_EQ(copied.cause, errc::closed);
            EXPECT_GT(copied.bytes, 0U);
            EXPECT_LT(copied.bytes, several_steps);
            EXPECT_EQ(std::filesystem::file_size(folder / "to"), copied.bytes);
            EXPECT_EQ(std::filesystem::file_size(folder / "y"), 10U);
        });
    }
}

}  // namespace
}  // namespace upcall::testing
