/* boshspec lint: what is wrong in case files, without playing them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "tests/twins/twins.h"
#include "common/buf.h"

struct options {
    struct cmd_words words;
    const char *dir;
};

static const struct argp_option option_list[] = {
    {"cases", 'c', "DIR", 0, "Schemas and catalogue from here", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'c':
        o->dir = arg;
        return 0;
    case ARGP_KEY_ARG:
        cmd_words_add(&o->words, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which files? 'all' are the bundled cases");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    option_list,
    parse,
    "FILE...|DIR...|all",
    "Says what is wrong in case files, one finding a line: "
    "path:line: message.",
    NULL,
    NULL,
    NULL};

static void say(void *ctx, const char *finding)
{
    (void)ctx;
    printf("%s\n", finding);
}

static size_t lint_file(const struct knowledge *k, const char *path,
                        const char *id)
{
    struct testcase *tc = NULL;
    struct err e = {""};
    size_t found;

    if (case_read(k, path, id, &tc, &e) < 0) {
        say(NULL, e.text);
        return 1;
    }
    found = case_lint(k, tc, twin_name, say, NULL);
    testcase_free(tc);
    return found;
}

static size_t lint_word(const struct knowledge *k, const char *word,
                        size_t *files)
{
    const char *const dirs[] = {k->dir};
    struct case_files list = {NULL, 0};
    size_t n = strlen(word), found = 0, i;
    struct err e = {""};

    if (n > 4 && strcmp(word + n - 4, ".xml") == 0) {
        char *id;

        if (access(word, R_OK) < 0) {
            printf("%s: %s\n", word, strerror(errno));
            return 1;
        }
        ++*files;
        id = select_id(word, dirs, 1);
        found = lint_file(k, word, id);
        free(id);
        return found;
    }
    if (select_files(strcmp(word, "all") == 0 ? k->dir : word, &list, &e) < 0) {
        say(NULL, e.text);
        found++;
    }
    for (i = 0; i < list.count; i++, ++*files)
        found += lint_file(k, list.items[i].path, list.items[i].id);
    case_files_release(&list);
    return found;
}

int cmd_lint(int argc, char **argv)
{
    struct options o = {.dir = NULL};
    struct knowledge k = {0};
    struct err e = {""};
    size_t files = 0, found = 0, i;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (cmd_knowledge(&k, o.dir, &e) < 0) {
        printf("%s\n", e.text); /* the schemas and the catalogue count */
        status = EXIT_USAGE;
    } else {
        found = cmd_lint_invariants(&k, say);
        for (i = 0; i < o.words.count; i++)
            found += lint_word(&k, o.words.items[i], &files);
        printf("%zu case%s, %zu finding%s\n", files, files == 1 ? "" : "s",
               found, found == 1 ? "" : "s");
        status = found > 0 ? EXIT_USAGE : files == 0 ? EXIT_TOO_FEW : 0;
    }
    knowledge_release(&k);
    cmd_words_release(&o.words);
    return status;
}
