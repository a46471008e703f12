// The report for programs. Keys and enumerated values are stable; sentences are not.
#pragma once

#include <string>

#include "doctor/examination.hpp"

namespace upcall_doctor {

std::string write_json(const examination& found);

}  // namespace upcall_doctor
