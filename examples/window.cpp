// A window that draws sixty times a second while a large file is hashed and a thousand connections
// are served behind it, all on one thread: an upcall loop inside GLib. Prints how evenly it drew.
//
//     window FILE [SECONDS] [--blocking]
//
// With --blocking the same work is done by calls that wait, a piece of the file and a message on
// each connection at a time, as a program without an event loop would do it.
#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <upcall/upcall.hpp>
#include <utility>
#include <vector>

// Last: it defines words like None and Status.
#include <X11/Xlib.h>

using namespace upcall;

namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t connections = 1000;
constexpr std::size_t message_bytes = 64;
constexpr std::size_t piece_bytes = std::size_t{256} << 10;
constexpr std::size_t blocking_piece_bytes = std::size_t{64} << 20;
constexpr auto frame_time = std::chrono::microseconds(16'667);
constexpr int width = 640;
constexpr int height = 320;

/// What the work has come to; drawn in every frame.
struct progress {
    std::uint64_t hash = 14695981039346656037U;
    std::uint64_t hashed_bytes = 0;
    std::uint64_t echoes = 0;

    /// FNV-1a, eight bytes at a time.
    void add(byte_view bytes) {
        for (; bytes.size() >= sizeof(std::uint64_t);
             bytes = bytes.subspan(sizeof(std::uint64_t))) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), sizeof word);
            hash = (hash ^ word) * 1099511628211U;
            hashed_bytes += sizeof word;
        }
    }
};

// ---- the window ---------------------------------------------------------------------------------

class window {
  public:
    window() : display_(XOpenDisplay(nullptr)) {
        if (!display_) throw std::runtime_error("no display: is DISPLAY set?");
        const int screen = DefaultScreen(display_);
        black_ = BlackPixel(display_, screen);
        white_ = WhitePixel(display_, screen);
        self_ = XCreateSimpleWindow(display_, RootWindow(display_, screen), 0, 0, width, height, 0,
                                    black_, white_);
        XStoreName(display_, self_, "upcall inside GLib");
        XMapWindow(display_, self_);
        back_ = XCreatePixmap(display_, self_, width, height,
                              static_cast<unsigned>(DefaultDepth(display_, screen)));
        pen_ = XCreateGC(display_, self_, 0, nullptr);
    }
    window(const window&) = delete;
    window& operator=(const window&) = delete;
    ~window() { XCloseDisplay(display_); }

    /// With the last gaps between frames as bars, two pixels a millisecond, and a line at 25 ms.
    void draw(const progress& done, std::size_t frames, std::span<const double> gaps_ms) {
        XSetForeground(display_, pen_, white_);
        XFillRectangle(display_, back_, pen_, 0, 0, width, height);
        XSetForeground(display_, pen_, black_);
        const int at = static_cast<int>(frames * 4 % width);
        XFillRectangle(display_, back_, pen_, at, 20, 40, 60);
        char line[96];
        std::snprintf(line, sizeof line, "frame %zu", frames);
        write(120, line);
        std::snprintf(line, sizeof line, "hashed %llu MiB: %016llx",
                      static_cast<unsigned long long>(done.hashed_bytes >> 20),
                      static_cast<unsigned long long>(done.hash));
        write(150, line);
        std::snprintf(line, sizeof line, "%llu messages came back on %zu connections",
                      static_cast<unsigned long long>(done.echoes), connections);
        write(180, line);
        const std::span<const double> last =
            gaps_ms.last(std::min<std::size_t>(gaps_ms.size(), width / 3));
        for (std::size_t index = 0; index < last.size(); ++index) {
            const int bar = std::min(static_cast<int>(last[index] * 2), 120);
            XFillRectangle(display_, back_, pen_, static_cast<int>(index) * 3, height - bar, 2,
                           static_cast<unsigned>(bar));
        }
        XDrawLine(display_, back_, pen_, 0, height - 50, width, height - 50);
        XCopyArea(display_, back_, self_, pen_, 0, 0, width, height, 0, 0);
        XFlush(display_);
    }

  private:
    void write(int down, const char* text) {
        XDrawString(display_, back_, pen_, 20, down, text, static_cast<int>(std::strlen(text)));
    }

