// Numbers as people read them.
#pragma once

#include <string>
#include <string_view>

namespace upcall_lab {

/// Three digits: "1.23", "45.6", "789", "12,300", "0.00123".
std::string in_digits(double value);
/// "840 ns", "1.23 µs", "4.5 ms", "2 s".
std::string in_time(double nanoseconds);
/// "512 B", "1.5 KiB", "8 MiB".
std::string in_bytes(double bytes);
/// "1.4 times", "0.8 times".
std::string in_times(double ratio);
/// "+12 %", "-3 %" for 0.12, -0.03.
std::string in_percent(double part);
/// With the unit where the value's size decides: "ns" and "bytes" as above, else "12,300 /s".
std::string in_unit(double value, std::string_view unit);

/// "1 copy", "8 copies": of "copy" and "copies".
std::string counted(double count, std::string_view one, std::string_view many);

/// What system calls say: "cannot open '/x': No such file or directory".
std::string failed(std::string_view what, int error);

}  // namespace upcall_lab
