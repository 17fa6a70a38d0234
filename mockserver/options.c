/* Options: defaults and copies, see options.h and mock.h. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "common/buf.h"

#include "request.h"

#define RANDOM_PIECE 64 /* bytes at a time */

static const struct mock_account default_accounts[] = {
    {"alice", "secret"},
    {"bob", "secret"},
    {"carol", "secret"},
    {"dave", "secret"},
};

struct mock_options mock_options_default(void)
{
    struct mock_options o = {
        .wait_s = 60,
        .hold = -1,
        .requests = -1,
        .inactivity_s = 30,
        .polling_s = 5,
        .maxpause_s = 120,
        .ver = "1.11",
        .ack = true,
        .report_after_ms = 200,
        .keys = true,
        .restartlogic = true,
        .empty_at_percent = 80,
        .cors = true,
        .path = "/http-bind",
        .features = MOCK_FEATURES_CREATION,
        .domain = "localhost",
        .mechanisms = "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN",
        .anonymous = true,
        .accounts = default_accounts,
        .account_count = sizeof default_accounts / sizeof default_accounts[0],
        .scram_iterations = 4096,
    };

    return o;
}

static void generator(void *arg, void *out, size_t len)
{
    (void)arg;
    gnutls_rnd(GNUTLS_RND_RANDOM, out, len);
}

static int clamp(int n, int low, int high)
{
    return n < low ? low : n > high ? high : n;
}

static struct mock_attribute *copy_attributes(const struct mock_attribute *from,
                                              size_t count)
{
    struct mock_attribute *list = mem_alloc((count + 1) * sizeof *list);

    for (size_t i = 0; i < count; i++) {
        list[i].name = mem_dup(from[i].name);
        list[i].value = mem_dup(from[i].value);
    }
    return list;
}

void options_copy(struct options *out, const struct mock_options *from)
{
    struct mock_options *o = &out->set;
    struct mock_account *accounts;

    *o = *from;
    o->ver = mem_dup(from->ver);
    o->content_type = mem_dup(from->content_type);
    o->accept = mem_dup(from->accept);
    o->path = mem_dup(from->path);
    o->domain = mem_dup(from->domain ? from->domain : "localhost");
    o->mechanisms = mem_dup(from->mechanisms ? from->mechanisms : "");
    o->offers = from->offers ? mem_dup(from->offers) : NULL;
    o->any_user_password = mem_dup(from->any_user_password);
    accounts = mem_alloc((from->account_count + 1) * sizeof *accounts);
    for (size_t i = 0; i < from->account_count; i++) {
        accounts[i].user = mem_dup(from->accounts[i].user);
        accounts[i].password = mem_dup(from->accounts[i].password);
    }
    o->accounts = accounts;
    o->creation = copy_attributes(from->creation, from->creation_count);
    o->empty_at_percent = clamp(from->empty_at_percent, 1, 100);
    o->scram_iterations = clamp(from->scram_iterations, 1, 1000000);
    if (!o->random)
        o->random = generator;
    if (!o->ver ||
        request_parse_ver(o->ver, &out->ver_major, &out->ver_minor) < 0)
        out->ver_major = out->ver_minor = -1;
}

void options_release(struct options *o)
{
    for (size_t i = 0; i < o->set.account_count; i++) {
        free((char *)o->set.accounts[i].user);
        free((char *)o->set.accounts[i].password);
    }
    free((struct mock_account *)o->set.accounts);
    for (size_t i = 0; i < o->set.creation_count; i++) {
        free((char *)o->set.creation[i].name);
        free((char *)o->set.creation[i].value);
    }
    free((struct mock_attribute *)o->set.creation);
    free((char *)o->set.ver);
    free((char *)o->set.content_type);
    free((char *)o->set.accept);
    free((char *)o->set.path);
    free((char *)o->set.domain);
    free((char *)o->set.mechanisms);
    free((char *)o->set.offers);
    free((char *)o->set.any_user_password);
    memset(o, 0, sizeof *o);
}

void options_random_hex(const struct options *o, char *out, size_t bytes)
{
    unsigned char piece[RANDOM_PIECE];

    if (bytes > sizeof piece)
        bytes = sizeof piece;
    o->set.random(o->set.random_arg, piece, bytes);
    for (size_t i = 0; i < bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", piece[i]);
}
