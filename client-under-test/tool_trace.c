/* --trace: see tool_trace.h. */
#include "tool_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "tool_text.h"

static void head(const struct tool_trace *t, struct buf *out, const char *what)
{
    int64_t ms = bosh_driver_now_ms() - t->start_ms;

    buf_printf(out, "+%" PRId64 ".%03d %s", ms / 1000, (int)(ms % 1000), what);
}

static void put(struct buf *out)
{
    buf_addc(out, '\n');
    fwrite(buf_str(out), 1, out->len, stderr);
    buf_release(out);
}

static void add_body(struct buf *out, const char *data, size_t len)
{
    struct buf hidden = BUF_INIT;

    tool_text_hide(&hidden, data, len);
    buf_addc(out, '\n');
    tool_text_clean(out, buf_str(&hidden), hidden.len, true);
    buf_release(&hidden);
}

/* Ours, so that it is where we look. */
static uint64_t rid_of(const char *data, size_t len)
{
    static const char word[] = " rid='";
    const char *at = memmem(data, len, word, sizeof word - 1);

    return at ? strtoull(at + sizeof word - 1, NULL, 10) : 0;
}

static void on_request(void *ctx, const char *data, size_t len)
{
    struct tool_trace *t = ctx;
    uint64_t rid = rid_of(data, len);
    bool again = t->first_open > 0 && rid <= t->last_sent;
    struct buf out = BUF_INIT;

    head(t, &out, "> request");
    buf_printf(&out, " rid=%" PRIu64 " %zu bytes%s", rid, len,
               again ? ", again" : "");
    add_body(&out, data, len);
    put(&out);
    if (!again)
        t->last_sent = rid;
    if (t->first_open == 0)
        t->first_open = rid;
}

/*
 * An answer does not say whose it is. What is known: those below first_open
 * have been answered, and so many are open.
 */
static void add_whose(const struct tool_trace *t, struct buf *out)
{
    buf_printf(out, " rid=%" PRIu64, t->first_open);
    if (bosh_open_count(t->bosh) > 1)
        buf_printf(out, "..%" PRIu64, t->last_sent);
}

static void on_answer(void *ctx, const char *data, size_t len)
{
    struct tool_trace *t = ctx;
    struct buf out = BUF_INIT;

    head(t, &out, "< answer");
    add_whose(t, &out);
    buf_printf(&out, " %zu bytes", len);
    add_body(&out, data, len);
    put(&out);
}

/* Comes in the order of the rids. */
static void on_turn(void *ctx, const char *xml, size_t len)
{
    struct tool_trace *t = ctx;

    (void)xml;
    (void)len;
    t->first_open++;
}

void tool_trace_start(struct tool_trace *t, struct bosh_options *options)
{
    *t = (struct tool_trace){.on = true, .start_ms = bosh_driver_now_ms()};
    options->taps = (struct bosh_taps){
        .raw_output = on_request,
        .raw_input = on_answer,
        .xml_input = on_turn,
        .ctx = t,
    };
}

void tool_trace_status(struct tool_trace *t, const struct bosh_event *ev)
{
    struct buf out = BUF_INIT;

    if (!t->on)
        return;
    if (ev->status == BOSH_CONNECTING || ev->status == BOSH_ATTACHED)
        t->first_open = t->last_sent = 0; /* a session of other rids */
    head(t, &out, "* ");
    buf_adds(&out, bosh_status_name(ev->status));
    if (ev->condition) {
        buf_adds(&out, ": ");
        tool_text_clean(&out, ev->condition, strlen(ev->condition), false);
    }
    if (ev->detail) {
        buf_adds(&out, ev->condition ? ", " : ": ");
        tool_text_clean(&out, ev->detail, strlen(ev->detail), false);
    }
    put(&out);
}

void tool_trace_errors(struct tool_trace *t)
{
    int errors = t->on ? bosh_errors(t->bosh) : 0;
    struct buf out = BUF_INIT;

    if (errors > t->errors) {
        head(t, &out, "! no good answer");
        buf_printf(&out, ", %d in a row", errors);
        put(&out);
    }
    t->errors = errors;
}
