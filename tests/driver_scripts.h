/* Drivers for tests of the harness: shell scripts of a line. */
#ifndef TESTS_DRIVER_SCRIPTS_H
#define TESTS_DRIVER_SCRIPTS_H

/* How each script begins: it answers hello and the verb that is none. */
#define GREET(sessions)                                                        \
    "read -r l; echo '{\"id\":1,\"result\":\"ok\",\"protocol\":1,"             \
    "\"name\":\"toy\",\"version\":\"7\",\"verbs\":[\"connect\",\"send\"],"     \
    "\"events\":[\"status\"],\"sessions\":" sessions "}';"                     \
    "read -r l; echo '{\"id\":2,\"result\":\"unsupported\"}';"
/* ... and how it goes on when it has nothing else to do. */
#define IDLE "while read -r l; do case $l in *quit*) exit 0;; esac; done"

#endif
