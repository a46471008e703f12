// A window that draws sixty times a second while a large file is hashed and a thousand connections
// are served behind it, all on one thread: an upcall loop inside GLib. Prints how evenly it drew.
//
//     window FILE [SECONDS] [--blocking] [--picture PICTURE.ppm]
//
// It ends after SECONDS, but not before the file was hashed once and each connection was answered.
// With --blocking the same work is done by calls that wait, a piece of the file and a message on
// each connection at a time, as a program without an event loop would do it. --picture keeps what
// the screen shows in the end.
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
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <upcall/os/limits.hpp>
#include <upcall/upcall.hpp>
#include <utility>
#include <vector>

// Last: it defines words like None and Status.
#include <X11/Xlib.h>
#include <X11/Xutil.h>

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

constexpr std::uint64_t fnv_basis = 14695981039346656037U;
constexpr std::uint64_t fnv_prime = 1099511628211U;

/// What the work has come to; drawn in every frame.
struct progress {
    std::uint64_t hash = fnv_basis;
    std::uint64_t hashed_bytes = 0;
    std::uint64_t echoes = 0;
    /// Connections that were answered at least once.
    std::size_t answered = 0;
    std::optional<std::uint64_t> file_hash{};
    std::exception_ptr failure{};

    /// FNV-1a, eight bytes at a time; what is left of a piece byte by byte.
    void add(byte_view bytes) {
        hashed_bytes += bytes.size();
        for (; bytes.size() >= sizeof(std::uint64_t);
             bytes = bytes.subspan(sizeof(std::uint64_t))) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), sizeof word);
            hash = (hash ^ word) * fnv_prime;
        }
        for (const std::byte each : bytes)
            hash = (hash ^ std::to_integer<std::uint64_t>(each)) * fnv_prime;
    }
    void end_of_file() {
        if (!file_hash) file_hash = hash;
        hash = fnv_basis;
    }
    void heard(bool for_the_first_time) {
        ++echoes;
        if (for_the_first_time) ++answered;
    }
    bool is_over() const { return failure || (file_hash && answered == connections); }
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
    ~window() {
        XFreeGC(display_, pen_);
        XFreePixmap(display_, back_);
        XCloseDisplay(display_);
    }

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
                      static_cast<unsigned long long>(done.file_hash.value_or(done.hash)));
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

    /// What the screen shows, as a portable pixmap.
    void keep(const std::string& name) {
        XSync(display_, False);
        XImage* const seen = XGetImage(display_, self_, 0, 0, width, height, AllPlanes, ZPixmap);
        if (!seen) throw std::runtime_error("the window cannot be read back");
        std::ofstream to(name, std::ios::binary);
        to << "P6\n" << width << ' ' << height << "\n255\n";
        for (int down = 0; down < height; ++down)
            for (int across = 0; across < width; ++across) {
                const char shade = XGetPixel(seen, across, down) == white_ ? '\xff' : '\0';
                to.put(shade).put(shade).put(shade);
            }
        XDestroyImage(seen);
        if (!to.flush()) throw std::runtime_error("cannot write '" + name + "'");
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
    for (bool is_first = true;; is_first = false) {
        const auto sent = co_await peer.write_all(message);
        if (!sent) co_return;
        const auto heard = co_await peer.read_exactly(message);
        if (!heard) co_return;
        done.heard(is_first);
    }
}

