// After warm-up, running tasks and moving bytes calls operator new not once.
#include <upcall/io/stream.hpp>
#include <upcall/sync/channel.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/sync/mutex.hpp>
#include <upcall/task/from_callback.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>
#include <upcall/task/when_any.hpp>

#include "support/counting_new.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class steady_state : public testing::loop_test {
  protected:
    void SetUp() override {
#ifdef UPCALL_TEST_SANITIZED
        GTEST_SKIP() << "blocks are not recycled under sanitizers, so that they see every free";
#endif
        if (GetParam() == "sim") GTEST_SKIP() << "the simulated kernel allocates its requests";
        loop_test::SetUp();
    }

    /// Runs `body` twice for warm-up, then a third time, and tells what that allocated.
    template <class Body>
    std::size_t allocations_of(Body body) {
        run(body);
        run(body);
        const std::size_t before = testing::this_threads_allocations.made;
        run(body);
        return testing::this_threads_allocations.made - before;
    }
};
UPCALL_ON_EVERY_DRIVER(steady_state);

task<int> trivial(int value) { co_return value; }
task<> give_way(int times) {
    for (int i = 0; i < times; ++i) co_await yield();
}

TEST_P(steady_state, of_spawning_and_joining) {
    EXPECT_EQ(allocations_of([]() -> task<> {
                  co_await with_scope([](scope& tasks) -> task<> {
                      for (int round = 0; round < 100; ++round) {
                          for (int i = 0; i < 10; ++i)
                              EXPECT_TRUE(co_await tasks.spawn(give_way(i)));
                          auto child = tasks.async(trivial(round));
                          EXPECT_EQ(co_await child.join(), round);
                          co_await tasks.join();
                      }
                  });
              }),
              0U);
}

TEST_P(steady_state, of_combinators_and_timers) {
    EXPECT_EQ(allocations_of([]() -> task<> {
                  for (int round = 0; round < 100; ++round) {
                      auto [a, b] = co_await when_all(trivial(1), timeout(1h, trivial(2)));
                      EXPECT_EQ(a + b, 3);
                      auto any = co_await when_any(sleep(1h), give_way(2));
                      EXPECT_EQ(any.index, 1U);
                      EXPECT_FALSE(co_await timeout(0ms, sleep(1h)));
                  }
              }),
              0U);
}

TEST_P(steady_state, of_channels_and_mutexes) {
    channel<int> between(4);
    mutex door;
    EXPECT_EQ(allocations_of([&]() -> task<> {
                  auto send = [&]() -> task<> {
                      for (int i = 0; i < 500; ++i) {
                          auto held = co_await door.lock();
                          EXPECT_TRUE(held);
                          EXPECT_TRUE(co_await between.send(i));
                      }
                  };
                  co_await with_scope([&](scope& tasks) -> task<> {
                      tasks.spawn_now(send());
                      for (int i = 0; i < 500; ++i) EXPECT_EQ(*co_await between.receive(), i);
                  });
              }),
              0U);
}

TEST_P(steady_state, of_callbacks_and_futures) {
    EXPECT_EQ(allocations_of([]() -> task<> {
                  event set(true);
                  co_await with_scope([&](scope& tasks) -> task<> {
                      for (int round = 0; round < 100; ++round) {
                          int called = 0;
                          for (int i = 0; i < 10; ++i)
                              start(tasks, set.wait(), [&](result<void>) { ++called; });
                          co_await tasks.join();
                          EXPECT_EQ(called, 10);
                          future<int> first = submit(tasks, trivial(round));
                          const auto got = co_await std::move(first).then(
                              tasks, [](result<int> one) { return one.value() + 1; });
                          EXPECT_EQ(got.value(), round + 1);
                          const auto foreign = co_await from_callback<int>(
                              [](completion<int> done) { done.complete(1); });
                          EXPECT_TRUE(foreign);
                      }
                  });
              }),
              0U);
}

/// Blocks that `body` asks for while none is recycled.
template <class Body>
std::size_t blocks_of(Body body) {
    recycler_bypass(true);
    const std::size_t before = testing::this_threads_allocations.made;
    body();
    const std::size_t made = testing::this_threads_allocations.made - before;
    recycler_bypass(false);
    return made;
}

TEST_P(steady_state, of_one_block_for_each_callback_or_future) {
    event set(true);
    scope tasks(home().root());
    const auto finish = [&] { home().run_until([&] { return tasks.size() == 0; }); };
    EXPECT_EQ(blocks_of([&] {
                  start(tasks, set.wait(), [](result<void>) {});
                  finish();
              }),
              1U);
    future<void> kept;
    EXPECT_EQ(blocks_of([&] {
                  kept = submit(tasks, set.wait());
                  finish();
                  EXPECT_TRUE(kept.get());
              }),
              1U);
    future<int> answer;
    EXPECT_EQ(blocks_of([&] {
                  answer = submit(tasks, trivial(1));
                  finish();
              }),
              2U)
        << "the task's frame, and the future's block";
    EXPECT_EQ(blocks_of([&] {
                  answer = std::move(answer).then(tasks, [](result<int> one) { return *one; });
                  finish();
              }),
              2U)
        << "a frame that calls `next`, and the future's block";
    EXPECT_EQ(answer.get().value(), 1);
}

task<> echo(byte_stream& peer, std::size_t bytes) {
    for (std::size_t done = 0; done < bytes;) {
        auto chunk = co_await peer.receive();
        if (!chunk) co_return;
        done += chunk->size();
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) co_return;
    }
}

TEST_P(steady_state, of_an_echo_server_and_its_client) {
    if (GetParam() == "blocking") GTEST_SKIP() << "the baseline hands operations to threads";
    auto ends = home().via().open_pair(socket_type::stream);
    ASSERT_TRUE(ends);
    byte_stream server(home(), std::move(ends->first));
    byte_stream client(home(), std::move(ends->second));
    EXPECT_EQ(allocations_of([&]() -> task<> {
                  constexpr std::size_t size = 128;
                  constexpr std::size_t count = 500;
                  co_await with_scope([&](scope& tasks) -> task<> {
                      tasks.spawn_now(echo(server, size * count));
                      std::byte out[size];
                      std::byte in[size];
                      for (std::size_t i = 0; i < count; ++i) {
                          for (std::byte& one : out) one = static_cast<std::byte>(i);
                          const auto sent = co_await client.write_all(out);
                          EXPECT_TRUE(sent);
                          const auto got = co_await client.read_exactly(in);
                          EXPECT_TRUE(got);
                          EXPECT_TRUE(std::equal(in, in + size, out));
                      }
                  });
              }),
              0U);
}

}  // namespace
}  // namespace upcall
