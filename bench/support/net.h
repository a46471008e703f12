// What every peer does the same way: the listening socket, the descriptor limit, the flags.
#ifndef UPCALL_BENCH_NET_H
#define UPCALL_BENCH_NET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void net_die(const char* what) {
    perror(what);
    exit(1);
}

// The value after `name`, or `otherwise`.
static inline const char* option_text(int argc, char** argv, const char* name,
                                      const char* otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return otherwise;
}

static inline long option_number(int argc, char** argv, const char* name, long otherwise) {
    const char* text = option_text(argc, argv, name, NULL);
    if (!text) return otherwise;
    char* end = NULL;
    const long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 0) {
        fprintf(stderr, "%s: not a number: %s\n", name, text);
        exit(2);
    }
    return value;
}

static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) net_die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) net_die("setrlimit");
}

static inline struct sockaddr_in loopback(long port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// A non-blocking listener on 127.0.0.1. Accepted sockets inherit TCP_NODELAY from it on Linux
// (inet_csk_clone_lock copies the socket), so every peer has it without a call per connection.
static inline int listen_on(long port) {
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) net_die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) net_die("SO_REUSEADDR");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) net_die("TCP_NODELAY");
    const struct sockaddr_in address = loopback(port);
    if (bind(fd, (const struct sockaddr*)&address, sizeof address) != 0) net_die("bind");
    if (listen(fd, 4096) != 0) net_die("listen");
    return fd;
}

#ifdef __cplusplus
}
#endif
#endif
