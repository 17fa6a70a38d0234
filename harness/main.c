/* boshspec: which subcommand, and the exit status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd.h"
#include "common/buf.h"
#include "common/xml.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"client", cmd_client, "certify a client, against a scripted manager"},
    {"server", cmd_server, "certify a connection manager, as a raw client"},
    {"doctor", cmd_doctor, "what is wrong with the first contact, in words"},
    {"serve", cmd_serve, "the mock connection manager on its own"},
    {"lint", cmd_lint, "find what is wrong in case files"},
    {"list", cmd_list, "the cases that are there"},
    {"show", cmd_show, "one case: why, what it covers, what it asserts"},
    {"judge", cmd_judge, "judge the logs of a run again"},
    {"report", cmd_report, "merge results, and write other reports of them"},
    {"selftest", cmd_selftest, "prove each case against faulty peers"},
    {"coverage", cmd_coverage, "what judges each requirement"},
};

static const struct command *find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_version(FILE *out, struct argp_state *state)
{
    (void)state;
    fprintf(out, "boshspec %s\n", BOSHSPEC_VERSION);
}

/* The commands stand in the help of the program as a whole. */
static char *help_filter(int key, const char *text, void *input)
{
    struct buf out = BUF_INIT;
    size_t i;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    buf_adds(&out, "Commands:\n");
    for (i = 0; i < sizeof commands / sizeof *commands; i++)
        buf_printf(&out, "  %-9s %s\n", commands[i].name, commands[i].what);
    buf_adds(&out, "\n`boshspec COMMAND --help' says more.\n\n"
                   "Exit status: 0 all as expected; 1 something failed; 2 a "
                   "bad option or case;\n3 the peer cannot be tested; 4 too "
                   "few cases; 5 a fault of boshspec's.\n");
    return buf_take(&out);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    int *at = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (!find(arg))
            argp_error(state, "unknown command '%s'", arg);
        *at = state->next - 1;
        state->next = state->argc; /* the rest is the command's */
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which command?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    NULL,
    parse,
    "COMMAND [OPTION...]",
    "Certifies BOSH (XEP-0124, XEP-0206) clients and connection managers.\v",
    NULL,
    help_filter,
    NULL};

/* A fault of ours has a status of its own, which no verdict has. */
static void on_fault(int signum)
{
    static const char words[] =
        "boshspec: a fault in boshspec itself; please report it\n";
    ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);

    (void)signum;
    (void)written;
    _exit(EXIT_BUG);
}

static void watch_faults(void)
{
    static const int signals[] = {
        SIGABRT,
#if !defined __SANITIZE_ADDRESS__ /* which has more to say about these */
        SIGSEGV,
        SIGBUS,
        SIGFPE,
        SIGILL,
#endif
    };
    struct sigaction action = {.sa_handler = on_fault};
    size_t i;

    for (i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* A case has several sockets, and many are played at once. More than that is
 * only a burden on what we start: some programs close every descriptor that
 * there might be. */
#define WANTED_FILES 65536

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= WANTED_FILES)
        return;
    limit.rlim_cur =
        limit.rlim_max < WANTED_FILES ? limit.rlim_max : WANTED_FILES;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    const struct command *command;
    char *name;
    int at = 0, status;

    argp_err_exit_status = EXIT_USAGE;
    argp_program_version_hook = print_version;
    watch_faults();
    raise_file_limit();
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is told by errno */
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &at);
    command = find(argv[at]);
    xml_init();
    name = mem_printf("boshspec %s", command->name);
    argv[at] = name;
    status = command->run(argc - at, argv + at);
    free(name);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "boshspec: not all could be printed: %s\n",
                strerror(errno));
        status = status ? status : EXIT_USAGE;
    }
    xml_cleanup();
    return status;
}
