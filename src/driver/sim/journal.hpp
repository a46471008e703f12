// Changes of directories that the disk does not hold yet. Each is whole or not at all; those of one
// directory reach the disk in their order.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include <upcall/base/clock.hpp>
#include <upcall/driver/choices.hpp>

namespace upcall::sim {

struct file_node;
using file_reference = std::shared_ptr<file_node>;

class journal {
  public:
    struct change {
        time_point at;
        file_reference directory;
        std::string name;
        file_reference node;  // what the name stands for now; null: nothing
        file_reference from;  // a rename: where it was, and by which name
        std::string from_name;
    };

    void add(change made);
    /// The disk gets the changes of `directory`, and of others as far as those rest on them.
    void sync(const file_node& directory);
    void sync_all();
    /// The disk gets the first few; the rest never happened.
    void lose_power(choices& choice);

  private:
    static void put_on_disk(const change& made);
    void put_first();

    std::deque<change> waiting_;
};

}  // namespace upcall::sim
