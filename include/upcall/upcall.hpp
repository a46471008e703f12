// All of upcall.
#pragma once

#include <upcall/base/buffer.hpp>
#include <upcall/base/result.hpp>
#include <upcall/driver/address.hpp>
#include <upcall/io/file.hpp>
#include <upcall/io/pipe.hpp>
#include <upcall/io/readiness.hpp>
#include <upcall/io/signal.hpp>
#include <upcall/io/stream.hpp>
#include <upcall/io/tcp.hpp>
#include <upcall/io/udp.hpp>
#include <upcall/io/unix.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/runtime/run.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/task.hpp>
#include <upcall/task/timeout.hpp>
