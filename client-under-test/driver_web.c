/* Where a session's requests go: see driver_web.h. */
#include "driver_web.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"

#define CONTENT_TYPE "Content-Type: text/xml; charset=utf-8"
#define CONTENT_ENCODING "Content-Encoding: gzip"

/* ---- The address ----------------------------------------------------------
 */

static bool has_scheme(const char *url, const char *scheme)
{
    size_t len = strlen(scheme);

    return strncasecmp(url, scheme, len) == 0 && url[len] == ':';
}

/* NULL when it is no address, and no relative one of base either. */
static char *resolve(const char *url, const char *base)
{
    CURLU *u = curl_url();
    char *found = NULL;
    char *absolute = NULL;

    if (!u)
        abort(); /* no memory */
    if ((!base || curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK) &&
        curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_URL, &found, 0) == CURLUE_OK)
        absolute = mem_dup(found);
    curl_free(found);
    curl_url_cleanup(u);
    return absolute;
}

static char *find_url(const struct bosh_options *o, struct err *e)
{
    char *url;

    if (!o->url || !*o->url) {
        err_set(e, "there is no URL");
        return NULL;
    }
    if (has_scheme(o->url, "ws") || has_scheme(o->url, "wss")) {
        err_set(e, "'%s' is a WebSocket's address, and this is BOSH", o->url);
        return NULL;
    }
    url = resolve(o->url, o->base_url);
    if (url && (has_scheme(url, "http") || has_scheme(url, "https")))
        return url;
    err_set(e, "the URL must begin with http:// or https://, or be relative to "
               "such a one");
    free(url);
    return NULL;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *in_a = NULL;
    char *in_b = NULL;
    bool same;

    curl_url_get(a, part, &in_a, CURLU_DEFAULT_PORT);
    curl_url_get(b, part, &in_b, CURLU_DEFAULT_PORT);
    same = in_a && in_b && strcasecmp(in_a, in_b) == 0;
    curl_free(in_a);
    curl_free(in_b);
    return same;
}

bool web_is_same_origin(const struct web *w, const char *url)
{
    CURLU *from = curl_url();
    CURLU *to = curl_url();
    bool same;

    same = from && to && !curl_url_set(from, CURLUPART_URL, w->url, 0) &&
           !curl_url_set(to, CURLUPART_URL, url, 0) &&
           same_part(from, to, CURLUPART_SCHEME) &&
           same_part(from, to, CURLUPART_HOST) &&
           same_part(from, to, CURLUPART_PORT);
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return same;
}

/* ---- The proxy ------------------------------------------------------------
 */

static bool is_proxy_scheme(const char *scheme)
{
    static const char *const SCHEMES[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};

    for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++) {
        if (strcmp(scheme, SCHEMES[i]) == 0)
            return true;
    }
    return false;
}

/* Host and port: nobody's user and password. NULL when the text is none. */
static char *read_proxy(const char *text)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *name = NULL;

    if (!u)
        abort(); /* no memory */
    if (!curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) &&
        !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
        !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
        !curl_url_get(u, CURLUPART_PORT, &port, 0) && is_proxy_scheme(scheme))
        name = mem_printf("%s:%s", host, port);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return name;
}

static int find_proxy(struct web *w, struct err *e)
{
    if (!w->options->proxy || !*w->options->proxy)
        return 0;
    w->proxy = read_proxy(w->options->proxy);
    w->by_connect = has_scheme(w->url, "https") &&
                    strncasecmp(w->options->proxy, "http", 4) == 0;
    if (w->proxy)
        return 0;
    /* Its text may hold a password. */
    return err_set(e, "the proxy must begin with http://, https://, "
                      "socks4://, socks4a://, socks5:// or socks5h://, and "
                      "have a host and a port");
}

static long number_of(CURL *easy, CURLINFO what)
{
    long number = 0;

    curl_easy_getinfo(easy, what, &number);
    return number;
}

bool web_proxy_wants_login(CURL *easy, CURLcode rc)
{
    long problem = number_of(easy, CURLINFO_PROXY_ERROR);

    if (rc == CURLE_PROXY)
        return problem == CURLPX_USER_REJECTED || problem == CURLPX_NO_AUTH;
    return number_of(easy, CURLINFO_HTTP_CONNECTCODE) == 407;
}

/* No answer to our CONNECT, and nothing was sent through before. */
static bool is_outside(const struct web *w, CURL *easy)
{
    curl_off_t begun_us = 0;

    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &begun_us);
    return w->by_connect && begun_us == 0 &&
           number_of(easy, CURLINFO_HTTP_CONNECTCODE) == 0;
}

/* The connection that could not be made was to the proxy, if there is one. */
static bool is_proxys_fault(const struct web *w, CURL *easy, CURLcode rc)
{
    return w->proxy && (rc == CURLE_PROXY || rc == CURLE_COULDNT_CONNECT ||
                        rc == CURLE_COULDNT_RESOLVE_PROXY ||
                        number_of(easy, CURLINFO_HTTP_CONNECTCODE) >= 300 ||
                        is_outside(w, easy));
}

void web_explain(const struct web *w, CURL *easy, CURLcode rc,
                 const char *words, struct err *why)
{
    if (!*words)
        words = curl_easy_strerror(rc);
    if (is_proxys_fault(w, easy, rc))
        err_set(why, "the proxy %s: %.*s", w->proxy,
                (int)strcspn(words, "\r\n"), words);
    else
        err_set(why, "%.*s", (int)strcspn(words, "\r\n"), words);
}

