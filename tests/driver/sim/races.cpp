// Cancelling, and closing, against completing: ten thousand rounds of each kind of operation, in
// worlds whose seeds also draw the delays, the batches and the moment. Either side wins often, and
// whoever loses, nothing that happened is lost.
#include <cerrno>
#include <memory>
#include <string>

#include "driver/sim/sim_test.hpp"

namespace upcall::test {
namespace {

using std::chrono::microseconds;

constexpr int worlds = 100;
constexpr int rounds_per_world = 100;
constexpr int rounds = worlds * rounds_per_world;

/// Chances in a million of what a world does as it likes.
std::uint32_t some_chance(choices& chosen) {
    constexpr std::uint32_t chances[] = {0, 100'000, 500'000, 1'000'000};
    return chances[chosen.below(4)];
}

/// A world with habits of its own. Delays of none are among them.
sim_options habits(std::uint64_t seed) {
    choices chosen(seed);
    const auto up_to = [&](std::uint64_t most) {
        return duration_range{{}, microseconds(chosen.below(most))};
    };
    sim_options options;
    options.seed = seed;
    options.network_delay = up_to(300);
    options.completion_delay = up_to(50);
    options.cancel_delay = up_to(100);
    options.file_latency = up_to(300);
    options.finish_at_once = some_chance(chosen);
    options.split_batch = some_chance(chosen);
    options.end_source = some_chance(chosen);
    return options;
}

struct tally {
    int called_off = 0;
    int completed = 0;
};

/// Both sides of a race won some rounds.
void expect_race(const tally& seen) {
    EXPECT_EQ(seen.called_off + seen.completed, rounds);
    EXPECT_GE(seen.called_off, rounds / 100);
    EXPECT_GE(seen.completed, rounds / 100);
}

class race {
  public:
    explicit race(std::uint64_t seed)
        : world(habits(seed)), patience_(1 + world.kernel.chosen().below(400)) {}

    /// Time between the cause of a completion and the request to end it.
    void hesitate() {
        if (coin()) world.bench.pass(microseconds(world.kernel.chosen().below(patience_)));
    }
    bool coin() { return world.kernel.chosen().below(2) == 1; }

    /// Asks for the end in one of the ways, and says for what error. What was asked for first
    /// counts, however often others ask.
    std::error_code ask(bench_operation& op) {
        const auto first = coin() ? cancel_cause::cancelled : cancel_cause::deadline;
        op.request_cancel(first);
        if (coin()) op.request_cancel(cancel_cause::cancelled);
        return errc_of(first);
    }

    /// The outcome of `op` after it was asked to end, and whether it was called off.
    bool end(bench_operation& op, tally& seen) {
        const bool in_time = !op.done();
        const std::error_code asked = ask(op);
        const bool called_off = world.bench.finish(op) == -ECANCELED;
        ++(called_off ? seen.called_off : seen.completed);
        if (called_off) {
            EXPECT_TRUE(in_time);
            EXPECT_EQ(op.error(), asked);
        }
        return called_off;
    }

    sim_world world;

