#include "support/tree.hpp"

namespace upcall::test {

const char* const source_dir = UPCALL_SOURCE_DIR;
const char* const binary_dir = UPCALL_BINARY_DIR;

}  // namespace upcall::test
