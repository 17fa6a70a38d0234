/*
 * What the wire layer's own files share; others include wire.h.
 *
 *   wire_io.c      one socket: bytes in and out, TLS, how it ends
 *   wire_tls.c     GnuTLS
 *   wire.c         a wire, its connections and exchanges; what is common
 *   wire_listen.c  the listening socket
 *   wire_relay.c   requests in, acts
 *   wire_inside.c  connections to the inside
 *   wire_out.c     carrying out plans, acknowledgements, ends
 *   wire_client.c  the client side
 *
 * Acts only note what is wanted and kick the loop; all work and all news
 * happens in its callbacks. Memory is freed in libuv's close callbacks, or in
 * the kick (exchanges): never under the feet of a caller.
 */
#ifndef COMMON_WIRE_INTERNAL_H
#define COMMON_WIRE_INTERNAL_H

#include <sys/socket.h>

#include "buf.h"
#include "http.h"
#include "wire.h"

#define WIRE_MAX_PIPELINED 64       /* unanswered requests on one connection */
#define WIRE_MAX_ORPHANS 1024       /* abandoned exchanges still known */
#define WIRE_LINGER_MS 1000         /* for the peer's FIN after ours */
#define WIRE_RESET_PATIENCE_MS 1000 /* for acknowledgements before a RST */
#define WIRE_MAX_ADDRESSES 8        /* of one name */

/* ---- one socket ---- */

struct wire_tls;
struct wire_io;
struct wire_resolve;

struct wire_io_ops {
    void (*connected)(struct wire_io *io);
    void (*bytes)(struct wire_io *io, const char *data, size_t len);
    /* Once: the peer's FIN, or the connection broke (RST); problem says how,
     * NULL after a FIN. Writing may go on after a FIN. */
    void (*ended)(struct wire_io *io, enum delivery_end how,
                  const char *problem);
    /* All that was written is with the kernel. */
    void (*drained)(struct wire_io *io);
};

struct wire_io {
    struct wire *wire;
    const struct wire_io_ops *ops;
    void *owner;
    uv_poll_t poll;
    int fd; /* -1: closed */
    int events;
    struct wire_tls *tls;
    struct buf out;
    uint64_t sent; /* bytes, and the FIN, given to the kernel */
    bool connecting;
    bool secured;    /* the handshake is over, or there is none */
    bool look;       /* the first byte will tell whether there is one */
    bool wait_write; /* the handshake waits to write, not to read */
    bool paused;
    bool ended;    /* ops->ended was called */
    bool want_fin; /* once out is empty */
    bool fin_sent;
};

struct wire_io *wire_io_new(struct wire *w, int fd,
                            const struct wire_io_ops *ops, void *owner);
/* connecting: connected() follows; tls (taken) may be NULL. */
void wire_io_start(struct wire_io *io, bool connecting, struct wire_tls *tls);
void wire_io_write(struct wire_io *io, const char *data, size_t len);
/* While it is on, what is written is kept together on the network. */
void wire_io_cork(struct wire_io *io, bool on);
void wire_io_fin(struct wire_io *io);
void wire_io_pause(struct wire_io *io, bool pause);
/* Accepts NULL. No calls of ops follow. */
void wire_io_close(struct wire_io *io, bool reset);
/* Of io->sent, how much the peer acknowledged. */
uint64_t wire_io_acked(const struct wire_io *io);
/* errno as plain words. */
const char *wire_errno_words(int error);

/* ---- TLS ---- */

struct wire_tls_creds; /* of a listening side */

struct wire_tls_creds *wire_tls_creds_new(const struct wire_identity *identity,
                                          struct err *e);
/* Yours to free, however many sessions still use it. */
void wire_tls_creds_free(struct wire_tls_creds *creds);
struct wire_tls *wire_tls_server(struct wire_tls_creds *creds);
struct wire_tls *wire_tls_client(const struct wire_target *target,
                                 struct err *e);
void wire_tls_free(struct wire_tls *tls);
/* sent is counted up by the bytes that leave. */
void wire_tls_attach(struct wire_tls *tls, int fd, uint64_t *sent);
/* Is this the first byte of a handshake? RFC 8446 §5.1. */
bool wire_tls_begins(unsigned char byte);
/* 1 done, 0 not yet (*write: waits to write), -1 e is set. */
int wire_tls_handshake(struct wire_tls *tls, bool *write, struct err *e);
/* As recv() and send(): errno is EAGAIN, or EPROTO with e set. */
ssize_t wire_tls_recv(struct wire_tls *tls, void *data, size_t len,
                      struct err *e);
ssize_t wire_tls_send(struct wire_tls *tls, const void *data, size_t len,
                      struct err *e);
void wire_tls_bye(struct wire_tls *tls);

/* ---- connections and exchanges ---- */

struct exchange;

/* A connection to the inside. */
struct inside {
    struct inside *next;
    struct wire *wire;
    struct conn *conn; /* that goes on using it, or NULL */
    struct wire_io *io;
    struct exchange *x; /* that is being answered, or NULL: idle */
    struct http_framer framer;
    struct buf in;
};

struct exchange {
    struct exchange *next;    /* of all: wire.exchanges */
    struct exchange *next_on; /* of its connection, in order */
    struct conn *conn;        /* NULL: gone */
    struct inside *inside;    /* that it was forwarded to */
    unsigned id;
    int64_t begun_ms;
    struct buf request; /* relay: until it is forwarded */
    bool reading;       /* its request is not whole yet */
    bool head_told;
    bool no_body;    /* a HEAD request */
    bool keep_alive; /* as far as the request goes */
    bool want_100;   /* waits for 100 Continue */
    bool forward;    /* wanted, not yet done */
    bool ignored;
    bool over; /* nothing more will be done for it: free it */

