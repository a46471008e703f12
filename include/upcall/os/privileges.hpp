// Giving up privileges for good.
#pragma once

#include <string>

#include <upcall/base/result.hpp>

namespace upcall {

/// Becomes `user`, with the user's groups, and makes sure there is no way back: also no program
/// started from here on can gain privileges (PR_SET_NO_NEW_PRIVS). Call it before the first loop
/// is made: a ring keeps the identity it was made under. Errors: invalid_argument for a user that
/// does not exist; those of setgroups(2), setgid(2), setuid(2); operation_not_permitted when the
/// old identity could be regained.
result<void> become_user(const std::string& user);

}  // namespace upcall
