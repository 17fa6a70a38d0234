/* What the log says of a case's steps: see play_parts.h. Facts for a person;
 * nothing is judged by them. */
#include "play_parts.h"

static const char *step_name(enum step_kind kind)
{
    switch (kind) {
    case STEP_LET:
        return "let";
    case STEP_REQUIRE:
        return "require";
    case STEP_AWAIT:
        return "await";
    case STEP_ELAPSE:
        return "elapse";
    case STEP_SILENCE:
        return "silence";
    case STEP_REPEAT:
        return "repeat";
    case STEP_WHEN:
        return "when";
    case STEP_TOGETHER:
        return "together";
    case STEP_IN_ORDER:
        return "in-order";
    case STEP_DO:
        return "do";
    case STEP_PUSH:
        return "push";
    case STEP_ON:
        return "on";
    case STEP_OFF:
        return "off";
    case STEP_ACT:
        return "act";
    case STEP_CERTIFICATE:
        return "certificate";
    case STEP_LOGIN:
        return "login";
    case STEP_CREATE:
        return "create";
    case STEP_KEEP_POLLING:
        return "keep-polling";
    case STEP_DRAIN:
        return "drain";
    case STEP_REQUEST:
        return "request";
    case STEP_RESEND:
        return "resend";
    case STEP_ABORT:
        return "abort";
    }
    return "";
}

void play_trace_step(struct play *p, int64_t now_ms, const struct step *st,
                     const char *outcome)
{
    struct event ev;

    if (p->over) /* the end names its line */
        return;
    event_init(&ev, "step");
    event_setf(&ev, "line", "%d", st->line);
    event_set(&ev, "what", step_name(st->kind));
    event_set(&ev, "outcome", outcome);
    play_emit(p, now_ms, &ev);
    event_release(&ev);
}
