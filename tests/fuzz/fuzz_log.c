/* libFuzzer: a line of an event log, read and written again. */
#include <stdint.h>

#include "common/log_events.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT;
    struct event ev;

    if (event_read((const char *)data, size, &ev, NULL) == 1) {
        event_write(&out, &ev);
        event_release(&ev);
    }
    buf_release(&out);
    return 0;
}
