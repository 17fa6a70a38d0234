/* Text for a stanza: see bosh.h. */
#include "bosh.h"

#include <string.h>

#include "common/buf.h"

char *bosh_escape(const char *text)
{
    struct buf out = BUF_INIT;

    buf_add_xml(&out, text, strlen(text));
    return buf_take(&out);
}
