// The table of drivers in the documentation is the one that the code writes, and true.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <upcall/driver/abilities.hpp>
#include <upcall/driver/select.hpp>
#include <upcall/op/ready_queue.hpp>

#include "doctor/write_interfaces.hpp"
#include "support/tree.hpp"

namespace upcall_doctor {
namespace {

using upcall::ability;
using upcall::driver_task;

TEST(interfaces_page, is_what_the_code_writes) {
    std::ifstream page(std::string(upcall::test::source_dir) + "/docs/interfaces.md");
    const std::string text{std::istreambuf_iterator<char>(page), {}};
    EXPECT_EQ(text, write_interfaces()) << "upcall doctor --interfaces > docs/interfaces.md";
}

TEST(interfaces_page, has_a_column_for_every_driver_of_this_platform) {
    const std::set<std::string_view> columns(upcall::drivers_with_abilities.begin(),
                                             upcall::drivers_with_abilities.end());
    for (const std::string& name : upcall::driver_names()) EXPECT_TRUE(columns.contains(name));
}

TEST(interfaces_page, says_of_nobody_what_is_not_so) {
    EXPECT_EQ(upcall::ability_of("EPOLL", driver_task::connect).how, ability::way::none);
    for (const std::string_view driver : upcall::drivers_with_abilities)
        for (std::size_t at = 0; at < upcall::driver_task_count; ++at) {
            const ability found = upcall::ability_of(driver, static_cast<driver_task>(at));
            if (found.how == ability::way::native) continue;
            EXPECT_FALSE(found.remark.empty()) << driver << ", " << at;
        }
}

TEST(interfaces_page, is_right_about_memory_that_is_registered) {
    for (const std::string& name : upcall::driver_names()) {
        const ability said = upcall::ability_of(name, driver_task::register_memory);
        if (said.how == ability::way::native) continue;  // a kernel may still be too old for it
        upcall::ready_queue ready;
        upcall::buffer_pool buffers({4096, 4, 65536, 1});
        auto made = upcall::make_driver({.name = name, .uring = {}},
                                        {.ready = &ready, .buffers = &buffers});
        if (!made) continue;  // this host has none
        std::byte memory[4096]{};
        EXPECT_LT((*made)->register_memory(memory), 0) << name;
    }
}

}  // namespace
}  // namespace upcall_doctor