    Display* display_;
    Window self_ = 0;
    Pixmap back_ = 0;
    GC pen_ = nullptr;
    unsigned long black_ = 0;
    unsigned long white_ = 0;
};

// ---- the work -----------------------------------------------------------------------------------

struct pair_of_ends {
    tcp::stream here;
    tcp::stream there;
};

task<> connect_all(std::vector<pair_of_ends>& all) {
    auto listener = tcp::listener::bind("127.0.0.1:0").value();
    const address where = listener.local_address().value();
    for (std::size_t count = 0; count < connections; ++count) {
        auto here = (co_await tcp::connect(where)).value();
        auto there = (co_await listener.accept()).value();
        all.push_back({std::move(here), std::move(there)});
    }
}

task<> echo(tcp::stream& peer) {
    while (auto chunk = co_await peer.receive()) {
        const auto sent = co_await peer.write_all(*chunk);
        if (!sent) co_return;
    }
}

task<> talk(tcp::stream& peer, progress& done) {
    std::array<std::byte, message_bytes> message{};
    for (;;) {
        const auto sent = co_await peer.write_all(message);
        if (!sent) co_return;
        const auto heard = co_await peer.read_exactly(message);
        if (!heard) co_return;
        ++done.echoes;
    }
}

task<> hash_file(std::string name, progress& done) {
    auto from = (co_await file::open(std::move(name), open_read)).value();
    std::vector<std::byte> piece(piece_bytes);
    for (std::uint64_t offset = 0;;) {
        const auto got = co_await from.read_at(piece, offset);
        if (!got) co_return;
        done.add(byte_view(piece).first(*got));
        offset = *got == 0 ? 0 : offset + *got;  // again from the start
    }
}

/// All of it as tasks of a loop that GLib turns.
class guest {
  public:
    explicit guest(loop& home) : home_(home), tasks_(home.root()) {}

    void start(std::vector<pair_of_ends>& all, const std::string& name, progress& done) {
        tasks_.spawn_now(hash_file(name, done), "hash");
        for (pair_of_ends& ends : all) {
            tasks_.spawn_now(echo(ends.there), "echo");
            tasks_.spawn_now(talk(ends.here, done), "talk");
        }
    }
    void end() {
        tasks_.cancel();
        home_.run_until([this] { return tasks_.size() == 0; });
    }

  private:
    loop& home_;
    scope tasks_;
};

struct loop_source {
    GSource base;
    loop* home;
    void* watched;
};

loop_source& of(GSource* source) { return *reinterpret_cast<loop_source*>(source); }

GSource* attach(loop& home) {
    static GSourceFuncs functions{};
    functions.prepare = [](GSource* source, gint* longest) -> gboolean {
        *longest = of(source).home->wait_milliseconds();
        return *longest == 0;
    };
    functions.check = [](GSource* source) -> gboolean {
        return g_source_query_unix_fd(source, of(source).watched) != 0 ||
               of(source).home->wait_milliseconds() == 0;
    };
    functions.dispatch = [](GSource* source, GSourceFunc, gpointer) -> gboolean {
        of(source).home->turn(loop::wait::none);
        return G_SOURCE_CONTINUE;
    };
    GSource* made = g_source_new(&functions, sizeof(loop_source));
    of(made).home = &home;
    of(made).watched =
        g_source_add_unix_fd(made, static_cast<int>(home.native_handle().value()), G_IO_IN);
    g_source_attach(made, nullptr);
    return made;
}

/// The same by calls that wait: one piece and one message on each connection at a time.
class plain_work {
  public:
    plain_work(std::vector<pair_of_ends>& all, const std::string& name, progress& done)
        : from_(name, std::ios::binary), piece_(blocking_piece_bytes), done_(done) {
        for (pair_of_ends& ends : all)
            ends_.push_back({static_cast<int>(ends.here.release().value()),
                             static_cast<int>(ends.there.release().value())});
    }

