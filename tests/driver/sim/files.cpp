// The simulated file system answers as Linux does.
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "driver/sim/sim_test.hpp"

namespace upcall::test {
namespace {

class sim_files : public testing::Test {
  protected:
    std::int64_t call(file_call what, const std::string& path, const std::string& other = {}) {
        file_call_arguments asked;
        asked.what = what;
        asked.path = path.c_str();
        asked.other_path = other.c_str();
        asked.mode = 0755;
        asked.status = &status;
        asked.entries = &entries;
        return world.bench.call(asked);
    }
    std::int64_t call_on(handle& file, file_call what, std::uint64_t size = 0,
                         std::uint64_t offset = 0) {
        file_call_arguments asked;
        asked.what = what;
        asked.size = size;
        asked.offset = offset;
        asked.status = &status;
        asked.entries = &entries;
        return world.bench.call(asked, &file);
    }
    std::int64_t try_open(const std::string& path, std::uint32_t options) {
        file_call_arguments asked;
        asked.what = file_call::open;
        asked.path = path.c_str();
        asked.options = options;
        asked.mode = 0640;
        const auto native = world.bench.call(asked);
        if (native >= 0) {
            EXPECT_TRUE(world.kernel.close(static_cast<native_handle>(native)));
            return 0;
        }
        return native;
    }
    std::int64_t write(handle& file, std::uint64_t at, std::string_view text) {
        bench_operation op;
        world.bench.file_write(op, file, at, bytes_of(text));
        return world.bench.finish(op);
    }
    std::string read(handle& file, std::uint64_t at, std::size_t size) {
        std::vector<std::byte> buffer(size);
        bench_operation op;
        world.bench.file_read(op, file, at, buffer);
        const auto count = world.bench.finish(op);
        EXPECT_GE(count, 0);
        return std::string(text_of(byte_view(buffer).first(static_cast<std::size_t>(count))));
    }

