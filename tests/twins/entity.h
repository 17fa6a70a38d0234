/*
 * A <body/> as text, for twins that change what goes by. They look at the
 * bytes of our own cores only, which never write '>' inside an attribute, nor
 * a comment or CDATA: finding the start tag is enough.
 */
#ifndef TESTS_TWINS_ENTITY_H
#define TESTS_TWINS_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* An attribute of the start tag by its written name ("xml:lang"). Yours, free
 * with free(); NULL when it is not there. */
char *entity_attr(const struct buf *body, const char *name);
bool entity_has(const struct buf *body, const char *name, const char *value);
/* As a number; 0 when it is absent. */
uint64_t entity_number(const struct buf *body, const char *name);

/* Set an attribute where it stands, or at the end; value NULL takes it out. */
void entity_set(struct buf *body, const char *name, const char *value);
void entity_set_number(struct buf *body, const char *name, uint64_t value);

/* What stands between the tags. Appended to out, and taken out of body. */
void entity_take_payload(struct buf *body, struct buf *out);
bool entity_has_payload(const struct buf *body);
/* Put elements before what is there already. */
void entity_put_payload(struct buf *body, const struct buf *payload);

/* An empty <body/>; type may be NULL. Replaces what is in body. */
void entity_empty(struct buf *body, const char *type);

/* The first such text in all of it; nothing where there is none. */
void entity_replace(struct buf *body, const char *from, const char *to);

/* Is there a child of that name, in any namespace? */
bool entity_has_child(const struct buf *body, const char *name);

#endif
