// The report for people.
#pragma once

#include <string>

#include "doctor/examination.hpp"
#include "doctor/text_page.hpp"

namespace upcall_doctor {

// `everything`: every opcode, flag and limit by name, not only what is missing or tight.
std::string write_text(const examination& found, page_style style, bool everything);

}  // namespace upcall_doctor
