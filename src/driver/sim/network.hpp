// Which names are taken, and who listens behind them. Every address is this machine's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <upcall/driver/address.hpp>
#include <upcall/driver/choices.hpp>

namespace upcall::sim {

class object;

class network {
  public:
    /// Takes a name and returns it with its port filled in. `shared`: others who share may have it
    /// too. Errors: address_in_use, address_not_available when all ports are taken.
    result<address> bind(const address& wanted, bool shared);
    void unbind(const address& bound) noexcept;

    /// `who` answers for a name that was bound, or does no longer.
    void answer(const address& bound, std::shared_ptr<object> who);
    void silence(const address& bound, const object& who) noexcept;

    /// Who answers for `where`, on every address of its port included; drawn when several do.
    std::shared_ptr<object> find(const address& where, choices& choice) const;

  private:
    struct place {
        address where;
        bool shared = false;
        std::uint32_t holders = 0;
        std::vector<std::shared_ptr<object>> answering;
    };

    bool taken(const address& wanted, bool shared) const;

    std::map<std::string, place> places_;
    std::map<std::uint16_t, std::uint32_t> ports_;  // how many places have each port
    std::uint16_t next_port_ = 49152;
};

/// Nothing: a socket before its bind, the anonymous end of a Unix connection.
address unnamed(address_family family) noexcept;

}  // namespace upcall::sim
