// Reference echo server on epoll, without a library: edge-triggered, one buffer for all
// connections, each read followed by its write. Only a write that is cut short costs memory.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>

#include "../support/net.h"

struct connection {
    int fd;
    char* rest;  // what a short write left, or null
    size_t rest_bytes, rest_sent;
};

static int poller;
static char* buffer;
static size_t buffer_bytes;

static void add(int fd, void* owner, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) net_die("epoll_ctl");
}

static void accept_all(int listener) {
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct connection* c = calloc(1, sizeof *c);
        if (!c) net_die("calloc");
        c->fd = fd;
        // Both directions once and for all: with EPOLLET writability is only reported after a
        // write that was cut short.
        add(fd, c, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
}

static void end(struct connection* c) {
    close(c->fd);
    free(c->rest);
    free(c);
}

// 1: all sent; 0: the rest waits for the socket; -1: the connection is over.
static int send_rest(struct connection* c) {
    while (c->rest_sent < c->rest_bytes) {
        const ssize_t n =
            send(c->fd, c->rest + c->rest_sent, c->rest_bytes - c->rest_sent, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        c->rest_sent += (size_t)n;
    }
    free(c->rest);
    c->rest = NULL;
    return 1;
}

static int send_back(struct connection* c, size_t bytes) {
    const ssize_t n = send(c->fd, buffer, bytes, MSG_NOSIGNAL);
    if (n == (ssize_t)bytes) return 1;
    if (n < 0 && errno != EAGAIN) return -1;
    const size_t sent = n < 0 ? 0 : (size_t)n;
    c->rest_bytes = bytes - sent;
    c->rest_sent = 0;
    c->rest = malloc(c->rest_bytes);
    if (!c->rest) net_die("malloc");
    memcpy(c->rest, buffer + sent, c->rest_bytes);
    return send_rest(c);  // the edge may have passed between the two calls
}

static void serve(struct connection* c, uint32_t events) {
    int state = c->rest ? send_rest(c) : 1;
    while (state == 1) {
        const ssize_t n = recv(c->fd, buffer, buffer_bytes, 0);
        if (n < 0 && errno == EAGAIN) return;
        state = n <= 0 ? -1 : send_back(c, (size_t)n);
        // A short read emptied a stream socket (epoll(7)), unless its end follows.
        if (state == 1 && (size_t)n < buffer_bytes &&
            !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
            return;
    }
    if (state < 0) end(c);
}

int main(int argc, char** argv) {
    const int listener = listen_on(option_number(argc, argv, "--port", 7000));
    buffer_bytes = (size_t)option_number(argc, argv, "--buffer", 65536);
    buffer = malloc(buffer_bytes);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!buffer || poller < 0) net_die("start");
    add(listener, NULL, EPOLLIN);
    static struct epoll_event events[512];
    for (;;) {
        const int n = epoll_wait(poller, events, 512, -1);
        for (int i = 0; i < n; ++i) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr, events[i].events);
            else
                accept_all(listener);
        }
    }
}
