#include <upcall/driver/abilities.hpp>

namespace upcall {
namespace {

using task = driver_task;

constexpr ability native(std::string_view remark = {}) noexcept {
    return {ability::way::native, remark};
}
constexpr ability emulated(std::string_view remark) noexcept {
    return {ability::way::emulated, remark};
}
constexpr ability none(std::string_view remark) noexcept { return {ability::way::none, remark}; }

constexpr ability by_pool = emulated("a call on a thread of the pool");
constexpr ability by_retry = emulated("a call that does not wait, made again when it is ready");
constexpr ability one_by_one = emulated("a new request after each value, by the driver");
constexpr ability asked_again = emulated("each value ends it, and it is asked for again");
constexpr ability no_registration = none("the interface knows no memory in advance");
constexpr ability no_restriction = none("the interface has nothing that could be restricted");

ability of_uring(task what) noexcept {
    switch (what) {
        case task::accept_many:
        case task::receive_many:
            return native("multishot");
        case task::receive:
            return native("provided buffers; large ones by a call that does not wait");
        case task::file_call:
            return emulated(
                "a call on a thread of the pool, as the kernel would use a worker, too");
        case task::cancel_file_transfer:
            return native("what the disk has not begun");
        case task::wait_and_wake:
            return native("a read of an eventfd");
        case task::batch:
            return native("one call for all requests of a turn");
        case task::register_memory:
            return native("registered buffers, Linux 6.14");
        case task::restrict_itself:
            return native("uring_options::hardened");
        default:
            return native();
    }
}

ability of_readiness(task what) noexcept {
    switch (what) {
        case task::accept_many:
        case task::receive_many:
            return asked_again;
        case task::receive:
            return emulated("a buffer is leased when there is data, and a call made");
        case task::readiness:
            return native();
        case task::file_transfer:
        case task::file_call:
            return by_pool;
        case task::cancel_waiting:
            return emulated("what waits has done nothing, and is taken out of its queue");
        case task::cancel_file_transfer:
            return emulated("what no thread has begun is taken out of its queue");
        case task::wait_and_wake:
            return native("an eventfd");
        case task::batch:
            return none("a call for each operation");
        case task::register_memory:
            return no_registration;
        case task::restrict_itself:
            return no_restriction;
        default:
            return by_retry;
    }
}

ability of_select(task what) noexcept {
    if (what == task::readiness) return native("descriptors below 1024");
    return of_readiness(what);
}

ability of_sigio(task what) noexcept {
    if (what == task::readiness)
        return emulated("poll(2) in every wait, as their settings are not ours to change");
    if (what == task::wait_and_wake) return native("signals read by signalfd, and an eventfd");
    return of_readiness(what);
}

ability of_kqueue(task what) noexcept {
    if (what == task::wait_and_wake) return native("EVFILT_USER, or a pipe where there is none");
    if (what == task::batch)
        return none("a call for each operation; what to wait for is handed over with the wait");
    return of_readiness(what);
}

ability of_linux_aio(task what) noexcept {
    switch (what) {
        case task::file_transfer:
            return native("files opened with O_DIRECT; others, and what would wait, in the pool");
        case task::cancel_file_transfer:
            return emulated("what the kernel does not have yet is taken out of its queue");
        case task::batch:
            return native("two transfers of a file for each call");
        default:
            return of_readiness(what);
    }
}

ability of_posix_aio(task what) noexcept {
    switch (what) {
        case task::file_transfer:
            return native("by threads of the C library; vectored and appending ones in the pool");
        case task::cancel_file_transfer:
            return native("what no thread has begun");
        default:
            return of_readiness(what);
    }
}

ability of_blocking(task what) noexcept {
    switch (what) {
        case task::accept_many:
        case task::receive_many:
            return asked_again;
        case task::readiness:
            return emulated("a thread in poll(2)");
        case task::file_transfer:
        case task::file_call:
            return by_pool;
        case task::cancel_waiting:
            return emulated("the thread also waits for a signal to give up");
        case task::cancel_file_transfer:
            return emulated("what no thread has begun is taken out of its queue");
        case task::wait_and_wake:
            return native("an eventfd");
        case task::batch:
            return none("a thread for each operation");
        case task::register_memory:
            return no_registration;
        case task::restrict_itself:
            return no_restriction;
        default:
            return emulated("a thread that waits until the call will not");
    }
}

ability of_iocp(task what) noexcept {
    switch (what) {
        case task::connect:
            return native("ConnectEx");
        case task::accept:
            return native("AcceptEx");
        case task::accept_many:
        case task::receive_many:
            return one_by_one;
        case task::receive:
            return emulated("an empty receive waits, then a buffer is leased");
        case task::messages:
            return none("this driver has streams and files alone");
        case task::readiness:
            return none("handles of Windows have no readiness");
        case task::file_transfer:
            return native("overlapped; Wine does them before it returns");
        case task::file_call:
            return by_pool;
        case task::cancel_waiting:
        case task::cancel_file_transfer:
            return native("CancelIoEx");
        case task::wait_and_wake:
            return native("PostQueuedCompletionStatus");
        case task::batch:
            return native("many completions for each call; a call for each request");
        case task::register_memory:
            return no_registration;
        case task::restrict_itself:
            return no_restriction;
        default:
            return native();
    }
}

ability of_sim(task what) noexcept {
    switch (what) {
        case task::messages:
            return native("a model of datagrams, without descriptors");
        case task::batch:
            return none("nothing is called");
        case task::register_memory:
            return none("nothing would be faster for it");
        case task::restrict_itself:
            return no_restriction;
        case task::wait_and_wake:
            return native("virtual time jumps to the next event");
        default:
            return native("a model");
    }
}

}  // namespace

std::string_view name_of(driver_task what) noexcept {
    switch (what) {
        case task::connect:
            return "connect";
        case task::accept:
            return "accept";
        case task::accept_many:
            return "accept, one request for many";
        case task::read_write:
            return "read and write streams";
        case task::receive:
            return "receive into a leased buffer";
        case task::receive_many:
            return "receive, one request for many";
        case task::messages:
            return "datagrams, messages with descriptors";
        case task::readiness:
            return "readiness of others' descriptors";
        case task::file_transfer:
            return "read and write files at an offset";
        case task::file_call:
            return "open, sync, rename and other calls";
        case task::cancel_waiting:
            return "cancel what waits for a peer";
        case task::cancel_file_transfer:
            return "cancel a transfer of a file";
        case task::wait_and_wake:
            return "be woken by another thread";
        case task::batch:
            return "hand over several requests in one call";
        case task::register_memory:
            return "register memory in advance";
        case task::restrict_itself:
            return "refuse what is not needed";
    }
    return "?";
}

ability ability_of(std::string_view driver, driver_task what) noexcept {
    if (driver == "uring") return of_uring(what);
    if (driver == "blocking") return of_blocking(what);
    if (driver == "iocp") return of_iocp(what);
    if (driver == "sim") return of_sim(what);
    if (driver == "kqueue") return of_kqueue(what);
    const std::string_view base = driver.substr(0, driver.find('+'));
    const bool is_readiness =
        base == "epoll" || base == "poll" || base == "select" || base == "sigio";
    if (!is_readiness) return none("there is no such driver");
    if (driver.contains("+linux_aio")) return of_linux_aio(what);
    if (driver.contains("+posix_aio")) return of_posix_aio(what);
    if (base == "select") return of_select(what);
    if (base == "sigio") return of_sigio(what);
    return of_readiness(what);
}

}  // namespace upcall
