// `upcall sim`: programs of upcall's own in the simulated kernel, many seeds of them.
#pragma once

/// The sub-command; `argv[0]` is its name. Returns the exit status.
int sim_main(int argc, char** argv);
