/* The invariants that bind a connection manager: who is convicted, and who is
 * spared. */
#include <CUnit/CUnit.h>

#include "story.h"

int suite_manager_invariants(void);

#define S ROLE_SERVER, NULL

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
    story_judge_all(guilty_managers,
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
    story_judge_all(innocent_managers,
                    sizeof innocent_managers / sizeof innocent_managers[0]);
}

int suite_manager_invariants(void)
{
    CU_pSuite s = CU_add_suite("manager invariants", NULL, NULL);

    if (!s ||
        !CU_add_test(s, "managers are convicted",
                     test_managers_are_convicted) ||
        !CU_add_test(s, "managers in the right are spared",
                     test_managers_in_the_right_are_spared))
        return -1;
    return 0;
}
