/* Content codings of requests at the manager: XEP-0124 §5, §7.2. */
#include "common/buf.h"
#include "common/coding.h"
#include "tests/check.h"
#include "tests/mockrig.h"
#include "tests/suites.h"

#define ECHO                                                                   \
    "<message xmlns='jabber:client' to='echo@localhost' type='chat' "          \
    "id='coded'><body>hi</body></message>"

static void rig_accepting(struct rig *r, const char *accept)
{
    struct mock_options o = mock_options_default();

    o.accept = accept;
    rig_init(r, o);
}

/* The next request of the session, in that coding, which is called so. */
static uint64_t send_coded(struct rig *r, enum coding coding, const char *name)
{
    struct buf body = BUF_INIT, packed = BUF_INIT;
    uint64_t token;

    buf_printf(&body, "<body rid='%llu' sid='%s' " RIG_NS ">" ECHO "</body>",
               (unsigned long long)++r->rid, r->sid);
    coding_encode(&packed, coding, body.data, body.len);
    token = rig_coded(r, name, packed.data, packed.len);
    buf_release(&body);
    buf_release(&packed);
    return token;
}

static void test_what_it_accepts_it_says_and_undoes(void)
{
    struct rig r;
    uint64_t token;

    rig_accepting(&r, "deflate,gzip");
    CHECK(strstr(rig_create(&r, "wait='60' hold='1'"),
                 " accept='deflate,gzip'") != NULL);
    rig_release(&r);
    rig_accepting(&r, "deflate,gzip");
    rig_login(&r, "alice", "wait='60' hold='1'", "r");
    token = send_coded(&r, CODING_GZIP, "gzip");
    CHECK(rig_has(&r, token, "coded"));
    token = send_coded(&r, CODING_DEFLATE, "Deflate");
    CHECK(rig_has(&r, token, "coded"));
    token = send_coded(&r, CODING_GZIP, "x-gzip");
    CHECK(rig_has(&r, token, "coded"));
    rig_release(&r);
}

static void test_a_repeat_may_be_packed_otherwise(void)
{
    struct rig r;
    uint64_t first, again;

    rig_accepting(&r, "deflate,gzip");
    rig_login(&r, "alice", "wait='60' hold='1'", "r");
    first = send_coded(&r, CODING_GZIP, "gzip");
    r.rid--;
    again = send_coded(&r, CODING_DEFLATE, "deflate");
    CHECK_STR(rig_body(&r, again), rig_body(&r, first));
    CHECK(rig_answer(&r, again)->replay);
    r.rid--;
    again = rig_send(&r, "", ECHO);
    CHECK_STR(rig_body(&r, again), rig_body(&r, first));
    rig_release(&r);
}

static void test_what_was_not_offered_is_an_unsupported_type(void)
{
    static const struct {
        const char *accept;
        enum coding coding;
        const char *name;
        const char *says;
    } rows[] = {
        {NULL, CODING_GZIP, "gzip", "Accept-Encoding: identity\n"},
        {"deflate", CODING_GZIP, "gzip", "Accept-Encoding: deflate\n"},
        {"gzip", CODING_DEFLATE, "deflate", "Accept-Encoding: gzip\n"},
        {"gzip", CODING_GZIP, "br", "Accept-Encoding: gzip\n"},
        {"gzip", CODING_GZIP, "gzip, gzip", "Accept-Encoding: gzip\n"},
    };
    struct rig r;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t token;

        rig_accepting(&r, rows[i].accept);
        rig_login(&r, "alice", "wait='60' hold='1'", "r");
        token = send_coded(&r, rows[i].coding, rows[i].name);
        CHECK_INT(rig_answer(&r, token)->status, 415);
        CHECK_ROW(strstr(rig_answer(&r, token)->headers, rows[i].says) != NULL,
                  rows[i].says);
        /* it has not seen that request: the session goes on */
        r.rid--;
        CHECK(rig_has(&r, rig_send(&r, "", ECHO), "coded"));
        rig_release(&r);
    }
}

static void test_a_media_type_is_no_coding(void)
{
    struct rig r;
    uint64_t token;

    rig_accepting(&r, NULL);
    token = rig_http(&r, "POST", "/http-bind", "Content-Encoding", "text/xml",
                     "<body rid='1' to='localhost' " RIG_NS "/>");
    CHECK(rig_has(&r, token, " sid='"));
    token = rig_http(&r, "POST", "/http-bind", "Content-Encoding", "identity",
                     "<body rid='1' to='localhost' " RIG_NS "/>");
    CHECK(rig_has(&r, token, " sid='"));
    rig_release(&r);
}

static void test_damage_is_a_bad_request(void)
{
    static const char plain[] = "<body rid='1' to='localhost' " RIG_NS "/>";
    struct rig r;

    rig_accepting(&r, "gzip");
    CHECK(rig_has(&r, rig_coded(&r, "gzip", plain, sizeof plain - 1),
                  "condition='bad-request'"));
    CHECK(rig_has(&r, rig_coded(&r, "gzip", "", 0), "bad-request"));
    rig_release(&r);
}

/* All of it blanks, which make no payload and no error by themselves. */
static void test_more_than_a_request_may_have_is_not_unpacked(void)
{
    struct buf text = BUF_INIT, packed = BUF_INIT;
    struct rig r;
    uint64_t token;

    buf_adds(&text, "<body rid='1' to='localhost' " RIG_NS ">");
    while (text.len <= MOCK_MAX_BODY)
        buf_adds(&text, "                                                ");
    buf_adds(&text, "</body>");
    coding_encode(&packed, CODING_GZIP, text.data, text.len);
    rig_accepting(&r, "gzip");
    token = rig_coded(&r, "gzip", packed.data, packed.len);
    CHECK_INT(rig_answer(&r, token)->status, 413);
    rig_release(&r);
    buf_release(&text);
    buf_release(&packed);
}

int suite_manager_codings(void)
{
    CU_pSuite s = CU_add_suite("manager: codings", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_what_it_accepts_it_says_and_undoes) ||
        !CU_ADD_TEST(s, test_a_repeat_may_be_packed_otherwise) ||
        !CU_ADD_TEST(s, test_what_was_not_offered_is_an_unsupported_type) ||
        !CU_ADD_TEST(s, test_a_media_type_is_no_coding) ||
        !CU_ADD_TEST(s, test_damage_is_a_bad_request) ||
        !CU_ADD_TEST(s, test_more_than_a_request_may_have_is_not_unpacked))
        return -1;
    return 0;
}
