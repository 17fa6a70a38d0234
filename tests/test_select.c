/* SELECT: which words select which cases, and what a file is called. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "common/buf.h"
#include "harness/select.h"

int suite_select(void);

static const struct {
    const char *word, *id;
    bool selects;
} id_rows[] = {
    {"client/order/swapped-responses", "client/order/swapped-responses", true},
    {"client/order", "client/order/swapped-responses", true},
    {"client/order/", "client/order/swapped-responses", true},
    {"client/*", "client/order/swapped-responses", true},
    {"*/order/*", "server/order/requests-out-of-order", true},
    {"client/ord", "client/order/swapped-responses", false},
    {"order", "client/order/swapped-responses", false},
    {"client/order/swapped-responses/x", "client/order/swapped-responses",
     false},
    {"server/*", "client/order/swapped-responses", false},
    {"", "client/order/swapped-responses", false},
    {"/", "client/order/swapped-responses", false},
};

static void test_a_word_selects_ids(void)
{
    size_t i;

    for (i = 0; i < sizeof id_rows / sizeof *id_rows; i++)
        CHECK_ROW(select_matches_id(id_rows[i].word, id_rows[i].id) ==
                      id_rows[i].selects,
                  id_rows[i].word);
}

static void test_a_file_is_called_by_its_place(void)
{
    static const char *const dirs[] = {"/opt/suite/cases", "mine/"};
    static const struct {
        const char *path, *id;
    } rows[] = {
        {"/opt/suite/cases/client/a/b.xml", "client/a/b"},
        {"mine/x/y.xml", "x/y"},
        {"/home/u/cases/server/z.xml", "server/z"},
        {"cases/client/q.xml", "client/q"},
        {"showcases/q.xml", "q"},
        {"../lone.xml", "lone"},
        {"lone.xml", "lone"},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *id = select_id(rows[i].path, dirs, 2);

        CHECK_STR(id, rows[i].id);
        free(id);
    }
}

/* A catalogue and a case made by hand: nothing is read. */
static void test_a_word_selects_by_requirement_and_section(void)
{
    static char id1[] = "x124-a", id2[] = "x206-b";
    static char sec1[] = "XEP-0124 14.2 In-Order Message Forwarding";
    static char sec2[] = "XEP-0206 5 Restart";
    struct requirement rows[] = {{.id = id1, .section = sec1},
                                 {.id = id2, .section = sec2}};
    struct knowledge k = {.catalogue = {rows, 2}};
    char *covers[] = {id1};
    struct assertion assertion = {.req = id2};
    struct testcase tc = {.covers = covers,
                          .cover_count = 1,
                          .asserts = &assertion,
                          .assert_count = 1};
    static const struct {
        const char *word;
        bool selects;
    } words[] = {
        {"x124-a", true},        {"x124-*", true},
        {"x206-b", true},        {"x124-b", false},
        {"XEP-0124 14.2", true}, {"XEP-0124 14", true},
        {"xep-0206 5", true},    {"XEP-0124", true},
        {"XEP-0124 1", false},   {"XEP-0124 14.20", false},
        {"XEP-0206 6", false},   {"XEP-012", false},
    };
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++)
        CHECK_ROW(select_matches_case(&k, words[i].word, &tc) ==
                      words[i].selects,
                  words[i].word);
}

/* ------------------------------------------------- with the real cases */

static struct knowledge knowledge;

static int load(void)
{
    const char *dir = getenv("BOSHSPEC_CASES");
    struct err e = {""};

    return knowledge_load(&knowledge, dir ? dir : "cases", &e);
}

static int unload(void)
{
    knowledge_release(&knowledge);
    return 0;
}

static size_t count(const struct select_options *o, const char **missed)
{
    struct selection sel;
    struct err e = {""};
    size_t n = (size_t)-1;

    if (select_cases(&knowledge, o, &sel, &e) == 0) {
        n = sel.count;
        if (missed)
            *missed = sel.missed;
        selection_release(&sel);
    }
    CHECK_STR(e.text, "");
    return n;
}

