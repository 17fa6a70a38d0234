/*
 * A hash table from bytes to pointers: sid to session, token to request, JID
 * to stream. It owns neither keys nor values; a key must live as long as its
 * entry. The hash is seeded, so that a peer cannot choose collisions.
 */
#ifndef MOCKSERVER_KEYTABLE_H
#define MOCKSERVER_KEYTABLE_H

#include <stddef.h>
#include <stdint.h>

struct keytable_entry;

struct keytable {
    struct keytable_entry **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
    uint64_t seed;
};

void keytable_init(struct keytable *t, uint64_t seed);
void keytable_release(struct keytable *t);

/* The value, or NULL. */
void *keytable_get(const struct keytable *t, const void *key, size_t len);

/* Set the value of a key; an entry of the same key is replaced, its key
 * pointer too. */
void keytable_put(struct keytable *t, const void *key, size_t len, void *value);

/* Unknown keys are ignored. */
void keytable_remove(struct keytable *t, const void *key, size_t len);

#endif
