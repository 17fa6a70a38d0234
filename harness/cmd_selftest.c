/* boshspec selftest: can every case fail, and does it spare the innocent? */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "common/clock.h"
#include "common/err.h"
#include "selftest.h"
#include "tests/twins/twins.h"

#define MAX_WORDS 64

struct options {
    const char *words[MAX_WORDS];
    size_t word_count;
    const char *dir;
    bool matrix;
    bool list;
    bool sockets;
    unsigned workers;
    const char *debug; /* twin, or "good" */
};

static const struct argp_option option_list[] = {
    {"matrix", 'm', NULL, 0, "Play every case against every twin and print it",
     0},
    {"list-twins", 'l', NULL, 0, "Print the twins and what is wrong with them",
     0},
    {"sockets", 's', NULL, 0,
     "Play client cases on real sockets, each against the twins that it "
     "names; those that cannot be played in virtual time, or the named ones",
     0},
    {"jobs", 'j', "N", 0, "Worker processes (default: one a processor)", 0},
    {"cases", 'c', "DIR", 0, "Cases and knowledge from here", 0},
    {"debug", 'd', "TWIN", 0,
     "Play the cases against this twin ('good': none), printing the event log "
     "and every finding",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'm':
        o->matrix = true;
        return 0;
    case 's':
        o->sockets = true;
        return 0;
    case 'l':
        o->list = true;
        return 0;
    case 'j':
        o->workers = (unsigned)cmd_number(state, "--jobs", arg, 0, 10000);
        return 0;
    case 'c':
        o->dir = arg;
        return 0;
    case 'd':
        o->debug = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->word_count == MAX_WORDS)
            argp_error(state, "too many cases are named");
        o->words[o->word_count++] = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    option_list,
    parse,
    "[SELECT...]",
    "Plays cases in virtual time against peers of our own, good, faulty and "
    "unusual, and says whether each case is proven.",
    NULL,
    NULL,
    NULL};

static void list_twins(enum role role)
{
    const struct twin *t;

    for (size_t i = 0; (t = twin_at(role, i)); i++)
        printf("%-7s %-32s %s%s\n", role_name(role), t->name,
               t->kind != TWIN_FAULTY ? "(in the right) " : "", t->what);
}

static const char *want_name(const struct selftest_cell *cell)
{
    switch (cell->want) {
    case WANT_PASS:
        return "pass";
    case WANT_CAUGHT:
        return "caught";
    case WANT_CALM:
        return "no blame: neither fail nor error";
    case WANT_RULE:
        return "caught by the rule";
    case WANT_NOTHING:
        break;
    }
    return "";
}

static void print_miss(const struct testcase *tc,
                       const struct selftest_cell *cell)
{
    printf("    not as wanted: %s\n        wanted: %s%s%s\n",
           cell->twin ? cell->twin : "the good peer", want_name(cell),
           cell->by ? " by " : "", cell->by ? cell->by : "");
    if (cell->played)
        printf("        got:    %s%s%s%s%s\n", verdict_name(cell->verdict),
               cell->faults[1] ? ", faults:" : "",
               cell->faults[1] ? cell->faults : "",
               cell->because[0] ? ", because: " : "", cell->because);
    else
        printf("        got:    nothing, its worker died\n");
    printf("        look:   boshspec selftest --debug=%s %s\n",
           cell->twin ? cell->twin : "good", tc->id);
}

struct tally {
    unsigned good, bad;
};

/* One line a case, and what was not as wanted. */
static void print_case(const struct testcase *tc, size_t index,
                       const struct selftest *st, struct tally *sum)
{
    unsigned caught = 0, catchable = 0, spared = 0, sparable = 0, bad = 0;
    size_t cells = 0;

    for (size_t i = 0; i < st->count; i++) {
        const struct selftest_cell *cell = &st->cells[i];

        if (cell->tc != index || cell->want == WANT_RULE ||
            cell->want == WANT_NOTHING)
            continue;
        cells++;
        catchable += cell->want == WANT_CAUGHT;
        caught += cell->want == WANT_CAUGHT && cell->good;
        sparable += cell->twin && cell->want != WANT_CAUGHT;
        spared += cell->twin && cell->want != WANT_CAUGHT && cell->good;
        bad += !cell->good;
        sum->good += cell->good;
    }
    sum->bad += bad;
    if (cells == 0) {
        printf("  skip  %s: %s\n", tc->id, tc->sockets_only);
        return;
    }
    printf("  %s  %s: %u of %u twins caught, %u of %u spared\n",
           bad ? "FAIL" : "ok  ", tc->id, caught, catchable, spared, sparable);
    for (size_t i = 0; bad && i < st->count; i++) {
        const struct selftest_cell *cell = &st->cells[i];

        if (cell->tc == index && !cell->good && cell->want != WANT_RULE)
            print_miss(tc, cell);
    }
}

