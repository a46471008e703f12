// Every allocation of this test program is counted (see support/counting_new.hpp).
#include "support/counting_new.hpp"

UPCALL_COUNT_ALLOCATIONS
