#include "serve/response_head.hpp"

namespace upcall_serve {

std::string make_server_lines(std::string_view version, std::string_view driver) {
    std::string lines = "Server: upcall/";
    lines.append(version).append(" (").append(driver).append(")\r\n");
    return lines.append(common_lines);
}

}  // namespace upcall_serve
