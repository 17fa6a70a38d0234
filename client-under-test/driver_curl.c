/*
 * Sessions driven by libcurl: see bosh.h. The only file of the library, with
 * driver_web.c, driver_sync.c and driver_store.c, that does I/O and looks at
 * the clock.
 *
 * libcurl would repeat a POST by itself when a connection that it had kept
 * open turns out to be dead before a byte of the answer came. It may not:
 * repeats are the session's affair, which counts them.
 */
#include "bosh.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/coding.h"
#include "driver_curl.h"
#include "driver_web.h"

#define EVENTS_MAX 64
#define REDIRECTS_MAX 5

/* One request on the wire, or a handle at rest (id 0). */
struct transfer {
    struct transfer *next;
    struct link *link;
    CURL *easy;
    uint64_t id;
    struct buf out; /* the body that is sent: the session may drop its own */
    bool begun;     /* to send it */
    struct buf body;
    bool too_long;
    int redirects;
    char words[CURL_ERROR_SIZE]; /* why it failed, libcurl's */
};

/* A session and its connections. */
struct link {
    struct link *next;
    struct bosh_driver *driver;
    struct bosh *session;
    struct bosh_hook hook;
    CURLM *multi;
    struct web web;
    struct transfer *transfers;
    int64_t timer_ms; /* when libcurl wants to be called; BOSH_NEVER */
    bool pumping;     /* pump() is at work, perhaps in the hook */
};

struct bosh_driver {
    int epoll;
    struct link *links;
    struct link **by_fd; /* whose descriptor it is */
    size_t fd_cap;
    int watched; /* -1: none */
    void (*readable)(void *ctx);
    void *readable_ctx;
    struct err error; /* why the last bosh_driver_add() was refused */
};

int64_t bosh_driver_now_ms(void)
{
    return clock_now_ms();
}

/* ---- Descriptors and timers that libcurl asks for -------------------------
 */

static void know_fd(struct bosh_driver *d, int fd, struct link *link)
{
    size_t need = (size_t)fd + 1;

    if (need > d->fd_cap) {
        size_t cap = need * 2;

        d->by_fd = mem_grow(d->by_fd, cap * sizeof *d->by_fd);
        memset(d->by_fd + d->fd_cap, 0, (cap - d->fd_cap) * sizeof *d->by_fd);
        d->fd_cap = cap;
    }
    d->by_fd[fd] = link;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx,
                     void *unused)
{
    struct link *link = ctx;
    struct bosh_driver *d = link->driver;
    struct epoll_event event = {.data.fd = fd};
    bool known;

    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        know_fd(d, fd, NULL);
        epoll_ctl(d->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    known = (size_t)fd < d->fd_cap && d->by_fd[fd] == link;
    know_fd(d, fd, link);
    /* Should it have been closed, and opened anew, without a word. */
    if (epoll_ctl(d->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event))
        epoll_ctl(d->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct link *link = ctx;

    (void)multi;
    link->timer_ms =
        timeout_ms < 0 ? BOSH_NEVER : bosh_driver_now_ms() + timeout_ms;
    return 0;
}

/* ---- One transfer ----------------------------------------------------------
 */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count;

    if (t->body.len + len > BOSH_BODY_MAX) {
        t->too_long = true;
        return 0; /* makes libcurl give it up */
    }
    buf_add(&t->body, data, len);
    return len;
}

/* Asked before anything is sent, and asked again when libcurl wants to repeat
 * the POST by itself on another connection. */
static int on_begin(void *ctx, char *here, char *there, int port_here,
                    int port_there)
{
    struct transfer *t = ctx;

    (void)here;
    (void)there;
    (void)port_here;
    (void)port_there;
    if (t->begun)
        return CURL_PREREQFUNC_ABORT;
    t->begun = true;
    return CURL_PREREQFUNC_OK;
}

static void set_options(struct transfer *t)
{
    CURL *easy = t->easy;

    web_set_up(&t->link->web, easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->words);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_begin);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
}