    struct delivery plan; /* relay: the answer; client: the request */
    bool planned;
    bool plan_closes;
    size_t piece;         /* the next */
    int64_t due_ms;       /* of the next piece, or the end */
    bool written;         /* all pieces are with the kernel */
    bool finished;        /* the end was carried out, too */
    bool told;            /* delivered() or sent() was called */
    uint64_t from;        /* io->sent when its first piece left */
    uint64_t until;       /* io->sent when it was written */
    enum wire_part whole; /* what delivery in full amounts to */
};

struct conn {
    struct conn *next;
    struct wire *wire;
    unsigned id;
    bool relay;
    struct wire_io *io;
    uv_timer_t timer; /* the next piece, or the end of lingering */
    struct http_framer framer;
    struct buf in;
    struct exchange *first; /* unanswered, in order */
    struct exchange *reading;
    struct inside *inside;
    bool dirty;
    struct conn *next_dirty;
    bool bad; /* framing is lost: what comes is not looked at */
    bool deaf;
    bool mute;      /* nothing more is sent */
    bool half;      /* our FIN is out, reading goes on */
    bool finishing; /* ends as end_how says, once all is acknowledged */
    enum delivery_end end_how;
    bool lingering; /* closed as far as anybody is told */
    bool gone;      /* being freed */
    bool cut;
    enum delivery_end cut_how;
    int64_t patience_ms; /* when finishing by RST, or lingering, is over */

    /* client */
    char *name; /* NULL: for one exchange */
    struct wire_target target;
    char *host;
    char *ca_file;
    char *sni;
    struct wire_tls *tls; /* until the io has it */
    struct wire_resolve *resolve;
    struct sockaddr_storage address[WIRE_MAX_ADDRESSES];
    size_t address_count;
    size_t address_next;
    bool open;    /* connected, secured */
    bool told;    /* opened() was called */
    bool closing; /* no new requests on it */
    struct err problem;
};

struct wire {
    uv_loop_t *loop;
    struct wire_sink sink;
    unsigned handles; /* of libuv's, not yet closed */
    unsigned last_conn;
    unsigned last_x;
    struct conn *conns;
    size_t conn_count;
    struct exchange *exchanges;
    struct inside *insides;
    struct conn *dirty;
    bool orphans_dirty;
    uv_timer_t kick;
    uv_timer_t acks; /* asks the kernel what was acknowledged */
    int acks_ms;
    bool dead;
    bool torn; /* dead, and everything is being closed */
    bool failed;
    struct err problem; /* noted by wire_fail(), told from the kick */
    void (*done)(void *ctx);
    void *done_ctx;

    /* relay */
    struct wire_listener *listener; /* NULL: refuses */
    int reserved_fd;                /* keeps the port while it refuses; or 0 */
    struct sockaddr_storage address;
    socklen_t address_len;
    wire_inside_fn inside;
    void *inside_ctx;
    struct wire_tls_creds *creds;
};

/* A handle of libuv's begins its life, or has ended it. */
void wire_handle_opened(struct wire *w);
void wire_handle_closed(struct wire *w);
void wire_kick(struct wire *w);
/* We cannot do our part: sink.failed() is called, once, from the kick. */
void wire_fail(struct wire *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Is this errno no fault of the peer's but a lack of ours? */
bool wire_errno_is_ours(int error);
void wire_dirty(struct conn *c);

struct conn *wire_conn_new(struct wire *w, bool relay);
struct conn *wire_conn_find(struct wire *w, unsigned id);
/* Close its socket, say what is to be said of its exchanges and of itself,
 * and free it later. problem: for exchanges of the client's. */
void wire_conn_end(struct conn *c, enum delivery_end how, bool by_us,
                   const char *problem);
struct exchange *wire_x_new(struct conn *c);
struct exchange *wire_x_find(struct wire *w, unsigned id);
/* Off its connection's queue. */
void wire_x_unlink(struct exchange *x);
void wire_conn_timer(struct conn *c, int64_t at_ms);

/* wire_listen.c */
void wire_listener_free(struct wire *w);
/* wire_relay.c */
/* surplus: it is one too many. */
void wire_relay_accepted(struct wire *w, int fd, bool surplus);
void wire_relay_work(struct conn *c);
/* Say of each exchange what the end of its connection means for it. */
void wire_relay_ending(struct conn *c, enum delivery_end how, bool by_us);
/* wire_inside.c: forward what may be forwarded now */
void wire_inside_work(struct conn *c);
/* The same for exchanges whose client is gone. */
void wire_inside_orphans(struct wire *w);
/* The client is gone: FIN to the inside, which may still answer. */
void wire_inside_hang_up(struct inside *in);
void wire_inside_free_all(struct wire *w);
/* wire_out.c: send what is due */
void wire_out_work(struct conn *c);
/* Pieces of x that are due; true when all of them are with the kernel. */
bool wire_out_pieces(struct conn *c, struct exchange *x);
/* Look what was acknowledged; true while something is outstanding. */
bool wire_out_check(struct conn *c);
void wire_out_watch(struct wire *w);
void wire_out_end(struct conn *c, enum delivery_end how, bool at_once);
/* wire_client.c */
void wire_client_work(struct conn *c);
void wire_client_ending(struct conn *c, const char *problem);
void wire_resolve_cancel(struct conn *c);

#endif
