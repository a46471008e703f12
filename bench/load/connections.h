// The connections of the load generator: opened before the measurement, reset at its end.
#ifndef UPCALL_BENCH_CONNECTIONS_H
#define UPCALL_BENCH_CONNECTIONS_H

#include "options.h"

// Connected sockets to 127.0.0.1:port, every one of them accepted by the server. The caller owns
// the array. Exits with a message if the server does not answer.
int* connections_open(long port, unsigned count);

#endif
