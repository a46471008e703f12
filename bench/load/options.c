#define _GNU_SOURCE
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/net.h"

static const char help[] =
    "echo_load: load for an echo server on 127.0.0.1, one thread, one line of JSON\n"
    "\n"
    "  --mode closed   each connection sends the next message when the last came back (default)\n"
    "  --mode open     messages are due at a fixed rate, whatever the server does; latency counts\n"
    "                  from when a message was due\n"
    "  --mode idle     sends one message on each connection, prints a line, and holds the\n"
    "                  connections until its standard input ends\n"
    "  --port N        the server's port (7000)\n"
    "  --connections N (64)          --message BYTES (128)\n"
    "  --warmup SECONDS (1)          --seconds SECONDS (3)\n"
    "  --rate N        open: messages per second (10000)\n"
    "  --arrivals poisson|fixed      open: gaps between messages (poisson)\n"
    "  --server-pid N  also report the CPU that this process used\n"
    "  --server-core N also report what this core did\n"
    "\n"
    "What comes back is compared with what was sent: every byte of messages of up to 4 KiB;\n"
    "of longer ones every 16th message of each connection, while the length is always checked.\n";

static double option_real(int argc, char** argv, const char* name, double otherwise) {
    const char* text = option_text(argc, argv, name, NULL);
    if (!text) return otherwise;
    char* end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || value < 0) {
        fprintf(stderr, "%s: not a number: %s\n", name, text);
        exit(2);
    }
    return value;
}

static void refuse(const char* why) {
    fprintf(stderr, "echo_load: %s; see --help\n", why);
    exit(2);
}

static enum load_mode mode_named(const char* name) {
    if (strcmp(name, "closed") == 0) return mode_closed;
    if (strcmp(name, "open") == 0) return mode_open;
    if (strcmp(name, "idle") != 0) refuse("--mode is closed, open or idle");
    return mode_idle;
}

struct options options_parse(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        exit(0);
    }
    const char* arrivals = option_text(argc, argv, "--arrivals", "poisson");
    const struct options o = {
        .mode = mode_named(option_text(argc, argv, "--mode", "closed")),
        .port = option_number(argc, argv, "--port", 7000),
        .connections = (unsigned)option_number(argc, argv, "--connections", 64),
        .message_bytes = (size_t)option_number(argc, argv, "--message", 128),
        .warmup_seconds = option_real(argc, argv, "--warmup", 1),
        .measure_seconds = option_real(argc, argv, "--seconds", 3),
        .rate = option_real(argc, argv, "--rate", 10000),
        .poisson = strcmp(arrivals, "poisson") == 0,
        .server_pid = (pid_t)option_number(argc, argv, "--server-pid", 0),
        .server_core = option_text(argc, argv, "--server-core", NULL)
                           ? option_number(argc, argv, "--server-core", 0)
                           : -1,
    };
    if (!o.poisson && strcmp(arrivals, "fixed") != 0) refuse("--arrivals is poisson or fixed");
    if (o.connections == 0 || o.connections > 28000) refuse("--connections is 1 to 28000");
    if (o.message_bytes == 0 || o.message_bytes > 1 << 20) refuse("--message is 1 to 1048576");
    if (o.mode == mode_open && o.rate <= 0) refuse("--rate must be positive");
    return o;
}
