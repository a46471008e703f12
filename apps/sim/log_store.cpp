#include "sim/log_store.hpp"

#include <stdexcept>

#include "sim/planted.hpp"
#include "sim/probes.hpp"

namespace upcall_sim {

using namespace upcall;

namespace {

constexpr std::uint32_t records_max = 40;  // then a snapshot replaces them

struct snapshot {
    last_numbers last{};
    std::uint64_t check = 0;
};

std::uint64_t check_of(const snapshot& of) noexcept {
    std::uint64_t sum = 1;
    for (const answer& one : of.last) sum = mixed(sum ^ one.number) ^ one.payload;
    return sum;
}

task<file> opened(const char* path, std::uint32_t how) {
    auto found = co_await file::open(path, how);
    if (!found) throw std::system_error(found.error(), path);
    co_return std::move(*found);
}

}  // namespace

std::uint64_t log_store::check_of(const record& of) noexcept {
    return mixed(((std::uint64_t{of.client} << 32) | of.number) ^ mixed(of.payload + 1));
}

// What the cache holds need not be on the disk, if a sync failed in a former life: it is written
// anew before anything rests on it.
task<> log_store::open() {
    co_await read_snapshot();
    log_ = co_await opened("/log", open_read | open_write | open_create);
    co_await read_log();
    if (!has(bug::trusts_the_cache) && !has(bug::appends_at_the_size)) co_await take_snapshot();
}

task<> log_store::read_snapshot() {
    auto found = co_await file::open("/state", open_read);
    if (!found) co_return;
    snapshot read;
    const auto got = co_await found->read_at(bytes_in(read), 0);
    const bool whole = got && *got == sizeof read;
    if (!whole || read.check != upcall_sim::check_of(read))
        throw std::runtime_error("the snapshot is damaged");
    last_ = read.last;
}

task<> log_store::read_log() {
    record one;
    bool some = false;
    for (;;) {
        const auto got = co_await log_.read_at(bytes_in(one), end_);
        if (!got || *got == 0) break;
        const bool whole = *got == sizeof one;
        if (!whole || (one.check != check_of(one) && !has(bug::trusts_every_record))) {
            reached(probe::torn_log_recovered);
            if (has(bug::appends_at_the_size)) end_ = (co_await log_.status()).value().size;
            break;
        }
        if (has(bug::drops_the_last_record)) {
            record next;
            const auto more = co_await log_.read_at(bytes_in(next), end_ + sizeof one);
            if (!more || *more == 0) break;
        }
        apply(one);
        end_ += sizeof one;
        ++records_;
        some = true;
    }
    if (some) reached(probe::snapshot_taken_over);
}

void log_store::apply(const record& one) {
    if (one.client >= clients_max) return;
    answer& last = last_[one.client];
    if (one.number == last.number + 1) last = {one.number, one.payload};
}

// Whether it succeeded. Thrown: that the program is being ended, and trying again is no use.
task<bool> log_store::try_to_sync(file& of) {
    const auto done = co_await of.sync();
    if (done) co_return true;
    if (is_cancellation(done.error()) || done.error() == std::errc::operation_canceled)
        throw std::system_error(done.error());
    reached(probe::sync_failed);
    on_failed_sync_();
    co_return false;
}

// Until it succeeds: of a directory nothing is lost by a sync that fails.
task<> log_store::sync_directory() {
    if (has(bug::forgets_new_name) || has(bug::never_syncs)) co_return;
    file directory = co_await opened("/", open_read | open_directory);
    for (bool done = false; !done;) done = co_await try_to_sync(directory);
}

task<bool> log_store::sync_log() {
    if (has(bug::never_syncs)) co_return true;
    bool done = co_await try_to_sync(log_);
    if (has(bug::trusts_repeated_sync) && !done) done = co_await try_to_sync(log_);
    co_return done;
}

task<> log_store::append(ask what) {
    record made;
    made.client = what.client;
    made.number = what.number;
    made.payload = payload_of(what.client, what.number);
    made.check = check_of(made);
    const std::uint64_t place = end_;
    if (has(bug::writes_log_once)) {
        const auto wrote = co_await log_.write_at(bytes_in(made), place);
        if (!wrote) throw std::system_error(wrote.error(), "log");
    } else {
        const transfer wrote = co_await log_.write_all_at(bytes_in(made), place);
        if (!wrote) throw std::system_error(wrote.cause, "log");
    }
    if (has(bug::acks_from_memory)) apply(made);
    if (!has(bug::acks_before_sync)) {
        const bool synced = co_await sync_log();
        end_ = place + sizeof made;
        apply(made);
        // The log's pages cannot be trusted any more; what we know goes elsewhere.
        if (!synced) co_return co_await take_snapshot();
    } else {
        end_ = place + sizeof made;
        apply(made);
    }
    if (++records_ >= records_max) co_await take_snapshot();
}

task<> log_store::take_snapshot() {
    if (has(bug::cuts_log_first)) co_await empty_log();
    co_await write_snapshot();
    co_await sync_directory();
    co_await empty_log();
}

// Anew until it was synced at the first try: what a failed sync left behind is not tried again.
task<> log_store::write_snapshot() {
    snapshot made{.last = last_};
    made.check = upcall_sim::check_of(made);
    for (bool synced = false; !synced;) {
        file to = co_await opened("/state.new", open_write | open_create | open_truncate);
        const transfer wrote = co_await to.write_all_at(bytes_in(made), 0);
        if (!wrote) throw std::system_error(wrote.cause, "snapshot");
        if (has(bug::never_syncs) || has(bug::renames_before_sync)) break;
        synced = co_await try_to_sync(to);
    }
    const auto renamed = co_await upcall::rename("/state.new", "/state");
    if (!renamed) throw std::system_error(renamed.error(), "snapshot");
}

task<> log_store::empty_log() {
    const auto cut = co_await log_.truncate(0);
    if (!cut) throw std::system_error(cut.error(), "log");
    for (bool synced = false; !synced;) synced = co_await sync_log();
    end_ = 0;
    records_ = 0;
}

}  // namespace upcall_sim
