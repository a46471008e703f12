#include <upcall/durable/sync_cost.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <mutex>
#include <vector>

#include <upcall/io/file.hpp>
#include <upcall/task/shield.hpp>
#include <upcall/task/this_task.hpp>

namespace upcall {
namespace {

constexpr std::size_t write_bytes = 4096;
constexpr std::size_t rounds = 5;
constexpr duration patience = std::chrono::milliseconds(100);
constexpr duration clean_up_grace = std::chrono::seconds(5);

class remembered_costs {
  public:
    bool find(std::uint64_t device, sync_cost& cost) {
        const std::lock_guard held(mutex_);
        const auto found = known_.find(device);
        if (found == known_.end()) return false;
        cost = found->second;
        return true;
    }
    void keep(std::uint64_t device, const sync_cost& cost) {
        const std::lock_guard held(mutex_);
        known_.insert_or_assign(device, cost);
    }

  private:
    std::mutex mutex_;
    std::map<std::uint64_t, sync_cost> known_;
};

remembered_costs& remembered() {
    static remembered_costs all;
    return all;
}

duration median_of(std::vector<duration>& times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::ranges::nth_element(times, middle);
    return *middle;
}

/// Times appends to two handles of one file, in turn. Nothing measured: something failed.
task<sync_cost> time_appends(file& plain, file& through) {
    loop& home = co_await this_task::home();
    const std::vector<std::byte> block(write_bytes);
    std::vector<duration> after_times;
    std::vector<duration> through_times;
    std::uint64_t at = 0;
    const time_point start = home.read_clock();
    for (std::size_t round = 0; round < rounds; ++round) {
        const time_point first = home.read_clock();
        const auto wrote = co_await plain.write_all_at(block, at);
        const auto synced = co_await plain.sync_data();
        const time_point second = home.read_clock();
        const auto wrote_through = co_await through.write_all_at(block, at + write_bytes);
        const time_point third = home.read_clock();
        if (!wrote || !synced || !wrote_through) co_return sync_cost{};
        at += 2 * write_bytes;
        after_times.push_back(second - first);
        through_times.push_back(third - second);
        if (third - start > patience) break;
    }
    sync_cost cost{.measured = true,
                   .sync_after = median_of(after_times),
                   .write_through = median_of(through_times)};
    if (cost.write_through < cost.sync_after) cost.cheaper = sync_way::write_through;
    co_return cost;
}

task<> remove(const file& folder, const std::string& name) {
    static_cast<void>(co_await remove_file(name, &folder));
}

task<sync_cost> measure(const file& folder) {
    loop& home = co_await this_task::home();
    std::array<char, 40> name{};
    std::snprintf(name.data(), name.size(), ".upcall-sync-%016llx",
                  static_cast<unsigned long long>(home.via().random()));
    const std::string path(name.data());
    task<> removal = remove(folder, path);  // while there is memory for it
    auto plain =
        co_await file::open(path, open_write | open_create | open_exclusive, 0600, &folder);
    if (!plain) co_return sync_cost{};
    sync_cost cost;
    auto through = co_await file::open(path, open_write | open_durable, 0600, &folder);
    try {
        if (through) cost = co_await time_appends(*plain, *through);
    } catch (const std::bad_alloc&) {
        cost = {};  // the file is removed all the same
    }
    co_await shield(clean_up_grace, std::move(removal));
    co_return cost;
}

}  // namespace

task<sync_cost> sync_cost_of(std::string folder) {
    auto opened = co_await file::open(std::move(folder), open_read | open_directory);
    if (!opened) co_return sync_cost{};
    const auto about = co_await opened->status();
    if (!about) co_return sync_cost{};
    loop& home = co_await this_task::home();
    const bool lasts = home.via().name() != "sim";
    sync_cost cost;
    if (lasts && remembered().find(about->device, cost)) co_return cost;
    cost = co_await measure(*opened);
    if (lasts && cost.measured) remembered().keep(about->device, cost);
    co_return cost;
}

}  // namespace upcall
