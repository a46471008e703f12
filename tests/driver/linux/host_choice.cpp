// The order in which drivers are preferred, and that the reasons tell what was passed over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <upcall/driver/host.hpp>

namespace upcall {
namespace {

host with_only(std::initializer_list<kernel_interface> working) {
    host seen;
    for (std::size_t i = 0; i < kernel_interface_count; ++i) {
        const auto what = static_cast<kernel_interface>(i);
        const bool is_foreign = what == kernel_interface::iocp || what == kernel_interface::kqueue;
        seen.interfaces[i] = {what,
                              false,
                              0,
                              is_foreign ? reason::not_on_this_system : reason::refused,
                              "It does not work.",
                              {}};
    }
    for (const kernel_interface each : working)
        seen.interfaces[static_cast<std::size_t>(each)] = {each,          true,        0,
                                                           reason::works, "It works.", {}};
    return seen;
}

using enum kernel_interface;

TEST(host_choice, follows_the_order) {
    EXPECT_EQ(choose_driver(with_only({uring, epoll, poll, select})).name, "uring");
    EXPECT_EQ(choose_driver(with_only({epoll, poll, select})).name, "epoll");
    EXPECT_EQ(choose_driver(with_only({poll, select})).name, "poll");
    EXPECT_EQ(choose_driver(with_only({select})).name, "select");
    EXPECT_EQ(choose_driver(with_only({iocp, select})).name, "iocp");
    EXPECT_EQ(choose_driver(with_only({kqueue, poll, select})).name, "kqueue");
    EXPECT_EQ(choose_driver(with_only({})).name, "blocking");
}

TEST(host_choice, never_falls_on_what_is_no_driver_of_sockets) {
    EXPECT_EQ(choose_driver(with_only({sigio, linux_aio, posix_aio})).name, "blocking");
}

TEST(host_choice, never_falls_on_what_stands_on_what_was_refused) {
    host seen = with_only({kqueue, poll});
    seen.system.kernel = "Linux";
    EXPECT_EQ(choose_driver(seen).name, "poll") << "there, libkqueue makes kqueue of epoll";
}

TEST(host_choice, says_what_was_passed_over_and_what_was_taken) {
    const driver_advice choice = choose_driver(with_only({poll}));
    EXPECT_THAT(choice.reasons, testing::ElementsAre("uring is passed over: It does not work.",
                                                     "epoll is passed over: It does not work.",
                                                     "poll is chosen: It works."));
}

TEST(host_choice, names_something_that_works_here) {
    const host seen = probe_host();
    const driver_advice choice = choose_driver(seen);
    bool is_available = false;
    for (const availability& each : seen.interfaces)
        is_available = is_available || (name_of(each.what) == choice.name && each.available);
    EXPECT_TRUE(is_available) << choice.name;
}

}  // namespace
}  // namespace upcall
