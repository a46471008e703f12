// All of upcall.
#pragma once

#include <upcall/base/buffer.hpp>
#include <upcall/base/result.hpp>
#include <upcall/driver/address.hpp>
#include <upcall/io/file.hpp>
#include <upcall/io/stream.hpp>
#include <upcall/io/tcp.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/runtime/run.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/task.hpp>
#include <upcall/task/timeout.hpp>
