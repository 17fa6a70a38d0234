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

/* The folder. */
const char *clirig_dir(void);

/* By the shell, with the program as $P, the folder as $D, and what was built
 * beside the program in $B. Returns its status, with stdout and stderr
 * together in out. */
int clirig_sh(struct buf *out, const char *command);

/* One run, its status, and words that must be in what it printed. */
void clirig_expect(int status, const char *words, const char *command);

#endif
