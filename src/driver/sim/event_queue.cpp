#include "event_queue.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace upcall::sim {
namespace {

bool later(const event& left, const event& right) noexcept {
    return std::tie(left.at, left.tie, left.sequence) >
           std::tie(right.at, right.tie, right.sequence);
}

}  // namespace

void event_queue::push(event planned) {
    planned.sequence = sequence_++;
    heap_.push_back(std::move(planned));
    std::push_heap(heap_.begin(), heap_.end(), later);
}

event event_queue::pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    event first = std::move(heap_.back());
    heap_.pop_back();
    return first;
}

}  // namespace upcall::sim