/// Again and again.
task<> hash_file(std::string name, progress& done) {
    try {
        auto from = (co_await file::open(std::move(name), open_read)).value();
        std::vector<std::byte> piece(piece_bytes);
        for (std::uint64_t offset = 0;;) {
            const std::size_t got = (co_await from.read_at(piece, offset)).value();
            done.add(byte_view(piece).first(got));
            if (got == 0) done.end_of_file();
            offset = got == 0 ? 0 : offset + got;
        }
    } catch (const std::bad_expected_access<std::error_code>& failed) {
        if (failed.error() != errc::cancelled) done.failure = std::current_exception();
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
        if (!from_) throw std::runtime_error("cannot read '" + name + "'");
        for (pair_of_ends& ends : all)
            pairs_.push_back({static_cast<int>(ends.here.release().value()),
                              static_cast<int>(ends.there.release().value())});
    }

    void step() {
        from_.read(piece_.data(), static_cast<std::streamsize>(piece_.size()));
        const auto got = static_cast<std::size_t>(from_.gcount());
        done_.add(std::as_bytes(std::span(piece_.data(), got)));
        if (got < piece_.size()) {
            done_.end_of_file();
            from_.clear();
            from_.seekg(0);
        }
        std::array<char, message_bytes> message{};
        for (plain_pair& pair : pairs_) {
            const bool echoed = ::write(pair.here, message.data(), message.size()) > 0 &&
                                ::read(pair.there, message.data(), message.size()) > 0 &&
                                ::write(pair.there, message.data(), message.size()) > 0 &&
                                ::read(pair.here, message.data(), message.size()) > 0;
            if (echoed) done_.heard(!std::exchange(pair.was_answered, true));
        }
    }

  private:
    struct plain_pair {
        int here;
        int there;
        bool was_answered = false;
    };

    std::ifstream from_;
    std::vector<char> piece_;
    std::vector<plain_pair> pairs_;
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
        std::printf("the file's hash is %016llx; %zu of %zu connections were answered\n",
                    static_cast<unsigned long long>(done_.file_hash.value_or(0)), done_.answered,
                    connections);
    }

  private:
    void arm() {
        // Those that were missed are not made up for.
        const auto missed = std::max((steady::now() - next_) / frame_time, std::int64_t{0});
        next_ += (missed + 1) * frame_time;
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
        if (now >= end_ && gaps_ms_.size() > 1 && done_.is_over()) return g_main_loop_quit(loop_);
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

struct wishes {
    std::string file;
    double seconds = 5;
    bool blocking = false;
    std::string picture;
};

void show(const wishes& wanted) {
    window shown;
    progress done;
    raise_descriptor_limit();
    auto home = make_loop({}, {.embedded = true}).value();
    std::vector<pair_of_ends> all;
    {
        scope setting_up(home->root());
        setting_up.spawn_now(connect_all(all), "connect");
        home->run();
        if (setting_up.exception()) std::rethrow_exception(setting_up.exception());
    }
    frames drawn(shown, done, wanted.seconds);
    if (wanted.blocking) {
        plain_work work(all, wanted.file, done);
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
        inner.start(all, wanted.file, done);
        drawn.run();
        g_source_destroy(source);
        g_source_unref(source);
        inner.end();
    }
    if (done.failure) std::rethrow_exception(done.failure);
    if (!wanted.picture.empty()) shown.keep(wanted.picture);
    drawn.tell();
}

bool understood(int count, char** words, wishes& wanted) {
    int named = 0;
    for (int at = 1; at < count; ++at) {
        const std::string_view word = words[at];
        if (word == "--blocking")
            wanted.blocking = true;
        else if (word == "--picture" && at + 1 < count)
            wanted.picture = words[++at];
        else if (word.starts_with("--") || ++named > 2)
            return false;
        else if (named == 1)
            wanted.file = word;
        else
            wanted.seconds = std::strtod(words[at], nullptr);
    }
    return named > 0;
}

}  // namespace

int main(int count, char** words) {
    try {
        wishes wanted;
        if (!understood(count, words, wanted)) {
            std::fprintf(stderr,
                         "usage: window FILE [SECONDS] [--blocking] [--picture PICTURE.ppm]\n");
            return 2;
        }
        show(wanted);
        return 0;
    } catch (const std::exception& refused) {
        std::fprintf(stderr, "%s\n", refused.what());
        return 1;
    }
}