  private:
    std::uint64_t patience_;
};

/// `play(race)` for every world.
template <class Rounds>
void race_all(Rounds&& play) {
    for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        race one(seed);
        play(one);
        if (testing::Test::HasFailure()) return;
    }
}

/// The same, each world with two ends of one connection.
template <class Round>
void race_on_pairs(Round&& round) {
    race_all([&](race& one) {
        auto [client, server] = one.world.bench.connected();
        for (int number = 0; number < rounds_per_world; ++number)
            round(one, client, server, number);
        EXPECT_EQ(one.world.bench.buffers().outstanding(), 0U);
    });
}

/// The same, each world with a listener.
template <class Round>
void race_on_listeners(Round&& round) {
    race_all([&](race& one) {
        handle listener = one.world.bench.listening();
        const address where = *one.world.via().local_address(*listener.record());
        for (int number = 0; number < rounds_per_world; ++number) round(one, listener, where);
    });
}

TEST(sim_races, of_a_read_lose_no_byte) {
    tally seen;
    race_on_pairs([&](race& one, handle& client, handle& server, int round) {
        sim_world& world = one.world;
        std::byte buffer[4]{};
        const std::string sent(1, static_cast<char>('a' + round % 26));
        bench_operation reading;
        bench_operation writing;
        world.bench.read(reading, server, buffer);
        world.bench.write(writing, client, bytes_of(sent));
        one.hesitate();
        if (one.end(reading, seen)) {
            EXPECT_EQ(buffer[0], std::byte{0});
            EXPECT_EQ(world.read(server, buffer), 1) << "the byte is still there";
        } else {
            EXPECT_EQ(reading.result, 1);
        }
        EXPECT_EQ(text_of({buffer, 1}), sent);
        EXPECT_EQ(world.bench.finish(writing), 1);
    });
    expect_race(seen);
}

TEST(sim_races, of_a_receive_leak_no_buffer) {
    tally seen;
    race_on_pairs([&](race& one, handle& client, handle& server, int) {
        sim_world& world = one.world;
        bench_operation receiving;
        bench_operation writing;
        world.bench.receive(receiving, server);
        world.bench.write(writing, client, bytes_of("x"));
        one.hesitate();
        if (one.end(receiving, seen)) {
            EXPECT_EQ(world.bench.buffers().outstanding(), 0U);
            world.bench.receive(receiving, server);
            world.bench.finish(receiving);
        }
        EXPECT_EQ(world.bench.take(receiving.result, receiving.leased), "x");
        EXPECT_EQ(world.bench.finish(writing), 1);
    });
    expect_race(seen);
}

// A source that is asked to end may still bring what had arrived, and then its end.
TEST(sim_races, of_a_receive_source_lose_no_byte) {
    tally seen;
    race_on_pairs([&](race& one, handle& client, handle& server, int) {
        sim_world& world = one.world;
        bench_operation receiving;
        bench_operation writing;
        world.bench.receive(receiving, server, op_multishot);
        world.bench.write(writing, client, bytes_of("xyz"));
        one.hesitate();
        one.end(receiving, seen);
        std::string got;
        for (const auto& value : receiving.values)
            got += world.bench.take(value.number, value.leased);
        if (receiving.result > 0) got += world.bench.take(receiving.result, receiving.leased);
        EXPECT_EQ(world.bench.finish(writing), 3);
        std::byte rest[3];
        while (got.size() < 3) {
            const auto count = world.read(server, byte_span(rest).first(3 - got.size()));
            ASSERT_GT(count, 0);
            got += text_of(byte_view(rest).first(static_cast<std::size_t>(count)));
        }
        EXPECT_EQ(got, "xyz");
    });
    expect_race(seen);
}

TEST(sim_races, of_an_accept_leak_no_connection) {
    tally seen;
    race_on_listeners([&](race& one, handle& listener, const address& where) {
        sim_world& world = one.world;
        handle client = world.socket();
        bench_operation connecting;
        bench_operation accepting;
        world.bench.accept(accepting, listener);
        world.bench.connect(connecting, client, where);
        one.hesitate();
        if (one.end(accepting, seen)) {
            world.bench.accept(accepting, listener);
            world.bench.finish(accepting);
        }
        ASSERT_GE(accepting.result, 0);
        EXPECT_EQ(world.bench.finish(connecting), 0);
        EXPECT_TRUE(world.kernel.close(static_cast<native_handle>(accepting.result)));
        world.bench.close(client);
        EXPECT_EQ(world.kernel.open_descriptors(), 1U);
    });
    expect_race(seen);
}

TEST(sim_races, of_a_connect_spoil_the_socket_unless_nothing_was_sent) {
    tally seen;
    int spoilt = 0;
    race_on_listeners([&](race& one, handle& listener, const address& where) {
        sim_world& world = one.world;
        handle client = world.socket();
        bench_operation connecting;
        world.bench.connect(connecting, client, where);
        one.hesitate();
        if (one.end(connecting, seen)) {
            if (client.record()->broken) {
                ++spoilt;
                EXPECT_EQ(world.write(client, "x"), raw_error(errc::interrupted));
            } else {
                EXPECT_EQ(world.connect(client, where), 0) << "nothing had happened";
            }
        } else {
            EXPECT_EQ(connecting.result, 0);
            EXPECT_EQ(world.write(client, "x"), 1);
        }
        bench_operation accepting;
        world.bench.accept(accepting, listener);
        ASSERT_GE(world.bench.finish(accepting), 0);
        EXPECT_TRUE(world.kernel.close(static_cast<native_handle>(accepting.result)));
    });
    expect_race(seen);
    EXPECT_GT(spoilt, 0);
    EXPECT_LT(spoilt, seen.called_off);
}

TEST(sim_races, of_a_file_read_come_too_late_once_it_has_begun) {
    tally seen;
    race_all([&](race& one) {
        sim_world& world = one.world;
        handle file = world.bench.open("/f", open_read | open_write | open_create);
        bench_operation op;
        world.bench.file_write(op, file, 0, bytes_of("content"));
        EXPECT_EQ(world.bench.finish(op), 7);
        for (int round = 0; round < rounds_per_world; ++round) {
            std::byte buffer[7]{};
            world.bench.file_read(op, file, 0, buffer);
            one.hesitate();
            if (one.end(op, seen)) {
                EXPECT_EQ(buffer[0], std::byte{0});
            } else {
                EXPECT_EQ(text_of(buffer), "content");
            }
        }
    });
    expect_race(seen);
}

// Closing asks everything on the handle to end; it is over when the last of them has.
TEST(sim_races, of_closing_end_each_operation_once) {
    tally seen;
    race_all([&](race& one) {
        sim_world& world = one.world;
        for (int round = 0; round < rounds_per_world; ++round) {
            auto [client, server] = world.bench.connected();
            std::byte buffer[1];
            bench_operation reading;
            bench_operation receiving;
            bench_operation writing;
            world.bench.read(reading, server, buffer);
            world.bench.receive(receiving, server);
            world.bench.write(writing, client, bytes_of("xy"));
            one.hesitate();
            if (one.coin()) reading.request_cancel(cancel_cause::cancelled);
            EXPECT_EQ(world.bench.close(server), 0);
            world.bench.finish(reading);
            if (world.bench.finish(receiving) == -ECANCELED) {
                ++seen.called_off;
                EXPECT_EQ(receiving.error(), errc::closed);
            } else {
                ++seen.completed;
                world.bench.take(receiving.result, receiving.leased);
            }
            EXPECT_EQ(world.bench.finish(writing), 2);
            world.bench.close(client);
            EXPECT_EQ(world.kernel.open_descriptors(), 0U);
        }
        EXPECT_EQ(world.bench.buffers().outstanding(), 0U);
    });
    expect_race(seen);
}

}  // namespace
}  // namespace upcall::test