/* A handle at rest, or a new one. */
static struct transfer *get_transfer(struct link *link)
{
    struct transfer *t;

    for (t = link->transfers; t; t = t->next) {
        if (t->id == 0)
            return t;
    }
    t = mem_alloc(sizeof *t);
    t->link = link;
    t->easy = curl_easy_init();
    if (!t->easy)
        abort(); /* no memory */
    set_options(t);
    t->next = link->transfers;
    link->transfers = t;
    return t;
}

/* The session gives bodies; what is on the wire is HTTP's affair. */
static void fill(struct transfer *t, const struct bosh_request *req)
{
    buf_clear(&t->out);
    if (req->coding)
        coding_encode(&t->out, coding_of(req->coding), req->body, req->len);
    else
        buf_add(&t->out, req->body, req->len);
    t->begun = false;
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER,
                     web_headers(&t->link->web, req->coding));
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)t->out.len);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, buf_str(&t->out));
}

static void start(struct link *link, const struct bosh_request *req)
{
    struct transfer *t = get_transfer(link);

    t->id = req->id;
    t->too_long = false;
    t->redirects = 0;
    t->words[0] = '\0';
    buf_clear(&t->body);
    fill(t, req);
    web_forget_cookies(&link->web, t->easy);
    curl_easy_setopt(t->easy, CURLOPT_URL, link->web.url);
    curl_multi_add_handle(link->multi, t->easy);
}

static void stop(struct transfer *t)
{
    curl_multi_remove_handle(t->link->multi, t->easy);
    t->id = 0;
}

/* What is too large to keep is not kept. */
static void rest(struct transfer *t)
{
    if (t->body.cap > 65536)
        buf_release(&t->body);
    if (t->out.cap > 65536)
        buf_release(&t->out);
}

/* 307 or 308: the same POST to another address. */
static bool follow(struct transfer *t, long http_status)
{
    char *url = NULL;

    if ((http_status != 307 && http_status != 308) ||
        ++t->redirects > REDIRECTS_MAX)
        return false;
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url);
    if (!url || !web_is_same_origin(&t->link->web, url))
        return false;
    url = mem_dup(url);
    curl_multi_remove_handle(t->link->multi, t->easy);
    web_forget_cookies(&t->link->web, t->easy);
    curl_easy_setopt(t->easy, CURLOPT_URL, url);
    free(url);
    buf_clear(&t->body);
    t->begun = false;
    curl_multi_add_handle(t->link->multi, t->easy);
    return true;
}

static void fail(struct transfer *t, CURLcode rc)
{
    struct web *web = &t->link->web;
    struct err why = {""};

    if (t->too_long)
        err_set(&why, "the answer is too long");
    else if (rc == CURLE_ABORTED_BY_CALLBACK)
        err_set(&why, "the connection was closed before an answer came");
    else
        web_explain(web, t->easy, rc, t->words, &why);
    bosh_fail(t->link->session, bosh_driver_now_ms(), t->id, why.text);
}

static void finish(struct transfer *t, CURLcode rc)
{
    struct bosh *s = t->link->session;
    long http_status = 0;
    char *type = NULL;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &http_status);
    if (rc == CURLE_OK && follow(t, http_status))
        return;
    if (rc != CURLE_OK && web_proxy_wants_login(t->easy, rc)) {
        bosh_answer(s, bosh_driver_now_ms(), t->id, 407, NULL, "", 0);
    } else if (rc != CURLE_OK) {
        fail(t, rc);
    } else {
        curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
        bosh_answer(s, bosh_driver_now_ms(), t->id, (int)http_status, type,
                    buf_str(&t->body), t->body.len);
    }
    stop(t);
    rest(t);
}

static void collect(struct link *link)
{
    struct transfer *t;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(link->multi, &left)) != NULL) {
        CURLcode rc = msg->data.result; /* msg does not outlive the handle */

        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(t, rc);
    }
}

