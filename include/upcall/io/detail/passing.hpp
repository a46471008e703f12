// Descriptors that travel with data between the processes at the ends of a Unix socket.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <upcall/driver/io_operation.hpp>
#include <upcall/io/message_socket.hpp>
#include <upcall/io/stream.hpp>
#include <upcall/os/descriptor.hpp>

namespace upcall {

/// What came with a read of a stream.
struct read_with_descriptors {
    std::size_t size = 0;
    /// Some found no room and were closed.
    bool descriptors_lost = false;
};

}  // namespace upcall

namespace upcall::detail {

/// See unix_socket::passed_max.
inline constexpr std::size_t passed_max = 253;

/// The part of a message that holds descriptors, for as long as its operation lives.
class descriptor_parcel {
  public:
    /// To send: `passed` stay with their owner.
    descriptor_parcel(message& carrier, std::span<const native_handle> passed);
    /// To receive: into `arrived`, in which there will be room for `max` more, or for as many as
    /// one message has.
    descriptor_parcel(message& carrier, std::vector<descriptor>& arrived, std::size_t max);

    /// Hands over what a receive has brought.
    void unpack(const message& carrier);

  private:
    std::vector<native_handle> handles_;
    std::vector<std::byte> control_;
    std::vector<descriptor>* arrived_ = nullptr;
};

class send_with_operation : public send_message_operation {
  public:
    struct arguments {
        message_core* core;
        byte_view buffer;
        address peer;
        std::span<const native_handle> passed;
    };
    explicit send_with_operation(arguments&& given)
        : send_message_operation({given.core, given.buffer, given.peer}),
          parcel_(content, given.passed) {}

  private:
    descriptor_parcel parcel_;
};

class receive_with_operation : public receive_message_operation {
  public:
    struct arguments {
        message_core* core;
        byte_span buffer;
        std::vector<descriptor>* arrived;
        std::size_t max;
    };
    explicit receive_with_operation(arguments&& given)
        : receive_message_operation({given.core, given.buffer, true}),
          parcel_(content, *given.arrived, given.max) {}
    upcall::result<datagram> take() {
        if (result >= 0) parcel_.unpack(content);
        return receive_message_operation::take();
    }

  private:
    descriptor_parcel parcel_;
};

class write_with_operation : public write_all_operation {
  public:
    struct arguments {
        stream_core* core;
        byte_view buffer;
        std::span<const native_handle> passed;
    };
    explicit write_with_operation(arguments&& given);
    bool launch(context& where) noexcept;

  private:
    message message_;
    io_slice slice_;
    descriptor_parcel parcel_;
};

class read_with_operation : public read_operation {
  public:
    struct arguments {
        stream_core* core;
        byte_span buffer;
        std::vector<descriptor>* arrived;
        std::size_t max;
    };
    explicit read_with_operation(arguments&& given);
    result<read_with_descriptors> take();

  private:
    message message_;
    io_slice slice_;
    descriptor_parcel parcel_;
};

}  // namespace upcall::detail
