/* boshspec client: certify a client. */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"

enum { KEY_EXEC = 0x300, KEY_DRIVER, KEY_PATIENCE };

/* Programs at once where -j does not say: each is a client of its own. */
#define URL_JOBS 16

static const struct kind {
    const char *name;
    enum driver_kind kind;
    int patience_s; /* until the first connection */
} kinds[] = {
    {"line", DRIVER_LINE, 0},
    {"url", DRIVER_URL, 20},
    {"manual", DRIVER_MANUAL, 60},
};

struct options {
    struct cmd_run run;
    const char *exec; /* NULL: the bundled client */
    const struct kind *kind;
    int patience_s; /* 0: not given */
};

static const struct argp_option option_list[] = {
    {"exec", KEY_EXEC, "CMD", 0,
     "The driver of the client under test, for the shell (default: the "
     "bundled bosh-client)",
     0},
    {"driver", KEY_DRIVER, "KIND", 0,
     "How to talk to it: line (the default), JSON Lines on stdin and stdout; "
     "url, it finds BOSHSPEC_URL, _JID and _PASSWORD in its environment; "
     "manual, you are told them",
     0},
    {"patience", KEY_PATIENCE, "S", 0,
     "So long url (20) and manual (60) wait for the first connection", 0},
    {0},
};

static const struct kind *find_kind(struct argp_state *state, const char *name)
{
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    argp_error(state, "--driver '%s': line, url or manual is wanted", name);
    return &kinds[0];
}

/* What goes with what. */
static void check(struct argp_state *state, struct options *o)
{
    bool manual = o->kind->kind == DRIVER_MANUAL;

    if (o->kind->kind == DRIVER_URL && !o->exec)
        argp_error(state, "--driver=url wants --exec");
    if (manual && o->exec)
        argp_error(state, "--driver=manual starts no program: no --exec");
    if (manual && o->run.run.jobs > 1)
        argp_error(state, "--driver=manual plays one case at a time");
    if (o->kind->kind == DRIVER_LINE && o->patience_s)
        argp_error(state, "--patience is for url and manual");
    o->run.run.driver = o->kind->kind;
    o->run.run.patience_ms =
        1000 * (o->patience_s ? o->patience_s : o->kind->patience_s);
    if (manual)
        o->run.run.jobs = 1;
    else if (o->kind->kind == DRIVER_URL && o->run.run.jobs == 0)
        o->run.run.jobs = URL_JOBS;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_EXEC:
        if (!arg[0])
            argp_error(state, "--exec is empty");
        o->exec = arg;
        return 0;
    case KEY_DRIVER:
        o->kind = find_kind(state, arg);
        return 0;
    case KEY_PATIENCE:
        o->patience_s = (int)cmd_number(state, "--patience", arg, 1, 3600);
        return 0;
    case ARGP_KEY_END:
        check(state, o);
        return 0;
    case ARGP_KEY_ARG:
        cmd_words_add(&o->run.words, arg);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->run;
        state->child_inputs[1] = &o->run;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&cmd_select_argp, 0, "Which cases", 1},
    {&cmd_run_argp, 0, "The run", 2},
    {0},
};

static const struct argp argp = {
    option_list,
    parse,
    "[SELECT...]",
    "Plays cases against a client, with a connection manager that does what "
    "each case wants, and judges what the client did.",
    children,
    NULL,
    NULL};

/* "node my-driver.js --fast" is called node-my-driver.js. */
static char *peer_name(const char *command)
{
    struct buf name = BUF_INIT;
    char *copy = mem_dup(command), *save = NULL, *word;
    int n = 0;

    for (word = strtok_r(copy, " \t", &save); word && n < 2;
         word = strtok_r(NULL, " \t", &save)) {
        if (word[0] == '-')
            continue;
        buf_printf(&name, "%s%s", n++ ? "-" : "", basename(word));
    }
    free(copy);
    return buf_take(&name);
}

/* A case in which it logs in and leaves. */
#define FIRST_CONTACT "client/session/terminate-by-client"

static int run_client(int argc, char **argv, bool doctor)
{
    char sh[] = "/bin/sh", dash_c[] = "-c";
    struct options o = {.kind = &kinds[0]};
    char *bundled = NULL, *command = NULL, *peer;
    char *by_shell[] = {sh, dash_c, NULL, NULL};
    char *direct[] = {NULL, NULL};
    int status;

    cmd_run_init(&o.run, ROLE_CLIENT);
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (o.exec) {
        command = mem_dup(o.exec);
        by_shell[2] = command;
        o.run.run.driver_argv = by_shell;
        peer = peer_name(command);
    } else if (o.kind->kind == DRIVER_MANUAL) {
        command = mem_dup("a client by hand");
        peer = mem_dup("manual");
    } else {
        char *bin = cmd_bin_dir();

        bundled = mem_printf("%s/bosh-client", bin);
        free(bin);
        command = mem_dup("bosh-client");
        direct[0] = bundled;
        o.run.run.driver_argv = direct;
        peer = mem_dup("bosh-client");
    }
    o.run.run.command = command;
    status = doctor ? cmd_run_doctor(&o.run, FIRST_CONTACT)
                    : cmd_run_suite(&o.run, peer);
    cmd_run_release(&o.run);
    free(bundled);
    free(command);
    free(peer);
    return status;
}

int cmd_client(int argc, char **argv)
{
    return run_client(argc, argv, false);
}

int cmd_doctor_client(int argc, char **argv)
{
    return run_client(argc, argv, true);
}
