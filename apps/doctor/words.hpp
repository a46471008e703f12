// How the report puts facts into words.
#pragma once

#include <string>

#include <upcall/driver/host.hpp>
#include <upcall/driver/host_file.hpp>

namespace upcall_doctor {

// "20000", "8 MiB", "1.5 processors", "unlimited", "unknown".
std::string words_for(const upcall::limit_fact& limit);
std::string words_for(upcall::host_system::seccomp_mode mode);
std::string words_for(const upcall::file_system_facts& facts);

}  // namespace upcall_doctor
