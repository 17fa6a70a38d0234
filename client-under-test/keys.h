/*
 * Key sequences: proof that a request comes from who created the session.
 *
 * XEP-0124 §15. K(1) is the hexadecimal SHA-1 of a seed, each later one that
 * of the one before; they are used from the last to the first, so that who
 * saw one cannot know the next. Only K(1) is kept, the others are computed
 * when they are needed. Pure.
 */
#ifndef CLIENT_KEYS_H
#define CLIENT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#define KEYS_HEX_LEN 40 /* SHA-1 as lower-case hexadecimal text */
#define KEYS_SEED_LEN 20
#define KEYS_COUNT_MIN 2 /* K(n) is never sent as a key, K(1) is */
#define KEYS_COUNT_MAX 10000

struct keys {
    char first[KEYS_HEX_LEN + 1]; /* K(1) */
    int next;                     /* K(next) is next; 0: nothing left */
};

/* SHA-1 of len bytes as text. */
void keys_hash(const void *data, size_t len, char out[KEYS_HEX_LEN + 1]);

/* Begin a sequence of count keys; newkey is its K(count). */
void keys_start(struct keys *k, const void *seed, size_t len, int count,
                char newkey[KEYS_HEX_LEN + 1]);

/* Take the next key. False, and key is not set, when none is left. */
bool keys_take(struct keys *k, char key[KEYS_HEX_LEN + 1]);

/* Where a sequence stands, as text for another process, and back. out holds
 * KEYS_TEXT_LEN + 1 bytes. Reading returns 0, or -1 when text is none. */
#define KEYS_TEXT_LEN (KEYS_HEX_LEN + 12)
void keys_write(const struct keys *k, char out[KEYS_TEXT_LEN + 1]);
int keys_read(struct keys *k, const char *text);

#endif
