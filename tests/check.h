/*
 * Checks for our CUnit suites. Each goes on after a failure, and prints what
 * was wanted and what came.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/CUnit.h>

#define CHECK(cond)                                                            \
    CU_assertImplementation((cond) ? CU_TRUE : CU_FALSE, __LINE__, #cond,      \
                            __FILE__, "", CU_FALSE)

/* row: which row of a table this is; printed when it fails. */
#define CHECK_ROW(cond, row)                                                   \
    CU_assertImplementation((cond) ? CU_TRUE : CU_FALSE, __LINE__, (row),      \
                            __FILE__, "", CU_FALSE)

#define CHECK_INT(got, want)                                                   \
    check_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)

#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)

static inline void check_int(long long got, long long want, const char *what,
                             const char *file, int line)
{
    char text[1024];

    snprintf(text, sizeof text, "%.900s: got %lld, want %lld", what, got, want);
    CU_assertImplementation(got == want ? CU_TRUE : CU_FALSE,
                            (unsigned int)line, text, file, "", CU_FALSE);
}

static inline void check_str(const char *got, const char *want,
                             const char *what, const char *file, int line)
{
    bool same = got && want ? strcmp(got, want) == 0 : got == want;
    char text[1024];

    snprintf(text, sizeof text, "%.200s: got '%.400s', want '%.400s'", what,
             got ? got : "(null)", want ? want : "(null)");
    CU_assertImplementation(same ? CU_TRUE : CU_FALSE, (unsigned int)line, text,
                            file, "", CU_FALSE);
}

#endif
