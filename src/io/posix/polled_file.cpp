#include <upcall/io/polled_file.hpp>

#include <new>
#include <vector>

#include <upcall/io/registered_buffer.hpp>
#include <upcall/task/start.hpp>

#include "driver/posix/wake_signal.hpp"

namespace upcall {

namespace detail {

/// Held by the polled file, and by each read in flight, which needs its buffer. The slots are a
/// ring in the order of the file: first those that have ended without a gap, `ready_` of them, then
/// those in flight, and last the one that was handed out.
class polled_file_core {
  public:
    polled_file_core(scope& in, file from, const polled_file_options& options)
        : tasks_(&in),
          from_(std::move(from)),
          chunk_bytes_(options.chunk_bytes),
          next_offset_(options.from),
          slots_(options.depth) {}

    static result<std::shared_ptr<polled_file_core>> create(scope& in, file from,
                                                            const polled_file_options& options) {
        auto made = std::make_shared<polled_file_core>(in, std::move(from), options);
        if (const auto refused = made->signal_.open(); refused < 0)
            return failure(std::error_code(static_cast<int>(-refused), std::generic_category()));
        auto memory = registered_buffer::create(options.depth * options.chunk_bytes);
        if (!memory) return failure(memory.error());
        made->memory_ = std::move(*memory);
        for (std::size_t slot = 0; slot < options.depth; ++slot) begin_read(made, slot);
        return made;
    }

    int descriptor() const noexcept { return signal_.fd(); }
    std::size_t in_flight() const noexcept { return in_flight_; }

    static result<byte_view> next(const std::shared_ptr<polled_file_core>& self) {
        if (self->handed_out_ != none) begin_read(self, std::exchange(self->handed_out_, none));
        return self->take();
    }

    void drop() noexcept {
        dropped_ = true;
        for (slot& each : slots_) each.reading.cancel();
    }

  private:
    static constexpr std::size_t none = ~std::size_t{0};

    struct slot {
        started reading;
        std::size_t bytes = 0;
        std::error_code cause;
        bool done = false;
    };

    byte_span room(std::size_t index) const {
        return memory_.span().subspan(index * chunk_bytes_, chunk_bytes_);
    }

    static void begin_read(const std::shared_ptr<polled_file_core>& self, std::size_t index) {
        slot& used = self->slots_[index];
        used.done = false;
        const std::uint64_t offset = self->next_offset_;
        self->next_offset_ += self->chunk_bytes_;
        try {
            used.reading = upcall::start(
                *self->tasks_, self->from_.read_exactly_at(self->room(index), offset),
                [self, index](const transfer& outcome) {
                    --self->in_flight_;
                    if (!self->dropped_) self->ended(index, outcome.bytes, outcome.cause);
                },
                "polled file");
            ++self->in_flight_;
        } catch (const std::bad_alloc&) {
            self->ended(index, 0, std::make_error_code(std::errc::not_enough_memory));
        }
    }

    void ended(std::size_t index, std::size_t bytes, std::error_code cause) {
        slot& used = slots_[index];
        used.bytes = bytes;
        used.cause = cause;
        used.done = true;
        const bool was_empty = ready_ == 0;
        while (ready_ < slots_.size() && slots_[(first_ + ready_) % slots_.size()].done) ++ready_;
        if (was_empty && ready_ > 0) signal_.raise();
    }

    /// The last chunk stays the first in the ring: behind it there is its cause for ever.
    result<byte_view> take() {
        if (ready_ == 0) return failure(std::make_error_code(std::errc::operation_would_block));
        slot& taken = slots_[first_];
        const byte_view chunk = byte_view(room(first_)).first(std::exchange(taken.bytes, 0));
        if (!taken.cause) {
            taken.done = false;
            handed_out_ = first_;
            first_ = (first_ + 1) % slots_.size();
            if (--ready_ == 0) signal_.lower();
        } else if (chunk.empty()) {
            return failure(taken.cause);
        }
        return chunk;
    }

    scope* tasks_;
    file from_;
    std::size_t chunk_bytes_;
    std::uint64_t next_offset_;
    wake_signal signal_;
    registered_buffer memory_;
    std::vector<slot> slots_;
    std::size_t first_ = 0;
    std::size_t ready_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t handed_out_ = none;
    bool dropped_ = false;
};

}  // namespace detail

polled_file::polled_file(polled_file&& other) noexcept = default;

polled_file& polled_file::operator=(polled_file&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
}

polled_file::~polled_file() {
    if (core_) core_->drop();
}

result<polled_file> polled_file::start(scope& in, file from, polled_file_options options) {
    if (options.depth == 0 || options.chunk_bytes == 0)
        return failure(std::make_error_code(std::errc::invalid_argument));
    try {
        auto core = detail::polled_file_core::create(in, std::move(from), options);
        if (!core) return failure(core.error());
        polled_file made;
        made.core_ = std::move(*core);
        return made;
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
}

native_handle polled_file::descriptor() const noexcept { return core_->descriptor(); }

result<byte_view> polled_file::next() { return detail::polled_file_core::next(core_); }

std::size_t polled_file::in_flight() const noexcept { return core_->in_flight(); }

}  // namespace upcall