/* ---- Sessions --------------------------------------------------------------
 */

static void abort_transfer(struct link *link, uint64_t id)
{
    struct transfer *t;

    for (t = link->transfers; t; t = t->next) {
        if (t->id == id) {
            stop(t);
            return;
        }
    }
}

/* Was there something to tell? */
static bool tell(struct link *link)
{
    struct bosh_event event;
    bool any = false;

    while (bosh_next_event(link->session, &event)) {
        if (link->hook.event)
            link->hook.event(link->hook.ctx, link->session, &event);
        any = true;
    }
    return any;
}

/* Most of many sessions want nothing, turn after turn: that is found out by
 * the deadline, at little cost. */
static bool send_due(struct link *link)
{
    int64_t now_ms = bosh_driver_now_ms();
    struct bosh_request req;
    bool any = false;

    while (bosh_deadline_ms(link->session) <= now_ms &&
           bosh_next_request(link->session, now_ms, &req)) {
        start(link, &req);
        any = true;
    }
    return any;
}

/* What was told before a request is made need not be kept with it. And time,
 * which passes in send_due(), may have ended the session. */
static void pump(struct link *link)
{
    uint64_t id;
    bool more = true;

    if (link->pumping)
        return; /* a hook's event would be freed under it; it goes on below */
    link->pumping = true;
    tell(link);
    while (more) {
        more = send_due(link);
        while (bosh_next_abort(link->session, &id))
            abort_transfer(link, id);
        more |= tell(link);
    }
    link->pumping = false;
}

static struct link *find(const struct bosh_driver *d, const struct bosh *s)
{
    struct link *link = d->links;

    while (link && link->session != s)
        link = link->next;
    return link;
}

bool driver_has(struct bosh_driver *d, const struct bosh *s)
{
    d->error = (struct err){""};
    if (find(d, s))
        return true;
    err_set(&d->error, "the session was not added to this driver");
    return false;
}

int bosh_driver_add(struct bosh_driver *d, struct bosh *s,
                    struct bosh_hook hook)
{
    struct link *link;

    d->error = (struct err){""};
    if (find(d, s))
        return err_set(&d->error, "the session was added before");
    link = mem_alloc(sizeof *link);
    if (web_init(&link->web, bosh_get_options(s), &d->error)) {
        free(link);
        return -1;
    }
    link->driver = d;
    link->session = s;
    link->hook = hook;
    link->timer_ms = BOSH_NEVER;
    link->multi = curl_multi_init();
    if (!link->multi)
        abort(); /* no memory */
    curl_multi_setopt(link->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(link->multi, CURLMOPT_SOCKETDATA, link);
    curl_multi_setopt(link->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(link->multi, CURLMOPT_TIMERDATA, link);
    curl_multi_setopt(link->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    link->next = d->links;
    d->links = link;
    return 0;
}

static void free_link(struct link *link)
{
    while (link->transfers) {
        struct transfer *t = link->transfers;

        link->transfers = t->next;
        if (t->id)
            stop(t);
        curl_easy_cleanup(t->easy);
        buf_release(&t->body);
        buf_release(&t->out);
        free(t);
    }
    curl_multi_cleanup(link->multi);
    web_release(&link->web);
    /* Events of this turn may still name its descriptors. */
    for (size_t fd = 0; fd < link->driver->fd_cap; fd++) {
        if (link->driver->by_fd[fd] == link)
            link->driver->by_fd[fd] = NULL;
    }
    free(link);
}

void bosh_driver_remove(struct bosh_driver *d, struct bosh *s)
{
    struct link **at = &d->links;

    while (*at && (*at)->session != s)
        at = &(*at)->next;
    if (*at) {
        struct link *link = *at;

        *at = link->next;
        free_link(link);
    }
}

void bosh_driver_pump(struct bosh_driver *d, struct bosh *s)
{
    struct link *link = find(d, s);

    if (link)
        pump(link);
}

const char *bosh_driver_last_error(const struct bosh_driver *d)
{
    return d->error.text;
}

/* ---- The loop --------------------------------------------------------------
 */

struct bosh_driver *bosh_driver_new(void)
{
    struct bosh_driver *d;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0)
        return NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    d = mem_alloc(sizeof *d);
    d->epoll = epoll;
    d->watched = -1;
    return d;
}

void bosh_driver_free(struct bosh_driver *d)
{
    if (!d)
        return;
    while (d->links)
        bosh_driver_remove(d, d->links->session);
    close(d->epoll);
    free(d->by_fd);
    free(d);
    curl_global_cleanup();
}

void bosh_driver_watch(struct bosh_driver *d, int fd,
                       void (*readable)(void *ctx), void *ctx)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (d->watched >= 0)
        epoll_ctl(d->epoll, EPOLL_CTL_DEL, d->watched, NULL);
    d->watched = -1;
    /* A plain file cannot be watched; it can always be read. */
    if (fd >= 0 &&
        (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EPERM))
        d->watched = fd;
    d->readable = readable;
    d->readable_ctx = ctx;
}

static bool watches_a_file(const struct bosh_driver *d)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = d->watched};

    return d->watched >= 0 &&
           epoll_ctl(d->epoll, EPOLL_CTL_MOD, d->watched, &event) != 0;
}

