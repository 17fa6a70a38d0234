/*
 * cases/invariants.xml on hand-made journals: each rule convicts the guilty,
 * and spares those who only look so.
 */
#include "test_invariants.h"

#include <stdlib.h>

#include "check.h"
#include "harness/judge.h"
#include "journal_maker.h"

#define BODY "<body xmlns='http://jabber.org/protocol/httpbind' "
#define SID "sid='abc' "
#define TYPE "Content-Type: text/xml\r\n"
#define EMPTY BODY "/>"
#define IQ(type) "<iq xmlns='jabber:client' type='" type "' id='i'/>"
#define BOUND                                                                  \
    BODY "><iq xmlns='jabber:client' type='result' id='b'><bind "              \
         "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b/c</jid></bind>"    \
         "</iq></body>"

#define MESSAGE "<message xmlns='jabber:client' id='m'/>"

/* One step of a small journal: what happens at t. */
struct beat {
    enum {
        END,
        REQ,    /* exchange x, with this body */
        ANS,    /* it is answered with this body, and all is delivered */
        ASKED,  /* raw bytes, as the request */
        CAME,   /* raw bytes, as the answer */
        LOST,   /* answered, but the answer is lost, and the connection */
        FAULT,  /* a fault of ours */
        TOLD,   /* the client was given this verb */
        GIVEN,  /* the client was given this message to send */
        SAID,   /* the application got this message */
        BEHIND, /* a request on the connection of the one before */
        OURS,   /* we end the connection of a request */
    } what;
    int64_t t;
    unsigned x;
    const char *text;
};

struct story {
    const char *name;
    enum role role;
    const char *granted; /* in the creation's answer, besides the usual */
    struct beat beats[10];
    int64_t end;
    const char *guilty; /* the invariant; NULL: all are innocent */
    enum verdict verdict;
};

