/* See proxy.h. */
#include "proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "check.h"
#include "common/http.h"

#define CONNS_MAX 64
#define FIELD_MAX 256 /* of SOCKS, with its NUL */

struct proxy {
    const struct proxy_setup *setup;
    int listener;
    int port;
    pthread_t thread;
    pthread_mutex_t mutex; /* of the log */
    struct buf log;
};

/* A client's connection, and the one that was made for it. */
struct pair {
    struct proxy *proxy;
    int client;
    int target; /* -1: none yet */
    struct buf in;
};

/* What is asked for. */
struct wish {
    char host[FIELD_MAX];
    int port;
    char login[2 * FIELD_MAX];
};

/* ---- Bytes -----------------------------------------------------------------
 */

static void put(int fd, const void *data, size_t len)
{
    send(fd, data, len, MSG_NOSIGNAL);
}

static void put_text(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

/* False at the end. */
static bool get(int fd, void *data, size_t len)
{
    return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool get_string(int fd, char text[FIELD_MAX])
{
    for (size_t i = 0; i < FIELD_MAX; i++) {
        if (!get(fd, &text[i], 1))
            return false;
        if (text[i] == '\0')
            return true;
    }
    return false;
}

/* With its length in front. */
static bool get_counted(int fd, char text[FIELD_MAX])
{
    unsigned char len;

    memset(text, 0, FIELD_MAX);
    return get(fd, &len, 1) && get(fd, text, len);
}

/* Whatever there is, from one to the other. */
static bool pass(int from, int to)
{
    char piece[16384];
    ssize_t got = recv(from, piece, sizeof piece, 0);

    if (got <= 0)
        return false;
    put(to, piece, (size_t)got);
    return true;
}

static void tunnel(const struct pair *p)
{
    struct pollfd ends[] = {{p->client, POLLIN, 0}, {p->target, POLLIN, 0}};

    while (poll(ends, 2, -1) > 0) {
        if (ends[0].revents && !pass(p->client, p->target))
            return;
        if (ends[1].revents && !pass(p->target, p->client))
            return;
    }
}

static bool reach(struct pair *p, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)port);
    p->target = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(p->target, (struct sockaddr *)&to, sizeof to) == 0;
}

/* ---- Who may ---------------------------------------------------------------
 */

static void note(struct pair *p, const char *kind, const struct wish *w)
{
    pthread_mutex_lock(&p->proxy->mutex);
    buf_printf(&p->proxy->log, "%s %s:%d %s\n", kind, w->host, w->port,
               w->login[0] ? w->login : "-");
    pthread_mutex_unlock(&p->proxy->mutex);
}

static bool is_welcome(const struct pair *p, const struct wish *w)
{
    const char *login = p->proxy->setup->login;

    return !login || strcmp(login, w->login) == 0;
}

static bool refuses(const struct pair *p)
{
    return p->proxy->setup->mood == PROXY_REFUSES;
}

/* ---- HTTP ------------------------------------------------------------------
 */

static void read_login(const struct http_message *m, struct wish *w)
{
    const char *value = http_header(m, "Proxy-Authorization");
    gnutls_datum_t coded;
    gnutls_datum_t plain;

    w->login[0] = '\0';
    if (!value || strncasecmp(value, "Basic ", 6) != 0)
        return;
    coded.data = (unsigned char *)(uintptr_t)(value + 6);
    coded.size = (unsigned)strlen(value + 6);
    if (gnutls_base64_decode2(&coded, &plain) < 0)
        return;
    snprintf(w->login, sizeof w->login, "%.*s", (int)plain.size, plain.data);
    gnutls_free(plain.data);
}

/* "host:port", behind "http://" where it is no CONNECT; returns what follows.
 */
static const char *read_target(const char *target, struct wish *w)
{
    size_t len;

    if (strncmp(target, "http://", 7) == 0)
        target += 7;
    len = strcspn(target, ":/");
    snprintf(w->host, sizeof w->host, "%.*s", (int)len, target);
    w->port = target[len] == ':' ? atoi(target + len + 1) : 80;
    return target + strcspn(target, "/");
}

