// Files and what always blocks on them, through Windows.
#include <cerrno>
#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <vector>

#include <upcall/pool/blocking_pool.hpp>

#include "driver/iocp/iocp_test.hpp"

namespace upcall::test {
namespace {

class iocp_files : public iocp_test {
  protected:
    void SetUp() override {
        root_ = bench.scratch("iocp_files");
        std::filesystem::remove_all(root_);
        EXPECT_EQ(call(file_call::make_directory, ""), 0);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    std::string at(const std::string& name) const {
        return name.empty() ? root_ : root_ + "/" + name;
    }

    std::int64_t call(file_call what, const std::string& name, const std::string& other = {}) {
        const std::string path = at(name);
        const std::string other_path = at(other);
        file_call_arguments asked;
        asked.what = what;
        asked.path = path.c_str();
        asked.other_path = other_path.c_str();
        asked.status = &status;
        asked.entries = &entries;
        return bench.call(asked);
    }
    std::int64_t call_on(handle& file, file_call what, std::uint64_t size = 0) {
        file_call_arguments asked;
        asked.what = what;
        asked.size = size;
        asked.status = &status;
        asked.entries = &entries;
        return bench.call(asked, &file);
    }
    std::int64_t try_open(const std::string& name, std::uint32_t options) {
        const std::string path = at(name);
        file_call_arguments asked;
        asked.what = file_call::open;
        asked.path = path.c_str();
        asked.options = options;
        const auto native = bench.call(asked);
        if (native < 0) return native;
        handle opened = *via().adopt(native, handle_kind::file);
        bench.close(opened);
        return 0;
    }
    handle open(const std::string& name, std::uint32_t options) {
        return bench.open(at(name), options);
    }
    std::int64_t write_at(handle& file, std::uint64_t offset, std::string_view text) {
        bench_operation op;
        bench.file_write(op, file, offset, bytes_of(text));
        return bench.finish(op);
    }
    std::string read_at(handle& file, std::uint64_t offset, std::size_t size) {
        std::vector<std::byte> buffer(size);
        bench_operation op;
        bench.file_read(op, file, offset, buffer);
        const auto count = bench.finish(op);
        EXPECT_GE(count, 0);
        return std::string(text_of(byte_view(buffer).first(static_cast<std::size_t>(count))));
    }

    std::string root_;
    file_status status;
    std::vector<directory_entry> entries;
    static constexpr std::uint32_t read_write = open_read | open_write;
};

TEST_F(iocp_files, are_opened_as_asked) {
    EXPECT_EQ(try_open("f", read_write), -ENOENT);
    EXPECT_EQ(try_open("f", read_write | open_create), 0);
    EXPECT_EQ(try_open("f", read_write | open_create | open_exclusive), -EEXIST);
    EXPECT_EQ(try_open("f", open_read | open_directory), -ENOTDIR);
    EXPECT_EQ(try_open("none/f", read_write | open_create), -ENOENT);
    EXPECT_EQ(try_open("", open_read | open_directory), 0);
    EXPECT_EQ(try_open("", open_write), -EISDIR);
    EXPECT_EQ(try_open("", open_read | open_regular), -EISDIR);
    EXPECT_EQ(try_open("f", open_read | open_beneath), raw_error(errc::unsupported));
}

TEST_F(iocp_files, beneath_a_directory_are_read_and_nothing_beside_it) {
    EXPECT_EQ(call(file_call::make_directory, "site"), 0);
    EXPECT_EQ(call(file_call::make_directory, "site/inner"), 0);
    EXPECT_EQ(call(file_call::make_directory, "site-2"), 0);
    for (const char* name : {"beside", "site/file", "site/inner/file", "site-2/file"})
        EXPECT_EQ(try_open(name, read_write | open_create), 0) << name;
    handle directory = open("site", open_read | open_directory);
    const auto ask = [&](file_call what, const char* path, std::uint32_t options) {
        file_call_arguments asked;
        asked.what = what;
        asked.path = path;
        asked.directory = directory.record();
        asked.options = options | open_beneath | open_no_symlinks;
        asked.status = &status;
        const auto native = bench.call(asked);
        if (what == file_call::status || native < 0) return native;
        handle opened = *via().adopt(native, handle_kind::file);
        bench.close(opened);
        return std::int64_t{0};
    };
    for (const char* inside : {"file", "inner/file"}) {
        EXPECT_EQ(ask(file_call::open, inside, open_read), 0) << inside;
        EXPECT_EQ(ask(file_call::status, inside, 0), 0) << inside;
    }
    EXPECT_EQ(ask(file_call::open, ".", open_read | open_directory), 0);
    for (const char* absolute : {"/", "C:/"}) {
        EXPECT_EQ(ask(file_call::open, absolute, open_read), -EXDEV) << absolute;
        EXPECT_EQ(ask(file_call::status, absolute, 0), -EXDEV) << absolute;
    }
    // In the form of path that is used here two dots are a name like any other, which nothing has.
    for (const char* outside : {"../beside", "inner/../../beside", "../site-2/file"}) {
        EXPECT_LT(ask(file_call::open, outside, open_read), 0) << outside;
        EXPECT_LT(ask(file_call::status, outside, 0), 0) << outside;
    }
    EXPECT_EQ(ask(file_call::open, "nothing", open_read), -ENOENT);
    EXPECT_EQ(ask(file_call::open, "file", open_write), raw_error(errc::unsupported));
    bench.close(directory);
}

TEST_F(iocp_files, are_written_and_read_at_positions) {
    handle file = open("f", read_write | open_create);
    EXPECT_EQ(write_at(file, 0, "0123456789"), 10);
    EXPECT_EQ(write_at(file, 100, "far"), 3);
    EXPECT_EQ(read_at(file, 8, 4), std::string("89\0\0", 4));
    EXPECT_EQ(read_at(file, 101, 10), "ar");
    EXPECT_EQ(read_at(file, 103, 10), "");
    EXPECT_EQ(read_at(file, std::uint64_t{1} << 40, 10), "");
    io_slice out[] = {bytes_of("one"), bytes_of(""), bytes_of("two")};
    bench_operation op;
    op.offset = 1;
    bench.start_vectored(op, op_kind::file_write, file, out);
    EXPECT_EQ(bench.finish(op), 6);
    EXPECT_EQ(read_at(file, 0, 8), "0onetwo7");
    std::byte first[2];
    std::byte second[200];
    io_slice in[] = {byte_span(first), byte_span(second)};
    op.offset = 98;
    bench.start_vectored(op, op_kind::file_read, file, in);
    EXPECT_EQ(bench.finish(op), 5) << "short at the end of the file";
    EXPECT_EQ(text_of(byte_view(second).first(3)), "far");
}

TEST_F(iocp_files, refuse_the_wrong_direction) {
    EXPECT_EQ(try_open("f", open_write | open_create), 0);
    handle only_read = open("f", open_read);
    handle only_write = open("f", open_write);
    EXPECT_EQ(write_at(only_read, 0, "x"), -EBADF);
    std::byte one{};
    bench_operation op;
    bench.file_read(op, only_write, 0, {&one, 1});
    EXPECT_EQ(bench.finish(op), -EBADF);
    bench.file_read(op, only_read, UINT64_MAX, {&one, 1});
    EXPECT_EQ(bench.finish(op), -EINVAL);
}

TEST_F(iocp_files, are_appended_to_at_their_end) {
    handle file = open("f", open_write | open_create | open_append);
    EXPECT_EQ(write_at(file, 0, "one"), 3);
    EXPECT_EQ(write_at(file, 0, "two"), 3);
    handle reading = open("f", open_read);
    EXPECT_EQ(read_at(reading, 0, 10), "onetwo");
}

TEST_F(iocp_files, are_cut_and_then_appended_to) {
    {
        handle file = open("log", read_write | open_create);
        EXPECT_EQ(write_at(file, 0, "old"), 3);
    }
    handle file = open("log", read_write | open_append | open_truncate);
    EXPECT_EQ(write_at(file, 0, "new"), 3);
    EXPECT_EQ(write_at(file, 0, "er"), 2);
    EXPECT_EQ(read_at(file, 0, 16), "newer");
    bench.close(file);
    handle reader = open("log", open_read | open_append);
    EXPECT_EQ(write_at(reader, 0, "x"), -EBADF) << "to append is a way of writing, not a right to";
}

TEST_F(iocp_files, that_are_missing_are_not_made_when_a_directory_is_asked_for) {
    EXPECT_EQ(try_open("nothing", open_read | open_create | open_directory), -ENOENT);
    EXPECT_EQ(call(file_call::status, "nothing"), -ENOENT);
}

TEST_F(iocp_files, are_resized_and_described) {
    handle file = open("f", read_write | open_create);
    EXPECT_EQ(write_at(file, 0, "0123456789"), 10);
    EXPECT_EQ(call_on(file, file_call::truncate, 4), 0);
    EXPECT_EQ(call_on(file, file_call::status), 0);
    EXPECT_EQ(status.size, 4U);
    EXPECT_EQ(status.type, file_type::regular);
    EXPECT_GT(status.modified_ns, 0);
    EXPECT_EQ(call_on(file, file_call::allocate, 100), 0);
    EXPECT_EQ(call_on(file, file_call::allocate, UINT64_MAX), -EFBIG) << "it wraps around nowhere";
    EXPECT_EQ(call(file_call::status, "f"), 0);
    EXPECT_EQ(status.size, 100U);
    EXPECT_EQ(read_at(file, 0, 6), std::string("0123\0\0", 6));
    EXPECT_EQ(call_on(file, file_call::sync), 0);
    EXPECT_EQ(call_on(file, file_call::sync_data), 0);
    EXPECT_EQ(try_open("f", open_write | open_truncate), 0);
    EXPECT_EQ(read_at(file, 0, 6), "");
}

TEST_F(iocp_files, are_renamed_listed_and_removed) {
    EXPECT_EQ(try_open("first", read_write | open_create), 0);
    EXPECT_EQ(try_open("second", read_write | open_create), 0);
    EXPECT_EQ(call(file_call::rename, "first", "second"), 0) << "over the other";
    EXPECT_EQ(call(file_call::rename, "first", "second"), -ENOENT);
    EXPECT_EQ(call(file_call::make_directory, "d"), 0);
    EXPECT_EQ(call(file_call::make_directory, "d"), -EEXIST);
    EXPECT_EQ(call(file_call::list_directory, ""), 0);
    std::set<std::string> names;
    for (const auto& entry : entries) names.insert(entry.name);
    EXPECT_EQ(names, (std::set<std::string>{"d", "second"}));
    {
        handle directory = open("", open_read | open_directory);
        EXPECT_EQ(call_on(directory, file_call::list_directory), 0);
        EXPECT_EQ(entries.size(), 2U);
    }
    EXPECT_EQ(call(file_call::list_directory, "second"), -ENOTDIR);
    EXPECT_EQ(call(file_call::remove_directory, ""), -ENOTEMPTY);
    EXPECT_EQ(call(file_call::remove_directory, "d"), 0);
    EXPECT_EQ(call(file_call::remove_file, "second"), 0);
    EXPECT_EQ(call(file_call::remove_file, "second"), -ENOENT);
}

TEST_F(iocp_files, are_found_from_a_directory) {
    handle directory = open("", open_read | open_directory);
    file_call_arguments asked;
    asked.what = file_call::open;
    asked.path = "below";
    asked.directory = directory.record();
    asked.options = open_write | open_create;
    const auto native = bench.call(asked);
    ASSERT_GE(native, 0);
    handle file = *via().adopt(native, handle_kind::file);
    EXPECT_EQ(call(file_call::status, "below"), 0);
}

TEST_F(iocp_files, names_are_utf8) {
    EXPECT_EQ(try_open("\xc3\xa4\xe2\x82\xac", open_write | open_create), 0);
    EXPECT_EQ(call(file_call::list_directory, ""), 0);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].name, "\xc3\xa4\xe2\x82\xac");
    EXPECT_EQ(try_open("\xff", open_write | open_create), -EILSEQ);
    EXPECT_EQ(call(file_call::remove_file, "\xc3\xa4\xe2\x82\xac"), 0);
}

TEST_F(iocp_files, work_runs_on_another_thread) {
    struct seen {
        DWORD thread = 0;
    } saw;
    work_arguments asked{[](void* argument) noexcept {
                             static_cast<seen*>(argument)->thread = ::GetCurrentThreadId();
                         },
                         &saw};
    bench_operation op;
    op.kind = op_kind::work;
    op.data = &asked;
    bench.start(op);
    EXPECT_EQ(bench.finish(op), 0);
    EXPECT_NE(saw.thread, ::GetCurrentThreadId());
    EXPECT_NE(saw.thread, 0U);
}

// A call on the file itself that still waits for a thread.
TEST_F(iocp_files, closing_calls_off_what_waits_for_the_pool) {
    blocking_pool pool(pool_options{.threads_max = 1});
    driver_bench narrow([&](driver_environment lent) {
        lent.pool = &pool;
        return make(lent);
    });
    handle file = narrow.open(at("file"), read_write | open_create);
    std::promise<void> go;
    std::future<void> gone = go.get_future();
    work_arguments blocks{
        [](void* until) noexcept { static_cast<std::future<void>*>(until)->wait(); }, &gone};
    bench_operation blocking;
    blocking.kind = op_kind::work;
    blocking.data = &blocks;
    narrow.start(blocking);
    file_call_arguments asked;
    asked.what = file_call::sync;
    bench_operation syncing;
    narrow.call(syncing, &file, asked);
    EXPECT_EQ(narrow.close(file), 0);
    EXPECT_EQ(narrow.finish(syncing), -ECANCELED);
    EXPECT_EQ(syncing.error(), errc::closed);
    go.set_value();
    EXPECT_EQ(narrow.finish(blocking), 0);
}

}  // namespace
}  // namespace upcall::test
