/* libFuzzer: what a client may send, through the mock's request reader. */
#include <stdint.h>

#include "fuzz.h"
#include "mockserver/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r;

    if (request_read(&r, (const char *)data, size, NULL) == 0)
        request_release(&r);
    return 0;
}