static bool read_request(struct pair *p, struct http_message *m)
{
    char piece[16384];
    size_t used;

    for (;;) {
        enum http_progress got =
            http_read(HTTP_REQUEST, buf_str(&p->in), p->in.len, false, false, m,
                      &used, NULL);
        ssize_t more;

        if (got == HTTP_WHOLE) {
            buf_shift(&p->in, used);
            return true;
        }
        http_message_release(m);
        more = recv(p->client, piece, sizeof piece, 0);
        if (got == HTTP_BAD || more <= 0)
            return false;
        buf_add(&p->in, piece, (size_t)more);
    }
}

/* What is the proxy's own goes no further. */
static void forward(struct pair *p, const struct http_message *m,
                    const char *path)
{
    struct http_header headers[HTTP_MAX_HEADERS];
    struct buf out = BUF_INIT;
    size_t count = 0;

    for (size_t i = 0; i < m->header_count; i++) {
        if (strncasecmp(m->headers[i].name, "Proxy-", 6) != 0)
            headers[count++] = m->headers[i];
    }
    http_write_request(&out, m->method, path, 1, headers, count, m->body.data,
                       m->body.len);
    put(p->target, out.data, out.len);
    buf_release(&out);
}

/* False when one of them is gone. */
static bool bring_back(struct pair *p)
{
    struct pollfd ends[] = {{p->client, POLLIN, 0}, {p->target, POLLIN, 0}};
    struct http_framer framer;
    struct buf answer = BUF_INIT;
    enum http_progress got = HTTP_MORE;
    char piece[16384];
    size_t used;

    http_framer_init(&framer, HTTP_RESPONSE);
    while (got != HTTP_WHOLE && poll(ends, 2, -1) > 0 && !ends[0].revents) {
        ssize_t more = recv(p->target, piece, sizeof piece, 0);

        if (more <= 0)
            break;
        buf_add(&answer, piece, (size_t)more);
        put(p->client, piece, (size_t)more);
        got = http_framer_look(&framer, answer.data, answer.len, false, &used,
                               NULL);
    }
    buf_release(&answer);
    return got == HTTP_WHOLE;
}

