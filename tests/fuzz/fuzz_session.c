/* libFuzzer: a whole session, its calls, its answers and its time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xml.h"
#include "fuzz.h"
#include "tests/storm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct storm_sights sights = {0};
    struct err e = {""};

    if (storm_run(data, size, &sights, &e)) {
        fprintf(stderr, "a rule is broken: %s\n", e.text);
        abort();
    }
    return 0;
}
