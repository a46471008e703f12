// The mailbox: what is posted runs once, in the order of each thread that posts, and wakes a loop
// that sleeps; after `close` nobody touches the loop.
#include <upcall/loop/mailbox.hpp>
#include <upcall/op/ready_queue.hpp>

#include "model/programs.hpp"

namespace {

using upcall::mailbox;
using upcall::ready_node;
using upcall::ready_queue;

struct numbered : ready_node {
    int number = 0;
};

/// Thread 0 is the loop.
struct posting : model::program {
    model::signal wake;
    bool gone = false;  // plain: a wake after close would race with it
    mailbox box{[](void* argument) noexcept {
                    auto& self = *static_cast<posting*>(argument);
                    model::check(!self.gone, "nobody wakes a loop that is gone");
                    self.wake.raise();
                },
                this};
    ready_queue ready;
    numbered nodes[4];
    int order[4] = {};
    int got = 0;

    posting() {
        for (int i = 0; i < 4; ++i) nodes[i].number = i + 1;
    }
    void look() {
        box.collect(ready);
        while (ready_node* node = ready.pop()) order[got++] = static_cast<numbered*>(node)->number;
    }
    void look_until(int count) {
        for (look(); got < count; look())
            if (box.ask_to_be_woken()) wake.wait();
    }
};

struct one_posts : posting {
    void thread(unsigned which) override {
        if (which == 0)
            look_until(1);
        else
            model::check(box.post(nodes[0]), "an open box takes what is posted");
    }
};
MODEL_PROGRAM(posting, one_posts, 2)

struct one_posts_twice : posting {
    void thread(unsigned which) override {
        if (which == 0) {
            look_until(2);
            model::check(order[0] == 1 && order[1] == 2, "posts of one thread keep their order");
        } else {
            box.post(nodes[0]);
            box.post(nodes[1]);
        }
    }
};
MODEL_PROGRAM(posting, one_posts_twice, 2)

struct two_post : posting {
    void thread(unsigned which) override {
        if (which == 0) {
            look_until(2);
            model::check(order[0] + order[1] == 3, "both run, once");
        } else {
            box.post(nodes[which - 1]);
        }
    }
};
MODEL_PROGRAM(posting, two_post, 3)

struct a_node_that_posts_itself_again : posting {
    void thread(unsigned which) override {
        if (which == 0) {
            look_until(1);
            box.post(nodes[0]);
            look_until(2);
        } else {
            box.post(nodes[1]);
        }
    }
};
MODEL_PROGRAM(posting, a_node_that_posts_itself_again, 2)

struct closing_while_one_posts : posting {
    bool taken[2] = {};
    void thread(unsigned which) override {
        if (which != 0) {
            taken[which - 1] = box.post(nodes[which - 1]);
            return;
        }
        look();
        box.ask_to_be_woken();
        box.close();
        gone = true;
        look();
        model::check(box.empty(), "a closed box that was looked into is empty");
    }
    ~closing_while_one_posts() override {
        model::check(got == taken[0] + taken[1], "what was taken runs, what was refused does not");
    }
};
MODEL_PROGRAM(posting, closing_while_one_posts, 2)

struct closing_while_two_post : closing_while_one_posts {};
MODEL_PROGRAM(posting, closing_while_two_post, 3)

struct closing_at_once_while_two_post : closing_while_one_posts {
    void thread(unsigned which) override {
        if (which != 0) return closing_while_one_posts::thread(which);
        box.close();
        gone = true;
        look();
    }
};
MODEL_PROGRAM(posting, closing_at_once_while_two_post, 3)

}  // namespace
