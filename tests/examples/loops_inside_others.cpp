// An upcall loop inside the event loops of others, and a foreign one inside ours.
#include <stdlib.h>

#include <filesystem>

#include "support/program.hpp"
#include "support/test_loop.hpp"

namespace upcall::testing {
namespace {

/// A host, and the driver of the guest in it.
struct embedding {
    std::string host;
    std::string driver;
};
void PrintTo(const embedding& one, std::ostream* out) { *out << one.host << " " << one.driver; }

class embedded_loop : public ::testing::TestWithParam<embedding> {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(std::string(test::binary_dir) + "/bin/" + GetParam().host))
            GTEST_SKIP() << GetParam().host << " was not built: its library was not found";
    }

    static program_options with_driver() {
        return {
            .before = [] { return ::setenv("UPCALL_DRIVER", GetParam().driver.c_str(), 1) == 0; },
            .read_errors = true};
    }
};

bool may_be_embedded(const std::string& driver) {
    loop_options options = small_loop();
    options.embedded = true;
    const auto made = make_test_loop(driver, std::move(options));
    return made && made->native_handle();
}

std::vector<embedding> hosts_and_drivers() {
    std::vector<embedding> all;
    for (const char* host : {"inside_epoll", "inside_glib", "inside_libuv"})
        for (const std::string& driver : tested_kernels())
            if (may_be_embedded(driver)) all.push_back({host, driver});
    return all;
}

TEST_P(embedded_loop, works_while_its_host_does) {
    program outer(GetParam().host, {}, with_driver());
    const std::string said = outer.rest();
    int echoes = 0;
    int ticks = 0;
    ASSERT_EQ(std::sscanf(said.c_str(), "%d echoes in the guest, %d ticks of the host\n", &echoes,
                          &ticks),
              2)
        << said;
    EXPECT_EQ(echoes, 200);
    EXPECT_GE(ticks, 5);
    EXPECT_EQ(outer.wait(), 0);
    EXPECT_EQ(outer.errors().rest(), "");
}

// With UPCALL_TEST_DRIVER naming another.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(embedded_loop);
INSTANTIATE_TEST_SUITE_P(in, embedded_loop, ::testing::ValuesIn(hosts_and_drivers()),
                         [](const auto& one) { return one.param.host + "_" + one.param.driver; });

class refused_loop : public embedded_loop {};

TEST_P(refused_loop, is_refused_in_words) {
    program outer(GetParam().host, {}, with_driver());
    EXPECT_EQ(outer.wait(), 2);
    EXPECT_EQ(outer.rest(), "");
    EXPECT_EQ(outer.errors().rest(),
              "this driver: " + make_error_code(errc::unsupported).message() + "\n");
}

INSTANTIATE_TEST_SUITE_P(in, refused_loop,
                         ::testing::Values(embedding{"inside_epoll", "poll"},
                                           embedding{"inside_epoll", "select"}),
                         [](const auto& one) { return one.param.host + "_" + one.param.driver; });

class foreign_set : public ::testing::TestWithParam<std::string> {};
UPCALL_FOR_EVERY_LOOP(foreign_set);

TEST_P(foreign_set, is_driven_by_our_loop) {
    program outer("hosts_epoll", {},
                  {.before = [] { return ::setenv("UPCALL_DRIVER", GetParam().c_str(), 1) == 0; }});
    EXPECT_EQ(outer.rest(), "20 timers in the guest, 10 ticks of the host\n");
    EXPECT_EQ(outer.wait(), 0);
}

}  // namespace
}  // namespace upcall::testing
