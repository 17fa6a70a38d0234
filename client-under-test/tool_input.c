/* What the tool reads: secrets, stdin, signals. See tool.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "tool.h"

/* The most that is read of stdin: more would not be sent at once either. */
#define INPUT_MAX_LEN BOSH_QUEUE_MAX

/* ---- Signals ----------------------------------------------------------------
 */

static void add_unless_ignored(sigset_t *set, int signum)
{
    struct sigaction now;

    if (sigaction(signum, NULL, &now) != 0 || now.sa_handler != SIG_IGN)
        sigaddset(set, signum);
}

int tool_signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    add_unless_ignored(&set, SIGINT);
    add_unless_ignored(&set, SIGTERM);
    add_unless_ignored(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int tool_signals_take(int signals)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof info) != sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

/* ---- Descriptors ------------------------------------------------------------
 */

/* Returns 0 when fd can be read; -1; or a signal. */
static int wait_for(int fd, int signals, struct err *e)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                           {.fd = signals, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return err_set(e, "%s", strerror(errno));
    }
    return fds[1].revents ? tool_signals_take(signals) : 0;
}

/* One byte at a time for a line: what follows it is somebody else's. */
int tool_read(int fd, int signals, bool line, struct buf *out, struct err *e)
{
    char piece[65536];
    int rc = 0;

    while (rc == 0) {
        ssize_t got;

        rc = wait_for(fd, signals, e);
        if (rc)
            break;
        got = read(fd, piece, line ? 1 : sizeof piece);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            rc = err_set(e, "%s", strerror(errno));
        else if (got == 0 || (got == 1 && line && *piece == '\n'))
            break;
        else if (got > 0)
            buf_add(out, piece, (size_t)got);
        if (out->len > INPUT_MAX_LEN)
            rc = err_set(e, "more than %u bytes", INPUT_MAX_LEN);
    }
    explicit_bzero(piece, line ? 1 : 0);
    return rc;
}

/* ---- Secrets ----------------------------------------------------------------
 */

void tool_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* NULL with e set when it cannot be read; else perhaps "". */
static char *read_line(FILE *f, const char *path, struct err *e)
{
    char *line = NULL;
    size_t cap = 0;

    if (getline(&line, &cap, f) >= 0)
        return line;
    if (ferror(f))
        err_set(e, "'%s': %s", path, strerror(errno));
    else
        err_set(e, "'%s': it is empty", path);
    free(line);
    return NULL;
}

char *tool_first_line(const char *path, struct err *e)
{
    FILE *f = fopen(path, "re");
    char *line;

    if (!f) {
        err_set(e, "'%s': %s", path, strerror(errno));
        return NULL;
    }
    line = read_line(f, path, e);
    fclose(f);
    if (!line)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line) {
        err_set(e, "'%s': its first line is empty", path);
        free(line);
        return NULL;
    }
    return line;
}

/* Without showing what is typed, and whatever happens the terminal is as it
 * was before. */
static int ask(const struct tool_options *o, int signals, char **out,
               struct err *e)
{
    struct buf line = BUF_INIT;
    struct termios before;
    struct termios quiet;
    int rc;

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return err_set(e, "the terminal: %s", strerror(errno));
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);   /* what was typed before is */
    fprintf(stderr, "Password for %s: ", o->jid); /* not the password */
    rc = tool_read(STDIN_FILENO, signals, true, &line, e);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    fputc('\n', stderr);
    if (rc == 0 && line.len == 0)
        rc = err_set(e, "no password was given");
    if (rc == 0)
        *out = buf_take(&line);
    if (line.data)
        explicit_bzero(line.data, line.len);
    buf_release(&line);
    return rc;
}

/* Who is anonymous, or has another proof, needs none. */
static bool is_needed(const struct tool_options *o)
{
    size_t bare_len = strcspn(o->jid, "/");

    return memchr(o->jid, '@', bare_len) && !o->token_file &&
           !o->asked.options.cert_file;
}

int tool_password(const struct tool_options *o, int signals, char **out,
                  struct err *e)
{
    const char *given = getenv("BOSH_PASSWORD");

    *out = NULL;
    if (o->password_file) {
        *out = tool_first_line(o->password_file, e);
        return *out ? 0 : -1;
    }
    if (given && *given) {
        *out = mem_dup(given);
        return 0;
    }
    if (!is_needed(o))
        return 0;
    if (isatty(STDIN_FILENO))
        return ask(o, signals, out, e);
    return err_set(e, "no password: give --password-file or $BOSH_PASSWORD, "
                      "for stdin is no terminal");
}
