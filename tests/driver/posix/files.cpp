// Calls on files: done elsewhere, never held up, and refused as the system refuses them.
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/driver_test.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::test {
namespace {

namespace fs = std::filesystem;

class files : public driver_test {
  protected:
    std::string at(const std::string& name) const { return folder_ / name; }
    void make(const std::string& name, const std::string& text) { std::ofstream(at(name)) << text; }
    std::string content(const std::string& name) const {
        std::ifstream in(at(name));
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::int64_t open(const std::string& path, std::uint32_t options,
                      const handle* directory = nullptr) {
        file_call_arguments asked;
        asked.what = file_call::open;
        asked.path = path.c_str();
        asked.options = options;
        asked.mode = 0644;
        asked.directory = directory ? directory->record() : nullptr;
        return bench.call(asked);
    }
    handle opened(const std::string& path, std::uint32_t options) {
        const auto native = open(path, options);
        EXPECT_GE(native, 0) << path;
        return *via().adopt(static_cast<native_handle>(native), handle_kind::file);
    }
    std::int64_t file_transfer(op_kind kind, const handle& on, std::uint64_t offset,
                               byte_view bytes) {
        probe op;
        fill(op, kind, bytes);
        op.offset = offset;
        return perform(op, on);
    }
    static file_call_arguments call_of(file_call what, const std::string* path = nullptr) {
        file_call_arguments asked;
        asked.what = what;
        asked.path = path ? path->c_str() : nullptr;
        return asked;
    }

    testing::scratch_folder folder_;
    std::byte bytes_[8192]{};
};
UPCALL_FOR_EVERY_DRIVER(files);

TEST_P(files, holes_and_ends_read_as_they_should) {
    auto file = opened(at("hole"), open_read | open_write | open_create);
    EXPECT_EQ(file_transfer(op_kind::file_write, file, 100, bytes_of("tail")), 4);
    EXPECT_EQ(file_transfer(op_kind::file_read, file, 98, bytes_), 6);
    EXPECT_EQ(text_of({bytes_, 6}), std::string_view("\0\0tail", 6));
    EXPECT_EQ(file_transfer(op_kind::file_read, file, 104, bytes_), 0);
    EXPECT_EQ(file_transfer(op_kind::file_read, file, INT64_MAX, bytes_), -EINVAL);
    EXPECT_EQ(file_transfer(op_kind::file_read, file, ~std::uint64_t{0}, bytes_), -EINVAL);
    EXPECT_EQ(file_transfer(op_kind::file_read, file, 0, {}), 0);
}

TEST_P(files, pieces_are_gathered_and_scattered) {
    auto file = opened(at("pieces"), open_read | open_write | open_create);
    io_slice out[] = {bytes_of("abc"), bytes_of("def")};
    probe op;
    fill_vectored(op, op_kind::file_write, out);
    op.offset = 2;
    EXPECT_EQ(perform(op, file), 6);
    io_slice in[] = {byte_span(bytes_, 4), byte_span(bytes_ + 10, 100)};
    fill_vectored(op, op_kind::file_read, in);
    EXPECT_EQ(perform(op, file), 4 + 2);
    EXPECT_EQ(text_of({bytes_ + 10, 2}), "ef");
}

TEST_P(files, opening_says_what_is_wrong) {
    make("plain", "text");
    const auto plain = at("plain");
    EXPECT_EQ(open(at("missing"), open_read), -ENOENT);
    EXPECT_EQ(open(plain, 0), -EINVAL);
    EXPECT_EQ(open(plain, open_read | open_directory), -ENOTDIR);
    EXPECT_EQ(open(plain, open_write | open_create | open_exclusive), -EEXIST);
    EXPECT_EQ(open(at("plain/below"), open_read), -ENOTDIR);
    EXPECT_EQ(open(folder_.path().string(), open_write), -EISDIR);
    EXPECT_EQ(open(at(std::string(300, 'n')), open_read), -ENAMETOOLONG);
    auto reader = opened(plain, open_read);
    EXPECT_EQ(file_transfer(op_kind::file_write, reader, 0, bytes_of("x")), -EBADF);
    auto directory = opened(folder_.path().string(), open_read | open_directory);
    EXPECT_EQ(file_transfer(op_kind::file_read, directory, 0, bytes_), -EISDIR);
}

TEST_P(files, options_of_opening_are_kept) {
    make("kept", "0123456789");
    {
        auto file = opened(at("kept"), open_write | open_append);
        EXPECT_EQ(file_transfer(op_kind::file_write, file, 0, bytes_of("ab")), 2);
        EXPECT_EQ(content("kept"), "0123456789ab");
        EXPECT_TRUE(::fcntl(static_cast<int>(file.record()->native), F_GETFD) & FD_CLOEXEC);
    }
    opened(at("kept"), open_write | open_truncate).close();
    EXPECT_EQ(content("kept"), "");
    auto durable = opened(at("kept"), open_write | open_durable);
    EXPECT_TRUE(::fcntl(static_cast<int>(durable.record()->native), F_GETFL) & O_DSYNC);
}

TEST_P(files, only_regular_ones_where_that_was_asked_for) {
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
    make("regular", "text");
    EXPECT_EQ(open(at("fifo"), open_read | open_regular), -EINVAL) << "and never waits for a peer";
    EXPECT_LT(open(at("fifo"), open_write | open_regular), 0);
    EXPECT_EQ(open(folder_.path().string(), open_read | open_regular), -EISDIR);
    EXPECT_EQ(open("/dev/zero", open_read | open_regular), -EINVAL);
    const auto native = open(at("regular"), open_read | open_regular);
    ASSERT_GE(native, 0);
    EXPECT_FALSE(::fcntl(static_cast<int>(native), F_GETFL) & O_NONBLOCK);
    ::close(static_cast<int>(native));
}

TEST_P(files, no_path_leads_out_from_beneath) {
    fs::create_directories(at("inner/deep"));
    make("outside", "secret");
    make("inner/inside", "public");
    fs::create_symlink("../outside", at("inner/relative"));
    fs::create_symlink(at("outside"), at("inner/absolute"));
    fs::create_symlink("deep/../inside", at("inner/harmless"));
    auto directory = opened(at("inner"), open_read | open_directory);
    constexpr std::uint32_t options = open_read | open_beneath;
    for (const char* path :
         {"../outside", "/etc/passwd", "relative", "absolute", "deep/../../inner"})
        EXPECT_EQ(open(path, options, &directory), -EXDEV) << path;
    for (const char* path : {"inside", "harmless", "deep/../inside", "./inside"}) {
        const auto native = open(path, options, &directory);
        EXPECT_GE(native, 0) << path;
        ::close(static_cast<int>(native));
    }
    file_status status;
    file_call_arguments asked = call_of(file_call::status);
    asked.status = &status;
    asked.options = open_beneath;
    asked.directory = directory.record();
    asked.path = "relative";
    EXPECT_EQ(bench.call(asked), -EXDEV);
    asked.path = "inside";
    EXPECT_EQ(bench.call(asked), 0);
    EXPECT_EQ(status.size, 6U);
}

TEST_P(files, status_of_paths_and_handles_is_the_same) {
    make("status", "12345");
    ASSERT_EQ(::chmod(at("status").c_str(), 0640), 0);
    const auto path = at("status");
    file_status by_path;
    file_status by_handle;
    file_call_arguments asked = call_of(file_call::status, &path);
    asked.status = &by_path;
    EXPECT_EQ(bench.call(asked), 0);
    auto file = opened(path, open_read);
    asked.path = nullptr;
    asked.status = &by_handle;
    EXPECT_EQ(bench.call(asked, &file), 0);
    struct stat expected{};
    ASSERT_EQ(::stat(path.c_str(), &expected), 0);
    for (const auto* one : {&by_path, &by_handle}) {
        EXPECT_EQ(one->type, file_type::regular);
        EXPECT_EQ(one->permissions, 0640U);
        EXPECT_EQ(one->size, 5U);
        EXPECT_EQ(one->inode, expected.st_ino);
        EXPECT_EQ(one->device, expected.st_dev);
        EXPECT_EQ(one->links, 1U);
        EXPECT_EQ(one->modified_ns,
                  expected.st_mtim.tv_sec * 1'000'000'000 + expected.st_mtim.tv_nsec);
    }
    const auto missing = at("missing");
    asked = call_of(file_call::status, &missing);
    asked.status = &by_path;
    EXPECT_EQ(bench.call(asked), -ENOENT);
}

TEST_P(files, sizes_change_and_room_is_reserved) {
    auto file = opened(at("sized"), open_read | open_write | open_create);
    file_call_arguments asked = call_of(file_call::truncate);
    asked.size = 1000;
    EXPECT_EQ(bench.call(asked, &file), 0);
    EXPECT_EQ(fs::file_size(at("sized")), 1000U);
    asked = call_of(file_call::allocate);
    asked.offset = 1000;
    asked.size = 9000;
    EXPECT_EQ(bench.call(asked, &file), 0);
    EXPECT_EQ(fs::file_size(at("sized")), 10000U);
    asked.size = 0;
    EXPECT_EQ(bench.call(asked, &file), -EINVAL);
    EXPECT_EQ(bench.call(call_of(file_call::sync), &file), 0);
    EXPECT_EQ(bench.call(call_of(file_call::sync_data), &file), 0);
}

TEST_P(files, names_come_and_go) {
    make("first", "1");
    const auto first = at("first");
    const auto second = at("second");
    const auto folder = at("folder");
    file_call_arguments asked = call_of(file_call::rename, &first);
    asked.other_path = second.c_str();
    EXPECT_EQ(bench.call(asked), 0);
    EXPECT_EQ(content("second"), "1");
    EXPECT_EQ(bench.call(asked), -ENOENT);
    asked = call_of(file_call::make_directory, &folder);
    asked.mode = 0755;
    EXPECT_EQ(bench.call(asked), 0);
    EXPECT_EQ(bench.call(asked), -EEXIST);
    EXPECT_EQ(bench.call(call_of(file_call::remove_file, &folder)), -EISDIR);
    EXPECT_EQ(bench.call(call_of(file_call::remove_directory, &folder)), 0);
    EXPECT_EQ(bench.call(call_of(file_call::remove_directory, &second)), -ENOTDIR);
    EXPECT_EQ(bench.call(call_of(file_call::remove_file, &second)), 0);
    EXPECT_EQ(bench.call(call_of(file_call::remove_file, &second)), -ENOENT);
}

TEST_P(files, names_are_relative_to_a_directory) {
    fs::create_directory(at("a"));
    fs::create_directory(at("b"));
    make("a/name", "x");
    auto from = opened(at("a"), open_read | open_directory);
    auto to = opened(at("b"), open_read | open_directory);
    file_call_arguments asked = call_of(file_call::rename);
    asked.directory = from.record();
    asked.path = "name";
    asked.other = to.record();
    asked.other_path = "renamed";
    EXPECT_EQ(bench.call(asked), 0);
    EXPECT_EQ(content("b/renamed"), "x");
}

TEST_P(files, directories_are_listed) {
    make("file", "");
    fs::create_directory(at("folder"));
    fs::create_symlink("file", at("link"));
    std::vector<directory_entry> entries(3);
    const auto path = folder_.path().string();
    file_call_arguments asked = call_of(file_call::list_directory, &path);
    asked.entries = &entries;
    auto directory = opened(path, open_read | open_directory);
    // By its path, then twice through the same handle: its position does not move.
    for (handle* target : {static_cast<handle*>(nullptr), &directory, &directory}) {
        if (target) asked.path = nullptr;
        EXPECT_EQ(bench.call(asked, target), 0);
        std::ranges::sort(entries, {}, &directory_entry::name);
        ASSERT_EQ(entries.size(), 3U);
        EXPECT_EQ(entries[0].name, "file");
        EXPECT_EQ(entries[0].type, file_type::regular);
        EXPECT_EQ(entries[1].type, file_type::directory);
        EXPECT_EQ(entries[2].type, file_type::symbolic_link);
    }
}

TEST_P(files, are_copied_in_parts) {
    std::string text(300'000, '\0');
    for (std::size_t n = 0; n < text.size(); ++n) text[n] = static_cast<char>('a' + n % 23);
    make("source", text);
    auto source = opened(at("source"), open_read);
    auto target = opened(at("target"), open_write | open_create);
    file_call_arguments asked = call_of(file_call::copy);
    asked.other = target.record();
    asked.offset = 10;
    asked.other_offset = 5;
    asked.size = 1000;
    EXPECT_EQ(bench.call(asked, &source), 1000);
    EXPECT_EQ(content("target"), std::string(5, '\0') + text.substr(10, 1000));
    asked.offset = 1010;
    asked.other_offset = 1005;
    asked.size = ~std::uint64_t{0};
    while (asked.offset < text.size()) {
        const auto moved = bench.call(asked, &source);
        ASSERT_GT(moved, 0);
        asked.offset += static_cast<std::uint64_t>(moved);
        asked.other_offset += static_cast<std::uint64_t>(moved);
    }
    EXPECT_EQ(bench.call(asked, &source), 0) << "the end of the source";
    EXPECT_EQ(content("target").substr(5), text.substr(10));
}

TEST_P(files, are_copied_where_the_kernel_cannot) {
    // A file that is made up as it is read, onto another file system.
    auto source = opened("/proc/self/status", open_read);
    auto target = opened(at("status"), open_write | open_create);
    file_call_arguments asked = call_of(file_call::copy);
    asked.other = target.record();
    asked.size = 1 << 20;
    EXPECT_GT(bench.call(asked, &source), 100);
    EXPECT_TRUE(content("status").starts_with("Name:"));
}

TEST_P(files, many_at_once_all_complete) {
    auto file = opened(at("many"), open_read | open_write | open_create);
    constexpr std::size_t count = 300;
    std::vector<probe> ops(count);
    std::vector<std::string> texts;
    for (std::size_t n = 0; n < count; ++n) texts.push_back(std::string(100, char('A' + n % 26)));
    for (std::size_t n = 0; n < count; ++n) {
        fill(ops[n], op_kind::file_write, bytes_of(texts[n]));
        ops[n].offset = 100 * n;
        start(ops[n], file);
    }
    for (auto& op : ops) EXPECT_EQ(bench.finish(op), 100);
    const auto got = content("many");
    for (std::size_t n = 0; n < count; ++n) EXPECT_EQ(got.substr(100 * n, 100), texts[n]);
}

TEST_P(files, closing_ends_or_waits_for_what_is_in_flight) {
    auto file = opened(at("closing"), open_read | open_write | open_create);
    std::vector<probe> ops(200);
    for (auto& op : ops) {
        fill(op, op_kind::file_write, bytes_of("text"));
        op.offset = 0;
        start(op, file);
    }
    EXPECT_EQ(bench.close(file), 0);
    for (auto& op : ops) EXPECT_TRUE(bench.finish(op) == 4 || op.result == -ECANCELED) << op.result;
}

// What epoll does not take, standard input from a file for example, is a stream all the same.
TEST_P(files, a_regular_file_can_be_a_stream) {
    make("stream", "0123456789");
    auto stream =
        *via().adopt(::open(at("stream").c_str(), O_RDONLY | O_CLOEXEC), handle_kind::stream);
    std::byte parts[5][3];
    probe ops[5];
    for (int n = 0; n < 5; ++n) {
        fill(ops[n], op_kind::read, parts[n]);
        start(ops[n], stream);
    }
    for (int n = 0; n < 3; ++n) EXPECT_EQ(bench.finish(ops[n]), 3);
    EXPECT_EQ(text_of(parts[0]), "012");
    EXPECT_EQ(text_of(parts[2]), "678");
    EXPECT_EQ(bench.finish(ops[3]), 1);
    EXPECT_EQ(bench.finish(ops[4]), 0);
    probe polling;
    polling.kind = op_kind::poll;
    polling.size = ready_to_read;
    EXPECT_EQ(perform(polling, stream), ready_to_read);
}

TEST_P(files, a_regular_file_can_lend_leases) {
    make("stream", std::string(5000, 's'));
    auto stream =
        *via().adopt(::open(at("stream").c_str(), O_RDONLY | O_CLOEXEC), handle_kind::stream);
    std::vector<std::byte*> taken;
    while (std::byte* block = bench.buffers().take_small()) taken.push_back(block);
    while (std::byte* block = bench.buffers().take_large()) taken.push_back(block);
    probe op;
    op.kind = op_kind::receive;
    start(op, stream);
    settle();
    EXPECT_FALSE(op.done());
    for (std::byte* block : taken) bench.buffers().give_back(block);
    std::size_t got = 0;
    while (bench.finish(op) > 0) {
        got += bench.take(op.result, op.leased).size();
        start(op, stream);
    }
    EXPECT_EQ(got, 5000U);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

}  // namespace
}  // namespace upcall::test
