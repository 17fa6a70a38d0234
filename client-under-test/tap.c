/* What the application sees of the wire: see tap.h. */
#include "tap.h"

void tap_raw_output(const struct bosh_taps *t, const char *data, size_t len)
{
    if (t->raw_output)
        t->raw_output(t->ctx, data, len);
}

void tap_raw_input(const struct bosh_taps *t, const char *data, size_t len)
{
    if (t->raw_input)
        t->raw_input(t->ctx, data, len);
}

/* The payloads below root, each by itself. */
static void show_payloads(void (*show)(void *ctx, const char *data, size_t len),
                          void *ctx, const xmlNode *root)
{
    xmlNodePtr node;

    for (node = xml_child(root, NULL, NULL); node; node = xml_next(node)) {
        struct buf text = BUF_INIT;

        xml_write(&text, node);
        show(ctx, buf_str(&text), text.len);
        buf_release(&text);
    }
}

void tap_xml_output(const struct bosh_taps *t, const char *data, size_t len)
{
    struct body *request;

    if (!t->xml_output)
        return;
    if (!t->strip) {
        t->xml_output(t->ctx, data, len);
        return;
    }
    request = body_read(data, len, NULL);
    if (request)
        show_payloads(t->xml_output, t->ctx, request->root);
    body_free(request);
}

void tap_xml_input(const struct bosh_taps *t, const struct body *answer)
{
    struct buf text = BUF_INIT;

    if (!t->xml_input)
        return;
    if (t->strip) {
        show_payloads(t->xml_input, t->ctx, answer->root);
        return;
    }
    xml_write(&text, answer->root);
    t->xml_input(t->ctx, buf_str(&text), text.len);
    buf_release(&text);
}
