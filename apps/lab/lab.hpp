// `upcall lab`: measures what asynchronous I/O costs on this machine.
#pragma once

int lab_main(int argc, char** argv);
