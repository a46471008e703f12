#include <upcall/os/privileges.hpp>

namespace upcall {

result<void> become_user(const std::string&) { return failure(errc::unsupported); }

}  // namespace upcall
