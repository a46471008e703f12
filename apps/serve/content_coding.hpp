// Which of a file's precompressed siblings a client takes (RFC 9110, section 12.5.3).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "serve/request.hpp"

namespace upcall_serve {

// In order of preference, the least first, where a client likes several equally.
enum class content_coding : std::uint8_t { identity, gzip, zstd, br };

inline constexpr std::array all_codings = {content_coding::br, content_coding::zstd,
                                           content_coding::gzip, content_coding::identity};

// The name in Content-Encoding, and the ending of the sibling's file name, dot included. Both
// are empty for identity.
std::string_view coding_name(content_coding coding);
std::string_view coding_suffix(content_coding coding);

// Some of the codings. Identity needs no mention: the file itself is always there.
class coding_set {
  public:
    constexpr void add(content_coding coding) { bits_ |= bit(coding); }
    constexpr bool has(content_coding coding) const { return (bits_ & bit(coding)) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    bool operator==(const coding_set&) const = default;

  private:
    static constexpr unsigned bit(content_coding coding) {
        return 1u << static_cast<unsigned>(coding);
    }
    unsigned bits_ = 0;
};

class accepted_codings {
  public:
    // Nothing but identity, as when there is no Accept-Encoding.
    accepted_codings() = default;

    // Reads one line of Accept-Encoding; several add up. Elements that cannot be read are passed
    // over.
    void add(std::string_view line);

    static accepted_codings of(const request& from);

    bool takes(content_coding coding) const { return weight(coding) > 0; }

    // The best of `available`, and identity when the client takes none of them, even if it
    // refuses identity too: a copy it did not want is more use than 406.
    content_coding choose(coding_set available) const;

  private:
    static constexpr int unsaid = -1;

    int weight(content_coding coding) const;  // in thousandths

    std::array<int, 4> weights_ = {unsaid, unsaid, unsaid, unsaid};
    int rest_ = unsaid;  // "*": all that is not named
};

}  // namespace upcall_serve