static void test_words_tags_and_excludes_work_together(void)
{
    const char *const folder[] = {"client/order"};
    const char *const one[] = {"client/order/swapped-responses"};
    const char *const tag[] = {"order"}, *const no_tag[] = {"no-such-tag"};
    struct select_options all = {.role = ROLE_CLIENT};
    struct select_options o = {
        .words = folder, .word_count = 1, .role = ROLE_CLIENT};
    size_t in_folder = count(&o, NULL), in_all = count(&all, NULL);

    CHECK(in_folder >= 1 && in_folder < in_all);
    o.excludes = one;
    o.exclude_count = 1;
    CHECK_INT(count(&o, NULL), in_folder - 1);
    o.exclude_count = 0;
    o.words = one;
    CHECK_INT(count(&o, NULL), 1);
    o.tags = tag;
    o.tag_count = 1;
    CHECK_INT(count(&o, NULL), 1);
    o.tags = no_tag;
    CHECK_INT(count(&o, NULL), 0);
}

static void test_roles_are_kept_apart(void)
{
    const char *const other[] = {"server/order/*"};
    struct select_options o = {
        .words = other, .word_count = 1, .role = ROLE_CLIENT};
    const char *missed = NULL;

    CHECK_INT(count(&o, &missed), 0);
    CHECK_STR(missed, other[0]);
    o.role = ROLE_SERVER;
    CHECK(count(&o, &missed) >= 1);
    CHECK(missed == NULL);
}

static void test_the_word_that_selects_nothing_is_named(void)
{
    const char *const words[] = {"client/order", "client/oder"};
    struct select_options o = {
        .words = words, .word_count = 2, .role = ROLE_CLIENT};
    const char *missed = NULL;

    CHECK(count(&o, &missed) >= 1);
    CHECK_STR(missed, "client/oder");
}

/* What selection_check() says; "" when it is content. */
static void check(const struct select_options *o, const char *want)
{
    struct selection sel;
    struct err e = {""};

    CHECK_INT(select_cases(&knowledge, o, &sel, &e), 0);
    CHECK_INT(selection_check(&sel, o, &e), *want ? -1 : 0);
    CHECK_STR(e.text, want);
    selection_release(&sel);
}

static void test_the_option_that_selects_nothing_is_named(void)
{
    const char *const word[] = {"client/order"}, *const typo[] = {
                                                     "client/oder"};
    const char *const tags[] = {"order", "no-such-tag"};
    struct select_options o = {.role = ROLE_CLIENT};

    check(&o, "");
    o.tags = tags;
    o.tag_count = 1;
    check(&o, "");
    o.tag_count = 2;
    check(&o, "--tag=no-such-tag selects no case");
    o.words = word;
    o.word_count = 1;
    check(&o, "--tag=no-such-tag selects no case of those named");
    o.tag_count = 0;
    o.excludes = word;
    o.exclude_count = 1;
    check(&o, "--exclude leaves no case");
    o.words = typo;
    check(&o, "'client/oder' selects no case");
}

static void test_a_file_that_is_not_there_is_an_error(void)
{
    const char *const words[] = {"no/such/file.xml"};
    struct select_options o = {
        .words = words, .word_count = 1, .role = ROLE_CLIENT};
    struct selection sel;
    struct err e = {""};

    CHECK_INT(select_cases(&knowledge, &o, &sel, &e), -1);
    CHECK_STR(e.text, "no/such/file.xml: No such file or directory");
}

static void test_a_file_is_selected_once_whatever_its_name(void)
{
    char *file =
        mem_printf("%s/./client/order/swapped-responses.xml", knowledge.dir);
    const char *const words[] = {file, "client/order/swapped-responses"};
    struct select_options o = {
        .words = words, .word_count = 2, .role = ROLE_CLIENT};
    const char *missed = NULL;

    CHECK_INT(count(&o, &missed), 1);
    CHECK(missed == NULL);
    free(file);
}

static void test_a_file_of_the_other_role_is_an_error(void)
{
    char *file =
        mem_printf("%s/client/order/swapped-responses.xml", knowledge.dir);
    const char *const words[] = {file};
    struct select_options o = {
        .words = words, .word_count = 1, .role = ROLE_SERVER};
    struct selection sel;
    struct err e = {""};

    CHECK_INT(select_cases(&knowledge, &o, &sel, &e), -1);
    CHECK(strstr(e.text, "a case for the client role") != NULL);
    free(file);
}

