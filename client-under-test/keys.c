/* Key sequences: see keys.h. */
#include "keys.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha1.h>

void keys_hash(const void *data, size_t len, char out[KEYS_HEX_LEN + 1])
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, len, data);
    sha1_digest(&ctx, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* K(number). */
static void compute(const struct keys *k, int number,
                    char out[KEYS_HEX_LEN + 1])
{
    memcpy(out, k->first, sizeof k->first);
    for (int i = 1; i < number; i++)
        keys_hash(out, KEYS_HEX_LEN, out);
}

void keys_start(struct keys *k, const void *seed, size_t len, int count,
                char newkey[KEYS_HEX_LEN + 1])
{
    keys_hash(seed, len, k->first);
    k->next = count - 1;
    compute(k, count, newkey);
}

bool keys_take(struct keys *k, char key[KEYS_HEX_LEN + 1])
{
    if (k->next == 0)
        return false;
    compute(k, k->next--, key);
    return true;
}

void keys_write(const struct keys *k, char out[KEYS_TEXT_LEN + 1])
{
    snprintf(out, KEYS_TEXT_LEN + 1, "%s:%d", k->first, k->next);
}

int keys_read(struct keys *k, const char *text)
{
    char *end;
    long next;

    if (strspn(text, "0123456789abcdef") != KEYS_HEX_LEN ||
        text[KEYS_HEX_LEN] != ':')
        return -1;
    text += KEYS_HEX_LEN + 1;
    next = strtol(text, &end, 10);
    if (*end || end == text || next < 1 || next >= KEYS_COUNT_MAX)
        return -1;
    memcpy(k->first, text - KEYS_HEX_LEN - 1, KEYS_HEX_LEN);
    k->first[KEYS_HEX_LEN] = '\0';
    k->next = (int)next;
    return 0;
}
