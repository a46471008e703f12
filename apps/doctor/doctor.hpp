// `upcall doctor`: what this host offers to asynchronous I/O, and what to do about the rest.
#pragma once

/// Runs the sub-command: argv[0] is its name, options follow. The report goes to standard output,
/// complaints about the command line to standard error. Returns the exit code: 0; 1 if the report
/// could not be written; 2 for a command line that makes no sense.
int doctor_main(int argc, char** argv);
