/* Hash table with chains: see keytable.h. */
#include "keytable.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

#define FIRST_BUCKETS 16

struct keytable_entry {
    struct keytable_entry *next;
    uint64_t hash;
    const void *key;
    size_t len;
    void *value;
};

void keytable_init(struct keytable *t, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->seed = seed;
}

void keytable_release(struct keytable *t)
{
    for (size_t i = 0; i < t->bucket_count; i++) {
        struct keytable_entry *e = t->buckets[i];

        while (e) {
            struct keytable_entry *next = e->next;

            free(e);
            e = next;
        }
    }
    free(t->buckets);
    memset(t, 0, sizeof *t);
}

/* FNV-1a, then mixed, since only the low bits choose the bucket. */
static uint64_t hash_of(const struct keytable *t, const void *key, size_t len)
{
    const unsigned char *p = key;
    uint64_t h = UINT64_C(14695981039346656037) ^ t->seed;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    h ^= h >> 32;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 29);
}

/* The link that points at the key's entry, or at the end of its chain. */
static struct keytable_entry **find(const struct keytable *t, uint64_t hash,
                                    const void *key, size_t len)
{
    struct keytable_entry **link = &t->buckets[hash & (t->bucket_count - 1)];

    while (*link && ((*link)->hash != hash || (*link)->len != len ||
                     memcmp((*link)->key, key, len) != 0))
        link = &(*link)->next;
    return link;
}

static void resize(struct keytable *t, size_t bucket_count)
{
    struct keytable_entry **old = t->buckets;
    size_t old_count = t->bucket_count;

    t->buckets = mem_alloc(bucket_count * sizeof(struct keytable_entry *));
    t->bucket_count = bucket_count;
    for (size_t i = 0; i < old_count; i++) {
        struct keytable_entry *e = old[i];

        while (e) {
            struct keytable_entry *next = e->next;
            struct keytable_entry **head =
                &t->buckets[e->hash & (bucket_count - 1)];

            e->next = *head;
            *head = e;
            e = next;
        }
    }
    free(old);
}

void *keytable_get(const struct keytable *t, const void *key, size_t len)
{
    struct keytable_entry *e;

    if (t->bucket_count == 0)
        return NULL;
    e = *find(t, hash_of(t, key, len), key, len);
    return e ? e->value : NULL;
}

void keytable_put(struct keytable *t, const void *key, size_t len, void *value)
{
    uint64_t hash = hash_of(t, key, len);
    struct keytable_entry **link;

    if (t->count >= t->bucket_count)
        resize(t, t->bucket_count ? 2 * t->bucket_count : FIRST_BUCKETS);
    link = find(t, hash, key, len);
    if (!*link) {
        *link = mem_alloc(sizeof **link);
        (*link)->hash = hash;
        (*link)->len = len;
        t->count++;
    }
    (*link)->key = key;
    (*link)->value = value;
}

void keytable_remove(struct keytable *t, const void *key, size_t len)
{
    struct keytable_entry **link;
    struct keytable_entry *e;

    if (t->bucket_count == 0)
        return;
    link = find(t, hash_of(t, key, len), key, len);
    e = *link;
    if (!e)
        return;
    *link = e->next;
    free(e);
    t->count--;
}
