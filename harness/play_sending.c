/* How the case wants a request to be sent: see play_sending.h. */
#include "play_sending.h"

#include <stdlib.h>
#include <string.h>

static bool read_headers(struct play *p, int64_t now_ms, const struct step *st,
                         struct sending *how)
{
    struct http_header *items =
        mem_alloc((st->option_count + 1) * sizeof *items);
    struct err e = {""};

    how->headers = items;
    for (size_t i = 0; i < st->option_count; i++) {
        char *value = avt_eval(st->options[i].value, p->journal, &e);

        if (e.text[0]) {
            play_end_broken(p, now_ms, st->line, &e);
            return false;
        }
        items[i].name = st->options[i].name;
        items[i].value = value ? value : mem_dup("");
        how->header_count++;
    }
    return true;
}

bool sending_read(struct play *p, int64_t now_ms, const struct step *st,
                  struct sending *how)
{
    *how = (struct sending)SENDING_INIT;
    how->method = play_attr(p, now_ms, st, "method");
    how->path = play_attr(p, now_ms, st, "path");
    how->conn = st->conn;
    how->minor = st->http_minor;
    how->chunks = st->chunks;
    how->coding = coding_of(st->encoding ? st->encoding : "");
    how->whole = st->whole;
    how->stop_after = st->stop_after_bytes;
    how->every_ms = play_duration(p, now_ms, &st->send_every, st->line);
    how->entity_after_ms =
        play_duration(p, now_ms, &st->entity_after, st->line);
    return !p->over && read_headers(p, now_ms, st, how);
}

void sending_release(struct sending *how)
{
    for (size_t i = 0; i < how->header_count; i++)
        free((char *)(uintptr_t)how->headers[i].value);
    free((struct http_header *)(uintptr_t)how->headers);
    free((char *)(uintptr_t)how->method);
    free((char *)(uintptr_t)how->path);
}
