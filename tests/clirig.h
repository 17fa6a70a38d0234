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

/* The folder. */
const char *clirig_dir(void);

/*
 * By the shell, with the program as $P, the folder as $D, and what was built
 * beside the program in $B. Returns its status, with stdout and stderr
 * together in out. The shell also knows
 *
 *     until_so COMMAND...  wait until it succeeds, 20 s at most
 *     gone FILE            "gone" once the process has ended whose pid is there
 *     orphan PID           the same for $D/pid, once PID was killed unwarned
 */
int clirig_sh(struct buf *out, const char *command);

/* One run, its status, and words that must be in what it printed. */
void clirig_expect(int status, const char *words, const char *command);

#endif
