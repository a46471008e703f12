#include "lab/progress.hpp"

#include <algorithm>
#include <cstdio>

namespace upcall_lab {

void progress::begin(const std::string& experiment, double seconds) {
    experiment_ = experiment;
    current_ = seconds;
    steps_ = 1;
    step_ = 0;
    label_.clear();
    tick();
}

void progress::step(const std::string& label) {
    label_ = label;
    ++step_;
    tick();
}

void progress::end() {
    done_ += current_;
    current_ = 0;
    wipe();
}

double progress::planned_done() const {
    const double ended = step_ == 0 ? 0 : static_cast<double>(step_ - 1);
    return done_ + current_ * std::min(1.0, ended / static_cast<double>(steps_));
}

double progress::seconds_left() const {
    const double passed = std::chrono::duration<double>(clock::now() - begun_).count();
    const double done = planned_done();
    const double left = std::max(0.0, planned_ - done);
    // The plan alone counts at first; later, how far the machine was from it.
    constexpr double weight = 5;
    return left * (passed + weight) / (done + weight);
}

void progress::tick() {
    if (!is_shown_) return;
    const auto now = clock::now();
    if (is_drawn_ && now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    is_drawn_ = true;
    constexpr int width = 24;
    const double part = planned_ > 0 ? std::min(1.0, planned_done() / planned_) : 1;
    const int filled = static_cast<int>(part * width);
    std::string bar(static_cast<std::size_t>(filled), '#');
    bar.resize(width, '.');
    std::string text = experiment_ + (label_.empty() ? "" : ": " + label_);
    text.resize(std::min<std::size_t>(text.size(), 34));
    std::fprintf(stderr, "\r\x1b[K[%s] %3d %%  about %.0f s left  %s", bar.c_str(),
                 static_cast<int>(part * 100), seconds_left(), text.c_str());
    std::fflush(stderr);
}

void progress::wipe() {
    if (!is_drawn_) return;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
    is_drawn_ = false;
}

}  // namespace upcall_lab
