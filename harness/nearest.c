/* "Did you mean": see nearest.h. */
#include "nearest.h"

#include <string.h>

/* Longer words are compared by their beginnings only. */
#define MAX_WORD 64

struct nearest nearest_to(const char *word)
{
    size_t len = strlen(word);
    /* one slip in three letters, and none in a single one */
    struct nearest n = {word, NULL, len / 3 + (len > 1) + (len > 2)};

    return n;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Insertions, deletions, changes and swaps of neighbours that lead from a to
 * b. */
static size_t distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, MAX_WORD);
    size_t b_len = strnlen(b, MAX_WORD);
    size_t rows[3][MAX_WORD + 1];

    for (size_t k = 0; k <= b_len; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            row[k] = least(above[k] + 1, row[k - 1] + 1,
                           above[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = least(row[k], row[k], rows[(i - 2) % 3][k - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t d = distance(n->word, candidate);

    if (d < n->distance) {
        n->distance = d;
        n->best = candidate;
    }
}
