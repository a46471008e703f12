// Replacing a file whole or not at all, on every driver.
#include "file_test.hpp"

namespace upcall::testing {
namespace {

constexpr const char* contents[] = {"first", "the second, which is longer", "", "3"};
constexpr const char* no_names[] = {"", ".", "..", "folder/", "folder/.", "folder/.."};
constexpr const char* links[] = {"link", "loose"};

class replacing : public file_test {
  protected:
    task<std::uint32_t> permissions(std::string name) const {
        co_return (co_await status(std::move(name))).value().permissions;
    }
};
UPCALL_ON_EVERY_DRIVER(replacing);

TEST_P(replacing, makes_the_file_or_replaces_it) {
    run([&]() -> task<> {
        for (const char* text : contents) {
            const auto done = co_await atomic_replace(path("file"), bytes_of(text));
            EXPECT_TRUE(done) << done.cause.message();
            EXPECT_TRUE(done.replaced);
            EXPECT_EQ(co_await content(path("file")), text);
            EXPECT_EQ(co_await names(), "file");
        }
    });
}

TEST_P(replacing, who_has_the_old_file_open_keeps_it) {
    run([&]() -> task<> {
        co_await put(path("file"), "old");
        auto old = (co_await file::open(path("file"), open_read)).value();
        EXPECT_TRUE(co_await atomic_replace(path("file"), bytes_of("new")));
        std::array<std::byte, 8> room{};
        EXPECT_EQ((co_await old.read_at(room, 0)).value(), 3U);
        EXPECT_EQ(text_of(byte_view(room).first(3)), "old");
    });
}

TEST_P(replacing, permissions_are_kept_or_given) {
    const mode_t before = ::umask(077);
    run([&]() -> task<> {
        co_await put(path("file"), "old");
        auto open = (co_await file::open(path("file"), open_write)).value();
        EXPECT_TRUE(co_await open.set_permissions(0664));
        EXPECT_TRUE(co_await atomic_replace(path("file"), bytes_of("new")));
        EXPECT_EQ(co_await permissions(path("file")), 0664U) << "the umask does not matter";
        EXPECT_TRUE(co_await atomic_replace(path("file"), bytes_of("x"), {.permissions = 0640}));
        EXPECT_EQ(co_await permissions(path("file")), 0640U);
        EXPECT_TRUE(co_await atomic_replace(path("made"), bytes_of("x")));
        if (!simulated()) {
            EXPECT_EQ(co_await permissions(path("made")), 0600U) << "less the umask";
        }
    });
    ::umask(before);
}

TEST_P(replacing, what_is_no_file_is_left_alone) {
    run([&]() -> task<> {
        EXPECT_TRUE(co_await make_directory(path("folder")));
        const auto on_folder = co_await atomic_replace(path("folder"), bytes_of("x"));
        EXPECT_EQ(on_folder.cause, std::errc::is_a_directory);
        EXPECT_FALSE(on_folder.replaced);
        for (const char* name : no_names) {
            const auto refused = co_await atomic_replace(path(name), bytes_of("x"));
            EXPECT_EQ(refused.cause, std::errc::invalid_argument) << name;
        }
        const auto lost = co_await atomic_replace(path("none/file"), bytes_of("x"));
        EXPECT_EQ(lost.cause, std::errc::no_such_file_or_directory);
        EXPECT_EQ(co_await names(), "folder");
        const std::string torn = path("a") + std::string("\0b", 2);
        const auto cut = co_await atomic_replace(torn, bytes_of("x"));
        EXPECT_EQ(cut.cause, std::errc::invalid_argument);
    });
}

TEST_P(replacing, a_long_name_leaves_room_for_the_temporary_one) {
    run([&]() -> task<> {
        const std::string name(250, 'n');
        EXPECT_TRUE(co_await atomic_replace(path(name), bytes_of("x")));
        EXPECT_EQ(co_await names(), name);
    });
}

// Cancelled after every number of turns that it may take: wherever that hits, the file is whole, it
// is the new one exactly if the outcome says so, and nothing else is left.
TEST_P(replacing, a_cancellation_at_any_moment_leaves_one_whole_file) {
    run([&]() -> task<> {
        const std::string old(10'000, 'o');
        const std::string young(20'000, 'y');
        int cancelled = 0;
        bool finished = false;
        // A thread of the pool may take its time; one that is never cancelled ends the rounds.
        for (int turns_before = 0; !finished; turns_before = turns_before * 5 / 4 + 1) {
            co_await put(path("file"), old);
            std::optional<replacement> outcome;
            co_await with_scope([&](scope& tasks) -> task<> {
                const auto replace = [](std::string name, byte_view bytes,
                                        std::optional<replacement>& into) -> task<> {
                    into = co_await atomic_replace(std::move(name), bytes);
                };
                tasks.spawn_now(replace(path("file"), bytes_of(young), outcome));
                for (int turn = 0; turn < turns_before && !outcome; ++turn)
                    static_cast<void>(co_await sleep(duration::zero()));
                tasks.cancel();
            });
            if (!outcome) throw std::logic_error("it ended without an outcome");
            if (outcome->cause) {
                EXPECT_EQ(outcome->cause, errc::cancelled);
                ++cancelled;
            }
            finished = !outcome->cause;
            EXPECT_EQ(co_await content(path("file")), outcome->replaced ? young : old);
            EXPECT_EQ(co_await names(), "file");
        }
        EXPECT_GT(cancelled, 0);
    });
}

class replacing_on_a_kernel : public file_test {};
INSTANTIATE_TEST_SUITE_P(drivers, replacing_on_a_kernel, ::testing::ValuesIn(tested_kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(replacing_on_a_kernel, a_symbolic_link_is_refused_and_left_as_it_is) {
    run([&]() -> task<> {
        co_await put(path("file"), "old");
        std::filesystem::create_symlink("file", path("link"));
        std::filesystem::create_symlink("nowhere", path("loose"));
        for (const char* name : links) {
            const auto refused = co_await atomic_replace(path(name), bytes_of("new"));
            EXPECT_EQ(refused.cause, std::errc::too_many_symbolic_link_levels) << name;
            EXPECT_FALSE(refused.replaced);
        }
        EXPECT_EQ(co_await content(path("file")), "old");
        EXPECT_EQ(co_await names(), "file link loose");
        std::filesystem::create_directory(path("folder"));
        std::filesystem::create_symlink("folder", path("way"));
        EXPECT_TRUE(co_await atomic_replace(path("way/file"), bytes_of("new")));
        EXPECT_EQ(co_await content(path("folder/file")), "new");
    });
}

TEST_P(replacing_on_a_kernel, a_pipe_is_no_file_and_hangs_nobody) {
    run([&]() -> task<> {
        EXPECT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
        const auto refused = co_await atomic_replace(path("pipe"), bytes_of("new"));
        EXPECT_EQ(refused.cause, std::errc::invalid_argument);
        EXPECT_EQ(co_await names(), "pipe");
    });
}

}  // namespace
}  // namespace upcall::testing