static void play(struct maker *m, const struct beat *b)
{
    char *x = mem_printf("%u", b->x);

    switch (b->what) {
    case END:
        break;
    case REQ:
        maker_request(m, b->t, b->x, b->x, b->text);
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

static void judge_stories(const struct story *stories, size_t count)
{
    if (load() != 0)
        return;
    for (size_t i = 0; i < count; i++)
        judge_story(&stories[i]);
    knowledge_release(&knowledge);
    memset(&knowledge, 0, sizeof knowledge);
}

/* A session with acknowledgements, and one with keys: each is the SHA-1 of the
 * one before. */
#define ACKS                                                                   \
    {REQ, 1, 2, BODY "rid='7' ack='1' to='a'/>"},                              \
    {                                                                          \
        ANS, 1, 2, BODY "sid='p' wait='60' hold='2' requests='4' ack='7'/>"    \
    }
#define K1 "92713d4709377111cf31f2a71986c411bd6cb5b0"
#define K2 "c62acc6f8c0c715ca7c1c81bec6fea819c9c3c62"
#define K3 "e51fd1b46928409a0fdbd44bdae28d2d7741813b"
#define KEYS                                                                   \
    {REQ, 1, 2, BODY "rid='7' newkey='" K3 "' to='a'/>"},                      \
    {                                                                          \
        ANS, 1, 2, BODY "sid='p' wait='60' hold='2' requests='4'/>"            \
    }

#define GUILTY(id) 90000, id, VERDICT_FAIL
#define WARNED(id) 90000, id, VERDICT_WARN
#define INNOCENT 90000, NULL, VERDICT_PASS
#define C ROLE_CLIENT, NULL
#define S ROLE_SERVER, NULL

static const struct story guilty_clients[] = {
    {"a rid left out",
     C,
     {{REQ, 10, 2, BODY SID "rid='102'/>"}},
     GUILTY("rid-plus-one")},
    {"a rid left out after we ended a connection",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, EMPTY},
      {OURS, 21, 2, NULL},
      {REQ, 30, 3, BODY SID "rid='103'/>"}},
     GUILTY("rid-plus-one")},
    {"two rids left out before a farewell after we ended a connection",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, EMPTY},
      {OURS, 21, 2, NULL},
      {REQ, 30, 3, BODY SID "rid='104' type='terminate'/>"}},
     GUILTY("rid-plus-one")},
    {"no rid", C, {{REQ, 10, 2, BODY SID "/>"}}, GUILTY("rid-required")},
    {"a rid that is no number",
     C,
     {{REQ, 10, 2, BODY SID "rid='1e2'/>"}},
     GUILTY("rid-required")},
    {"a rid of zero",
     C,
     {{REQ, 10, 2, BODY "rid='0' to='a'/>"}},
     GUILTY("rid-required")},
    {"a rid with a sign",
     C,
     {{REQ, 10, 2, BODY SID "rid='+101'/>"}},
     WARNED("rid-plain")},
    {"a rid with zeros in front",
     C,
     {{REQ, 10, 2, BODY SID "rid='0101'/>"}},
     WARNED("rid-plain")},
    {"a rid above the limit",
     C,
     {{REQ, 10, 2, BODY "rid='9007199254740992' to='a'/>"}},
     GUILTY("rid-below-the-limit")},
    {"an edited repeat",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 20, 3, BODY SID "rid='101' ack='1'/>"}},
     GUILTY("repeats-are-copies")},
    {"a sid of its own",
     C,
     {{REQ, 10, 2, BODY "sid='mine' rid='101'/>"}},
     GUILTY("sid-is-ours")},
    {"a restart without a sid",
     C,
     {{REQ, 10, 2, BODY "rid='101' xmlns:x='urn:xmpp:xbosh' x:restart='1'/>"}},
     GUILTY("sid-is-ours")},
    {"an empty sid at creation",
     C,
     {{REQ, 10, 2, BODY "rid='7' sid='' to='a'/>"}},
     GUILTY("creation-without-sid")},
    {"three open where two may be",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 11, 3, BODY SID "rid='102'/>"},
      {REQ, 12, 4, BODY SID "rid='103'/>"}},
     WARNED("at-most-requests")},
    {"a poll after the end",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "type='terminate'/>"},
      {REQ, 2500, 3, BODY SID "rid='102'/>"}},
     GUILTY("silent-after-the-end")},
    {"two polls at once after the end",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "type='terminate'/>"},
      {REQ, 30, 3, BODY SID "rid='102'/>"},
      {REQ, 40, 4, BODY SID "rid='103'/>"}},
     GUILTY("no-more-after-the-end")},
    {"ill-formed",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'><a></body>"}},
     GUILTY("requests-are-wellformed")},
    {"no body",
     C,
     {{REQ, 10, 2, "<body rid='101'/>"}},
     GUILTY("requests-are-bodies")},
    {"a comment",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'><!-- x --></body>"}},
     GUILTY("no-comments-sent")},
    {"an instruction",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'><?x y?></body>"}},
     GUILTY("no-instructions-sent")},
    {"silent for too long",
     C,
     {{REQ, 61000, 2, BODY SID "rid='101'/>"}},
     GUILTY("within-inactivity")},
    {"longer than it said it would pause",
     ROLE_CLIENT,
     "maxpause='120'",
     {{REQ, 10, 2, BODY SID "rid='101' pause='20'/>"},
      {ANS, 20, 2, EMPTY},
      {REQ, 21000, 3, BODY SID "rid='102'/>"}},
     GUILTY("within-inactivity")},
    {"a pause that was not offered",
     C,
     {{REQ, 10, 2, BODY SID "rid='101' pause='20'/>"}},
     GUILTY("no-pause-unoffered")},
    {"polls without rest",
     C,
     {{REQ, 1, 2, BODY "rid='7' hold='0' to='a'/>"},
      {ANS, 1, 2, BODY "sid='p' wait='5' hold='0' polling='5'/>"},
      {REQ, 10, 3, BODY "sid='p' rid='8'/>"},
      {ANS, 10, 3, BOUND},
      {REQ, 20, 4, BODY "sid='p' rid='9'/>"},
      {ANS, 20, 4, EMPTY},
      {REQ, 4000, 5, BODY "sid='p' rid='10'/>"}},
     WARNED("polls-not-too-often")},
    {"put",
     C,
     {{ASKED, 10, 2,
       "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 71\r\n\r\n" BODY SID
       "rid='101'/>"}},
     GUILTY("posts")},
    {"without Host",
     C,
     {{ASKED, 10, 2,
       "POST / HTTP/1.1\r\n" TYPE "Content-Length: 71\r\n\r\n" BODY SID
       "rid='101'/>"}},
     GUILTY("http-host")},
    {"in chunks",
     C,
     {{ASKED, 10, 2,
       "POST / HTTP/1.1\r\nHost: a\r\n" TYPE
       "Transfer-Encoding: chunked\r\n\r\n"
       "47\r\n" BODY SID "rid='101'/>\r\n0\r\n\r\n"}},
     WARNED("no-chunks-sent")},
    {"as JSON",
     C,
     {{ASKED, 10, 2,
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
       "Content-Length: 71\r\n\r\n" BODY SID "rid='101'/>"}},
     WARNED("requests-say-xml")},
    {"a media type for a coding",
     C,
     {{ASKED, 10, 2,
       "POST / HTTP/1.1\r\nHost: a\r\n" TYPE "Content-Encoding: text/xml\r\n"
       "Content-Length: 71\r\n\r\n" BODY SID "rid='101'/>"}},
     WARNED("codings-as-offered")},
    {"an entity of HTML",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'><a>&nbsp;</a></body>"}},
     GUILTY("no-entities-sent")},
    {"a prefix that is not declared",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'><c:a/></body>"}},
     WARNED("prefixes-are-declared")},
    {"text between the payloads",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'><a xmlns='b'/>and</body>"}},
     GUILTY("no-text-sent")},
    {"another encoding",
     C,
     {{REQ, 10, 2,
       "<?xml version='1.0' encoding='ISO-8859-1'?>" BODY SID "rid='101'/>"}},
     WARNED("utf-8-sent")},
    {"a message under two rids",
     C,
     {{GIVEN, 10, 0, MESSAGE},
      {REQ, 20, 2, BODY SID "rid='101'>" MESSAGE "</body>"},
      {LOST, 30, 2, NULL},
      {REQ, 40, 3, BODY SID "rid='102'>" MESSAGE "</body>"}},
     GUILTY("sent-once")},
    {"a message handed over twice",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY ">" MESSAGE "</body>"},
      {SAID, 30, 0, MESSAGE},
      {SAID, 40, 0, MESSAGE},
      {REQ, 50, 3, BODY SID "rid='102'/>"}},
     GUILTY("handed-over-once")},
    {"a request behind another",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {BEHIND, 20, 3, BODY SID "rid='102'/>"}},
     WARNED("no-pipelining")},
    {"a pause above the limit",
     ROLE_CLIENT,
     "maxpause='10'",
     {{REQ, 10, 2, BODY SID "rid='101' pause='20'/>"}},
     WARNED("pause-within-max")},
    {"a question at the end",
     C,
     {{REQ, 10, 2, BODY SID "rid='101' type='terminate'>" IQ("get") "</body>"}},
     WARNED("no-question-at-the-end")},
    {"an ack that was not announced",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 20, 3, BODY SID "rid='102' ack='100'/>"}},
     GUILTY("acks-are-declared")},
    {"an ack beyond a gap",
     C,
     {ACKS,
      {REQ, 10, 3, BODY "sid='p' rid='8'/>"},
      {REQ, 11, 4, BODY "sid='p' rid='9' ack='7'/>"},
      {ANS, 12, 4, EMPTY},
      {REQ, 13, 5, BODY "sid='p' rid='10' ack='7'/>"},
      {REQ, 14, 6, BODY "sid='p' rid='11' ack='9'/>"}},
     GUILTY("acks-stop-at-a-gap")},
    {"no ack though something is missing",
     C,
     {ACKS,
      {REQ, 10, 3, BODY "sid='p' rid='8'/>"},
      {REQ, 11, 4, BODY "sid='p' rid='9'/>"}},
     GUILTY("acks-throughout")},
    {"an ack where nothing is missing",
     C,
     {ACKS, {REQ, 10, 3, BODY "sid='p' rid='8' ack='7'/>"}},
     WARNED("acks-are-needed")},
    {"a key that does not fit",
     C,
     {KEYS, {REQ, 10, 3, BODY "sid='p' rid='8' key='" K1 "'/>"}},
     GUILTY("keys-fit")},
    {"no key",
     C,
     {KEYS, {REQ, 10, 3, BODY "sid='p' rid='8'/>"}},
     GUILTY("keys-fit")},
    {"a new sequence without a key",
     C,
     {KEYS, {REQ, 10, 3, BODY "sid='p' rid='8' newkey='" K3 "'/>"}},
     GUILTY("keys-change-hands")},
    {"a newkey that is no hash",
     C,
     {{REQ, 1, 2, BODY "rid='7' newkey='abc' to='a'/>"}},
     GUILTY("newkeys-are-hashes")},
    {"two lengths",
     C,
     {{ASKED, 10, 2,
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
       "Content-Length: 2\r\n\r\nxx"}},
     GUILTY("http-requests")},
};

