// What programs use. What stands by itself is included by itself: sim/seeds.hpp and sim/world.hpp
// for simulated tests, runtime/program.hpp for a loop that is not `run`'s, io/polled_file.hpp for
// files in other event loops, driver/host.hpp for what the host offers.
#pragma once

#include <upcall/base/cxx23.hpp>
// That first: it says what is missing before anything else fails.

#include <upcall/base/buffer.hpp>
#include <upcall/base/result.hpp>
#include <upcall/driver/address.hpp>
#include <upcall/durable/atomic_replace.hpp>
#include <upcall/durable/ordered_writer.hpp>
#include <upcall/durable/sync_cost.hpp>
#include <upcall/io/buffered_reader.hpp>
#include <upcall/io/file.hpp>
#include <upcall/io/pipe.hpp>
#include <upcall/io/readiness.hpp>
#include <upcall/io/registered_buffer.hpp>
#include <upcall/io/signal.hpp>
#include <upcall/io/stream.hpp>
#include <upcall/io/tcp.hpp>
#include <upcall/io/udp.hpp>
#include <upcall/io/unix.hpp>
#include <upcall/loop/close_report.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/runtime/run.hpp>
#include <upcall/sync/channel.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/sync/loop_channel.hpp>
#include <upcall/sync/mutex.hpp>
#include <upcall/sync/semaphore.hpp>
#include <upcall/task/child_task.hpp>
#include <upcall/task/first_success.hpp>
#include <upcall/task/from_callback.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/remote_scope.hpp>
#include <upcall/task/run_blocking.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/shield.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/task.hpp>
#include <upcall/task/this_task.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>
#include <upcall/task/when_any.hpp>
