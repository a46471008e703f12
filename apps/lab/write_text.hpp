// What an experiment found, for a terminal.
#pragma once

#include <string>

#include "lab/findings.hpp"

namespace upcall_lab {

/// Title, sentences, numbers and notes, wrapped to `width` columns and ended by an empty line.
std::string write_text(const findings& what, std::size_t width);

}  // namespace upcall_lab