static void test_clients_are_convicted(void)
{
    judge_stories(guilty_clients,
                  sizeof guilty_clients / sizeof guilty_clients[0]);
}

static const struct story innocent_clients[] = {
    {"a farewell after a request that died on a connection that we ended",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, EMPTY},
      {OURS, 21, 2, NULL},
      {REQ, 30, 3, BODY SID "rid='103' type='terminate'/>"}},
     INNOCENT},
    {"a message that was given twice, and one that was sent again",
     C,
     {{GIVEN, 10, 0, MESSAGE},
      {GIVEN, 11, 0, MESSAGE},
      {REQ, 20, 2, BODY SID "rid='101'>" MESSAGE "</body>"},
      {LOST, 30, 2, NULL},
      {REQ, 40, 3, BODY SID "rid='101'>" MESSAGE "</body>"},
      {REQ, 50, 4, BODY SID "rid='102'>" MESSAGE "</body>"}},
     INNOCENT},
    {"a message that came twice",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY ">" MESSAGE MESSAGE "</body>"},
      {SAID, 30, 0, MESSAGE},
      {SAID, 40, 0, MESSAGE},
      {REQ, 50, 3, BODY SID "rid='102'/>"}},
     INNOCENT},
    {"a request behind one that was answered",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, EMPTY},
      {BEHIND, 30, 3, BODY SID "rid='102'/>"},
      {REQ, 40, 4, BODY SID "rid='103'/>"}},
     INNOCENT},
    {"a pause as long as may be, and what the server asked is answered last",
     ROLE_CLIENT,
     "maxpause='20'",
     {{REQ, 10, 2, BODY SID "rid='101' pause='20'/>"},
      {ANS, 20, 2, EMPTY},
      {REQ, 30, 3,
       BODY SID "rid='102' type='terminate'>" IQ("result") "</body>"}},
     INNOCENT},
    {"acks that stay below what is missing, or are not needed",
     C,
     {ACKS,
      {REQ, 10, 3, BODY "sid='p' rid='8'/>"},
      {REQ, 11, 4, BODY "sid='p' rid='9' ack='7'/>"},
      {ANS, 12, 3, EMPTY},
      {REQ, 13, 5, BODY "sid='p' rid='10' ack='7'/>"},
      {REQ, 14, 6, BODY "sid='p' rid='9' ack='7'/>"},
      {REQ, 15, 7, BODY "sid='p' rid='11' ack='8'/>"}},
     INNOCENT},
    {"keys in their order, with a repeat and a new sequence",
     C,
     {KEYS,
      {REQ, 10, 3, BODY "sid='p' rid='8' key='" K2 "'/>"},
      {REQ, 11, 4, BODY "sid='p' rid='8' key='" K2 "'/>"},
      {REQ, 12, 5, BODY "sid='p' rid='9' key='" K1 "' newkey='" K3 "'/>"},
      {REQ, 13, 6, BODY "sid='p' rid='10' key='" K2 "'/>"}},
     INNOCENT},
    {"rids that overtake",
     C,
     {{REQ, 10, 2, BODY SID "rid='102'/>"},
      {REQ, 5000, 3, BODY SID "rid='101'/>"}},
     INNOCENT},
    {"a rid still on its way",
     C,
     {{REQ, 89000, 2, BODY SID "rid='102'/>"}},
     90000,
     "within-inactivity",
     VERDICT_FAIL},
    {"a rid that we may have refused",
     C,
     {{FAULT, 5, 0, "refuse"}, {REQ, 10, 2, BODY SID "rid='102'/>"}},
     INNOCENT},
    {"repeats, one of them changed its headers only",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ASKED, 20, 3,
       "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n" TYPE "Content-Length: "
       "71\r\n\r\n" BODY SID "rid='101'/>"}},
     INNOCENT},
    {"a retried creation",
     C,
     {{REQ, 10, 2, BODY "rid='7' to='a'/>"},
      {REQ, 20, 3, BODY "rid='7' to='a'/>"},
      {REQ, 30, 4, BODY "rid='9' to='a'/>"}},
     INNOCENT},
    {"repeats are not open twice",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 11, 3, BODY SID "rid='102'/>"},
      {REQ, 12, 4, BODY SID "rid='101'/>"},
      {REQ, 13, 5, BODY SID "rid='103' type='terminate'/>"}},
     INNOCENT},
    {"one whose connection died is not open",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 11, 3, BODY SID "rid='102'/>"},
      {LOST, 12, 2, NULL},
      {REQ, 13, 4, BODY SID "rid='103'/>"}},
     INNOCENT},
    {"a copy, and what crossed, after the end",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 11, 3, BODY SID "rid='102'/>"},
      {ANS, 20, 2, BODY "type='terminate'/>"},
      {REQ, 200, 4, BODY SID "rid='103'/>"},
      {REQ, 2000, 5, BODY SID "rid='102'/>"}},
     INNOCENT},
    {"many begun before it has read of the end, as it always does",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 12, 3, BODY SID "rid='102'/>"},
      {REQ, 14, 4, BODY SID "rid='103'/>"},
      {ANS, 20, 2, BODY "type='terminate'/>"},
      {REQ, 30, 5, BODY SID "rid='104'/>"},
      {REQ, 31, 6, BODY SID "rid='105'/>"}},
     WARNED("at-most-requests")},
    {"one begun before it has read of the end",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "type='terminate'/>"},
      {REQ, 1900, 3, BODY SID "rid='102'/>"},
      {REQ, 1910, 4, BODY SID "rid='103' type='terminate'/>"}},
     INNOCENT},
    {"nothing in it, to be asked for a password",
     C,
     {{REQ, 10, 2, ""}},
     INNOCENT},
    {"a new session after the end",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "type='terminate'/>"},
      {REQ, 2000, 3, BODY "rid='7' to='a'/>"}},
     INNOCENT},
    {"silent because an answer was lost",
     C,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {LOST, 12, 2, NULL},
      {REQ, 70000, 3, BODY SID "rid='101'/>"}},
     INNOCENT},
    {"silent because it was told to",
     C,
     {{TOLD, 10, 0, "pause"}, {REQ, 70000, 2, BODY SID "rid='101'/>"}},
     INNOCENT},
    {"gone without a word", C, {{END, 0, 0, NULL}}, INNOCENT},
    {"a pause in time",
     ROLE_CLIENT,
     "maxpause='120'",
     {{REQ, 10, 2, BODY SID "rid='101' pause='80'/>"},
      {ANS, 20, 2, EMPTY},
      {REQ, 80000, 3, BODY SID "rid='102'/>"}},
     INNOCENT},
    {"polls one by one after payloads",
     C,
     {{REQ, 1, 2, BODY "rid='7' hold='0' to='a'/>"},
      {ANS, 1, 2, BODY "sid='p' wait='5' hold='0' polling='5'/>"},
      {REQ, 10, 3, BODY "sid='p' rid='8'/>"},
      {ANS, 20, 3, BOUND},
      {REQ, 30, 4, BODY "sid='p' rid='9'/>"},
      {ANS, 40, 4, EMPTY},
      {REQ, 4950, 5, BODY "sid='p' rid='10'/>"}},
     INNOCENT},
    {"other methods carry no BOSH",
     C,
     {{ASKED, 10, 2, "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {ASKED, 20, 3, "GET /favicon.ico HTTP/1.0\r\n\r\n"}},
     INNOCENT},
    {"a declaration and a prefix",
     C,
     {{REQ, 10, 2,
       "<?xml version='1.0'?>\n<b:body xmlns:b="
       "'http://jabber.org/protocol/httpbind' sid='abc' rid='101'/>\n"}},
     INNOCENT},
};

static void test_clients_in_the_right_are_spared(void)
{
    judge_stories(innocent_clients,
                  sizeof innocent_clients / sizeof innocent_clients[0]);
}

#define HTTP(status, type, body_len)                                           \
    "HTTP/1.1 " status "\r\nContent-Type: " type                               \
    "\r\nContent-Length: " body_len "\r\n\r\n"

static const struct story guilty_managers[] = {
    {"an answer before its elder",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 20, 3, BODY SID "rid='102'/>"},
      {ANS, 30, 3, EMPTY},
      {ANS, 200, 2, EMPTY}},
     GUILTY("answers-in-order")},
    {"held for too long",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"}, {ANS, 67000, 2, EMPTY}},
     WARNED("within-wait")},
    {"held for ever",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"}},
     WARNED("within-wait")},
    {"ill-formed",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"}, {ANS, 20, 2, "<body>"}},
     GUILTY("answers-are-wellformed")},
    {"nothing at all",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"}, {ANS, 20, 2, ""}},
     GUILTY("answers-are-bodies")},
    {"no body",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"}, {ANS, 20, 2, "<html/>"}},
     GUILTY("answers-are-bodies")},
    {"a comment",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "><!-- --></body>"}},
     GUILTY("no-comments-answered")},
    {"an instruction",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "><?a b?></body>"}},
     GUILTY("no-instructions-answered")},
    {"text/html",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {CAME, 20, 2, HTTP("200 OK", "text/html; charset=utf-8", "52") EMPTY}},
     GUILTY("content-type")},
    {"no charset",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {CAME, 20, 2, HTTP("200 OK", "text/xml", "52") EMPTY}},
     GUILTY("content-type")},
    {"a replay made anew",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, EMPTY},
      {REQ, 30, 3, BODY SID "rid='101'/>"},
      {ANS, 40, 3, BODY "time='7'></body>"}},
     WARNED("replays-are-copies")},
    {"an iq answered twice",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'>" IQ("get") "</body>"},
      {ANS, 20, 2, BODY ">" IQ("result") "</body>"},
      {REQ, 30, 3, BODY SID "rid='102'/>"},
      {ANS, 40, 3, BODY ">" IQ("result") "</body>"}},
     GUILTY("nothing-twice")},
    {"no sid",
     S,
     {{REQ, 10, 2, BODY "rid='7' to='a'/>"},
      {ANS, 20, 2, BODY "wait='5' requests='2'/>"}},
     GUILTY("creation-gives-sid")},
    {"no wait",
     S,
     {{REQ, 10, 2, BODY "rid='7' to='a'/>"},
      {ANS, 20, 2, BODY "sid='x' requests='2'/>"}},
     GUILTY("creation-gives-wait")},
    {"requests is hold",
     S,
     {{REQ, 10, 2, BODY "rid='7' to='a'/>"},
      {ANS, 20, 2, BODY "sid='x' wait='5' hold='2' requests='2'/>"}},
     GUILTY("requests-above-hold")},
    {"a condition of its own",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, BODY "type='terminate' condition='not-found'/>"}},
     WARNED("known-conditions")},
    {"404 to a client with a version",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {CAME, 20, 2, HTTP("404 Not Found", "text/plain", "0")}},
     WARNED("http-codes-for-legacy-only")},
};

