/* What a person sees while a run goes on: see run_parts.h. */
#include "run_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

static void erase(struct run *run)
{
    if (run->drawn)
        fputs("\r\033[K", run->options->text);
    run->drawn = false;
}

static void show(struct run *run, struct buf *text)
{
    if (run->options->text) {
        erase(run);
        fwrite(buf_str(text), 1, text->len, run->options->text);
        fflush(run->options->text);
    }
    buf_release(text);
}

void screen_event(void *ctx, const struct event *ev)
{
    struct run *run = ctx;
    struct buf text = BUF_INIT;

    live_event(&run->live, &text, ev);
    show(run, &text);
}

void screen_case(struct run *run, const struct result_case *c)
{
    struct buf line = BUF_INIT;

    if (run->options->quiet)
        return;
    text_case(&line, &run->style, c);
    if (run->options->verbose || run->options->debug)
        text_asserts(&line, &run->style, c);
    show(run, &line);
}

/* The longest that anything which is not done may still take. */
static int64_t time_left(const struct run *run, size_t *running)
{
    int64_t left = 0, now_ms = run_now(run);
    size_t i;

    *running = 0;
    for (i = 0; i < run->item_count; i++) {
        const struct item *it = &run->items[i];
        int64_t ms =
            (int64_t)((double)it->tc->worst_ms * run->options->timeout_factor);

        ms *= run->options->repeat - (int64_t)it->worst.round_count;
        if (it->state == ITEM_RUNNING) {
            ++*running;
            ms -= now_ms - it->started_ms;
        }
        if (it->state != ITEM_DONE && ms > left)
            left = ms;
    }
    return left;
}

void screen_tick(struct run *run)
{
    struct buf line = BUF_INIT;
    size_t running;
    int64_t left_ms = time_left(run, &running);

    if (run->dirty)
        screen_save(run);
    if (!run->screen)
        return;
    erase(run);
    text_progress(&line, &run->style, run->done, run->item_count, running,
                  left_ms);
    fwrite(buf_str(&line), 1, line.len, run->options->text);
    fflush(run->options->text);
    run->drawn = true;
    buf_release(&line);
}

void screen_summary(struct run *run)
{
    struct buf text = BUF_INIT;

    text_summary(&text, &run->style, run->result, run->options->dir);
    buf_printf(&text, "result: %s\n", run->path);
    show(run, &text);
}

void screen_save(struct run *run)
{
    struct err e = {""};

    run->dirty = false;
    run->result->wall_ms = run_now(run) - run->begun_ms;
    if (result_save(run->result, run->path, &e) == 0)
        return;
    if (!run->trouble.text[0])
        log_line(LOG_ERROR, "run", "%s", e.text);
    run->trouble = e;
}
