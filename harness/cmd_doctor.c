/* boshspec doctor: the first contact with a client or a server, in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "doctor.h"

/* Who looks at the play. */
struct consultation {
    const struct run_options *run;
    bool seen, good;
};

static void look_at_server(void *ctx, const struct stage_outcome *o)
{
    struct consultation *c = ctx;
    const struct doctor_server d = {
        .url = c->run->url,
        .domain = c->run->domain,
        .tls = c->run->tls,
        .accounts = c->run->accounts,
        .account_count = c->run->account_count,
    };

    c->seen = true;
    c->good = doctor_server(&d, o, stdout);
}

static void look_at_client(void *ctx, const struct stage_outcome *o)
{
    struct consultation *c = ctx;

    if (c->seen)
        return; /* played once more: it will say the same */
    c->seen = true;
    c->good = doctor_client(o, stdout);
}

/* Where the log of the play is, for who wants to know more. Yours, or NULL. */
static char *make_dir(const struct cmd_run *c, struct err *e)
{
    char *dir = mem_dup(c->out ? c->out : "/tmp/boshspec-doctor-XXXXXX");

    if (c->out ? cmd_make_dir(dir, e) == 0 : mkdtemp(dir) != NULL)
        return dir;
    if (!e->text[0])
        err_set(e, "%s: no folder can be made", dir);
    free(dir);
    return NULL;
}

static int consult(struct cmd_run *c, struct cmd_cases *cases)
{
    struct consultation who = {.run = &c->run};
    struct err e = {""};
    struct result r;
    char *dir = make_dir(c, &e);
    int rc;

    if (!dir)
        return cmd_fail(EXIT_USAGE, &e);
    c->run.dir = dir;
    c->run.watch.ctx = &who;
    c->run.watch.played =
        c->run.role == ROLE_SERVER ? look_at_server : look_at_client;
    result_init(&r);
    rc = run_cases(&cases->knowledge, &cases->selection, &c->run, &r, &e);
    if (rc == 0 && !who.seen && r.case_count > 0)
        doctor_says(stdout, "STOP", r.cases[0].reason);
    printf("log   %s\n", dir);
    result_release(&r);
    free(dir);
    if (rc < 0)
        return cmd_fail(EXIT_USAGE, &e);
    return who.good ? 0 : EXIT_UNTESTABLE;
}

int cmd_run_doctor(struct cmd_run *c, const char *id)
{
    const char *words[] = {id ? id : "server/creation/negotiated-values"};
    struct select_options o = {
        .role = c->run.role, .words = words, .word_count = 1};
    struct cmd_cases cases;
    int status = cmd_cases_load(&cases, NULL, &o);

    if (status == 0) {
        if (!id) /* what comes before all cases is enough */
            cases.selection.count = 0;
        status = consult(c, &cases);
        if (!id)
            cases.selection.count = 1;
    }
    cmd_cases_release(&cases);
    return status;
}

int cmd_doctor(int argc, char **argv)
{
    static char name_client[] = "boshspec doctor client";
    static char name_server[] = "boshspec doctor server";
    bool help = argc > 1 && strcmp(argv[1], "--help") == 0;

    if (argc > 1 && strcmp(argv[1], "client") == 0) {
        argv[1] = name_client;
        return cmd_doctor_client(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "server") == 0) {
        argv[1] = name_server;
        return cmd_doctor_server(argc - 1, argv + 1);
    }
    fprintf(help ? stdout : stderr,
            "boshspec: doctor of whom? `boshspec doctor client' or "
            "`boshspec doctor server', with the options of those\n");
    return help ? 0 : EXIT_USAGE;
}
