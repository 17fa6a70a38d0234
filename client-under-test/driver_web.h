/*
 * Where a session's requests go, and what libcurl is told once for all of
 * them: address, headers, cookies, proxy, certificates.
 *
 * Part of the libcurl driver; knows no request.
 */
#ifndef CLIENT_DRIVER_WEB_H
#define CLIENT_DRIVER_WEB_H

#include <curl/curl.h>
#include <stdbool.h>

#include "bosh.h"
#include "common/err.h"

struct web {
    char *url; /* absolute */
    struct curl_slist *headers;
    struct curl_slist *coded_headers; /* the same for a request as gzip */
    CURLSH *jar;                      /* cookies; NULL: none are sent or kept */
    char *proxy;     /* its host and port, for people; NULL: there is none */
    bool by_connect; /* through it by CONNECT */
    const struct bosh_options *options;
};

/*
 * Fill in w from a session's options, which are borrowed.
 *
 * Returns 0, or -1 with e set and nothing to release: the address is of
 * WebSocket, is not HTTP's, or is relative and there is no base_url; or the
 * proxy's is none, or a header or cookie is none.
 */
int web_init(struct web *w, const struct bosh_options *o, struct err *e);
/* Only when no handle uses it any more. */
void web_release(struct web *w);

/* Headers for one request; NULL: it has no coding. Borrowed from w. */
struct curl_slist *web_headers(const struct web *w, const char *coding);

/* Before each request: the manager's cookies are kept only where that was asked
 * for, the options' always are. */
void web_forget_cookies(const struct web *w, CURL *easy);

/* Tell a new handle; w is borrowed until the handle is cleaned up. */
void web_set_up(const struct web *w, CURL *easy);

/* Has the proxy not let us in, for want of another user or password? Asked
 * when a transfer has failed, with rc. */
bool web_proxy_wants_login(CURL *easy, CURLcode rc);

/*
 * Why a transfer has failed, and whose fault it is where that is known.
 *
 * words  libcurl's, in its error buffer; "" for none
 */
void web_explain(const struct web *w, CURL *easy, CURLcode rc,
                 const char *words, struct err *why);

/* Scheme, host and port as w's? */
bool web_is_same_origin(const struct web *w, const char *url);

#endif
