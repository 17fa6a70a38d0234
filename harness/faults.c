/* How a fault is done to an answer: see faults.h. */
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/coding.h"
#include "entity.h"

/* Bytes of an answer that leave before it is cut or garbled, when the case
 * does not say how many. */
#define SOME_BYTES 20

static const char html_page[] =
    "<html><head><title>Bad gateway</title></head>\n"
    "<body><h1>The upstream did not answer</h1><br></body></html>\n";

enum delivery_end faults_cut_end(enum cut_how how)
{
    switch (how) {
    case CUT_FIN:
        return DELIVERY_FIN;
    case CUT_RST:
        return DELIVERY_RST;
    case CUT_HALF:
        return DELIVERY_HALF;
    }
    return DELIVERY_FIN;
}

bool faults_on_answer(const struct action *a)
{
    switch (a->kind) {
    case ACTION_LOSE:
    case ACTION_DELAY:
        return a->part == PART_RESPONSE;
    case ACTION_CUT:
        return a->when >= CUT_BEFORE_RESPONSE;
    case ACTION_BYTES:
        return true;
    case ACTION_PASS:
    case ACTION_RESPOND:
    case ACTION_TERMINATE:
    case ACTION_RECOVERABLE:
    case ACTION_WITHHOLD:
    case ACTION_RELEASE:
        return false;
    }
    return false;
}

bool faults_damage(const struct action *a)
{
    if (a->kind == ACTION_CUT)
        return a->when == CUT_RESPONSE_HEADERS || a->when == CUT_RESPONSE_BODY;
    if (a->kind != ACTION_BYTES)
        return false;
    return a->bytes == BYTES_TRUNCATE || a->bytes == BYTES_LENGTH_SHORT ||
           a->bytes == BYTES_LENGTH_LONG || a->bytes == BYTES_BAD_CHUNK ||
           a->bytes == BYTES_GARBAGE_BEFORE;
}

static const char *bytes_name(enum bytes_kind kind)
{
    switch (kind) {
    case BYTES_TRUNCATE:
        return "bytes-truncate";
    case BYTES_DRIP:
        return "bytes-drip";
    case BYTES_LENGTH_SHORT:
        return "bytes-length-short";
    case BYTES_LENGTH_LONG:
        return "bytes-length-long";
    case BYTES_BAD_CHUNK:
        return "bytes-bad-chunk";
    case BYTES_GARBAGE_BEFORE:
        return "bytes-garbage-before";
    case BYTES_GARBAGE_AFTER:
        return "bytes-garbage-after";
    case BYTES_TWICE:
        return "bytes-twice";
    case BYTES_GZIP:
        return "bytes-gzip";
    case BYTES_NO_XML:
        return "bytes-no-xml";
    case BYTES_BOM:
        return "bytes-bom";
    case BYTES_LATIN_1:
        return "bytes-latin-1";
    case BYTES_EMPTY:
        return "bytes-empty";
    case BYTES_ILL_FORMED:
        return "bytes-ill-formed";
    case BYTES_WRONG_NAMESPACE:
        return "bytes-wrong-namespace";
    case BYTES_NO_NAMESPACE:
        return "bytes-no-namespace";
    case BYTES_OTHER_ROOT:
        return "bytes-other-root";
    case BYTES_TEXT:
        return "bytes-text";
    case BYTES_COMMENT:
        return "bytes-comment";
    case BYTES_INSTRUCTION:
        return "bytes-instruction";
    case BYTES_DOCTYPE:
        return "bytes-doctype";
    case BYTES_ENTITY:
        return "bytes-entity";
    case BYTES_ENTITY_BOMB:
        return "bytes-entity-bomb";
    case BYTES_DEEP:
        return "bytes-deep";
    case BYTES_HUGE:
        return "bytes-huge";
    case BYTES_TWO_BODIES:
        return "bytes-two-bodies";
    case BYTES_UTF_16:
        return "bytes-utf-16";
    case BYTES_CHUNKED:
        return "bytes-chunked";
    case BYTES_DEFLATE:
        return "bytes-deflate";
    case BYTES_HEADER:
        return "bytes-header";
    case BYTES_ATTRIBUTE:
        return "bytes-attribute";
    }
    return "";
}

