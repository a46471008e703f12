#define _GNU_SOURCE
#include "connections.h"

#include <stdlib.h>
#include <sys/time.h>

#include "../support/net.h"

static int connect_one(long port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) net_die("socket");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Closing resets, so that thousands of ports do not linger in TIME_WAIT into the next run.
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    const struct timeval patience = {.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const struct sockaddr_in address = loopback(port);
    if (connect(fd, (const struct sockaddr*)&address, sizeof address) != 0) net_die("connect");
    return fd;
}

// One byte there and back. Listeners accept in order, so the server has then accepted every
// connection before this one: its backlog never overflows, and nobody has to wait by the clock.
static void await_accepted(int fd) {
    char byte = 'u';
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1) net_die("first byte");
    byte = 0;
    if (recv(fd, &byte, 1, 0) != 1 || byte != 'u') net_die("first byte back");
}

int* connections_open(long port, unsigned count) {
    int* fds = calloc(count, sizeof *fds);
    if (!fds) net_die("calloc");
    for (unsigned i = 0; i < count; ++i) {
        fds[i] = connect_one(port);
        if (i % 256 == 255 || i + 1 == count) await_accepted(fds[i]);
    }
    return fds;
}
