/* HTTP's content codings, on bytes in memory: RFC 9110 §8.4.1. */
#include "common/coding.h"
#include "check.h"
#include "suites.h"

static const char TEXT[] =
    "<body><m>\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4</m></body>";
#define TEXT_LEN (sizeof TEXT - 1)

static void test_names_are_known_in_any_case(void)
{
    static const struct {
        const char *name;
        enum coding want;
    } rows[] = {
        {"gzip", CODING_GZIP},        {"GZip", CODING_GZIP},
        {"x-gzip", CODING_GZIP},      {" \tdeflate ", CODING_DEFLATE},
        {"identity", CODING_NONE},    {"", CODING_NONE},
        {"  ", CODING_NONE},          {"br", CODING_OTHER},
        {"gzip, gzip", CODING_OTHER}, {"gzi", CODING_OTHER},
        {"gzipp", CODING_OTHER},      {"text/xml", CODING_OTHER},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(coding_of(rows[i].name) == rows[i].want, rows[i].name);
    CHECK_STR(coding_name(CODING_GZIP), "gzip");
    CHECK_STR(coding_name(CODING_OTHER), "");
}

static void test_lists_are_searched_by_item(void)
{
    static const struct {
        const char *list;
        bool gzip;
    } rows[] = {
        {NULL, false},
        {"", false},
        {",", false},
        {" , ,", false},
        {"deflate", false},
        {"gzip", true},
        {"deflate,gzip", true},
        {"deflate , GZIP", true},
        {",,X-Gzip,", true},
        {"gzip;q=1.0", true},
        {"gzip ; q=0.001, br", true},
        {"gzip;q=0", false},
        {"gzip; Q=0.000", false},
        {"gzip;level=9", true},
        {"gzip;", true},
        {"gzi p", false},
        {"ungzip,gzipped", false},
        {"deflate gzip", false},
        {"*", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(coding_listed(rows[i].list, CODING_GZIP) == rows[i].gzip,
                  rows[i].list ? rows[i].list : "no list");
}

static void test_what_is_packed_is_unpacked(void)
{
    static const enum coding both[] = {CODING_GZIP, CODING_DEFLATE};

    for (size_t i = 0; i < 2; i++) {
        struct buf packed = BUF_INIT, plain = BUF_INIT;

        coding_encode(&packed, both[i], TEXT, TEXT_LEN);
        buf_adds(&plain, "before ");
        CHECK_INT(coding_decode(&plain, both[i], packed.data, packed.len,
                                TEXT_LEN, NULL),
                  0);
        CHECK_STR(buf_str(&plain) + 7, TEXT);
        buf_clear(&packed);
        buf_clear(&plain);
        coding_encode(&packed, both[i], "", 0);
        CHECK_INT(
            coding_decode(&plain, both[i], packed.data, packed.len, 0, NULL),
            0);
        CHECK_INT(plain.len, 0);
        buf_release(&packed);
        buf_release(&plain);
    }
}

static void test_gzip_may_have_several_members(void)
{
    struct buf packed = BUF_INIT, plain = BUF_INIT;

    coding_encode(&packed, CODING_GZIP, TEXT, 5);
    coding_encode(&packed, CODING_GZIP, TEXT + 5, TEXT_LEN - 5);
    CHECK_INT(
        coding_decode(&plain, CODING_GZIP, packed.data, packed.len, 1000, NULL),
        0);
    CHECK_STR(buf_str(&plain), TEXT);
    buf_release(&packed);
    buf_release(&plain);
}

static void check_damaged(const char *name, enum coding coding,
                          const char *data, size_t len)
{
    struct buf out = BUF_INIT;
    struct err e = {""};

    CHECK_ROW(coding_decode(&out, coding, data, len, 1000, &e) ==
                  CODING_E_DAMAGED,
              name);
    CHECK_ROW(out.len == 0 && e.text[0] != '\0', name);
    buf_release(&out);
}

static void test_damage_is_refused(void)
{
    struct buf packed = BUF_INIT, deflated = BUF_INIT;

    coding_encode(&packed, CODING_GZIP, TEXT, TEXT_LEN);
    coding_encode(&deflated, CODING_DEFLATE, TEXT, TEXT_LEN);
    for (size_t len = 0; len < packed.len; len++)
        check_damaged("cut short", CODING_GZIP, packed.data, len);
    for (size_t len = 0; len < deflated.len; len++)
        check_damaged("cut short", CODING_DEFLATE, deflated.data, len);
    check_damaged("plain", CODING_GZIP, TEXT, TEXT_LEN);
    check_damaged("the other", CODING_DEFLATE, packed.data, packed.len);
    check_damaged("the other", CODING_GZIP, deflated.data, deflated.len);
    check_damaged("raw deflate", CODING_DEFLATE, deflated.data + 2,
                  deflated.len - 6);
    packed.data[packed.len - 5] ^= 1;
    check_damaged("another sum", CODING_GZIP, packed.data, packed.len);
    packed.data[packed.len - 5] ^= 1;
    buf_addc(&packed, 'x');
    check_damaged("more behind it", CODING_GZIP, packed.data, packed.len);
    buf_addc(&deflated, 'x');
    check_damaged("more behind it", CODING_DEFLATE, deflated.data,
                  deflated.len);
    buf_release(&packed);
    buf_release(&deflated);
}

static void test_a_bomb_is_not_set_off(void)
{
    struct buf zeros = BUF_INIT, packed = BUF_INIT, out = BUF_INIT;
    struct err e = {""};
    static const char page[65536];

    for (int i = 0; i < 160; i++)
        buf_add(&zeros, page, sizeof page);
    coding_encode(&packed, CODING_GZIP, zeros.data, zeros.len);
    CHECK(packed.len < 20000);
    CHECK_INT(coding_decode(&out, CODING_GZIP, packed.data, packed.len,
                            zeros.len - 1, &e),
              CODING_E_TOO_LONG);
    CHECK_INT(out.len, 0);
    CHECK_STR(e.text, "gzip of more than 10485759 bytes");
    CHECK_INT(coding_decode(&out, CODING_GZIP, packed.data, packed.len,
                            zeros.len, NULL),
              0);
    CHECK_INT(out.len, zeros.len);
    buf_release(&zeros);
    buf_release(&packed);
    buf_release(&out);
}

int suite_coding(void)
{
    CU_pSuite s = CU_add_suite("coding", NULL, NULL);

    if (!s || !CU_ADD_TEST(s, test_names_are_known_in_any_case) ||
        !CU_ADD_TEST(s, test_lists_are_searched_by_item) ||
        !CU_ADD_TEST(s, test_what_is_packed_is_unpacked) ||
        !CU_ADD_TEST(s, test_gzip_may_have_several_members) ||
        !CU_ADD_TEST(s, test_damage_is_refused) ||
        !CU_ADD_TEST(s, test_a_bomb_is_not_set_off))
        return -1;
    return 0;
}