static const char *cut_name(enum cut_when when)
{
    switch (when) {
    case CUT_ACCEPT:
        return "cut-accept";
    case CUT_REQUEST_HEADERS:
        return "cut-request-headers";
    case CUT_REQUEST:
        return "cut-request";
    case CUT_BEFORE_RESPONSE:
        return "cut-before-response";
    case CUT_RESPONSE_HEADERS:
        return "cut-response-headers";
    case CUT_RESPONSE_BODY:
        return "cut-response-body";
    case CUT_AFTER_RESPONSE:
        return "cut-after-response";
    case CUT_NEXT_REQUEST:
        return "cut-next-request";
    }
    return "";
}

const char *faults_name(const struct action *a)
{
    switch (a->kind) {
    case ACTION_PASS:
        return "pass";
    case ACTION_RESPOND:
        return "respond";
    case ACTION_LOSE:
        return a->part == PART_REQUEST ? "lose-request" : "lose-response";
    case ACTION_DELAY:
        return a->part == PART_REQUEST ? "delay-request" : "delay-response";
    case ACTION_CUT:
        return cut_name(a->when);
    case ACTION_BYTES:
        return bytes_name(a->bytes);
    case ACTION_TERMINATE:
        return "terminate";
    case ACTION_RECOVERABLE:
        return "recoverable";
    case ACTION_WITHHOLD:
        return "withhold";
    case ACTION_RELEASE:
        return "release";
    }
    return "";
}

/* ---- an answer with another entity or other headers ---- */

static bool has_name(const struct http_header *list, size_t count,
                     const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(list[i].name, name) == 0)
            return true;
    }
    return false;
}

/* The answer's head once more, without the headers that frame it, and with
 * ours in place of those of the same names. */
static void rewrite_all(struct buf *out, const struct http_message *m,
                        const struct http_header *ours, size_t our_count,
                        const char *body, size_t len)
{
    struct http_header headers[HTTP_MAX_HEADERS + REPLY_MAX_HEADERS];
    size_t count = 0;

    for (size_t i = 0; i < m->header_count; i++) {
        const struct http_header *h = &m->headers[i];

        if (strcasecmp(h->name, "Content-Length") != 0 &&
            strcasecmp(h->name, "Transfer-Encoding") != 0 &&
            !has_name(ours, our_count, h->name))
            headers[count++] = *h;
    }
    for (size_t i = 0; i < our_count && i < REPLY_MAX_HEADERS; i++)
        headers[count++] = ours[i];
    http_write_response(out, m->status, m->reason, headers, count, body, len);
}

static void rewrite(struct buf *out, const struct http_message *m,
                    const struct http_header *extra, const char *body,
                    size_t len)
{
    rewrite_all(out, m, extra, extra ? 1 : 0, body, len);
}

static void write_length(struct buf *out, const struct http_message *m,
                         size_t pretended)
{
    char number[32];
    struct http_header length = {"Content-Length", number};

    snprintf(number, sizeof number, "%zu", pretended);
    rewrite(out, m, &length, buf_str(&m->body), m->body.len);
}

static const struct http_header chunked = {"Transfer-Encoding", "chunked"};

/* Three chunks, so that one of them may well end inside a tag. */
static void write_chunked(struct buf *out, const struct http_message *m)
{
    struct buf body = BUF_INIT;
    size_t third = m->body.len / 3 + 1;

    for (size_t done = 0; done < m->body.len;) {
        size_t len = m->body.len - done < third ? m->body.len - done : third;

        buf_printf(&body, "%zx\r\n", len);
        buf_add(&body, buf_str(&m->body) + done, len);
        buf_adds(&body, "\r\n");
        done += len;
    }
    buf_adds(&body, "0\r\n\r\n");
    rewrite(out, m, &chunked, buf_str(&body), body.len);
    buf_release(&body);
}

static void write_bad_chunk(struct buf *out, const struct http_message *m)
{
    struct buf body = BUF_INIT;

    buf_printf(&body, "%zx\r\n", m->body.len);
    buf_add(&body, buf_str(&m->body), m->body.len);
    buf_adds(&body, "\r\nzz\r\n");
    rewrite(out, m, &chunked, buf_str(&body), body.len);
    buf_release(&body);
}