    void step() {
        from_.read(piece_.data(), static_cast<std::streamsize>(piece_.size()));
        const auto got = static_cast<std::size_t>(from_.gcount());
        done_.add(std::as_bytes(std::span(piece_.data(), got)));
        if (got < piece_.size()) {
            from_.clear();
            from_.seekg(0);
        }
        std::array<char, message_bytes> message{};
        for (const auto& [here, there] : ends_) {
            const bool echoed = ::write(here, message.data(), message.size()) > 0 &&
                                ::read(there, message.data(), message.size()) > 0 &&
                                ::write(there, message.data(), message.size()) > 0 &&
                                ::read(here, message.data(), message.size()) > 0;
            if (echoed) ++done_.echoes;
        }
    }

  private:
    std::ifstream from_;
    std::vector<char> piece_;
    std::vector<std::pair<int, int>> ends_;
    progress& done_;
};

// ---- frames -------------------------------------------------------------------------------------

class frames {
  public:
    frames(window& shown, const progress& done, double seconds)
        : shown_(shown),
          done_(done),
          end_(steady::now() + std::chrono::duration_cast<steady::duration>(
                                   std::chrono::duration<double>(seconds))) {}

    void run() {
        loop_ = g_main_loop_new(nullptr, FALSE);
        next_ = last_ = steady::now();
        arm();
        g_main_loop_run(loop_);
        g_main_loop_unref(loop_);
    }

    void tell() {
        std::ranges::sort(gaps_ms_);
        const auto at = [&](double part) {
            return gaps_ms_[static_cast<std::size_t>(part *
                                                     static_cast<double>(gaps_ms_.size() - 1))];
        };
        std::printf(
            "%zu frames; gaps between them: median %.1f ms, p99 %.1f ms, longest %.1f ms; "
            "%llu MiB hashed, %llu messages on %zu connections\n",
            gaps_ms_.size() + 1, at(0.5), at(0.99), at(1.0),
            static_cast<unsigned long long>(done_.hashed_bytes >> 20),
            static_cast<unsigned long long>(done_.echoes), connections);
    }

  private:
    void arm() {
        next_ = std::max(next_ + frame_time, steady::now());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - steady::now());
        g_timeout_add_full(
            G_PRIORITY_HIGH, static_cast<guint>(left.count()),
            [](gpointer self) -> gboolean {
                static_cast<frames*>(self)->frame();
                return G_SOURCE_REMOVE;
            },
            this, nullptr);
    }

    void frame() {
        const auto now = steady::now();
        if (count_++ > 0)
            gaps_ms_.push_back(std::chrono::duration<double, std::milli>(now - last_).count());
        last_ = now;
        shown_.draw(done_, count_, gaps_ms_);
        if (now >= end_ && gaps_ms_.size() > 1) return g_main_loop_quit(loop_);
        arm();
    }

    window& shown_;
    const progress& done_;
    steady::time_point end_;
    steady::time_point next_;
    steady::time_point last_;
    GMainLoop* loop_ = nullptr;
    std::size_t count_ = 0;
    std::vector<double> gaps_ms_;
};

int show(const std::string& name, double seconds, bool blocking) {
    window shown;
    progress done;
    auto home = make_loop({}, {.embedded = true}).value();
    std::vector<pair_of_ends> all;
    {
        scope setting_up(home->root());
        setting_up.spawn_now(connect_all(all), "connect");
        home->run();
        if (setting_up.exception()) std::rethrow_exception(setting_up.exception());
    }
    frames drawn(shown, done, seconds);
    if (blocking) {
        plain_work work(all, name, done);
        g_idle_add(
            [](gpointer self) -> gboolean {
                static_cast<plain_work*>(self)->step();
                return G_SOURCE_CONTINUE;
            },
            &work);
        drawn.run();
    } else {
        guest inner(*home);
        GSource* source = attach(*home);
        inner.start(all, name, done);
        drawn.run();
        g_source_destroy(source);
        g_source_unref(source);
        inner.end();
    }
    drawn.tell();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const bool blocking = count > 1 && std::string_view(words[count - 1]) == "--blocking";
    if (blocking) --count;
    if (count != 2 && count != 3) {
        std::fprintf(stderr, "usage: window FILE [SECONDS] [--blocking]\n");
        return 2;
    }
    try {
        return show(words[1], count == 3 ? std::atof(words[2]) : 5, blocking);
    } catch (const std::exception& refused) {
        std::fprintf(stderr, "%s\n", refused.what());
        return 1;
    }
}
