// Echo server on libuv: one buffer for all connections, each read answered at once by
// uv_try_write; only what the socket does not take is copied and queued, and the next read waits
// until that is out.
#define _GNU_SOURCE
#include <stdlib.h>
#include <uv.h>

#include "../support/net.h"

static char* buffer;
static size_t buffer_bytes;

struct queued_write {
    uv_write_t request;
    char bytes[];
};

static void must(int status, const char* what) {
    if (status >= 0) return;
    fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
    exit(1);
}

static void on_closed(uv_handle_t* handle) { free(handle); }

static void end(uv_stream_t* peer) {
    if (!uv_is_closing((uv_handle_t*)peer)) uv_close((uv_handle_t*)peer, on_closed);
}

static void lend_buffer(uv_handle_t* handle, size_t suggested, uv_buf_t* out) {
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(buffer, (unsigned)buffer_bytes);
}

static void on_read(uv_stream_t* peer, ssize_t bytes, const uv_buf_t* from);

static void on_written(uv_write_t* request, int status) {
    uv_stream_t* peer = request->handle;
    free(request);
    if (status < 0)
        end(peer);
    else
        uv_read_start(peer, lend_buffer, on_read);
}

static void queue_rest(uv_stream_t* peer, const char* bytes, size_t count) {
    struct queued_write* write = malloc(sizeof *write + count);
    if (!write) net_die("malloc");
    memcpy(write->bytes, bytes, count);
    const uv_buf_t out = uv_buf_init(write->bytes, (unsigned)count);
    uv_read_stop(peer);
    must(uv_write(&write->request, peer, &out, 1, on_written), "uv_write");
}

static void on_read(uv_stream_t* peer, ssize_t bytes, const uv_buf_t* from) {
    if (bytes == 0) return;
    if (bytes < 0) {
        end(peer);
        return;
    }
    const uv_buf_t out = uv_buf_init(from->base, (unsigned)bytes);
    const int sent = uv_try_write(peer, &out, 1);
    if (sent < 0 && sent != UV_EAGAIN)
        end(peer);
    else if (sent < bytes)
        queue_rest(peer, from->base + (sent > 0 ? sent : 0),
                   (size_t)(bytes - (sent > 0 ? sent : 0)));
}

static void on_connection(uv_stream_t* listener, int status) {
    if (status < 0) return;
    uv_tcp_t* peer = malloc(sizeof *peer);
    if (!peer) net_die("malloc");
    must(uv_tcp_init(listener->loop, peer), "uv_tcp_init");
    if (uv_accept(listener, (uv_stream_t*)peer) < 0)
        end((uv_stream_t*)peer);
    else
        must(uv_read_start((uv_stream_t*)peer, lend_buffer, on_read), "uv_read_start");
}

int main(int argc, char** argv) {
    const int fd = listen_on(option_number(argc, argv, "--port", 7000));
    buffer_bytes = (size_t)option_number(argc, argv, "--buffer", 65536);
    buffer = malloc(buffer_bytes);
    if (!buffer) net_die("malloc");
    uv_loop_t* loop = uv_default_loop();
    uv_tcp_t listener;
    must(uv_tcp_init(loop, &listener), "uv_tcp_init");
    must(uv_tcp_open(&listener, fd), "uv_tcp_open");
    must(uv_listen((uv_stream_t*)&listener, 4096, on_connection), "uv_listen");
    return uv_run(loop, UV_RUN_DEFAULT);
}
