/*
 * bosh-client as a tool for people: one session, one command, one thread.
 *
 *     tool_options.c   what stands on the command line
 *     tool_input.c     what is read: secrets, stdin, signals
 *     tool_session.c   logs in or restores, turns, leaves politely
 *     tool_commands.c  send, send-xml, ping;  tool_listen.c  listen
 *     tool_trace.c     --trace;  tool_text.c  what may be shown, and how
 *     tool.c           puts them together, and says the exit status
 *
 * A command queues what it has to say, then hears of each stanza and of its
 * own deadline; the first failure is printed and ends it. Part of the program,
 * not of the library.
 */
#ifndef CLIENT_TOOL_H
#define CLIENT_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asked.h"
#include "bosh.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/xml.h"
#include "tool_trace.h"

/* Exit statuses, as --help and docs/bosh-client.md have them; beyond these
 * 128 + the signal that interrupted a command. */
enum tool_status {
    TOOL_DONE = 0,
    TOOL_FAULT = 1,      /* this machine's: stdout, memory, descriptors */
    TOOL_USAGE = 2,      /* a bad option, file or text */
    TOOL_NO_SESSION = 3, /* no connection, no BOSH there, not let in */
    TOOL_REFUSED = 4,    /* the login was */
    TOOL_ENDED = 5,      /* the session, before the command was done */
    TOOL_NO_ANSWER = 6,  /* none in time */
    TOOL_CAME_BACK = 7   /* the message did, as an error */
};

struct tool;

struct tool_command {
    const char *name;
    const char *words; /* behind it, for the help */
    const char *what;
    int words_min;
    int words_max;
    bool until_signal; /* which then is no interruption */
    /* What is asked of it; false: tool_fail() has said why not. May be NULL. */
    bool (*prepare)(struct tool *t);
    /* Queue what comes first; the session has just begun. May be NULL. */
    void (*begin)(struct tool *t);
    void (*online)(struct tool *t); /* may be NULL */
    void (*stanza)(struct tool *t, const xmlNode *stanza,
                   const struct bosh_event *event);
    void (*due)(struct tool *t);   /* t->due_ms has passed */
    void (*ended)(struct tool *t); /* a last word; may be NULL */
};

/* send, send-xml, ping, listen; ends with NULL. */
extern const struct tool_command *const tool_commands[];
extern const struct tool_command tool_listen;

/* ---- What stands on the command line ---------------------------------- */

#define TOOL_WORDS_MAX 2

struct tool_options {
    const struct tool_command *command;
    const char *words[TOOL_WORDS_MAX]; /* NULL where there is none */
    int word_count;
    struct asked asked; /* what bosh.h has an option for */
    const char *jid;
    const char *resource; /* these five NULL for none */
    const char *password_file;
    const char *token_file;
    const char *store_file;
    struct buf headers; /* lines */
    struct buf cookies;
    char *proxy;
    bool keep;
    bool trace;
    bool quiet;
    bool xml;
    int count; /* -1: the command's own */
    int64_t interval_ms;
    int64_t for_ms; /* 0: no limit */
    int64_t answer_ms;
    int64_t login_ms;
};

/* Ends the program with TOOL_USAGE when they are not good. Strings are
 * borrowed from argv; release with tool_options_release(). */
void tool_options_read(struct tool_options *o, int argc, char **argv);
void tool_options_release(struct tool_options *o);

/* ---- What is read ------------------------------------------------------- */

/* SIGINT, SIGTERM and SIGHUP, but for those that are ignored, as a descriptor;
 * -1 with errno set. */
int tool_signals_open(void);
/* The next of them, or 0. */
int tool_signals_take(int signals);

/*
 * Read fd until its end, or one line without its newline.
 *
 * Returns 0; -1 with e set; or the signal that came first. out may hold a part
 * then.
 */
int tool_read(int fd, int signals, bool line, struct buf *out, struct err *e);

/* The first line of a file, yours, wipe and free with tool_wipe(); NULL with e
 * set. */
char *tool_first_line(const char *path, struct err *e);
/* A text or NULL. */
void tool_wipe(char *secret);

/*
 * The password: of --password-file, $BOSH_PASSWORD, or asked for at the
 * terminal; NULL in *out where none is needed.
 *
 * Returns as tool_read(). *out is yours: tool_wipe().
 */
int tool_password(const struct tool_options *o, int signals, char **out,
                  struct err *e);

/* ---- The session -------------------------------------------------------- */

struct tool {
    const struct tool_options *options;
    struct bosh_driver *driver;
    struct bosh *bosh;
    struct bosh_store file; /* of --store; all NULL: none */
    struct tool_trace trace;
    int signals;
    char *jid;  /* with --resource */
    char *stem; /* of our ids: no other program's begin so */

    int status; /* enum tool_status, or 128 + signal */
    bool done;
    bool online;
    bool leaving;
    bool restored; /* and not yet known to be alive */
    bool store_failed;
    int64_t due_ms; /* when the command, or our patience, wants a word */

    /* The commands'. */
    struct buf payload; /* what is to be sent */
    int sent;
    int answered;
    double sent_at_ms;
    bool awaited; /* an answer is */
};

/* From the first connection to the last. t->status says how it went. */
void tool_session_run(struct tool *t);

/* The first failure: one line on stderr, and the command is over. */
void tool_fail(struct tool *t, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What was asked is done. */
void tool_done(struct tool *t);

/* Queue it; a refusal is a failure. */
void tool_send(struct tool *t, const char *xml, size_t len);

/* Is this iq's or message's id ours, and which? -1: it is not. */
int tool_id_of(const struct tool *t, const xmlNode *stanza);

/* Queue a ping for to, XEP-0199. number: its id, from 1. */
void tool_ping(struct tool *t, const char *to, int number);
/* Is it the answer to it? An error is one as well: RFC 6120 §8.2.3 leaves
 * nobody without. */
bool tool_is_answer(const struct tool *t, const xmlNode *stanza, int number);
/* The domain of our JID, yours, free with free(). */
char *tool_server(const struct tool *t);

/* A line of the results; out is emptied. */
void tool_put(struct tool *t, struct buf *line);

#endif
