#include "doctor/examination.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <upcall/driver/select.hpp>

namespace upcall_doctor {

std::string examination::overrule_problem() const {
    if (overruled_by.empty()) return {};
    const auto names = upcall::driver_names();
    if (std::ranges::find(names, overruled_by) == names.end()) {
        std::string list = "auto";
        for (const std::string& each : names) list += ", " + each;
        return "'" + overruled_by + "' is none of " + list + ".";
    }
    for (const upcall::availability& each : host.interfaces)
        if (name_of(each.what) == overruled_by && !each.available) return each.why;
    return {};
}

examination examine(const std::vector<std::string>& paths) {
    examination found;
    found.host = upcall::probe_host();
    found.choice = upcall::choose_driver(found.host);
    const char* const name = std::getenv("UPCALL_DRIVER");
    if (name && std::string_view(name) != "auto") found.overruled_by = name;
    for (const std::string& path : paths)
        found.paths.push_back({path, upcall::probe_file_system(path)});
    return found;
}

}  // namespace upcall_doctor
