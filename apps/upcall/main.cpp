// The `upcall` command.
#include <cstdio>
#include <span>
#include <string_view>

#include <upcall/os/standard_descriptors.hpp>

#include "serve/server.hpp"
#include "sim/sim.hpp"
#ifdef UPCALL_HAS_DOCTOR
#include "doctor/doctor.hpp"
#endif
#ifdef UPCALL_HAS_LAB
#include "lab/lab.hpp"
#endif

namespace {

constexpr const char* help =
    "upcall " UPCALL_VERSION
    ", an asynchronous I/O runtime for C++23\n"
    "\n"
    "  upcall serve DIR     serve the files of a directory over HTTP\n"
    "  upcall doctor        say which I/O interfaces this host offers, and why not the others\n"
#ifdef UPCALL_HAS_LAB
    "  upcall lab           measure what they cost on this machine, and when they win\n"
#endif
    "  upcall sim           run programs in the simulated kernel, many seeds of them\n"
    "  upcall --version     print the version\n"
    "\n"
    "Each of them explains itself with --help.\n";

}  // namespace

int main(int argc, char** argv) {
    upcall::fill_standard_descriptors();
    const std::string_view command = argc > 1 ? argv[1] : "--help";
    if (command == "serve")
        return upcall_serve::serve_main(std::span<const char* const>(argv + 2, argv + argc));
#ifdef UPCALL_HAS_DOCTOR
    if (command == "doctor") return doctor_main(argc - 1, argv + 1);
#endif
#ifdef UPCALL_HAS_LAB
    if (command == "lab") return lab_main(argc - 1, argv + 1);
#endif
    if (command == "sim") return sim_main(argc - 1, argv + 1);
    if (command == "--version") {
        std::puts("upcall " UPCALL_VERSION);
        return 0;
    }
    if (command == "--help" || command == "-h" || command == "help") {
        std::fputs(help, stdout);
        return 0;
    }
    std::fprintf(stderr, "upcall: there is no sub-command \"%s\"; see upcall --help\n", argv[1]);
    return 2;
}
