#include <deque>

#include <upcall/io/registered_buffer.hpp>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

constexpr std::size_t page = 4096;

/// A file of `pages` pages of counted text, past the page cache where there is a way past it.
task<result<file>> counted_file(std::string path, std::size_t pages) {
    auto writer = co_await file::open(path, open_write | open_create);
    if (!writer) co_return failure(writer.error());
    const transfer wrote = co_await writer->write_all_at(bytes_of(counted_text(pages * page)), 0);
    if (!wrote) co_return failure(wrote.cause);
    auto direct = co_await file::open(path, open_read | open_write | open_direct);
    if (direct) co_return std::move(*direct);
    co_return co_await file::open(path, open_read | open_write);
}

}  // namespace

TEST_P(every_form_with_files,
       C22_registered_memory_that_is_forgotten_in_flight_serves_its_transfers_first) {
    run([&]() -> task<> {
        auto data = (co_await counted_file(scratch("data"), 64)).value();
        const aligned_buffer memory(64 * page);
        for (int round = 0; round < 20; ++round) {
            std::ranges::fill(memory.span(), std::byte{});
            const bool known = home().via().register_memory(memory.span()) == 0;
            running whole(home(), data.read_exactly_at(memory.span().first(48 * page), 0));
            running rest(home(), data.read_exactly_at(memory.span().subspan(48 * page), 48 * page));
            if (round % 2 == 1) co_await turns(1);
            if (known) home().via().forget_memory(memory.span());
            co_await whole.ended();
            co_await rest.ended();
            EXPECT_TRUE(whole.outcome());
            EXPECT_TRUE(rest.outcome());
            EXPECT_EQ(text_of(memory.span()), counted_text(64 * page));
        }
    });
}

// Went wrong: a transfer that the kernel had not been given yet named memory it did not know.
TEST_P(every_form_with_files, C22_so_does_memory_that_is_forgotten_before_the_turn_ends) {
    run([&]() -> task<> {
        auto data = (co_await counted_file(scratch("data"), 2)).value();
        const aligned_buffer memory(2 * page);
        const bool known = home().via().register_memory(memory.span()) == 0;
        running one(home(), data.read_at(memory.span(), 0));
        co_await yield();
        if (known) home().via().forget_memory(memory.span());
        co_await one.ended();
        EXPECT_EQ(one.outcome().value_or(0), 2 * page);
        EXPECT_EQ(text_of(memory.span()), counted_text(2 * page));
    });
}

TEST_P(every_form_with_files, C22_nothing_is_read_into_a_registered_buffer_as_into_any_other) {
    run([&]() -> task<> {
        auto data = (co_await counted_file(scratch("data"), 2)).value();
        const registered_buffer memory = registered_buffer::create(page).value();
        EXPECT_EQ((co_await data.read_at(memory.span().first(0), 0)).value_or(1), 0U);
        EXPECT_EQ((co_await data.read_at(memory.span().subspan(page), 0)).value_or(1), 0U);
        EXPECT_EQ((co_await data.write_at(memory.span().first(0), 0)).value_or(1), 0U);
    });
}

TEST_P(every_form_with_files, C22_transfers_find_the_registered_buffer_that_they_lie_in) {
    run([&]() -> task<> {
        auto data = (co_await counted_file(scratch("data"), 8)).value();
        const std::string content = counted_text(8 * page);
        // More than a loop can register: the last are memory as any other.
        std::deque<registered_buffer> many;
        for (int i = 0; i < 300; ++i) many.push_back(registered_buffer::create(2 * page).value());
        EXPECT_FALSE(many.back().is_registered());
        for (std::size_t i = 0; i < many.size(); ++i) {
            const registered_buffer& each = many[i];
            const std::size_t from = i % 6 * page;
            const auto got = co_await data.read_at(each, from);
            EXPECT_EQ(got.value_or(0), 2 * page);
            EXPECT_EQ(text_of(each.span()), content.substr(from, 2 * page));
            const auto half = co_await data.read_at(each.span().subspan(page), 7 * page);
            EXPECT_EQ(half.value_or(0), page);
            EXPECT_EQ(text_of(each.span()),
                      content.substr(from, page) + content.substr(7 * page, page));
        }
        // Of memory that is registered in part only, none is used as registered.
        const aligned_buffer memory(4 * page);
        many.clear();
        const bool known = home().via().register_memory(memory.span().subspan(page, 2 * page)) == 0;
        EXPECT_EQ((co_await data.read_at(memory.span(), 0)).value_or(0), 4 * page);
        EXPECT_EQ(text_of(memory.span()), content.substr(0, 4 * page));
        EXPECT_EQ((co_await data.write_at(memory.span().subspan(page, page), 0)).value_or(0), page);
        EXPECT_EQ((co_await data.read_at(memory.span().subspan(2 * page), 0)).value_or(0),
                  2 * page);
        EXPECT_EQ(text_of(memory.span().subspan(2 * page)),
                  content.substr(page, page) + content.substr(page, page));
        if (known) home().via().forget_memory(memory.span().subspan(page, 2 * page));
        EXPECT_EQ((co_await data.read_at(memory.span(), 4 * page)).value_or(0), 4 * page);
        EXPECT_EQ(text_of(memory.span()), content.substr(4 * page));

        registered_buffer empty = registered_buffer::create(0).value();
        EXPECT_FALSE(empty.is_registered());
        registered_buffer kept = registered_buffer::create(page).value();
        registered_buffer moved = std::move(kept);
        EXPECT_EQ(kept.data(), nullptr);
        EXPECT_EQ((co_await data.read_at(moved, 0)).value_or(0), page);
    });
    EXPECT_EQ(registered_buffer::create(page).error(), errc::no_loop);
}

}  // namespace upcall::test
