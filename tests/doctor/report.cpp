// The report says everything that was found out, for people and for programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "doctor/imagined.hpp"
#include "doctor/words.hpp"
#include "doctor/write_json.hpp"
#include "doctor/write_text.hpp"

namespace upcall_doctor {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const examination& found, bool everything = false) {
    return write_text(found, {1000, false}, everything);
}

TEST(doctor_text, names_the_driver_and_what_was_passed_over) {
    const std::string text = text_of(refused_host());
    EXPECT_THAT(text, HasSubstr("Driver: epoll\n"));
    EXPECT_THAT(text, HasSubstr("uring is passed over: A filter refuses it."));
    EXPECT_THAT(text, HasSubstr("epoll is chosen: It works."));
}

TEST(doctor_text, knows_a_variable_that_works_from_one_that_does_not) {
    examination found = refused_host();
    found.overruled_by = "poll";
    EXPECT_THAT(text_of(found), HasSubstr("programs started from here use 'poll' instead"));
    found.overruled_by = "bogus";
    EXPECT_THAT(text_of(found), Not(HasSubstr("instead")));
    EXPECT_THAT(text_of(found), HasSubstr("fail. 'bogus' is none of auto, "));
    found.overruled_by = "uring";
    EXPECT_THAT(text_of(found), HasSubstr("fail. A filter refuses it."));
}

TEST(doctor_text, tells_every_interface_and_what_to_do) {
    const std::string text = text_of(refused_host());
    EXPECT_THAT(text, HasSubstr("uring        no   A filter refuses it.\n"));
    EXPECT_THAT(text, HasSubstr("-> Run it with `--security-opt seccomp=FILE`."));
    for (std::size_t i = 1; i < upcall::kernel_interface_count; ++i)
        EXPECT_THAT(
            text, HasSubstr("  " + std::string(name_of(static_cast<upcall::kernel_interface>(i)))));
}

TEST(doctor_text, tells_which_file_engine_steps_down_and_why) {
    using way = examined_engine::way;
    examination found = refused_host();
    EXPECT_THAT(text_of(found), Not(HasSubstr("File engines")));
    found.engines = {{.name = "linux_aio",
                      .refused = "All requests are taken; files go to the pool.",
                      .direct = way::not_tried,
                      .cached = way::not_tried,
                      .problem = {}},
                     {.name = "posix_aio",
                      .refused = {},
                      .direct = way::engine,
                      .cached = way::pool,
                      .problem = "a cached read failed: No"}};
    const std::string text = text_of(found);
    EXPECT_THAT(text, HasSubstr("linux_aio    no   All requests are taken; files go to the pool."));
    EXPECT_THAT(text, HasSubstr("posix_aio    yes  A direct read goes through it, a cached one is "
                                "left to the pool. Note: a cached read failed: No."));
    const json engines = json::parse(write_json(found))["file_engines"];
    EXPECT_EQ(engines[0]["refused"], "All requests are taken; files go to the pool.");
    EXPECT_EQ(engines[0]["direct_read"], "not_tried");
    EXPECT_TRUE(engines[1]["refused"].is_null());
    EXPECT_EQ(engines[1]["cached_read"], "pool");
}

TEST(doctor_text, tells_the_host) {
    const std::string text = text_of(refused_host());
    EXPECT_THAT(text, HasSubstr("Linux 6.1.0 on x86_64"));
    EXPECT_THAT(text, HasSubstr("8, of which this process can keep 2 busy"));
    EXPECT_THAT(text, HasSubstr("docker (/.dockerenv exists)"));
    EXPECT_THAT(text, HasSubstr("a filter is in force"));
}

TEST(doctor_text, shows_only_the_limits_that_bite_unless_asked_for_all) {
    const examination found = refused_host();
    EXPECT_THAT(text_of(found), HasSubstr("1024         ulimit -n (RLIMIT_NOFILE)"));
    EXPECT_THAT(text_of(found), HasSubstr("`ulimit -n 4096`"));
    EXPECT_THAT(text_of(found), Not(HasSubstr("ulimit -Hn")));
    EXPECT_THAT(text_of(found, true), HasSubstr("4096         ulimit -Hn"));
}

TEST(doctor_text, says_so_where_nothing_bites) {
    examination found = refused_host();
    found.host.limits.descriptors.soft = upcall::quantity::infinite();
    EXPECT_THAT(text_of(found), HasSubstr("None on this host."));
}

TEST(doctor_text, names_what_is_missing_with_its_kernel) {
    examination found = refused_host();
    EXPECT_THAT(text_of(found), HasSubstr("The kernel could not be asked what it has."));
    for (std::size_t i = 0; i < 60; ++i) found.host.ring.opcodes.set(i, i != 55);
    const std::string text = text_of(found);
    EXPECT_THAT(text, HasSubstr("opcodes      59 of 63, 3 unknown."));
    EXPECT_THAT(text, HasSubstr("Missing (came with): FTRUNCATE (6.9)\n"));
    EXPECT_THAT(text, Not(HasSubstr("READV")));
    EXPECT_THAT(text_of(found, true), HasSubstr("READV"));
    EXPECT_THAT(text_of(found, true), HasSubstr("unknown: READV_FIXED, WRITEV_FIXED, PIPE"));
}

