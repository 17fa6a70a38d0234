/* The player's server role: the raw client's requests, polls and sign-off,
 * against a server fed by hand. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xml.h"
#include "harness/raw_body.h"
#include "playrig.h"
#include "tests/check.h"
#include "tests/suites.h"

/* ---- bytes ---- */

static void test_a_body_is_written_as_it_is_asked_for(void)
{
    struct buf out = BUF_INIT;
    struct raw_body b;

    raw_body_init(&b);
    raw_body_set(&b, "rid", "1");
    raw_body_set(&b, "to", "a&'b");
    raw_body_set(&b, "rid", "x");
    raw_body_set(&b, "sid", NULL);
    raw_body_write(&out, &b, NULL, 0);
    CHECK_STR(buf_str(&out), "<body " NS " rid='x' to='a&amp;&#39;b'/>");
    buf_clear(&out);
    raw_body_set(&b, "xmpp:restart", "true");
    raw_body_write(&out, &b, "<a/>", 4);
    CHECK(strstr(buf_str(&out), "xmlns:xmpp='urn:xmpp:xbosh'><a/></body>") !=
          NULL);
    raw_body_release(&b);
    buf_release(&out);
}

static void test_a_case_replaces_our_headers(void)
{
    const struct http_header headers[] = {{"content-type", "text/plain"},
                                          {"Host", ""}};
    struct raw_request r = {.target = "/x",
                            .host = "h",
                            .minor = 0,
                            .headers = headers,
                            .header_count = 2,
                            .entity = "hi",
                            .entity_len = 2};
    struct buf out = BUF_INIT;

    raw_request_write(&out, &r);
    CHECK_STR(buf_str(&out), "POST /x HTTP/1.0\r\n"
                             "User-Agent: boshspec/" BOSHSPEC_VERSION "\r\n"
                             "content-type: text/plain\r\n"
                             "Content-Length: 2\r\n\r\nhi");
    buf_release(&out);
}