static int64_t link_deadline(const struct link *link)
{
    int64_t deadline = bosh_deadline_ms(link->session);

    return deadline < link->timer_ms ? deadline : link->timer_ms;
}

int bosh_driver_fd(const struct bosh_driver *d)
{
    return d->epoll;
}

int64_t bosh_driver_deadline_ms(const struct bosh_driver *d)
{
    int64_t until = BOSH_NEVER;
    const struct link *link;

    for (link = d->links; link; link = link->next) {
        int64_t deadline = link_deadline(link);

        if (deadline < until)
            until = deadline;
    }
    return until;
}

static int wait_ms(const struct bosh_driver *d, int64_t max_ms)
{
    int64_t now_ms = bosh_driver_now_ms();
    int64_t until = bosh_driver_deadline_ms(d);

    if (until != BOSH_NEVER) {
        int64_t ms = until > now_ms ? until - now_ms : 0;

        if (max_ms < 0 || ms < max_ms)
            max_ms = ms;
    }
    return max_ms > INT32_MAX ? INT32_MAX : (int)max_ms;
}

static void on_ready(struct bosh_driver *d, const struct epoll_event *event)
{
    int fd = event->data.fd;
    struct link *link = (size_t)fd < d->fd_cap ? d->by_fd[fd] : NULL;
    int what = 0;
    int running;

    if (fd == d->watched) {
        d->readable(d->readable_ctx);
        return;
    }
    if (!link)
        return; /* went away in this very turn */
    if (event->events & EPOLLIN)
        what |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (event->events & (EPOLLERR | EPOLLHUP))
        what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(link->multi, fd, what, &running);
    collect(link);
}

static void on_time(struct bosh_driver *d)
{
    struct link *link;
    int running;

    for (link = d->links; link; link = link->next) {
        int64_t now_ms = bosh_driver_now_ms();

        if (link->timer_ms <= now_ms) {
            link->timer_ms = BOSH_NEVER;
            curl_multi_socket_action(link->multi, CURL_SOCKET_TIMEOUT, 0,
                                     &running);
            collect(link);
        }
        pump(link);
    }
}

int bosh_driver_turn(struct bosh_driver *d, int64_t max_ms)
{
    struct epoll_event events[EVENTS_MAX];
    bool file = watches_a_file(d);
    int count =
        epoll_wait(d->epoll, events, EVENTS_MAX, file ? 0 : wait_ms(d, max_ms));

    if (count < 0 && errno != EINTR)
        return -1;
    for (int i = 0; i < count; i++)
        on_ready(d, &events[i]);
    if (file)
        d->readable(d->readable_ctx);
    on_time(d);
    return 0;
}