static void test_cases_come_sorted(void)
{
    struct select_options o = {.any_role = true};
    struct selection sel;
    struct err e = {""};
    size_t i;

    CHECK_INT(select_cases(&knowledge, &o, &sel, &e), 0);
    for (i = 1; i < sel.count; i++)
        CHECK_ROW(strcmp(sel.cases[i - 1]->id, sel.cases[i]->id) < 0,
                  sel.cases[i]->id);
    selection_release(&sel);
}

/* Each case is in one shard, and each of two is not empty. */
static void test_shards_are_disjoint_and_complete(void)
{
    struct select_options o = {.any_role = true};
    struct selection sel;
    struct err e = {""};
    unsigned n, shard;
    size_t i;

    CHECK_INT(select_cases(&knowledge, &o, &sel, &e), 0);
    for (n = 1; n <= 9; n++) {
        size_t in[10] = {0};

        for (i = 0; i < sel.count; i++) {
            unsigned found = 0;

            for (shard = 1; shard <= n; shard++)
                if (select_in_shard(sel.cases[i]->id, shard, n)) {
                    found++;
                    in[shard]++;
                }
            CHECK_ROW(found == 1, sel.cases[i]->id);
        }
        CHECK(n != 2 || (in[1] > 0 && in[2] > 0));
    }
    selection_release(&sel);
}

static void test_shards_are_of_like_size(void)
{
    size_t in[5] = {0}, i;

    for (i = 0; i < 1000; i++) {
        char *id = mem_printf("client/order/case-%zu", i);
        unsigned shard;

        for (shard = 1; shard <= 5; shard++)
            in[shard - 1] += select_in_shard(id, shard, 5);
        free(id);
    }
    for (i = 0; i < 5; i++)
        CHECK(in[i] > 150 && in[i] < 250);
    /* and where a case is does not change from one version to the next */
    CHECK(select_in_shard("client/order/swapped-responses", 4, 5));
}

static void test_a_folder_of_cases_must_hold_some(void)
{
    const char *const empty[] = {"tests/twins"}, *const missing[] = {"no/such"};
    const char *const both[] = {"bundled", "tests/data"};
    struct select_options o = {
        .dirs = empty, .dir_count = 1, .role = ROLE_CLIENT};
    struct case_files files = {NULL, 0};
    struct selection sel;
    struct err e = {""}, f = {""}, g = {""};
    size_t i, bundled = 0;

    CHECK_INT(select_cases(&knowledge, &o, &sel, &e), -1);
    CHECK_STR(e.text, "tests/twins: there is no case file in it");
    o.dirs = missing;
    CHECK_INT(select_cases(&knowledge, &o, &sel, &f), -1);
    CHECK_STR(f.text, "no/such: No such file or directory");
    o.dirs = both;
    o.dir_count = 2;
    CHECK_INT(select_known(&knowledge, &o, &files, &g), 0);
    CHECK_STR(g.text, "");
    for (i = 0; i < files.count; i++)
        bundled +=
            strcmp(files.items[i].id, "good-client") == 0 ||
            strcmp(files.items[i].id, "client/order/swapped-responses") == 0;
    CHECK(bundled >= 2);
    case_files_release(&files);
}

int suite_select(void)
{
    CU_pSuite s = CU_add_suite("select", load, unload);

    if (!s || !CU_ADD_TEST(s, test_shards_are_disjoint_and_complete) ||
        !CU_ADD_TEST(s, test_shards_are_of_like_size) ||
        !CU_ADD_TEST(s, test_a_folder_of_cases_must_hold_some) ||
        !CU_ADD_TEST(s, test_a_word_selects_ids) ||
        !CU_ADD_TEST(s, test_a_file_is_called_by_its_place) ||
        !CU_ADD_TEST(s, test_a_word_selects_by_requirement_and_section) ||
        !CU_ADD_TEST(s, test_words_tags_and_excludes_work_together) ||
        !CU_ADD_TEST(s, test_roles_are_kept_apart) ||
        !CU_ADD_TEST(s, test_the_word_that_selects_nothing_is_named) ||
        !CU_ADD_TEST(s, test_the_option_that_selects_nothing_is_named) ||
        !CU_ADD_TEST(s, test_a_file_that_is_not_there_is_an_error) ||
        !CU_ADD_TEST(s, test_a_file_is_selected_once_whatever_its_name) ||
        !CU_ADD_TEST(s, test_a_file_of_the_other_role_is_an_error) ||
        !CU_ADD_TEST(s, test_cases_come_sorted))
        return -1;
    return 0;
}
