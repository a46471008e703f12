#include <upcall/os/privileges.hpp>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace upcall {

result<void> become_user(const std::string& user) {
    auto failed = [] { return failure({errno, std::generic_category()}); };
    errno = 0;
    const passwd* entry = ::getpwnam(user.c_str());
    if (!entry) return failure(std::make_error_code(std::errc::invalid_argument));
    const uid_t uid = entry->pw_uid;
    const gid_t gid = entry->pw_gid;
    if (::initgroups(user.c_str(), gid) != 0) return failed();
    if (::setgid(gid) != 0) return failed();
    if (::setuid(uid) != 0) return failed();
    if (uid != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0 || ::geteuid() != uid))
        return failure(std::make_error_code(std::errc::operation_not_permitted));
#ifdef __linux__
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed();
#endif
    return {};
}

}  // namespace upcall
