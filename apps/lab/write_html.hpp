// Everything that was found, as one page that needs nothing else: styles and charts are in it.
#pragma once

#include <string>

#include "lab/write_json.hpp"

namespace upcall_lab {

/// A whole HTML document without scripts and without anything to load.
std::string write_html(const record& all);

}  // namespace upcall_lab