/* ---- What goes along ------------------------------------------------------
 */

/* A line break would begin another header, of whoever made the text. */
static bool is_one_line(const char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    }
    return true;
}

/* Is there a name before that? */
static bool has_name(const char *text, char end)
{
    size_t len = strcspn(text, ":=; \t");

    return len > 0 && text[len] == end && is_one_line(text);
}

/* Their text may be a secret: by number. */
static int check_lists(const struct bosh_options *o, struct err *e)
{
    for (size_t i = 0; o->headers && o->headers[i]; i++) {
        if (!has_name(o->headers[i], ':'))
            return err_set(e, "header %zu is not 'Name: value' on one line",
                           i + 1);
    }
    for (size_t i = 0; o->cookies && o->cookies[i]; i++) {
        if (!has_name(o->cookies[i], '='))
            return err_set(e, "cookie %zu does not begin with 'name=value'",
                           i + 1);
    }
    return 0;
}

static bool has_content_type(const struct bosh_options *o)
{
    for (size_t i = 0; o->headers && o->headers[i]; i++) {
        if (has_scheme(o->headers[i], "Content-Type"))
            return true;
    }
    return false;
}

static struct curl_slist *headers_of(const struct bosh_options *o)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    if (!has_content_type(o))
        list = curl_slist_append(list, CONTENT_TYPE);
    for (size_t i = 0; o->headers && o->headers[i]; i++)
        list = curl_slist_append(list, o->headers[i]);
    return list;
}

struct curl_slist *web_headers(const struct web *w, const char *coding)
{
    return coding ? w->coded_headers : w->headers;
}

static char *host_of(const char *url)
{
    CURLU *u = curl_url();
    char *found = NULL;
    char *host;

    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) ||
        curl_url_get(u, CURLUPART_HOST, &found, 0))
        abort(); /* no memory: the URL was read before */
    host = mem_dup(found);
    curl_free(found);
    curl_url_cleanup(u);
    return host;
}

/* libcurl would send a cookie without a domain to everybody. */
static void add_cookie(CURL *easy, const char *cookie, const char *host)
{
    const char *attributes = strchr(cookie, ';');
    bool has_domain = attributes && strcasestr(attributes, "domain=");
    char *line =
        mem_printf("Set-Cookie: %s%s%s", cookie,
                   has_domain ? "" : "; domain=", has_domain ? "" : host);

    curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
    free(line);
}

static void add_cookies(const struct web *w, CURL *easy)
{
    const char *const *cookies = w->options->cookies;
    char *host = host_of(w->url);

    for (size_t i = 0; cookies && cookies[i]; i++)
        add_cookie(easy, cookies[i], host);
    free(host);
}

/* The jar is shared by the handles of one session; one thread uses them. */
static CURLSH *jar_of(const struct web *w)
{
    const struct bosh_options *o = w->options;
    CURLSH *jar;
    CURL *easy;

    if (!o->with_credentials && !(o->cookies && o->cookies[0]))
        return NULL;
    jar = curl_share_init();
    easy = curl_easy_init();
    if (!jar || !easy)
        abort(); /* no memory */
    curl_share_setopt(jar, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    curl_easy_setopt(easy, CURLOPT_SHARE, jar);
    add_cookies(w, easy);
    curl_easy_cleanup(easy);
    return jar;
}

void web_forget_cookies(const struct web *w, CURL *easy)
{
    if (!w->jar || w->options->with_credentials)
        return;
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL"); /* forget them */
    add_cookies(w, easy);
}

int web_init(struct web *w, const struct bosh_options *o, struct err *e)
{
    memset(w, 0, sizeof *w);
    w->url = find_url(o, e);
    if (!w->url)
        return -1;
    w->options = o;
    if (check_lists(o, e) || find_proxy(w, e)) {
        free(w->url);
        return -1;
    }
    w->headers = headers_of(o);
    w->coded_headers = curl_slist_append(headers_of(o), CONTENT_ENCODING);
    w->jar = jar_of(w);
    return 0;
}

void web_release(struct web *w)
{
    free(w->url);
    free(w->proxy);
    curl_slist_free_all(w->headers);
    curl_slist_free_all(w->coded_headers);
    if (w->jar)
        curl_share_cleanup(w->jar);
    memset(w, 0, sizeof *w);
}

static void set_up_proxy(const struct bosh_options *o, CURL *easy)
{
    /* "" and not NULL: nothing is taken from the environment. */
    curl_easy_setopt(easy, CURLOPT_PROXY, o->proxy ? o->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
    /* Nor a Kerberos ticket. */
    curl_easy_setopt(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    /* A CONNECT has none of the manager's headers. */
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    if (o->ca_file)
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, o->ca_file);
}

void web_set_up(const struct web *w, CURL *easy)
{
    const struct bosh_options *o = w->options;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "libbosh/" BOSH_LIB_VERSION);
    set_up_proxy(o, easy);
    if (w->jar) {
        curl_easy_setopt(easy, CURLOPT_SHARE, w->jar);
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, ""); /* look at them */
    }
    if (o->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
    if (o->cert_file)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, o->cert_file);
    if (o->key_file)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, o->key_file);
}
