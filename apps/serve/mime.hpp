// What a file's name says about its content.
#pragma once

#include <string_view>

namespace upcall_serve {

// The value of Content-Type for a file of this name: by the ending behind its last dot, in any
// case; "application/octet-stream" for endings that are not known. Text is declared UTF-8.
std::string_view content_type_of(std::string_view path);

}  // namespace upcall_serve
