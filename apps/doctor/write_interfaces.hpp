// The table of drivers and what each does, as docs/interfaces.md shows it.
#pragma once

#include <string>

namespace upcall_doctor {

std::string write_interfaces();

}  // namespace upcall_doctor
