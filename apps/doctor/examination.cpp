#include "doctor/examination.hpp"

#include <cstdlib>

namespace upcall_doctor {

examination examine(const std::vector<std::string>& paths) {
    examination found;
    found.host = upcall::probe_host();
    found.choice = upcall::choose_driver(found.host);
    if (const char* const name = std::getenv("UPCALL_DRIVER")) found.overruled_by = name;
    for (const std::string& path : paths)
        found.paths.push_back({path, upcall::probe_file_system(path)});
    return found;
}

}  // namespace upcall_doctor
