// Inside GLib, and so inside GTK: an upcall loop as a GSource, whose `prepare` says how long GLib
// may wait.
#include <glib-unix.h>
#include <glib.h>

#include <exception>

#include "guest.hpp"

namespace {

/// GLib allocates it, with zeros; `inner` is set afterwards.
struct upcall_source {
    GSource base;
    guest* inner;
    void* watched;
};

upcall_source& of(GSource* source) { return *reinterpret_cast<upcall_source*>(source); }

gboolean prepare(GSource* source, gint* longest) {
    *longest = of(source).inner->milliseconds();
    return *longest == 0;
}

gboolean check(GSource* source) {
    return g_source_query_unix_fd(source, of(source).watched) != 0 ||
           of(source).inner->milliseconds() == 0;
}

gboolean dispatch(GSource* source, GSourceFunc, gpointer) {
    of(source).inner->turn();
    return G_SOURCE_CONTINUE;
}

GSource* attach(guest& inner) {
    static GSourceFuncs functions{};
    functions.prepare = prepare;
    functions.check = check;
    functions.dispatch = dispatch;
    GSource* made = g_source_new(&functions, sizeof(upcall_source));
    of(made).inner = &inner;
    of(made).watched = g_source_add_unix_fd(made, inner.descriptor(), G_IO_IN);
    g_source_attach(made, nullptr);
    return made;
}

struct host {
    guest inner;
    GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
    int ticks = 0;
};

/// Stands for what the host does besides.
gboolean tick(gpointer data) {
    host& outer = *static_cast<host*>(data);
    if (++outer.ticks < ticks_min || outer.inner.busy()) return G_SOURCE_CONTINUE;
    g_main_loop_quit(outer.loop);
    return G_SOURCE_REMOVE;
}

}  // namespace

int main() {
    try {
        host outer;
        GSource* source = attach(outer.inner);
        g_timeout_add(3, tick, &outer);
        g_main_loop_run(outer.loop);
        g_source_destroy(source);
        g_source_unref(source);
        g_main_loop_unref(outer.loop);
        return tell(outer.inner, outer.ticks);
    } catch (const std::exception& refused) {
        std::fprintf(stderr, "%s\n", refused.what());
        return 2;
    }
}