static void test_managers_are_convicted(void)
{
    judge_stories(guilty_managers,
                  sizeof guilty_managers / sizeof guilty_managers[0]);
}

static const struct story innocent_managers[] = {
    {"two sockets, 100 ms apart",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 20, 3, BODY SID "rid='102'/>"},
      {ANS, 30, 3, EMPTY},
      {ANS, 130, 2, EMPTY}},
     INNOCENT},
    {"held while its elder was missing",
     S,
     {{REQ, 10, 2, BODY SID "rid='102'/>"},
      {REQ, 70000, 3, BODY SID "rid='101'/>"},
      {ANS, 70100, 3, EMPTY},
      {ANS, 70110, 2, EMPTY}},
     INNOCENT},
    {"a plain empty answer to the older copy",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 20, 3, BODY SID "rid='101'/>"},
      {ANS, 30, 2, EMPTY},
      {ANS, 40, 3, BODY ">" IQ("set") "</body>"}},
     INNOCENT},
    {"a replay that is spelled in another way",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {ANS, 20, 2, EMPTY},
      {REQ, 30, 3, BODY SID "rid='101'/>"},
      {ANS, 40, 3, BODY "></body>\n"}},
     INNOCENT},
    {"an error for a wild rid, before what is held",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {REQ, 20, 3, BODY SID "rid='150'/>"},
      {ANS, 30, 3, BODY "type='terminate' condition='item-not-found'/>"},
      {ANS, 900, 2, BODY "type='terminate' condition='item-not-found'/>"}},
     INNOCENT},
    {"any spelling of the type",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {CAME, 20, 2,
       HTTP("200 So be it", "Text/XML;Charset=\"UTF-8\"", "52") EMPTY}},
     INNOCENT},
    {"an error page is no BOSH answer",
     S,
     {{REQ, 10, 2, BODY SID "rid='101'/>"},
      {CAME, 20, 2, HTTP("503 No", "text/html", "4") "<hr>"}},
     INNOCENT},
    {"requests=1 imposes polling",
     S,
     {{REQ, 10, 2, BODY "rid='7' to='a'/>"},
      {ANS, 20, 2, BODY "sid='x' wait='5' hold='1' requests='1'/>"}},
     INNOCENT},
    {"404 for an unknown sid",
     S,
     {{REQ, 10, 2, BODY "sid='gone' rid='101'/>"},
      {CAME, 20, 2, HTTP("404 Not Found", "text/plain", "0")}},
     INNOCENT},
    {"a refused creation",
     S,
     {{REQ, 10, 2, BODY "rid='7' to='a'/>"},
      {ANS, 20, 2, BODY "type='terminate' condition='host-unknown'/>"}},
     INNOCENT},
    {"the type that was asked for",
     S,
     {{REQ, 10, 2, BODY "rid='7' to='a' content='text/plain'/>"},
      {CAME, 20, 2,
       HTTP("200 OK", "text/plain", "81") BODY
       "sid='x' wait='5' requests='2'/>"}},
     INNOCENT},
};

static void test_managers_in_the_right_are_spared(void)
{
    judge_stories(innocent_managers,
                  sizeof innocent_managers / sizeof innocent_managers[0]);
}

int add_invariant_tests(CU_pSuite suite)
{
    CU_add_test(suite, "clients are convicted", test_clients_are_convicted);
    CU_add_test(suite, "clients in the right are spared",
                test_clients_in_the_right_are_spared);
    CU_add_test(suite, "managers are convicted", test_managers_are_convicted);
    CU_add_test(suite, "managers in the right are spared",
                test_managers_in_the_right_are_spared);
    return 0;
}
