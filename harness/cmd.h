/*
 * The subcommands, and what they share: options, where the cases are, exit
 * status. Nobody outside main.c and cmd_*.c includes it.
 */
#ifndef HARNESS_CMD_H
#define HARNESS_CMD_H

#include <argp.h>
#include <stdio.h>

#include "case_xml.h"
#include "run.h"
#include "select.h"

#ifndef BOSHSPEC_VERSION
#define BOSHSPEC_VERSION "0.1.0"
#endif
/* Where `make install` puts the cases, without "/cases". */
#ifndef BOSHSPEC_DATADIR
#define BOSHSPEC_DATADIR "/usr/local/share/boshspec"
#endif

/* 0: all as expected. */
enum {
    EXIT_FAILED = 1,     /* a FAIL, XPASS or FLAKY; some ERROR; interrupted */
    EXIT_USAGE = 2,      /* a bad option, case or baseline */
    EXIT_UNTESTABLE = 3, /* the peer: every case is ERROR, for one reason */
    EXIT_TOO_FEW = 4,    /* nothing selected, or fewer judged than --min */
    EXIT_BUG = 5,        /* a fault in boshspec itself */
};

/* Each takes its own name as argv[0] and returns an exit status. */
int cmd_client(int argc, char **argv);
int cmd_server(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_doctor_client(int argc, char **argv);
int cmd_doctor_server(int argc, char **argv);
int cmd_lint(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_judge(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_coverage(int argc, char **argv);

/* "boshspec: " and the message on stderr; returns status. */
int cmd_fail(int status, const struct err *e);

/* Says why a result's status is EXIT_TOO_FEW. */
void cmd_too_few(const struct result *r);

/* The folder of this program: $BOSHSPEC_BINDIR, or where it was started
 * from. Yours, free(). */
char *cmd_bin_dir(void);

/* Load what the cases need. dir NULL: $BOSHSPEC_CASES, the cases/ beside the
 * program's folder, or where they were installed. 0, or -1 with e. */
int cmd_knowledge(struct knowledge *k, const char *dir, struct err *e);

/* invariants_lint() of what was loaded; the number of findings. */
size_t cmd_lint_invariants(const struct knowledge *k,
                           void (*say)(void *ctx, const char *finding));

/* What a command works on. */
struct cmd_cases {
    struct knowledge knowledge;
    struct selection selection;
};

/* Load and select; dir as for cmd_knowledge(). Returns 0, or an exit status
 * once stderr says why. Free with cmd_cases_release() either way. */
int cmd_cases_load(struct cmd_cases *c, const char *dir,
                   const struct select_options *o);
/* What lint refuses must not be used. Returns 0, or an exit status once
 * stderr has the findings. */
int cmd_cases_lint(const struct cmd_cases *c);
void cmd_cases_release(struct cmd_cases *c);

/* A list of strings that grows; the strings are argv's. */
struct cmd_words {
    const char **items;
    size_t count;
};
void cmd_words_add(struct cmd_words *w, const char *word);
void cmd_words_release(struct cmd_words *w);

/* A whole number within bounds; otherwise argp's error, which exits. */
long cmd_number(struct argp_state *state, const char *what, const char *text,
                long min, long max);

/* A folder with all that it is in; 0, or -1 with e. */
int cmd_make_dir(const char *dir, struct err *e);

/* The first line of a file. Yours, free(); NULL with e set. */
char *cmd_password(const char *path, struct err *e);

/* The reports beside result.json and the text for a person: --tap, --junit,
 * --markdown. "-" is stdout, for one of them; the text then goes to stderr. */
#define CMD_REPORT_KINDS 3
struct cmd_reports {
    const char *paths[CMD_REPORT_KINDS]; /* argv's; NULL: not wanted */
    FILE *files[CMD_REPORT_KINDS];
};
/* An argp child; its input is a struct cmd_reports. */
extern const struct argp cmd_reports_argp;

/* Open the files, so that a bad path is known before anything is played and
 * no older report is taken for the new one. 0, or -1 with e. Free with
 * cmd_reports_release() either way. */
int cmd_reports_open(struct cmd_reports *reports, struct err *e);
/* Where the text for a person goes: stdout or stderr. */
FILE *cmd_reports_text(const struct cmd_reports *reports);
/* Write what is open, and close it. dir: where the logs' paths start. 0, or
 * -1 with e. */
int cmd_reports_write(struct cmd_reports *reports, const struct result *r,
                      const char *dir, struct err *e);
void cmd_reports_release(struct cmd_reports *reports);

/* SELECT and RUN, for those who play. */
struct cmd_run {
    struct cmd_words words, tags, excludes, dirs;
    const char *failed_in;  /* a result.json; NULL: not given */
    unsigned shard, shards; /* 0: not given */
    const char *out;
    bool strict;
    long min; /* -1: not given */
    struct cmd_reports reports;
    const char *baseline_path;       /* NULL: none */
    const char *write_baseline_path; /* NULL: none */
    struct baseline baseline;
    struct run_options run;
};
/* argp children: the input of both is a struct cmd_run. */
extern const struct argp cmd_select_argp;
extern const struct argp cmd_run_argp;

void cmd_run_init(struct cmd_run *c, enum role role);
void cmd_run_release(struct cmd_run *c);

/* SELECT as it was given; borrows from c. */
struct select_options cmd_select_options(const struct cmd_run *c);

/* Select, play, judge, report. peer: for the name of the default folder.
 * Returns the exit status. */
int cmd_run_suite(struct cmd_run *c, const char *peer);

/* The first contact alone, told in plain words: the play of a case, or in the
 * server role (id NULL) what comes before all cases. Returns 0, 3 when it came
 * to a bad end, or another exit status. */
int cmd_run_doctor(struct cmd_run *c, const char *id);

#endif