TEST(doctor_text, tells_which_trials_failed) {
    examination found = refused_host();
    upcall::ring_facts& ring = found.host.ring;
    ring.setup.set(0, true);
    using outcome = upcall::ring_test_result::outcome;
    ring.tests[0] = {outcome::passed, 0};
    ring.tests[1] = {outcome::failed, EPERM};
    const std::string text = text_of(found);
    EXPECT_THAT(text, HasSubstr("works        enable\n"));
    EXPECT_THAT(text, HasSubstr("fails        round trip (Operation not permitted)\n"));
}

TEST(doctor_text, warns_that_the_environment_overrules) {
    examination found = refused_host();
    EXPECT_THAT(text_of(found), Not(HasSubstr("UPCALL_DRIVER")));
    found.overruled_by = "select";
    EXPECT_THAT(text_of(found), HasSubstr("UPCALL_DRIVER is set"));
    EXPECT_THAT(text_of(found), HasSubstr("'select'"));
}

upcall::limit_fact limit_of(std::uint64_t amount, upcall::limit_fact::unit unit) {
    return {"key", "source", upcall::quantity::of(amount), unit, "meaning", {}};
}

TEST(doctor_words, amounts_are_readable) {
    using unit = upcall::limit_fact::unit;
    EXPECT_EQ(words_for(limit_of(8 << 20, unit::bytes)), "8 MiB");
    EXPECT_EQ(words_for(limit_of(1000, unit::bytes)), "1000 bytes");
    EXPECT_EQ(words_for(limit_of(0, unit::bytes)), "0 bytes");
    EXPECT_EQ(words_for(limit_of(123456789, unit::bytes)), "117 MiB");
    EXPECT_EQ(words_for(limit_of(1500, unit::millicpus)), "1.5 processors");
    EXPECT_EQ(words_for(limit_of(1000, unit::millicpus)), "1 processor");
    EXPECT_EQ(words_for(limit_of(20000, unit::count)), "20000");
}

TEST(doctor_words, file_systems_are_described) {
    upcall::file_system_facts facts;
    facts.type = "tmpfs";
    EXPECT_EQ(words_for(facts), "tmpfs, nothing known about direct I/O.");
    facts.direct_io = upcall::file_system_facts::direct::unsupported;
    EXPECT_EQ(words_for(facts), "tmpfs, no direct I/O (O_DIRECT is refused).");
    facts.direct_io = upcall::file_system_facts::direct::supported;
    facts.memory_alignment = 4;
    facts.offset_alignment = 4096;
    facts.read_offset_alignment = 512;
    EXPECT_EQ(words_for(facts),
              "tmpfs, direct I/O with memory aligned to 4 and offsets to 4096 bytes (reads: 512).");
}

TEST(doctor_json, says_the_same_to_programs) {
    examination found = refused_host();
    found.host.ring.opcodes.set(26, true);
    found.host.ring.opcodes.set(62, false);
    const json all = json::parse(write_json(found));
    EXPECT_EQ(all["schema"], 1);
    EXPECT_EQ(all["driver"]["name"], "epoll");
    EXPECT_EQ(all["driver"]["reasons"].size(), 2U);
    EXPECT_TRUE(all["driver"]["overruled_by"].is_null());
    EXPECT_EQ(all["system"]["container"], "docker");
    EXPECT_EQ(all["system"]["seccomp"], "filter");
    ASSERT_EQ(all["interfaces"].size(), upcall::kernel_interface_count);
    const json& uring = all["interfaces"][0];
    EXPECT_EQ(uring["name"], "uring");
    EXPECT_EQ(uring["available"], false);
    EXPECT_EQ(uring["reason"], "refused_by_seccomp");
    EXPECT_EQ(uring["errno"], EPERM);
    EXPECT_EQ(all["ring"]["opcodes"]["SEND"]["state"], "present");
    EXPECT_EQ(all["ring"]["opcodes"]["PIPE"]["state"], "absent");
    EXPECT_EQ(all["ring"]["opcodes"]["PIPE"]["since"], "6.16");
    EXPECT_EQ(all["ring"]["opcodes"]["NOP"]["state"], "unknown");
    EXPECT_EQ(all["ring"]["tests"].size(), upcall::ring_test_count);
    EXPECT_EQ(all["limits"][0]["key"], "descriptors.soft");
    EXPECT_EQ(all["limits"][0]["value"], 1024);
    EXPECT_EQ(all["limits"][0]["bites"], true);
}

TEST(doctor_json, every_limit_has_a_state_and_unknown_ones_no_value) {
    const json all = json::parse(write_json(refused_host()));
    for (const json& each : all["limits"])
        EXPECT_EQ(each["value"].is_null(), each["state"] != "known") << each;
}

TEST(doctor_json, survives_bytes_that_are_no_text) {
    examination found = refused_host();
    found.paths.push_back({"\xff\xfe", upcall::file_system_facts{}});
    found.paths.push_back(
        {"/missing", upcall::failure(std::make_error_code(std::errc::no_such_file_or_directory))});
    const json all = json::parse(write_json(found));
    ASSERT_EQ(all["paths"].size(), 2U);
    EXPECT_TRUE(all["paths"][0]["error"].is_null());
    EXPECT_EQ(all["paths"][0]["direct_io"], "unknown");
    EXPECT_TRUE(all["paths"][1]["error"].is_string());
}

}  // namespace
}  // namespace upcall_doctor
