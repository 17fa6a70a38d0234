/* The invariants' part of the judge's suite. */
#ifndef TESTS_TEST_INVARIANTS_H
#define TESTS_TEST_INVARIANTS_H

#include <CUnit/CUnit.h>

/* 0, or -1. */
int add_invariant_tests(CU_pSuite suite);

#endif