/* One request. False when nothing more can come. */
static bool serve_request(struct pair *p, const struct http_message *m)
{
    bool connects = strcmp(m->method, "CONNECT") == 0;
    struct wish w;
    const char *path = read_target(m->target, &w);

    read_login(m, &w);
    note(p, connects ? "connect" : "http", &w);
    if (!is_welcome(p, &w)) {
        put_text(p->client, "HTTP/1.1 407 Who Are You\r\nContent-Length: 0\r\n"
                            "Proxy-Authenticate: Basic realm=\"t\"\r\n\r\n");
        return true;
    }
    if (refuses(p) || (p->target < 0 && !reach(p, w.port))) {
        put_text(p->client, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        return true;
    }
    if (!connects) {
        forward(p, m, path);
        return bring_back(p);
    }
    put_text(p->client, "HTTP/1.1 200 Go On\r\n\r\n");
    tunnel(p);
    return false;
}

static void serve_http(struct pair *p)
{
    struct http_message m;
    bool more = true;

    while (more && read_request(p, &m)) {
        more = serve_request(p, &m);
        http_message_release(&m);
    }
}

/* ---- SOCKS -----------------------------------------------------------------
 */

/* An address of 0.0.0.x is none: a name follows, which makes it 4a. */
static void serve_socks4(struct pair *p)
{
    static const unsigned char yes[8] = {0, 90};
    static const unsigned char no[8] = {0, 91};
    unsigned char head[8];
    char user[FIELD_MAX];
    struct wish w;

    if (!get(p->client, head, sizeof head) || !get_string(p->client, user))
        return;
    inet_ntop(AF_INET, head + 4, w.host, sizeof w.host);
    if (head[4] == 0 && head[5] == 0 && head[6] == 0 &&
        !get_string(p->client, w.host))
        return;
    w.port = head[2] << 8 | head[3];
    snprintf(w.login, sizeof w.login, "%s", user);
    note(p, "socks4", &w);
    if (refuses(p) || !is_welcome(p, &w) || !reach(p, w.port)) {
        put(p->client, no, sizeof no);
        return;
    }
    put(p->client, yes, sizeof yes);
    tunnel(p);
}

/* RFC 1929. */
static bool greet_with_password(struct pair *p, struct wish *w)
{
    char user[FIELD_MAX];
    char password[FIELD_MAX];
    unsigned char version;

    put(p->client, "\5\2", 2);
    if (!get(p->client, &version, 1) || !get_counted(p->client, user) ||
        !get_counted(p->client, password))
        return false;
    snprintf(w->login, sizeof w->login, "%s:%s", user, password);
    put(p->client, is_welcome(p, w) ? "\1\0" : "\1\1", 2);
    return is_welcome(p, w);
}

static bool greet(struct pair *p, struct wish *w)
{
    unsigned char version;
    char methods[FIELD_MAX];

    w->login[0] = '\0';
    if (!get(p->client, &version, 1) || !get_counted(p->client, methods))
        return false;
    if (p->proxy->setup->login && memchr(methods, 2, sizeof methods))
        return greet_with_password(p, w);
    put(p->client, p->proxy->setup->login ? "\5\xff" : "\5\0", 2);
    return !p->proxy->setup->login;
}

static bool read_socks5_host(struct pair *p, struct wish *w)
{
    unsigned char head[4];
    unsigned char address[16];
    size_t len;

    if (!get(p->client, head, sizeof head))
        return false;
    if (head[3] == 3)
        return get_counted(p->client, w->host);
    len = head[3] == 1 ? 4 : 16;
    return get(p->client, address, len) &&
           inet_ntop(len == 4 ? AF_INET : AF_INET6, address, w->host,
                     sizeof w->host);
}

static void serve_socks5(struct pair *p)
{
    unsigned char answer[10] = {5, 0, 0, 1};
    unsigned char port[2];
    struct wish w = {.host = "?"};

    if (!greet(p, &w)) {
        note(p, "socks5", &w);
        return;
    }
    if (!read_socks5_host(p, &w) || !get(p->client, port, sizeof port))
        return;
    w.port = port[0] << 8 | port[1];
    note(p, "socks5", &w);
    answer[1] = refuses(p) || !reach(p, w.port) ? 2 : 0;
    put(p->client, answer, sizeof answer);
    if (answer[1] == 0)
        tunnel(p);
}

/* ---- Beginning and end -----------------------------------------------------
 */

static void hang(int fd)
{
    char piece[4096];

    while (recv(fd, piece, sizeof piece, 0) > 0)
        ;
}

static void *serve_connection(void *ctx)
{
    struct pair *p = ctx;
    enum proxy_mood mood = p->proxy->setup->mood;
    char first = '\0';

    if (mood == PROXY_HANGS)
        hang(p->client);
    else if (recv(p->client, &first, 1, MSG_PEEK) <= 0 || mood == PROXY_CLOSES)
        ;
    else if (first == 4)
        serve_socks4(p);
    else if (first == 5)
        serve_socks5(p);
    else
        serve_http(p);
    close(p->client);
    if (p->target >= 0)
        close(p->target);
    buf_release(&p->in);
    free(p);
    return NULL;
}

static void *serve(void *ctx)
{
    struct proxy *proxy = ctx;
    pthread_t threads[CONNS_MAX];
    int count = 0;
    int fd;

    while (count < CONNS_MAX &&
           (fd = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct pair *p = mem_alloc(sizeof *p);

        p->proxy = proxy;
        p->client = fd;
        p->target = -1;
        pthread_create(&threads[count++], NULL, serve_connection, p);
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return NULL;
}

struct proxy *proxy_start(const struct proxy_setup *setup)
{
    struct proxy *p = mem_alloc(sizeof *p);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    p->setup = setup;
    pthread_mutex_init(&p->mutex, NULL);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(p->listener, (struct sockaddr *)&at, len), 0);
    CHECK_INT(listen(p->listener, CONNS_MAX), 0);
    getsockname(p->listener, (struct sockaddr *)&at, &len);
    p->port = ntohs(at.sin_port);
    pthread_create(&p->thread, NULL, serve, p);
    return p;
}

int proxy_port(const struct proxy *p)
{
    return p->port;
}

void proxy_stop(struct proxy *p, struct buf *log)
{
    shutdown(p->listener, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listener);
    pthread_mutex_destroy(&p->mutex);
    buf_add(log, buf_str(&p->log), p->log.len);
    buf_release(&p->log);
    free(p);
}
