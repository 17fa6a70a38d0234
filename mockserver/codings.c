/* Content codings of requests: see manager.h. */
#include "manager.h"

#include <string.h>

#include "common/coding.h"

/* Some clients write a media type where a coding belongs, and mean nothing by
 * it: no coding has a '/' in its name. */
static enum coding coding_of_request(const struct mock_request *req)
{
    const char *name = manager_header(req, "Content-Encoding");

    return !name || strchr(name, '/') ? CODING_NONE : coding_of(name);
}

int codings_undo(struct mock *m, const struct mock_request *req,
                 const char **body, size_t *len)
{
    enum coding coding = coding_of_request(req);

    *body = req->body;
    *len = req->body_len;
    if (coding == CODING_NONE)
        return 0;
    if (coding == CODING_OTHER || !coding_listed(m->options.set.accept, coding))
        return 415;
    buf_clear(&m->entity);
    switch (
        coding_decode(&m->entity, coding, *body, *len, MOCK_MAX_BODY, NULL)) {
    case CODING_E_DAMAGED:
        return 400;
    case CODING_E_TOO_LONG:
        return 413;
    }
    *body = buf_str(&m->entity);
    *len = m->entity.len;
    return 0;
}