/* A rule is proven when its twin was caught by it in one case at least. */
static void print_rules(const struct knowledge *k, struct testcase **cases,
                        const struct selftest *st, struct tally *sum)
{
    for (size_t r = 0; r < k->invariants.count; r++) {
        const struct invariant *inv = &k->invariants.items[r];

        for (size_t t = 0; t < inv->caught_count; t++) {
            const char *in = NULL;
            bool played = false;

            for (size_t i = 0; i < st->count; i++) {
                const struct selftest_cell *cell = &st->cells[i];

                if (cell->want != WANT_RULE ||
                    strcmp(cell->by, inv->assertion.id) != 0 ||
                    strcmp(cell->twin, inv->caught[t].twin) != 0)
                    continue;
                played = true;
                if (cell->good && !in)
                    in = cases[cell->tc]->id;
            }
            if (!played)
                continue;
            printf("  %s  invariant/%s: %s %s%s\n", in ? "ok  " : "FAIL",
                   inv->assertion.id, inv->caught[t].twin,
                   in ? "caught in " : "was not caught in any case",
                   in ? in : "");
            sum->good += in != NULL;
            sum->bad += in == NULL;
        }
    }
}

static char mark_of(const struct selftest_cell *cell)
{
    if (!cell->played)
        return '!';
    switch (cell->verdict) {
    case VERDICT_PASS:
        return '.';
    case VERDICT_FAIL:
        return cell->want == WANT_CAUGHT ? 'F' : 'f';
    case VERDICT_WARN:
        return cell->want == WANT_CAUGHT ? 'W' : 'w';
    case VERDICT_NA:
        return '-';
    case VERDICT_ERROR:
        return 'E';
    case VERDICT_INFO:
    case VERDICT_XFAIL:
    case VERDICT_XPASS:
    case VERDICT_FLAKY:
        break;
    }
    return '?';
}

/* What came of one case and one peer; twin NULL: the good one. */
static char mark_at(const struct selftest *st, size_t tc, const char *twin)
{
    for (size_t i = 0; i < st->count; i++) {
        const struct selftest_cell *cell = &st->cells[i];

        if (cell->tc == tc && cell->want != WANT_RULE &&
            (twin ? cell->twin && strcmp(cell->twin, twin) == 0 : !cell->twin))
            return mark_of(cell);
    }
    return ' ';
}

static void print_row(enum role role, struct testcase **cases, size_t count,
                      const struct selftest *st, const struct twin *twin)
{
    const char *name = twin ? twin->name : NULL;
    bool right = twin && twin->kind != TWIN_FAULTY;

    printf("%-2s%-32s", right ? "=" : "", name ? name : "the good peer");
    for (size_t c = 0; c < count; c++) {
        if (cases[c]->role == role)
            printf("%3c", mark_at(st, c, name));
    }
    putchar('\n');
}

/* Twins down, cases across. */
static void print_role(enum role role, struct testcase **cases, size_t count,
                       const struct selftest *st)
{
    const struct twin *twin;
    size_t column = 0;

    printf("\n%s cases:\n", role_name(role));
    for (size_t c = 0; c < count; c++) {
        if (cases[c]->role == role)
            printf("  %2zu  %s\n", ++column, cases[c]->id);
    }
    printf("F W caught as the case says; f w found at fault as well; . pass; "
           "- na; E error\n%-34s",
           "");
    for (size_t c = 1; c <= column; c++)
        printf("%3zu", c);
    putchar('\n');
    print_row(role, cases, count, st, NULL);
    for (size_t t = 0; (twin = twin_at(role, t)) != NULL; t++)
        print_row(role, cases, count, st, twin);
}

static void print_event(void *ctx, const struct event *ev)
{
    struct buf line = BUF_INIT;

    (void)ctx;
    event_write(&line, ev);
    fputs(buf_str(&line), stdout);
    buf_release(&line);
}

