#include "doctor/examination.hpp"

#include <cstdlib>
#include <string_view>

#include <upcall/driver/select.hpp>

namespace upcall_doctor {

std::string examination::overrule_problem() const {
    if (overruled_by.empty()) return {};
    if (!upcall::is_driver_name(overruled_by)) {
        std::string list = "auto";
        for (const std::string& each : upcall::driver_names()) list += ", " + each;
        return "'" + overruled_by + "' is none of " + list + ".";
    }
    // A file engine that is refused leaves the driver, which then uses the pool.
    const std::string_view base = std::string_view(overruled_by).substr(0, overruled_by.find('+'));
    for (const upcall::availability& each : host.interfaces)
        if (name_of(each.what) == base && !each.available) return each.why;
    return {};
}

examination examine(const std::vector<std::string>& paths) {
    examination found;
    found.host = upcall::probe_host();
    found.choice = upcall::choose_driver(found.host);
    const char* const name = std::getenv("UPCALL_DRIVER");
    if (name && std::string_view(name) != "auto") found.overruled_by = name;
    found.engines = examine_file_engines(found.host);
    for (const std::string& path : paths)
        found.paths.push_back({path, upcall::probe_file_system(path)});
    return found;
}

}  // namespace upcall_doctor
