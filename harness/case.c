/* A case as data: see case.h. */
#include "case.h"

#include <stdlib.h>
#include <string.h>

static void duration_release(struct duration *d)
{
    expr_free(d->expr);
}

static void named_free(struct named_avt *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].name);
        avt_free(list[i].value);
    }
    free(list);
}

static void reply_release(struct http_reply *reply)
{
    free(reply->reason);
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        avt_free(reply->headers[i].value);
    }
    avt_free(reply->body.text);
    free(reply->raw.data);
}

static void actions_free(struct action *actions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct action *a = &actions[i];

        free(a->as);
        duration_release(&a->by);
        duration_release(&a->every);
        reply_release(&a->reply);
        free(a->condition);
        avt_free(a->payload.text);
    }
    free(actions);
}

static void step_release(struct step *st)
{
    free(st->name);
    free(st->as);
    free(st->exchange);
    free(st->client);
    free(st->session);
    expr_free(st->expr);
    duration_release(&st->within);
    duration_release(&st->until);
    free(st->because);
    named_free(st->attrs, st->attr_count);
    named_free(st->options, st->option_count);
    named_free(st->body_attrs, st->body_attr_count);
    avt_free(st->payload.text);
    actions_free(st->actions, st->action_count);
    avt_free(st->of);
    steps_free(st->steps, st->step_count);
    avt_free(st->times);
    free(st->index);
    free(st->conn);
    free(st->encoding);
    avt_free(st->body.text);
    for (size_t i = 0; i < st->raw_count; i++) {
        free(st->raws[i].data);
        avt_free(st->raws[i].text);
    }
    free(st->raws);
    duration_release(&st->send_every);
    duration_release(&st->entity_after);
}

void steps_free(struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        step_release(&steps[i]);
    free(steps);
}

void assertion_release(struct assertion *a)
{
    if (!a)
        return;
    free(a->id);
    free(a->req);
    free(a->says);
    expr_free(a->each);
    expr_free(a->test);
    expr_free(a->got);
    for (size_t i = 0; i < a->is_count; i++)
        expr_free(a->is[i]);
    expr_free(a->is_not);
    expr_free(a->at_least.expr);
    expr_free(a->at_most.expr);
    expr_free(a->show);
}

static void words_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

static void twins_free(struct twin_ref *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].twin);
        free(list[i].by);
    }
    free(list);
}

static void needs_free(struct needs *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].verb);
        free(list[i].event);
        free(list[i].option);
    }
    free(list);
}

static void grant_release(struct manager_grant *g)
{
    free(g->ver);
    free(g->content_type);
    free(g->features);
    free(g->mechanisms);
    free(g->accept);
    free(g->offers);
    free(g->prefixes);
    free(g->conflict);
    free(g->tls);
    for (size_t i = 0; i < g->attribute_count; i++) {
        free((char *)(uintptr_t)g->attributes[i].name);
        free((char *)(uintptr_t)g->attributes[i].value);
    }
    free(g->attributes);
    free(g->attribute_lines);
}

void testcase_free(struct testcase *tc)
{
    if (!tc)
        return;
    free(tc->id);
    free(tc->path);
    free(tc->title);
    free(tc->why);
    words_free(tc->covers, tc->cover_count);
    free(tc->cover_lines);
    words_free(tc->tags, tc->tag_count);
    free(tc->origin_url);
    free(tc->origin_implementation);
    needs_free(tc->needs, tc->needs_count);
    twins_free(tc->caught, tc->caught_count);
    twins_free(tc->spares, tc->spares_count);
    grant_release(&tc->manager);
    steps_free(tc->steps, tc->step_count);
    for (size_t i = 0; i < tc->assert_count; i++)
        assertion_release(&tc->asserts[i]);
    free(tc->asserts);
    free(tc);
}

bool testcase_has_tls(const struct testcase *tc)
{
    return tc->manager.tls && strcmp(tc->manager.tls, "no") != 0;
}

bool testcase_has_tag(const struct testcase *tc, const char *tag)
{
    for (size_t i = 0; i < tc->tag_count; i++) {
        if (strcmp(tc->tags[i], tag) == 0)
            return true;
    }
    return false;
}

/* --------------------------------------------------- walking expressions */

struct walk {
    void (*fn)(void *ctx, const struct expr *ex);
    void *ctx;
};

static void walk_expr(const struct walk *w, const struct expr *ex)
{
    if (ex)
        w->fn(w->ctx, ex);
}

static void walk_avt(const struct walk *w, const struct avt *a)
{
    for (size_t i = 0; a && i < avt_count(a); i++)
        walk_expr(w, avt_expr(a, i));
}

static void walk_named(const struct walk *w, const struct named_avt *list,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        walk_avt(w, list[i].value);
}

static void walk_action(const struct walk *w, const struct action *a)
{
    walk_expr(w, a->by.expr);
    walk_expr(w, a->every.expr);
    for (size_t i = 0; i < a->reply.header_count; i++)
        walk_avt(w, a->reply.headers[i].value);
    walk_avt(w, a->reply.body.text);
    walk_avt(w, a->payload.text);
}

void step_each_expr(const struct step *st,
                    void (*fn)(void *ctx, const struct expr *ex), void *ctx)
{
    struct walk w = {fn, ctx};

    if (st->kind != STEP_ON)
        walk_expr(&w, st->expr);
    walk_expr(&w, st->within.expr);
    walk_expr(&w, st->until.expr);
    walk_named(&w, st->attrs, st->attr_count);
    walk_named(&w, st->options, st->option_count);
    walk_named(&w, st->body_attrs, st->body_attr_count);
    walk_avt(&w, st->payload.text);
    for (size_t i = 0; i < st->action_count; i++)
        walk_action(&w, &st->actions[i]);
    walk_avt(&w, st->of);
    walk_avt(&w, st->times);
    walk_avt(&w, st->body.text);
    for (size_t i = 0; i < st->raw_count; i++)
        walk_avt(&w, st->raws[i].text);
    walk_expr(&w, st->send_every.expr);
    walk_expr(&w, st->entity_after.expr);
}
