#include "doctor/words.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace upcall_doctor {
namespace {

// Exact, in the largest unit that divides; large amounts that none divides are rounded.
std::string bytes(std::uint64_t amount) {
    static constexpr std::array<std::string_view, 5> units = {" bytes", " KiB", " MiB", " GiB",
                                                              " TiB"};
    std::size_t unit = 0;
    while (unit + 1 < units.size() && amount != 0 &&
           (amount % 1024 == 0 || amount >= std::uint64_t{10} * 1024)) {
        amount /= 1024;
        ++unit;
    }
    return std::to_string(amount) + std::string(units[unit]);
}

std::string processors(std::uint64_t thousandths) {
    std::string text = std::to_string(thousandths / 1000);
    if (const std::uint64_t tenths = thousandths % 1000 / 100) text += '.' + std::to_string(tenths);
    return text + (thousandths == 1000 ? " processor" : " processors");
}

}  // namespace

std::string words_for(const upcall::limit_fact& limit) {
    switch (limit.amount.state) {
        case upcall::quantity::kind::unlimited:
            return "unlimited";
        case upcall::quantity::kind::unreadable:
            return "unknown";
        case upcall::quantity::kind::known:
            break;
    }
    switch (limit.counted_in) {
        case upcall::limit_fact::unit::bytes:
            return bytes(limit.amount.value);
        case upcall::limit_fact::unit::millicpus:
            return processors(limit.amount.value);
        case upcall::limit_fact::unit::count:
        case upcall::limit_fact::unit::port:
            break;
    }
    return std::to_string(limit.amount.value);
}

std::string words_for(upcall::host_system::seccomp_mode mode) {
    using mode_type = upcall::host_system::seccomp_mode;
    switch (mode) {
        case mode_type::off:
            return "no filter on this process";
        case mode_type::strict:
            return "strict mode";
        case mode_type::filter:
            return "a filter is in force";
        case mode_type::unknown:
            break;
    }
    return "unknown";
}

std::string words_for(const upcall::file_system_facts& facts) {
    using direct = upcall::file_system_facts::direct;
    const std::string type = facts.type.empty() ? "unknown file system" : facts.type;
    switch (facts.direct_io) {
        case direct::unsupported:
            return type + ", no direct I/O (O_DIRECT is refused).";
        case direct::unknown:
            return type + ", nothing known about direct I/O.";
        case direct::supported:
            break;
    }
    std::string text = type + ", direct I/O with memory aligned to " +
                       std::to_string(facts.memory_alignment) + " and offsets to " +
                       std::to_string(facts.offset_alignment) + " bytes";
    if (facts.read_offset_alignment != facts.offset_alignment)
        text += " (reads: " + std::to_string(facts.read_offset_alignment) + ")";
    return text + '.';
}

}  // namespace upcall_doctor
