/* libFuzzer: the framer and the reader must agree on where a message ends. */
#include <stdint.h>
#include <stdlib.h>

#include "common/http.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum http_kind kind = size && data[0] & 1 ? HTTP_REQUEST : HTTP_RESPONSE;
    enum http_progress read, framed;
    struct http_framer f;
    struct http_message m;
    size_t read_len = 0, framed_len = 0;

    read = http_read(kind, (const char *)data, size, false, false, &m,
                     &read_len, NULL);
    http_message_release(&m);
    http_framer_init(&f, kind);
    framed = http_framer_look(&f, (const char *)data, size, false, &framed_len,
                              NULL);
    if (read != framed || (read == HTTP_WHOLE && read_len != framed_len))
        abort();
    return 0;
}
