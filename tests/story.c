/* Small hand-made journals, judged: see story.h. */
#include "story.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "journal_maker.h"

static void play(struct maker *m, const struct beat *b)
{
    char *x = mem_printf("%u", b->x);

    switch (b->what) {
    case END:
        break;
    case REQ:
        maker_request(m, b->t, b->x, b->x, b->text);
        break;
    case PACKED:
        maker_coded(m, b->t, b->x, "gzip", CODING_GZIP, b->text);
        break;
    case CALLED:
        maker_coded(m, b->t, b->x, "gzip", CODING_NONE, b->text);
        break;
    case BEHIND:
        maker_request(m, b->t, b->x, b->x - 1, b->text);
        break;
    case OURS:
        maker_event(m, b->t, "open", NULL, "conn", x, NULL);
        maker_event(m, b->t, "close", NULL, "conn", x, "how", "rst", "by", "us",
                    NULL);
        break;
    case GIVEN:
        maker_event(m, b->t, "do", b->text, "client", "0", "verb", "send",
                    NULL);
        break;
    case SAID:
        maker_event(m, b->t, "ev", b->text, "client", "0", "kind", "stanza",
                    NULL);
        break;
    case ANS:
        maker_exchange_end(m, b->t, b->x, b->text);
        break;
    case ASKED:
        maker_event(m, b->t, "req", b->text, "x", x, "conn", x, "arrived",
                    "whole", NULL);
        break;
    case CAME:
        maker_event(m, b->t, "res", b->text, "x", x, "came", "whole", NULL);
        break;
    case LOST:
        maker_forward(m, b->t, b->x);
        maker_answer(m, b->t, b->x, EMPTY);
        maker_delivered(m, b->t, b->x, "none");
        maker_event(m, b->t, "close", NULL, "conn", x, "how", "rst", "by", "us",
                    NULL);
        break;
    case FAULT:
        maker_event(m, b->t, "fault", NULL, "name", b->text, NULL);
        break;
    case TOLD:
        maker_event(m, b->t, "do", NULL, "client", "0", "verb", b->text, NULL);
        break;
    }
    free(x);
}

static struct knowledge knowledge;

static int load(void)
{
    struct err e = {""};
    int result = 0;

    if (!knowledge.dir)
        result = knowledge_load(&knowledge, "cases", &e);
    CHECK_STR(e.text, "");
    return result;
}

static void judge_story(const struct story *st)
{
    struct judge_context ctx = {.knowledge = &knowledge,
                                .end = PLAY_DONE,
                                .has_status = true,
                                .has_stanza = true};
    struct testcase tc = {.role = st->role};
    struct judgement out;
    bool found = false;
    struct maker m;

    maker_init(&m, st->role);
    maker_session(&m, 0, st->granted ? st->granted : "");
    for (const struct beat *b = st->beats; b->what != END; b++)
        play(&m, b);
    journal_finish(m.journal, st->end);
    judge_case(&tc, m.journal, &ctx, &out);
    for (size_t i = 0; i < out.finding_count; i++) {
        const struct finding *f = &out.findings[i];
        bool wanted =
            st->guilty && strcmp(f->id + strlen("invariant/"), st->guilty) == 0;

        found |= wanted;
        if (!wanted)
            CHECK_STR(f->id, st->name);
        else
            CHECK_ROW(f->verdict == st->verdict && f->exchange_count > 0,
                      st->name);
    }
    CHECK_ROW(found == (st->guilty != NULL), st->name);
    judgement_release(&out);
    maker_release(&m);
}

void story_judge_all(const struct story *stories, size_t count)
{
    if (load() != 0)
        return;
    for (size_t i = 0; i < count; i++)
        judge_story(&stories[i]);
    knowledge_release(&knowledge);
    memset(&knowledge, 0, sizeof knowledge);
}