static void write_packed(struct buf *out, const struct http_message *m,
                         enum coding coding)
{
    struct http_header encoding = {"Content-Encoding", coding_name(coding)};
    struct buf packed = BUF_INIT;

    coding_encode(&packed, coding, buf_str(&m->body), m->body.len);
    rewrite(out, m, &encoding, buf_str(&packed), packed.len);
    buf_release(&packed);
}

/* The entity in ISO-8859-1, honestly declared. What has no place there
 * becomes '?'. */
static void write_latin1(struct buf *out, const struct http_message *m)
{
    static const struct http_header type = {"Content-Type",
                                            "text/xml; charset=iso-8859-1"};
    struct buf body = BUF_INIT;
    const unsigned char *s = (const unsigned char *)buf_str(&m->body);

    buf_adds(&body, "<?xml version='1.0' encoding='ISO-8859-1'?>");
    for (size_t i = 0; i < m->body.len; i++) {
        if (s[i] < 0x80) {
            buf_addc(&body, (char)s[i]);
        } else if ((s[i] == 0xC2 || s[i] == 0xC3) && i + 1 < m->body.len) {
            buf_addc(&body, (char)(((s[i] & 3) << 6) | (s[i + 1] & 0x3F)));
            i++;
        } else if (s[i] >= 0xC0) {
            buf_addc(&body, '?');
        }
    }
    rewrite(out, m, &type, buf_str(&body), body.len);
    buf_release(&body);
}

static void write_bom(struct buf *out, const struct http_message *m)
{
    struct buf body = BUF_INIT;

    buf_adds(&body, "\xEF\xBB\xBF");
    buf_add(&body, buf_str(&m->body), m->body.len);
    rewrite(out, m, NULL, buf_str(&body), body.len);
    buf_release(&body);
}

static void write_html(struct buf *out, const struct http_message *m)
{
    static const struct http_header type = {"Content-Type", "text/html"};

    rewrite(out, m, &type, html_page, sizeof html_page - 1);
}

static void write_shape(struct buf *out, const struct http_message *m,
                        const struct action *a)
{
    static const struct http_header utf16 = {"Content-Type",
                                             "text/xml; charset=utf-16"};
    struct buf body = BUF_INIT;

    entity_shape(&body, a->bytes, buf_str(&m->body), m->body.len, a->size);
    rewrite(out, m, a->bytes == BYTES_UTF_16 ? &utf16 : NULL, buf_str(&body),
            body.len);
    buf_release(&body);
}

static void write_attribute(struct buf *out, const struct http_message *m,
                            const struct http_header *attribute)
{
    struct buf body = BUF_INIT;

    entity_attribute(&body, buf_str(&m->body), m->body.len, attribute->name,
                     attribute->value);
    rewrite(out, m, NULL, buf_str(&body), body.len);
    buf_release(&body);
}

/* ---- plans ---- */

static void plan_drip(struct delivery *plan, const char *answer, size_t len,
                      size_t head_len, int64_t every_ms)
{
    size_t done = head_len;

    delivery_add(plan, 0, answer, head_len);
    while (done < len) {
        size_t piece = len - done < SOME_BYTES ? len - done : SOME_BYTES;

        delivery_add(plan, every_ms, answer + done, piece);
        done += piece;
    }
}

