/* libFuzzer: whatever comes is undone or refused, never beyond the limit; and
 * what was packed comes back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/coding.h"
#include "fuzz.h"

#define LIMIT 65536

static void undo(enum coding coding, const char *data, size_t size)
{
    struct buf out = BUF_INIT;
    int rc = coding_decode(&out, coding, data, size, LIMIT, NULL);

    if (out.len > LIMIT || (rc < 0 && out.len > 0))
        abort();
    buf_release(&out);
}

static void there_and_back(enum coding coding, const char *data, size_t size)
{
    struct buf packed = BUF_INIT, out = BUF_INIT;

    coding_encode(&packed, coding, data, size);
    if (coding_decode(&out, coding, packed.data, packed.len, size, NULL) < 0 ||
        out.len != size || memcmp(buf_str(&out), data, size) != 0)
        abort();
    buf_release(&packed);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *list = mem_dupn(text, size);

    coding_of(list);
    coding_listed(list, CODING_GZIP);
    free(list);
    undo(CODING_GZIP, text, size);
    undo(CODING_DEFLATE, text, size);
    there_and_back(CODING_GZIP, text, size);
    there_and_back(CODING_DEFLATE, text, size);
    return 0;
}