    sim_world world;
    file_status status;
    std::vector<directory_entry> entries;
    static constexpr std::uint32_t read_write = open_read | open_write;
};

TEST_F(sim_files, are_opened_as_asked) {
    EXPECT_EQ(try_open("/f", read_write), -ENOENT);
    EXPECT_EQ(try_open("/f", open_create), -EINVAL) << "neither reading nor writing";
    EXPECT_EQ(try_open("/f", read_write | open_create), 0);
    EXPECT_EQ(try_open("/f", read_write | open_create | open_exclusive), -EEXIST);
    EXPECT_EQ(try_open("f", open_read), 0) << "from the root";
    EXPECT_EQ(try_open("/f", open_read | open_directory), -ENOTDIR);
    EXPECT_EQ(try_open("/f/g", open_read), -ENOTDIR);
    EXPECT_EQ(try_open("/none/g", read_write | open_create), -ENOENT);
    EXPECT_EQ(try_open("/", open_read | open_directory), 0);
    EXPECT_EQ(try_open("/", open_write), -EISDIR);
    EXPECT_EQ(try_open("/", open_read | open_regular), -EISDIR);
    EXPECT_EQ(try_open("", open_read), -ENOENT);
    EXPECT_EQ(try_open("/" + std::string(256, 'n'), open_read), -ENAMETOOLONG);
}

TEST_F(sim_files, beneath_a_directory_paths_cannot_leave_it) {
    EXPECT_EQ(call(file_call::make_directory, "/d"), 0);
    EXPECT_EQ(try_open("/outside", open_write | open_create), 0);
    handle directory = world.bench.open("/d", open_read | open_directory);
    const auto beneath = [&](const char* path) {
        file_call_arguments asked;
        asked.what = file_call::open;
        asked.path = path;
        asked.directory = directory.record();
        asked.options = open_read | open_write | open_create | open_beneath;
        const auto native = world.bench.call(asked);
        if (native < 0) return native;
        EXPECT_TRUE(world.kernel.close(static_cast<native_handle>(native)));
        return std::int64_t{0};
    };
    EXPECT_EQ(beneath("inside"), 0);
    EXPECT_EQ(beneath("../outside"), -EXDEV);
    EXPECT_EQ(beneath("/d/inside"), -EXDEV);
    EXPECT_EQ(beneath("./../d/inside"), -EXDEV);
    EXPECT_EQ(call(file_call::status, "/d/inside"), 0);
}

TEST_F(sim_files, have_holes_that_read_as_zeros) {
    handle file = world.bench.open("/f", read_write | open_create);
    EXPECT_EQ(write(file, 10'000, "end"), 3);
    EXPECT_EQ(call_on(file, file_call::status), 0);
    EXPECT_EQ(status.size, 10'003U);
    EXPECT_EQ(read(file, 9'998, 10), std::string("\0\0end", 5));
    EXPECT_EQ(write(file, std::uint64_t{1} << 40, "far"), 3);
    EXPECT_EQ(read(file, (std::uint64_t{1} << 40) - 1, 10), std::string("\0far", 4));
    EXPECT_EQ(read(file, std::uint64_t{1} << 41, 10), "");
}

TEST_F(sim_files, refuse_impossible_positions_and_directions) {
    handle file = world.bench.open("/f", read_write | open_create);
    handle only_read = world.bench.open("/f", open_read);
    handle directory = world.bench.open("/", open_read | open_directory);
    std::byte one{};
    bench_operation op;
    world.bench.file_read(op, file, UINT64_MAX, {&one, 1});
    EXPECT_EQ(world.bench.finish(op), -EINVAL);
    EXPECT_EQ(write(file, INT64_MAX, "x"), -EFBIG);
    EXPECT_EQ(write(only_read, 0, "x"), -EBADF);
    world.bench.file_read(op, directory, 0, {&one, 1});
    EXPECT_EQ(world.bench.finish(op), -EISDIR);
    EXPECT_EQ(call_on(only_read, file_call::truncate, 0), -EINVAL);
}

TEST_F(sim_files, lose_what_is_cut_off) {
    handle file = world.bench.open("/f", read_write | open_create);
    EXPECT_EQ(write(file, 0, std::string(5000, 'x')), 5000);
    EXPECT_EQ(call_on(file, file_call::truncate, 3), 0);
    EXPECT_EQ(call_on(file, file_call::truncate, 6), 0);
    EXPECT_EQ(read(file, 0, 10), std::string("xxx\0\0\0", 6));
    EXPECT_EQ(call_on(file, file_call::allocate, 4, 5), 0);
    EXPECT_EQ(call_on(file, file_call::status), 0);
    EXPECT_EQ(status.size, 9U);
    EXPECT_EQ(try_open("/f", open_write | open_truncate), 0);
    EXPECT_EQ(read(file, 0, 10), "");
    EXPECT_EQ(call_on(file, file_call::sync), 0);
    EXPECT_EQ(call_on(file, file_call::sync_data), 0);
}

TEST_F(sim_files, are_appended_to_at_their_end) {
    handle file = world.bench.open("/f", read_write | open_create | open_append);
    EXPECT_EQ(write(file, 0, "one"), 3);
    EXPECT_EQ(write(file, 0, "two"), 3);
    EXPECT_EQ(read(file, 0, 10), "onetwo");
}

TEST_F(sim_files, past_the_page_cache_want_alignment) {
    handle file = world.bench.open("/f", read_write | open_create | open_direct);
    alignas(512) std::byte block[1024]{};
    bench_operation op;
    const auto attempt = [&](std::uint64_t at, byte_view from) {
        world.bench.file_write(op, file, at, from);
        return world.bench.finish(op);
    };
    EXPECT_EQ(attempt(0, byte_view(block)), 1024);
    EXPECT_EQ(attempt(1, byte_view(block)), -EINVAL);
    EXPECT_EQ(attempt(0, byte_view(block).first(100)), -EINVAL);
    EXPECT_EQ(attempt(0, byte_view(block).subspan(1, 512)), -EINVAL);
}

TEST_F(sim_files, live_on_without_a_name) {
    handle file = world.bench.open("/f", read_write | open_create);
    EXPECT_EQ(write(file, 0, "content"), 7);
    EXPECT_EQ(call(file_call::remove_file, "/f"), 0);
    EXPECT_EQ(call(file_call::status, "/f"), -ENOENT);
    EXPECT_EQ(read(file, 0, 10), "content");
    EXPECT_EQ(call_on(file, file_call::status), 0);
    EXPECT_EQ(status.links, 0U);
}

TEST_F(sim_files, are_renamed_over_others) {
    handle first = world.bench.open("/first", read_write | open_create);
    handle second = world.bench.open("/second", read_write | open_create);
    EXPECT_EQ(write(first, 0, "1"), 1);
    EXPECT_EQ(write(second, 0, "2"), 1);
    EXPECT_EQ(call(file_call::rename, "/first", "/second"), 0);
    EXPECT_EQ(call(file_call::status, "/first"), -ENOENT);
    handle renamed = world.bench.open("/second", open_read);
    EXPECT_EQ(read(renamed, 0, 2), "1");
    EXPECT_EQ(read(second, 0, 2), "2") << "what was replaced is still open";
    EXPECT_EQ(call(file_call::rename, "/none", "/x"), -ENOENT);
    EXPECT_EQ(call(file_call::make_directory, "/d"), 0);
    EXPECT_EQ(call(file_call::rename, "/second", "/d"), -EISDIR);
    EXPECT_EQ(call(file_call::rename, "/d", "/second"), -ENOTDIR);
    EXPECT_EQ(call(file_call::rename, "/d", "/d/e"), -EINVAL);
    EXPECT_EQ(call(file_call::rename, "/second", "/d/third"), 0);
    EXPECT_EQ(call(file_call::status, "/d/../d/./third"), 0);
}

TEST_F(sim_files, stand_in_directories) {
    EXPECT_EQ(call(file_call::make_directory, "/d"), 0);
    EXPECT_EQ(call(file_call::make_directory, "/d"), -EEXIST);
    EXPECT_EQ(call(file_call::make_directory, "/d/e"), 0);
    EXPECT_EQ(try_open("/d/f", open_write | open_create), 0);
    EXPECT_EQ(call(file_call::list_directory, "/d"), 0);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].name, "e");
    EXPECT_EQ(entries[0].type, file_type::directory);
    EXPECT_EQ(entries[1].name, "f");
    EXPECT_EQ(entries[1].type, file_type::regular);
    EXPECT_EQ(call(file_call::status, "/d"), 0);
    EXPECT_EQ(status.type, file_type::directory);
    EXPECT_EQ(status.permissions, 0755U);
    EXPECT_EQ(call(file_call::remove_file, "/d"), -EISDIR);
    EXPECT_EQ(call(file_call::remove_directory, "/d/f"), -ENOTDIR);
    EXPECT_EQ(call(file_call::remove_directory, "/d"), -ENOTEMPTY);
    EXPECT_EQ(call(file_call::remove_file, "/d/f"), 0);
    EXPECT_EQ(call(file_call::remove_directory, "/d/e"), 0);
    EXPECT_EQ(call(file_call::remove_directory, "/d"), 0);
    EXPECT_EQ(call(file_call::list_directory, "/d"), -ENOENT);
}

TEST_F(sim_files, are_copied_piece_by_piece) {
    handle from = world.bench.open("/from", read_write | open_create);
    handle to = world.bench.open("/to", read_write | open_create);
    EXPECT_EQ(write(from, 0, "0123456789"), 10);
    file_call_arguments asked;
    asked.what = file_call::copy;
    asked.other = to.record();
    asked.offset = 4;
    asked.other_offset = 1;
    asked.size = 100;
    EXPECT_EQ(world.bench.call(asked, &from), 6);
    EXPECT_EQ(read(to, 0, 10), std::string("\0", 1) + "456789");
}

TEST_F(sim_files, functions_for_the_pool_run_once) {
    int runs = 0;
    work_arguments asked{[](void* argument) noexcept { ++*static_cast<int*>(argument); }, &runs};
    bench_operation op;
    op.kind = op_kind::work;
    op.data = &asked;
    world.bench.start(op);
    EXPECT_EQ(runs, 0) << "not inside the call that starts it";
    EXPECT_EQ(world.bench.finish(op), 0);
    EXPECT_EQ(runs, 1);
}

TEST(sim_disk, when_full_takes_what_fits_and_recovers) {
    sim_options options;
    options.disk_bytes = 2 * 4096;
    sim_world world(options);
    handle file = world.bench.open("/f", open_read | open_write | open_create);
    const std::string three_pages(3 * 4096, 'x');
    bench_operation op;
    world.bench.file_write(op, file, 0, bytes_of(three_pages));
    EXPECT_EQ(world.bench.finish(op), 2 * 4096);
    world.bench.file_write(op, file, 2 * 4096, bytes_of("x"));
    EXPECT_EQ(world.bench.finish(op), -ENOSPC);
    file_call_arguments asked;
    asked.what = file_call::remove_file;
    asked.path = "/f";
    EXPECT_EQ(world.bench.call(asked), 0);
    handle second = world.bench.open("/g", open_write | open_create);
    world.bench.file_write(op, second, 0, bytes_of("x"));
    EXPECT_EQ(world.bench.finish(op), -ENOSPC) << "the open file keeps its pages";
    world.bench.close(file);
    world.bench.file_write(op, second, 0, bytes_of("x"));
    EXPECT_EQ(world.bench.finish(op), 1);
}

TEST(sim_disk, gives_no_room_that_it_has_not) {
    sim_options options;
    options.disk_bytes = std::uint64_t{1} << 50;
    sim_world world(options);
    handle file = world.bench.open("/f", open_write | open_create);
    file_call_arguments asked;
    asked.what = file_call::allocate;
    asked.size = options.disk_bytes + 1;
    EXPECT_EQ(world.bench.call(asked, &file), -ENOSPC) << "before it has filled what there is";
    asked.size = 3 * 4096;
    EXPECT_EQ(world.bench.call(asked, &file), 0);
}

TEST(sim_disk, fails_when_asked_to) {
    sim_options options;
    options.faults.short_file_write = 1'000'000;
    sim_world world(options);
    handle file = world.bench.open("/f", open_write | open_create);
    bench_operation op;
    world.bench.file_write(op, file, 0, bytes_of("0123456789"));
    EXPECT_LT(world.bench.finish(op), 10);
    EXPECT_GT(op.result, 0);
    options.faults = {};
    options.faults.file_error = 1'000'000;
    sim_world broken(options);
    file_call_arguments asked;
    asked.what = file_call::make_directory;
    asked.path = "/d";
    EXPECT_EQ(broken.bench.call(asked), -EIO);
}

}  // namespace
}  // namespace upcall::test
