#include "journal.hpp"

#include <set>
#include <utility>
#include <vector>

#include "file_system.hpp"

namespace upcall::sim {
namespace {

// A kernel writes by itself what nobody asked it to, after a while.
constexpr duration longest_wait = std::chrono::seconds(30);
constexpr std::size_t most_waiting = 10'000;

}  // namespace

void journal::put_on_disk(const change& made) {
    if (made.from) made.from->entries_on_disk.erase(made.from_name);
    if (made.node)
        made.directory->entries_on_disk[made.name] = made.node;
    else
        made.directory->entries_on_disk.erase(made.name);
}

void journal::put_first() {
    put_on_disk(waiting_.front());
    waiting_.pop_front();
}

void journal::add(change made) {
    while (!waiting_.empty() &&
           (made.at - waiting_.front().at > longest_wait || waiting_.size() >= most_waiting))
        put_first();
    waiting_.push_back(std::move(made));
}

// Backwards: what a change rests on was made before it.
void journal::sync(const file_node& directory) {
    std::set<const file_node*> concerned{&directory};
    std::vector<bool> chosen(waiting_.size());
    for (std::size_t at = waiting_.size(); at-- > 0;) {
        const change& one = waiting_[at];
        chosen[at] = concerned.contains(one.directory.get()) || concerned.contains(one.from.get());
        if (!chosen[at]) continue;
        concerned.insert(one.directory.get());
        if (one.from) concerned.insert(one.from.get());
    }
    std::deque<change> left;
    for (std::size_t at = 0; at < waiting_.size(); ++at) {
        if (chosen[at])
            put_on_disk(waiting_[at]);
        else
            left.push_back(std::move(waiting_[at]));
    }
    waiting_ = std::move(left);
}

void journal::sync_all() {
    while (!waiting_.empty()) put_first();
}

// Drawn backwards, so that 0 is the plainest: nothing is lost.
void journal::lose_power(choices& choice) {
    const auto lost = static_cast<std::size_t>(choice.below(waiting_.size() + 1));
    while (waiting_.size() > lost) put_first();
    waiting_.clear();
}

}  // namespace upcall::sim
