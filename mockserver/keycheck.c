/* Key sequences: see keycheck.h. */
#include "keycheck.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <nettle/sha1.h>

/* Hexadecimal SHA-1 of the text as received: its case is part of it, only the
 * comparison ignores case. */
static void hash_text(const char *text, char out[KEYCHECK_HEX_LEN + 1])
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, strlen(text), (const uint8_t *)text);
    sha1_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* A value of another length never fits: stored cut off, it has no preimage
 * that anybody knows. */
static void expect(struct keycheck *k, const char *text)
{
    snprintf(k->expected, sizeof k->expected, "%s", *text ? text : "-");
}

bool keycheck_pass(struct keycheck *k, const char *key, const char *newkey)
{
    char hash[KEYCHECK_HEX_LEN + 1];

    if (k->expected[0]) {
        if (!key)
            return false;
        hash_text(key, hash);
        if (strcasecmp(hash, k->expected) != 0)
            return false;
        expect(k, key);
    }
    if (newkey)
        expect(k, newkey);
    return true;
}