static int debug(const struct knowledge *k, const struct selection *sel,
                 const char *twin)
{
    const struct event_sink sink = {NULL, print_event};

    if (strcmp(twin, "good") == 0)
        twin = NULL;
    for (size_t i = 0; i < sel->count; i++) {
        struct judgement j;

        if (twin && !twin_find(sel->cases[i]->role, twin)) {
            fprintf(stderr, "boshspec: no twin '%s' of that role\n", twin);
            return EXIT_USAGE;
        }
        selftest_play(k, sel->cases[i], twin, &sink, &j);
        printf("%s: %s %s\n", sel->cases[i]->id, verdict_name(j.verdict),
               j.reason ? j.reason : "");
        for (size_t f = 0; f < j.finding_count; f++) {
            const struct finding *fi = &j.findings[f];

            printf("  %-5s %s (%s): %s\n", verdict_name(fi->verdict), fi->id,
                   fi->req, fi->says);
            if (fi->expected || fi->got)
                printf("        expected %s, got %s\n",
                       fi->expected ? fi->expected : "-",
                       fi->got ? fi->got : "-");
            if (fi->reason)
                printf("        %s\n", fi->reason);
        }
        judgement_release(&j);
    }
    return 0;
}

#define SOCKET_WORKERS 12 /* they mostly wait */

/* Client cases: the named ones, or those that need sockets. Yours, free(). */
static struct testcase **on_sockets(const struct options *o,
                                    const struct selection *sel, size_t *count)
{
    struct testcase **cases = mem_alloc((sel->count + 1) * sizeof *cases);

    *count = 0;
    for (size_t i = 0; i < sel->count; i++)
        if (sel->cases[i]->role == ROLE_CLIENT &&
            (o->word_count || sel->cases[i]->sockets_only[0]))
            cases[(*count)++] = sel->cases[i];
    return cases;
}

static int play_sockets(const struct options *o, const struct knowledge *k,
                        struct testcase *const *cases, size_t count,
                        struct selftest *st, struct err *e)
{
    char *bin = cmd_bin_dir();
    char *program = mem_printf("%s/twin-client", bin);
    int rc;

    if (access(program, X_OK) < 0)
        rc = err_set(e, "%s is not there: `make test' builds it", program);
    else
        rc = selftest_sockets(k, cases, count, program,
                              o->workers ? o->workers : SOCKET_WORKERS, st, e);
    free(program);
    free(bin);
    return rc;
}

static unsigned virtual_workers(const struct options *o)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (o->workers)
        return o->workers;
    return (unsigned)(cpus > 0 ? cpus : 1);
}

static int run(const struct options *o, const struct cmd_cases *c)
{
    const struct knowledge *k = &c->knowledge;
    const struct selection *sel = &c->selection;
    struct testcase **cases = sel->cases, **mine = NULL;
    int64_t begun = clock_now_ms();
    struct tally sum = {0, 0};
    struct selftest st = {0};
    struct err e = {""};
    size_t count = sel->count, plays = 0;

    if (o->sockets) {
        cases = mine = on_sockets(o, sel, &count);
        play_sockets(o, k, cases, count, &st, &e);
    } else {
        selftest_run(k, cases, count, o->matrix, virtual_workers(o), &st, &e);
    }
    if (e.text[0])
        fprintf(stderr, "boshspec: %s\n", e.text);
    for (size_t i = 0; i < count; i++)
        print_case(cases[i], i, &st, &sum);
    if (!o->word_count && !o->sockets)
        print_rules(k, cases, &st, &sum);
    if (o->matrix) {
        print_role(ROLE_CLIENT, cases, count, &st);
        print_role(ROLE_SERVER, cases, count, &st);
    }
    for (size_t i = 0; i < st.count; i++)
        plays += st.cells[i].played;
    printf("%zu plays in %.1f s\n%u passed, %u failed\n", plays,
           (double)(clock_now_ms() - begun) / 1000, sum.good,
           sum.bad + (e.text[0] != '\0'));
    selftest_release(&st);
    free(mine);
    return sum.bad || e.text[0] ? EXIT_FAILED : 0;
}

int cmd_selftest(int argc, char **argv)
{
    struct options o = {0};
    struct select_options wanted = {.any_role = true};
    struct cmd_cases cases;
    int status;

    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (o.list) {
        list_twins(ROLE_CLIENT);
        list_twins(ROLE_SERVER);
        return 0;
    }
    wanted.words = o.words;
    wanted.word_count = o.word_count;
    status = cmd_cases_load(&cases, o.dir, &wanted);
    if (status == 0)
        status = cmd_cases_lint(&cases);
    if (status == 0)
        status = o.debug ? debug(&cases.knowledge, &cases.selection, o.debug)
                         : run(&o, &cases);
    cmd_cases_release(&cases);
    return status;
}
