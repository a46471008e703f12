#include <upcall/os/signal_watch.hpp>

namespace upcall {

signal_watch::~signal_watch() = default;

result<descriptor> signal_watch::open() noexcept { return failure(errc::unsupported); }

result<void> signal_watch::add(int) noexcept { return failure(errc::unsupported); }

bool signal_watch::take(signal_event&, bool) noexcept { return false; }

}  // namespace upcall
