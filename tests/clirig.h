/*
 * For tests that run the program as a whole: the boshspec beside the test
 * program, or $BOSHSPEC, and a folder for what is written.
 */
#ifndef TESTS_CLIRIG_H
#define TESTS_CLIRIG_H

#include "common/buf.h"

/* CUnit's set-up and clean-up of a suite. */
int clirig_begin(void);
int clirig_end(void);

/* In a command: wait, without a fixed sleep and for at most 20 s. */
#define CLIRIG_UNTIL(test)                                                     \
    "for i in $(seq 400); do if " test "; then break; fi; sleep 0.05; done; "

/* Behind a command whose driver writes its pid to $D/pid: kill the command
 * without warning; "gone" is printed once the driver has ended too. */
#define CLIRIG_GONE "! kill -0 $(cat $D/pid) 2>/dev/null"
#define CLIRIG_ORPHAN                                                          \
    " & R=$!; " CLIRIG_UNTIL(                                                  \
        "test -s $D/pid") "kill -KILL $R; wait $R; " CLIRIG_UNTIL(CLIRIG_GONE) \
        CLIRIG_GONE " && echo gone"

/* The folder. */
const char *clirig_dir(void);

/* By the shell, with the program as $P, the folder as $D, and what was built
 * beside the program in $B. Returns its status, with stdout and stderr
 * together in out. */
int clirig_sh(struct buf *out, const char *command);

/* One run, its status, and words that must be in what it printed. */
void clirig_expect(int status, const char *words, const char *command);

#endif
