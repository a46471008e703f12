// Files to write durably, on every driver.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include <upcall/upcall.hpp>

#include "support/loop_test.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {

class file_test : public loop_test {
  protected:
    bool simulated() const { return GetParam() == "sim"; }
    /// A path that names nothing yet; the simulated kernel has one folder.
    std::string path(const std::string& name) const {
        return simulated() ? "/" + name : folder_ / name;
    }

    /// All that a file holds; of one that is not there: "(none)".
    static task<std::string> content(std::string name) {
        auto from = co_await file::open(std::move(name), open_read);
        if (!from) co_return "(none)";
        const auto about = (co_await from->status()).value();
        std::string text(about.size, '\0');
        const auto got = co_await from->read_exactly_at(
            std::as_writable_bytes(std::span(text.data(), text.size())), 0);
        EXPECT_TRUE(got);
        co_return text;
    }
    static task<> put(std::string name, std::string text, std::uint32_t mode = 0644) {
        auto to =
            (co_await file::open(std::move(name), open_write | open_create | open_truncate, mode))
                .value();
        EXPECT_TRUE(co_await to.write_all_at(bytes_of(text), 0));
    }
    /// The names in the folder, in order, with spaces between.
    task<std::string> names() const {
        auto all = (co_await list_directory(path(""))).value();
        std::ranges::sort(all, {}, &directory_entry::name);
        std::string text;
        for (const auto& entry : all) text += (text.empty() ? "" : " ") + entry.name;
        co_return text;
    }

  private:
    scratch_folder folder_;
};

}  // namespace upcall::testing
