// Echo server on libevent, with its plain events rather than its buffered ones, which copy every
// byte once more: one buffer for all connections, each read followed by its write, and only what
// the socket does not take is copied and waits for it.
#define _GNU_SOURCE
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "../support/net.h"

struct connection {
    struct event readable, writable;
    char* rest;  // what a short write left, or null
    size_t rest_bytes, rest_sent;
};

static struct event_base* base;
static char* buffer;
static size_t buffer_bytes;

static void end(struct connection* c) {
    event_del(&c->readable);
    event_del(&c->writable);
    close(event_get_fd(&c->readable));
    free(c->rest);
    free(c);
}

static void keep_rest(struct connection* c, const char* bytes, size_t count) {
    c->rest = malloc(count);
    if (!c->rest) net_die("malloc");
    memcpy(c->rest, bytes, count);
    c->rest_bytes = count;
    c->rest_sent = 0;
    event_del(&c->readable);
    event_add(&c->writable, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void* owner) {
    (void)what;
    struct connection* c = owner;
    const ssize_t got = recv(fd, buffer, buffer_bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        end(c);
        return;
    }
    const ssize_t sent = send(fd, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent == got) return;
    if (sent < 0 && errno != EAGAIN)
        end(c);
    else
        keep_rest(c, buffer + (sent > 0 ? sent : 0), (size_t)(got - (sent > 0 ? sent : 0)));
}

static void on_writable(evutil_socket_t fd, short what, void* owner) {
    (void)what;
    struct connection* c = owner;
    const ssize_t sent =
        send(fd, c->rest + c->rest_sent, c->rest_bytes - c->rest_sent, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) end(c);
        return;
    }
    c->rest_sent += (size_t)sent;
    if (c->rest_sent < c->rest_bytes) return;
    free(c->rest);
    c->rest = NULL;
    event_del(&c->writable);
    event_add(&c->readable, NULL);
}

static void on_connection(evutil_socket_t listener, short what, void* owner) {
    (void)what;
    (void)owner;
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct connection* c = calloc(1, sizeof *c);
        if (!c) net_die("calloc");
        event_assign(&c->readable, base, fd, EV_READ | EV_PERSIST, on_readable, c);
        event_assign(&c->writable, base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
        event_add(&c->readable, NULL);
    }
}

int main(int argc, char** argv) {
    const int listener = listen_on(option_number(argc, argv, "--port", 7000));
    buffer_bytes = (size_t)option_number(argc, argv, "--buffer", 65536);
    buffer = malloc(buffer_bytes);
    // One thread only: libevent then takes no lock.
    struct event_config* config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    if (!buffer || !base) net_die("start");
    event_config_free(config);
    struct event* accepting = event_new(base, listener, EV_READ | EV_PERSIST, on_connection, NULL);
    if (!accepting || event_add(accepting, NULL) != 0) net_die("listening");
    return event_base_dispatch(base);
}
