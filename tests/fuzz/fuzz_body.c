/* libFuzzer: what a manager may answer, through libbosh's body reader. */
#include <stdint.h>

#include "client-under-test/body.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct body *b = body_read((const char *)data, size, NULL);
    struct buf out = BUF_INIT;

    if (b && body_has_payload(b))
        body_write_payload(&out, xml_child(b->root, NULL, NULL));
    body_free(b);
    buf_release(&out);
    return 0;
}
