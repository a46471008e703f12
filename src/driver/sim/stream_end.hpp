// One end of a stream: a TCP or Unix socket, or the end of a pipe.
//
// What one end writes is cut into segments that travel, in order, to the other; until the reader
// has taken them they use up the writer's window. Closing with unread bytes resets, closing without
// sends a FIN behind the data. A reset is reported once, after what had arrived before it; from
// then on reading finds the end and writing EPIPE, as on Linux.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "byte_queue.hpp"
#include "object.hpp"

namespace upcall::sim {

class stream_end final : public object {
  public:
    /// How fast the other end is reached: within the machine, or over a network.
    enum class reach : std::uint8_t { local, remote };

    stream_end(node& on, address_family family, reach how);

    /// Two connected ends.
    static void connect(const std::shared_ptr<stream_end>& one,
                        const std::shared_ptr<stream_end>& other);
    /// One that can only be read, one that can only be written.
    static void make_pipe(stream_end& read_end, stream_end& write_end);

    void start(request& made) override;
    void withdraw(request& waiting) override;
    void close() override;
    void vanish() override;
    void forget(request& made) override;
    void hear_again(const node& from) override;
    void hear_no_more(const node& from) override;
    std::uint32_t readiness() const override;
    void refilled() override { read_on(); }
    void fire(std::uint32_t what, std::uint64_t argument) override;

    result<void> bind(const address& where) override;
    result<void> shut_down(shut direction) override;
    result<address> local_address() const override { return local_; }
    result<address> peer_address() const override;
    result<void> set_option(socket_option which, std::int64_t value) override;
    result<std::int64_t> get_option(socket_option which) override;

    address_family family() const noexcept { return family_; }
    bool is_bound() const noexcept { return holds_name_; }
    bool is_fresh() const noexcept { return phase_ == phase::fresh; }
    /// The name moves on to a listener, with what was set for it.
    address give_name() noexcept;

    /// The listener gave this connection up before anybody accepted it.
    void refuse();

  private:
    enum class phase : std::uint8_t { fresh, connecting, connected, closed };
    enum : std::uint32_t {
        event_arrival,
        event_attempt,
        event_connected,
        event_refused,
        event_credit,
        event_give_up,
    };
    enum class part : std::uint8_t { data, fin, reset };
    struct segment {
        part kind;
        std::vector<std::byte> bytes;
    };

    void start_connect(request& made);
    void attempt(std::uint64_t number);
    void connect_done(std::int64_t outcome);
    void withdraw_connect(request& waiting);

    void start_read(request& made);
    void read_on();
    bool read_some(request& reader);
    void finish_reader(request& reader, std::int64_t outcome);

    void start_write(request& made);
    void write_on();
    bool write_some(request& writer);
    int write_error(bool take) noexcept;
    void send(byte_view bytes);

    // Over a line that may be cut, to a computer that may be off.
    void join(node& other) noexcept;
    bool peer_is_known() const noexcept;
    bool is_cut_off() const;
    bool held_back();
    void lose_held();
    void count_credit(std::uint64_t bytes);
    void acknowledge(std::size_t bytes);
    std::size_t not_arrived() const;
    void watch_silence();
    void give_up(std::uint64_t progress);

    void push(part kind, std::vector<std::byte> bytes = {});
    void arrive();
    void be_reset();
    void credit(std::size_t bytes);
    void changed();
    duration delay();

    address_family family_;
    reach reach_;
    phase phase_ = phase::fresh;
    bool reads_ = true;
    bool writes_ = true;
    bool holds_name_ = false;
    address local_;
    address remote_;
    std::map<socket_option, std::int64_t> settings_;

    // Connecting.
    std::shared_ptr<request> connector_;
    std::uint64_t attempts_ = 0;

    // The other end's computer, and which of its lives knows of this connection.
    node* there_;
    std::uint64_t there_boot_;
    std::int32_t held_arrivals_ = 0;
    bool has_gap_ = false;
    std::uint64_t held_credit_ = 0;
    // Bytes sent that the other kernel has not received, as far as this one knows.
    std::size_t unacknowledged_ = 0;
    std::uint64_t progress_ = 0;
    bool watching_silence_ = false;

    // What comes in.
    std::deque<segment> inbound_;
    time_point last_arrival_{};
    byte_queue arrived_;
    bool finished_ = false;
    bool read_shut_ = false;
    request_list readers_;
    std::shared_ptr<lane> read_lane_;

    // What goes out.
    std::weak_ptr<stream_end> peer_;
    std::size_t window_;
    std::size_t under_way_ = 0;
    bool write_shut_ = false;
    request_list writers_;
    std::shared_ptr<lane> write_lane_;

    // Both.
    bool reset_ = false;
    int pending_error_ = 0;
};

}  // namespace upcall::sim
