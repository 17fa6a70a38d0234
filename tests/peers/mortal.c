/* Alice in a process of her own: see mortal.h. */
#include "mortal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peers.h"
#include "tests/check.h"

/* ---- She herself
 * -------------------------------------------------------------
 */

struct self {
    enum moment moment;
    int max_open;
    const char *to;
    int orders, reports;
    struct bosh_store file; /* what her own store calls */
    struct talker t;
    bool chatters;
    size_t said;
};

static void die(void)
{
    raise(SIGKILL);
}

static bool has(const char *data, size_t len, const char *word)
{
    return memmem(data, len, word, strlen(word)) != NULL;
}

static void on_xml_output(void *ctx, const char *xml, size_t len)
{
    const struct self *me = ctx;

    if (me->moment == NOT_KEPT_YET && has(xml, len, LAST_WORDS))
        die();
}

static void on_raw_output(void *ctx, const char *data, size_t len)
{
    const struct self *me = ctx;

    if (me->moment == MADE && has(data, len, LAST_WORDS))
        die();
}

static void on_raw_input(void *ctx, const char *data, size_t len)
{
    const struct self *me = ctx;

    if (me->moment == ANSWERED && has(data, len, FOR_YOU))
        die();
}

static int on_save(void *ctx, const char *text)
{
    const struct self *me = ctx;
    int rc = me->file.save(me->file.ctx, text);

    if (me->moment == KEPT && text && strstr(text, LAST_WORDS))
        die();
    return rc;
}

static void report(int fd, const char *line)
{
    struct buf out = BUF_INIT;

    buf_printf(&out, "%s\n", line);
    if (write(fd, out.data, out.len) != (ssize_t)out.len)
        _exit(1);
    buf_release(&out);
}

static void on_heard(struct talker *t, const char *from, const char *text)
{
    const struct self *me = t->ctx;

    (void)from;
    report(me->reports, text);
    if (me->moment == HEARD && strcmp(text, FOR_YOU) == 0)
        die();
}

static void say_last_words(struct self *me)
{
    static const char XML[] =
        "<message to='%s'><body>" LAST_WORDS "</body></message>";
    struct buf xml = BUF_INIT;

    buf_printf(&xml, XML, me->to);
    bosh_send(me->t.s, xml.data, xml.len);
    if (me->moment == QUEUED)
        die();
    bosh_driver_pump(me->t.d, me->t.s);
    die(); /* HANDED_OVER; those before it are over by now */
}

static void on_order(void *ctx)
{
    struct self *me = ctx;
    char order;

    if (read(me->orders, &order, 1) != 1)
        _exit(1); /* the test is gone */
    if (order == 'c')
        me->chatters = true;
    else if (me->moment == SHE_LEAVES)
        _exit(0);
    else
        say_last_words(me);
}

static void log_in(struct self *me, const char *path)
{
    struct bosh_options o;

    me->file = bosh_store_file(path);
    peers_options(&o);
    o.max_open = me->max_open;
    o.store = (struct bosh_store){on_save, NULL, me};
    o.taps = (struct bosh_taps){.raw_output = on_raw_output,
                                .raw_input = on_raw_input,
                                .xml_output = on_xml_output,
                                .ctx = me};
    talker_init(&me->t, bosh_driver_new(), &o);
    me->t.heard = on_heard;
    me->t.ctx = me;
    bosh_driver_watch(me->t.d, me->orders, on_order, me);
    if (peers_log_in(&me->t, "ALICE", "mortal") ||
        bosh_driver_settle(me->t.d, me->t.s, PATIENCE_MS))
        _exit(1);
}

static void live(struct self *me, const char *path)
{
    log_in(me, path);
    report(me->reports, "");
    while (!bosh_ended(me->t.s)) {
        char text[32];

        if (me->chatters) {
            snprintf(text, sizeof text, "c %zu", me->said++);
            talker_say(&me->t, me->to, text);
        }
        bosh_driver_turn(me->t.d, me->chatters ? 2 : -1);
    }
    _exit(1);
}

/* ---- What the test does to her
 * -----------------------------------------------
 */

static char *new_dir(void)
{
    const char *dir = getenv("TMPDIR");
    char *path = mem_printf("%s/peers-XXXXXX", dir ? dir : "/tmp");

    if (!mkdtemp(path))
        abort(); /* no room */
    return path;
}

static bool read_report(struct mortal *m)
{
    char piece[4096];
    ssize_t got;

    do {
        got = read(m->reports, piece, sizeof piece);
    } while (got < 0 && errno == EINTR);
    if (got > 0)
        buf_add(&m->heard, piece, (size_t)got);
    return got > 0;
}

bool mortal_begin(struct mortal *m, enum moment moment, int max_open,
                  const char *to)
{
    int orders[2], reports[2];

    *m = (struct mortal){.dir = new_dir()};
    m->store = mem_printf("%s/store", m->dir);
    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(reports, O_CLOEXEC) != 0)
        abort(); /* no descriptors */
    m->orders = orders[1];
    m->reports = reports[0];
    m->pid = fork();
    if (m->pid == 0) {
        struct self me = {.moment = moment,
                          .max_open = max_open,
                          .to = to,
                          .orders = orders[0],
                          .reports = reports[1]};

        close(orders[1]);
        live(&me, m->store);
    }
    close(orders[0]);
    close(reports[1]);
    if (m->pid < 0 || !read_report(m))
        return false;
    buf_clear(&m->heard);
    return true;
}

static void tell(struct mortal *m, char order)
{
    if (write(m->orders, &order, 1) != 1)
        mortal_kill(m);
}

void mortal_order(struct mortal *m)
{
    tell(m, 'o');
}

void mortal_chatter(struct mortal *m)
{
    tell(m, 'c');
}

void mortal_kill(struct mortal *m)
{
    if (m->pid > 0)
        kill(m->pid, SIGKILL);
}

void mortal_mourn(struct mortal *m)
{
    while (read_report(m))
        ;
    while (m->pid > 0 && waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    m->pid = 0;
}

/* The session's file, and the one that a death in the middle of saving leaves:
 * no more than that. */
static void remove_files(const struct mortal *m)
{
    char *beside = mem_printf("%s.new", m->store);

    unlink(m->store);
    unlink(beside);
    CHECK_INT(rmdir(m->dir), 0);
    free(beside);
}

void mortal_release(struct mortal *m)
{
    close(m->orders);
    close(m->reports);
    remove_files(m);
    free(m->store);
    free(m->dir);
    buf_release(&m->heard);
}