static void plan_bytes(const struct action *a, const struct http_message *m,
                       const char *answer, size_t len,
                       const struct fault_values *v, struct delivery *plan)
{
    size_t head_len = len - m->body.len;
    size_t at = a->at >= 0 ? (size_t)a->at : m->body.len / 2;
    struct buf out = BUF_INIT;

    switch (a->bytes) {
    case BYTES_TRUNCATE:
        buf_add(&out, answer, head_len + at < len ? head_len + at : len - 1);
        plan->end = DELIVERY_FIN;
        break;
    case BYTES_DRIP:
        plan_drip(plan, answer, len, head_len,
                  v->every_ms > 0 ? v->every_ms : 50);
        return;
    case BYTES_LENGTH_SHORT:
        write_length(&out, m, at < m->body.len ? at : m->body.len / 2);
        plan->end = DELIVERY_FIN;
        break;
    case BYTES_LENGTH_LONG:
        write_length(&out, m, m->body.len + 100);
        plan->end = DELIVERY_FIN;
        break;
    case BYTES_BAD_CHUNK:
        write_bad_chunk(&out, m);
        plan->end = DELIVERY_FIN;
        break;
    case BYTES_GARBAGE_BEFORE:
        buf_adds(&out, "\x15\x03\x01garbage\r\n");
        buf_add(&out, answer, len);
        break;
    case BYTES_GARBAGE_AFTER:
        buf_add(&out, answer, len);
        buf_adds(&out, "\r\ngarbage\r\n");
        break;
    case BYTES_TWICE:
        buf_add(&out, answer, len);
        buf_add(&out, answer, len);
        break;
    case BYTES_GZIP:
        write_packed(&out, m, CODING_GZIP);
        break;
    case BYTES_NO_XML:
        write_html(&out, m);
        break;
    case BYTES_BOM:
        write_bom(&out, m);
        break;
    case BYTES_LATIN_1:
        write_latin1(&out, m);
        break;
    case BYTES_EMPTY:
    case BYTES_ILL_FORMED:
    case BYTES_WRONG_NAMESPACE:
    case BYTES_NO_NAMESPACE:
    case BYTES_OTHER_ROOT:
    case BYTES_TEXT:
    case BYTES_COMMENT:
    case BYTES_INSTRUCTION:
    case BYTES_DOCTYPE:
    case BYTES_ENTITY:
    case BYTES_ENTITY_BOMB:
    case BYTES_DEEP:
    case BYTES_HUGE:
    case BYTES_TWO_BODIES:
    case BYTES_UTF_16:
        write_shape(&out, m, a);
        break;
    case BYTES_CHUNKED:
        write_chunked(&out, m);
        break;
    case BYTES_DEFLATE:
        write_packed(&out, m, CODING_DEFLATE);
        break;
    case BYTES_HEADER:
        rewrite_all(&out, m, v->headers, v->header_count, buf_str(&m->body),
                    m->body.len);
        break;
    case BYTES_ATTRIBUTE:
        write_attribute(&out, m, &v->headers[0]);
        break;
    }
    delivery_add(plan, 0, buf_str(&out), out.len);
    buf_release(&out);
}

static void plan_cut(const struct action *a, const struct http_message *m,
                     const char *answer, size_t len, struct delivery *plan)
{
    size_t head_len = len - m->body.len;
    size_t keep = len;

    if (a->when == CUT_RESPONSE_HEADERS)
        keep = a->after_bytes >= 0 ? (size_t)a->after_bytes : SOME_BYTES;
    else if (a->when == CUT_RESPONSE_BODY)
        keep = head_len +
               (a->after_bytes >= 0 ? (size_t)a->after_bytes : m->body.len / 2);
    if (a->when != CUT_AFTER_RESPONSE && keep >= len)
        keep = len - 1;
    delivery_add(plan, 0, answer, keep);
    plan->end = faults_cut_end(a->how);
}

int faults_plan(const struct action *a, const char *answer, size_t len,
                const struct fault_values *values, struct delivery *plan,
                struct err *e)
{
    struct http_message m;
    size_t used;

    delivery_init(plan);
    if (!a || (a->kind != ACTION_CUT && a->kind != ACTION_BYTES) ||
        (a->kind == ACTION_CUT && a->when == CUT_NEXT_REQUEST)) {
        delivery_add(plan, 0, answer, len);
        return 0;
    }
    if (http_read(HTTP_RESPONSE, answer, len, false, true, &m, &used, e) !=
        HTTP_WHOLE) {
        http_message_release(&m);
        return err_set(e, "the manager's answer is no HTTP message");
    }
    if (a->kind == ACTION_CUT)
        plan_cut(a, &m, answer, len, plan);
    else
        plan_bytes(a, &m, answer, len, values, plan);
    http_message_release(&m);
    return 0;
}
