// `upcall sim` with planted bugs, as a program of its own.
#include "sim/sim.hpp"

int main(int argc, char** argv) { return sim_main(argc, argv); }
