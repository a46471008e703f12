// Where the repository and the build tree under test are.
#pragma once

namespace upcall::test {

/// Absolute, without a slash at the end.
extern const char* const source_dir;
extern const char* const binary_dir;

}  // namespace upcall::test