static void test_an_entity_goes_in_chunks_or_packed(void)
{
    struct raw_request r = {
        .target = "/x", .minor = 1, .entity = "abcde", .entity_len = 5};
    struct http_message m;
    struct buf out = BUF_INIT;
    size_t used;

    r.chunks = 2;
    raw_request_write(&out, &r);
    CHECK(strstr(buf_str(&out), "Transfer-Encoding: chunked\r\n\r\n"
                                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
    CHECK(!strstr(buf_str(&out), "Content-Length"));
    buf_clear(&out);
    r.chunks = 0;
    r.coding = CODING_GZIP;
    raw_request_write(&out, &r);
    CHECK(strstr(buf_str(&out), "Content-Encoding: gzip\r\n") != NULL);
    CHECK(http_read(HTTP_REQUEST, out.data, out.len, false, false, &m, &used,
                    NULL) == HTTP_WHOLE);
    CHECK_INT(used, out.len);
    buf_clear(&out);
    CHECK(coding_decode(&out, CODING_GZIP, m.body.data, m.body.len, 5, NULL) ==
          0);
    CHECK_STR(buf_str(&out), "abcde");
    http_message_release(&m);
    buf_release(&out);
}

static void test_lengths_may_be_wrong_or_missing(void)
{
    struct http_header length = {"content-length", ""};
    struct raw_request r = {.target = "/x",
                            .minor = 1,
                            .headers = &length,
                            .header_count = 1,
                            .entity = "hi",
                            .entity_len = 2};
    struct buf out = BUF_INIT;

    raw_request_write(&out, &r);
    CHECK(!strstr(buf_str(&out), "ength"));
    buf_clear(&out);
    length.value = "9";
    raw_request_write(&out, &r);
    CHECK(strstr(buf_str(&out), "content-length: 9\r\n\r\nhi") != NULL);
    CHECK(!strstr(buf_str(&out), "Content-Length"));
    buf_release(&out);
}

static void test_a_rid_is_digits_that_fit(void)
{
    CHECK(raw_rid("9007199254740991") == UINT64_C(9007199254740991));
    CHECK(raw_rid("18446744073709551615") == UINT64_MAX);
    CHECK(raw_rid("18446744073709551616") == 0);
    CHECK(raw_rid("") == 0);
    CHECK(raw_rid("-1") == 0);
    CHECK(raw_rid("1e3") == 0);
    CHECK(raw_rid(NULL) == 0);
}

/* ---- requests ---- */

static void test_requests_take_the_next_rid_and_may_leave_a_gap(void)
{
    struct playrig r;
    uint64_t first;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_attr(playrig_request(&r, "late", "s", "<m2/>"), "rid",
                 "{$s/@rid + 2}");
    playrig_attr(playrig_request(&r, "missing", "s", "<m1/>"), "rid",
                 "{$late/@rid - 1}");
    playrig_request(&r, "next", "s", NULL)->conn = (char *)"a";
    playrig_start(&r);
    playrig_hand_login(&r);
    first = playrig_rid_of(&r, 4);
    CHECK_INT(r.count, 7);
    CHECK(playrig_rid_of(&r, 5) == first + 2);
    CHECK(playrig_rid_of(&r, 6) == first + 1);
    CHECK(playrig_rid_of(&r, 7) == first + 3);
    CHECK(strstr(r.sent[5].entity, "<m2/></body>") != NULL);
    CHECK_STR(r.sent[6].conn, "");
    CHECK_STR(r.sent[7].conn, "a");
    CHECK_INT(play_how(r.play), PLAY_DONE);
    playrig_release(&r);
}

static void test_a_request_carries_what_the_case_sets(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    playrig_login(&r, "s");
    st = playrig_request(&r, "x1", "s", NULL);
    playrig_attr(st, "pause", "60");
    playrig_attr(st, "path", "/other");
    st = playrig_request(&r, "x2", "s", NULL);
    st->restart = true;
    st = playrig_request(&r, "x3", "s", NULL);
    playrig_attr(st, "method", "PUT");
    playrig_header(st, "X-Extra", "{1 + 1}");
    st->http_minor = 0;
    st = playrig_request(&r, "x4", "s", NULL);
    st->terminate = true;
    playrig_start(&r);
    playrig_hand_login(&r);
    CHECK(strstr(r.sent[5].entity, "pause='60'") != NULL);
    CHECK(strncmp(r.sent[5].bytes, "POST /other ", 12) == 0);
    CHECK(strstr(r.sent[6].entity, "xmpp:restart='true'") != NULL);
    CHECK(strncmp(r.sent[7].bytes, "PUT /http-bind HTTP/1.0\r\n", 25) == 0);
    CHECK(strstr(r.sent[7].bytes, "X-Extra: 2\r\n") != NULL);
    CHECK(strstr(r.sent[8].entity, "type='terminate'") != NULL);
    playrig_release(&r);
}

static void test_raw_entities_are_sent_as_they_are(void)
{
    char junk[] = "\xff<no xml";
    struct raw piece = {.data = junk, .len = strlen(junk), .times = 2};
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_request(&r, "raw", NULL, NULL);
    st->raws = &piece;
    st->raw_count = 1;
    st = playrig_request(&r, "body", NULL, NULL);
    st->body.text = playrig_avt("<body " NS " rid='{1 + 2}'/>");
    playrig_start(&r);
    CHECK_STR(r.sent[1].entity, "\xff<no xml\xff<no xml");
    CHECK_STR(r.sent[2].entity, "<body " NS " rid='3'/>");
    playrig_release(&r);
}

static void test_raw_pieces_go_out_one_behind_the_other(void)
{
    char nul[] = {'\0', 'x'};
    struct raw pieces[] = {
        {.text = playrig_avt("<a{1 + 2}>"), .times = 3},
        {.data = nul, .len = sizeof nul, .times = 2},
        {.text = playrig_avt(""), .times = 1},
        {.data = (char *)"</a>", .len = 4, .times = 1},
    };
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_request(&r, "raw", NULL, NULL);
    st->raws = pieces;
    st->raw_count = sizeof pieces / sizeof *pieces;
    playrig_start(&r);
    CHECK(r.sent[1].len > 20 && memcmp(r.sent[1].bytes + r.sent[1].len - 20,
                                       "<a3><a3><a3>\0x\0x</a>", 20) == 0);
    CHECK(strstr(r.sent[1].bytes, "Content-Length: 20\r\n") != NULL);
    playrig_release(&r);
    avt_free(pieces[0].text);
    avt_free(pieces[2].text);
}

static void test_a_request_may_drip_and_stop(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_request(&r, "slow", NULL, NULL);
    st->body.text = playrig_avt("<body " NS "/>");
    st->send_every.ms = 10;
    st->stop_after_bytes = 7;
    playrig_start(&r);
    CHECK_INT(r.sent[1].pieces, 7);
    CHECK_STR(r.sent[1].bytes, "POST /h");
    CHECK(strstr(buf_str(&r.log), "arrived=\"part\"") != NULL);
    playrig_release(&r);
}

static void test_a_request_may_rest_behind_its_head(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_request(&r, "late", NULL, NULL);
    st->body.text = playrig_avt("<body " NS "/>");
    st->entity_after.ms = 300;
    playrig_start(&r);
    CHECK_INT(r.sent[1].pieces, 2);
    CHECK_STR(r.sent[1].entity, "<body " NS "/>");
    playrig_release(&r);
}

static void test_bytes_of_the_cases_own_go_out_as_they_are(void)
{
    char bytes[] = "BREW /pot HTTP/1.1\r\n\r\n";
    struct raw piece = {.data = bytes, .len = strlen(bytes), .times = 2};
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_request(&r, "raw", NULL, NULL);
    st->raws = &piece;
    st->raw_count = 1;
    st->whole = true;
    playrig_start(&r);
    CHECK(strncmp(r.sent[1].bytes, bytes, strlen(bytes)) == 0);
    CHECK_INT(r.sent[1].len, 2 * strlen(bytes));
    CHECK(strstr(buf_str(&r.log), "method=\"BREW\"") != NULL);
    playrig_release(&r);
}

static void test_a_creation_goes_out_as_a_request_does(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    st->conn = (char *)"a";
    st->chunks = 2;
    playrig_header(st, "Content-Type", "text/plain");
    playrig_start(&r);
    CHECK_STR(r.sent[1].conn, "a");
    CHECK(strstr(r.sent[1].bytes, "Transfer-Encoding: chunked") != NULL);
    CHECK(strstr(r.sent[1].bytes, "Content-Type: text/plain") != NULL);
    CHECK(strstr(r.sent[1].entity, " wait=") != NULL);
    playrig_release(&r);
}

static void test_only_a_post_belongs_to_a_session(void)
{
    struct playrig r;
    struct step *st;
    uint64_t first;

    playrig_init(&r);
    playrig_login(&r, "s");
    st = playrig_request(&r, "get", "s", NULL);
    playrig_attr(st, "method", "GET");
    st->terminate = true;
    playrig_request(&r, "next", "s", NULL);
    playrig_start(&r);
    playrig_hand_login(&r);
    first = playrig_rid_of(&r, 5);
    CHECK(playrig_rid_of(&r, 6) == first);
    CHECK_STR(xml_attr(journal_x(r.play->journal, 5), NULL, "kind"), "other");
    CHECK(!xml_attr(journal_x(r.play->journal, 5), NULL, "session"));
    playrig_release(&r);
}

static void test_a_resend_has_the_same_bytes(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_request(&r, "first", "s", "<a/>");
    st = playrig_step(&r, STEP_RESEND);
    st->of = playrig_avt("{$first}");
    st->as = (char *)"copy";
    playrig_request(&r, "next", "s", "<b/>");
    st = playrig_step(&r, STEP_ABORT);
    st->of = playrig_avt("{$copy}");
    st->how = CUT_RST;
    playrig_start(&r);
    playrig_hand_login(&r);
    CHECK_STR(r.sent[6].bytes, r.sent[5].bytes);
    CHECK(playrig_rid_of(&r, 7) == playrig_rid_of(&r, 5) + 1);
    CHECK_INT(r.aborted, 6);
    CHECK_INT(r.aborted_how, DELIVERY_RST);
    CHECK(strstr(buf_str(&r.log), "abort-rst") != NULL);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    playrig_release(&r);
}

static void test_a_resend_of_nothing_is_an_error(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_step(&r, STEP_RESEND)->of = playrig_avt("{$nothing}");
    playrig_start(&r);
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_INT(play_line(r.play), 11);
    playrig_release(&r);
}

static void test_a_creation_ends_whatever_comes(void)
{
    struct playrig r;
    struct step *st;

    playrig_init(&r);
    st = playrig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    st->exchange = (char *)"made";
    playrig_attr(st, "rid", "77");
    playrig_attr(st, "wait", "5");
    playrig_attr(st, "ver", NULL);
    playrig_attr(st, "never-there", NULL);
    playrig_await(&r, "$made/res", 1);
    playrig_request(&r, "r", "s", NULL);
    playrig_start(&r);
    CHECK(playrig_rid_of(&r, 1) == 77);
    CHECK(strstr(r.sent[1].entity, " ver=") == NULL);
    CHECK(strstr(r.sent[1].entity, " wait='5'") != NULL);
    CHECK(!play_over(r.play));
    playrig_answer_http(&r, 503, "text/plain", "busy");
    CHECK_INT(play_how(r.play), PLAY_STOPPED); /* no sid to go on with */
    CHECK_INT(play_line(r.play), 13);
    playrig_release(&r);

    playrig_init(&r);
    st = playrig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    playrig_attr(st, "wait", "5");
    playrig_start(&r);
    playrig_pass(&r, 19000);
    CHECK(!play_over(r.play));
    playrig_pass(&r, 2000);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    playrig_release(&r);

    playrig_init(&r);
    st = playrig_step(&r, STEP_CREATE);
    st->as = (char *)"s";
    playrig_await(&r, "$s/@sid = 'S'", 1);
    playrig_start(&r);
    playrig_answer(&r, CREATED("/>"));
    CHECK_INT(play_how(r.play), PLAY_DONE);
    playrig_release(&r);
}

static void test_an_unknown_session_is_an_error(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_request(&r, "r", "nobody", NULL);
    playrig_start(&r);
    CHECK_INT(play_how(r.play), PLAY_ERROR);
    CHECK_STR(play_because(r.play), "there is no session 'nobody'");
    playrig_release(&r);
}

/* ---- polls ---- */

static void test_a_drain_polls_one_at_a_time(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_drain(&r, "$s/down/c:message", 15000);
    playrig_start(&r);
    playrig_hand_login(&r);
    CHECK_INT(r.count, 5);
    CHECK(!strchr(playrig_last(&r) + 1, '<'));
    playrig_pass(&r, 8000);
    CHECK_INT(r.count, 5);
    playrig_answer(&r, EMPTY);
    playrig_pass(&r, 0);
    CHECK_INT(r.count, 6); /* the poll was long ago */
    playrig_answer(&r, BODY("<message xmlns='jabber:client' id='m'/>"));
    CHECK_INT(r.count, 6);
    CHECK_INT(play_how(r.play), PLAY_DONE);
    CHECK(play_over(r.play));
    playrig_release(&r);
}

static void test_a_drain_in_vain_ends_the_play(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_drain(&r, "$s/down/c:message", 3000);
    playrig_start(&r);
    playrig_hand_login(&r);
    playrig_pass(&r, 2990);
    CHECK(!play_over(r.play));
    playrig_pass(&r, 20);
    CHECK_INT(play_how(r.play), PLAY_STOPPED);
    playrig_release(&r);
}

static void test_a_drain_keeps_out_of_the_way_of_what_is_open(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_request(&r, "a", "s", "<a/>");
    playrig_request(&r, "b", "s", "<b/>");
    playrig_drain(&r, "$s/down/c:message", 60000);
    playrig_start(&r);
    playrig_hand_login(&r);
    CHECK_INT(r.count, 6); /* requests='2' are open: no poll */
    playrig_pass(&r, 5000);
    CHECK_INT(r.count, 6);
    playrig_answer(&r, EMPTY); /* b; a may be stuck, so poll beside it */
    playrig_pass(&r, 1000);
    CHECK_INT(r.count, 7);
    playrig_release(&r);
}

static void test_a_broken_poll_is_sent_again_with_its_rid(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_drain(&r, "$s/down/c:message", 60000);
    playrig_start(&r);
    playrig_hand_login(&r);
    playrig_close(&r);
    CHECK_INT(r.count, 5);
    playrig_pass(&r, 500);
    CHECK_INT(r.count, 6);
    CHECK_STR(r.sent[6].bytes, r.sent[5].bytes);
    for (int i = 0; i < 10; i++) {
        if (!r.sent[r.count].answered)
            playrig_close(&r);
        playrig_pass(&r, 5000);
    }
    CHECK_INT(r.count, 8); /* and no more after three repeats */
    playrig_release(&r);
}

static void test_keep_polling_goes_on_until_the_play_ends(void)
{
    struct playrig r;
    unsigned before;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_step(&r, STEP_KEEP_POLLING)->session = (char *)"s";
    playrig_await(&r, "$s/down/c:message[@id = 'end']", 60000);
    playrig_start(&r);
    playrig_hand_login(&r);
    CHECK_INT(r.count, 5);
    for (int i = 0; i < 3; i++) {
        playrig_pass(&r, 8000);
        before = r.count;
        playrig_answer(&r, EMPTY);
        CHECK_INT(r.count, before + 1);
        CHECK(playrig_rid_of(&r, r.count) == playrig_rid_of(&r, before) + 1);
    }
    before = r.count;
    playrig_answer(&r, BODY("<message xmlns='jabber:client' id='end'/>"));
    CHECK(play_over(r.play));
    playrig_pass(&r, 60000);
    CHECK(r.count <= before + 1); /* one may go before the step looks */
    playrig_release(&r);
}

static void test_keep_polling_ends_with_the_session(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_step(&r, STEP_KEEP_POLLING)->session = (char *)"s";
    playrig_await(&r, "$s/down/c:message", 30000);
    playrig_start(&r);
    playrig_hand_login(&r);
    playrig_answer(&r, "<body " NS " type='terminate'/>");
    playrig_pass(&r, 29000);
    CHECK_INT(r.count, 5);
    CHECK(!play_over(r.play));
    playrig_release(&r);
}

/* ---- sign-off ---- */

static void test_sign_off_ends_what_is_alive(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_attr(playrig_request(&r, "late", "s", "<a/>"), "rid",
                 "{$s/@rid + 2}");
    playrig_start(&r);
    playrig_hand_login(&r);
    CHECK(play_over(r.play));
    CHECK(play_signed_off(r.play)); /* not asked for yet */
    play_sign_off(r.play, r.now_ms);
    play_sign_off(r.play, r.now_ms);
    CHECK_INT(r.count, 6);
    CHECK(playrig_last_has(&r, "type='terminate'"));
    CHECK(playrig_rid_of(&r, 6) ==
          playrig_rid_of(&r, 4) + 1); /* fills the gap */
    CHECK_STR(r.sent[6].conn, "");
    CHECK(!play_signed_off(r.play));
    playrig_answer(&r, "<body " NS " type='terminate'/>");
    CHECK(play_signed_off(r.play));
    CHECK(play_deadline_ms(r.play) == CLOCK_NEVER);
    playrig_release(&r);
}

static void check_health(const struct playrig *r, const char *alive)
{
    const xmlNode *health =
        xml_child(journal_root(play_journal(r->play)), NULL, "health");

    CHECK(health != NULL);
    if (health)
        CHECK_STR(xml_attr(health, NULL, "alive"), alive);
}

static void test_sign_off_spares_the_dead_and_does_not_wait_for_ever(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_request(&r, "bye", "s", NULL)->terminate = true;
    playrig_start(&r);
    playrig_hand_login(&r);
    playrig_answer(&r, "<body " NS " type='terminate'/>");
    play_sign_off(r.play, r.now_ms);
    CHECK_INT(r.count, 5);
    CHECK(play_signed_off(r.play));
    playrig_release(&r);

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_hand_login(&r);
    play_sign_off(r.play, r.now_ms);
    CHECK(!play_signed_off(r.play));
    playrig_pass(&r, 5000); /* is it still there? */
    CHECK(!play_signed_off(r.play));
    CHECK(playrig_last_has(&r, "to='localhost'"));
    playrig_pass(&r, 5000); /* it is not */
    CHECK(play_signed_off(r.play));
    check_health(&r, "no");
    playrig_release(&r);
}

/* One that is there gets its session ended too. */
static void test_sign_off_asks_whether_the_server_is_there(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    playrig_hand_login(&r);
    play_sign_off(r.play, r.now_ms);
    playrig_pass(&r, 5000);
    playrig_answer(&r, CREATED("/>"));
    CHECK(playrig_last_has(&r, "type='terminate'"));
    CHECK(!play_signed_off(r.play));
    playrig_answer(&r, "<body " NS " type='terminate'/>");
    CHECK(play_signed_off(r.play));
    check_health(&r, "yes");
    playrig_release(&r);
}

/* A proxy that reaches nobody is no server; one that limits us is. */
static void test_sign_off_knows_a_proxy_without_a_server(void)
{
    static const struct {
        const char *answer, *alive;
    } rows[] = {
        {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "no"},
        {"HTTP/1.1 503 Limited\r\nContent-Length: 0\r\n\r\n", "yes"},
        {"HTTP/1.1 429 Limited\r\nContent-Length: 0\r\n\r\n", "yes"},
        {"HTTP/1.1 504 Timeout\r\nContent-Length: 0\r\n\r\n", "no"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct playrig r;

        playrig_init(&r);
        playrig_login(&r, "s");
        playrig_start(&r);
        playrig_hand_login(&r);
        play_sign_off(r.play, r.now_ms);
        playrig_pass(&r, 5000);
        play_response(r.play, r.now_ms, r.count, rows[i].answer,
                      strlen(rows[i].answer), PLAY_WHOLE, NULL);
        CHECK(play_signed_off(r.play));
        check_health(&r, rows[i].alive);
        playrig_release(&r);
    }
}

static void test_sign_off_catches_a_creation_on_its_way(void)
{
    struct playrig r;

    playrig_init(&r);
    playrig_login(&r, "s");
    playrig_start(&r);
    play_abort(r.play, r.now_ms, PLAY_ERROR, "enough");
    play_sign_off(r.play, r.now_ms);
    CHECK(!play_signed_off(r.play));
    CHECK_INT(r.count, 1);
    playrig_answer(&r, CREATED("/>"));
    CHECK_INT(r.count, 2);
    CHECK(playrig_last_has(&r, "type='terminate'"));
    CHECK(!play_signed_off(r.play));
    playrig_answer(&r, "<body " NS " type='terminate'/>");
    CHECK(play_signed_off(r.play));
    playrig_release(&r);
}

int suite_play_server(void)
{
    static const struct {
        const char *name;
        CU_TestFunc test;
    } tests[] = {
        {"a body is written as it is asked for",
         test_a_body_is_written_as_it_is_asked_for},
        {"a case replaces our headers", test_a_case_replaces_our_headers},
        {"an entity goes in chunks or packed",
         test_an_entity_goes_in_chunks_or_packed},
        {"lengths may be wrong or missing",
         test_lengths_may_be_wrong_or_missing},
        {"a rid is digits that fit", test_a_rid_is_digits_that_fit},
        {"requests take the next rid and may leave a gap",
         test_requests_take_the_next_rid_and_may_leave_a_gap},
        {"a request carries what the case sets",
         test_a_request_carries_what_the_case_sets},
        {"raw entities are sent as they are",
         test_raw_entities_are_sent_as_they_are},
        {"raw pieces go out one behind the other",
         test_raw_pieces_go_out_one_behind_the_other},
        {"a request may drip and stop", test_a_request_may_drip_and_stop},
        {"a request may rest behind its head",
         test_a_request_may_rest_behind_its_head},
        {"bytes of the case's own go out as they are",
         test_bytes_of_the_cases_own_go_out_as_they_are},
        {"a creation goes out as a request does",
         test_a_creation_goes_out_as_a_request_does},
        {"only a POST belongs to a session",
         test_only_a_post_belongs_to_a_session},
        {"a resend has the same bytes", test_a_resend_has_the_same_bytes},
        {"a resend of nothing is an error",
         test_a_resend_of_nothing_is_an_error},
        {"a creation ends whatever comes", test_a_creation_ends_whatever_comes},
        {"an unknown session is an error", test_an_unknown_session_is_an_error},
        {"a drain polls one at a time", test_a_drain_polls_one_at_a_time},
        {"a drain in vain ends the play", test_a_drain_in_vain_ends_the_play},
        {"a drain keeps out of the way of what is open",
         test_a_drain_keeps_out_of_the_way_of_what_is_open},
        {"a broken poll is sent again with its rid",
         test_a_broken_poll_is_sent_again_with_its_rid},
        {"keep-polling goes on until the play ends",
         test_keep_polling_goes_on_until_the_play_ends},
        {"keep-polling ends with the session",
         test_keep_polling_ends_with_the_session},
        {"sign-off ends what is alive", test_sign_off_ends_what_is_alive},
        {"sign-off spares the dead and does not wait for ever",
         test_sign_off_spares_the_dead_and_does_not_wait_for_ever},
        {"sign-off asks whether the server is there",
         test_sign_off_asks_whether_the_server_is_there},
        {"sign-off knows a proxy without a server",
         test_sign_off_knows_a_proxy_without_a_server},
        {"sign-off catches a creation on its way",
         test_sign_off_catches_a_creation_on_its_way},
    };
    CU_pSuite suite = CU_add_suite("play_server", NULL, NULL);

    for (size_t i = 0; suite && i < sizeof tests / sizeof *tests; i++) {
        if (!CU_add_test(suite, tests[i].name, tests[i].test))
            return -1;
    }
    return suite ? 0 : -1;
}
