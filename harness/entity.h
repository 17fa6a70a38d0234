/*
 * The entity of an answer in another shape: a <body/> that a manager should
 * never send, or may send and hardly any does (XEP-0124 §6, §17.1). Pure;
 * works on the bytes, since what comes out need not be XML. Nothing here
 * knows HTTP.
 */
#ifndef HARNESS_ENTITY_H
#define HARNESS_ENTITY_H

#include "case.h"
#include "common/buf.h"

/* Levels of a deep payload: more than what a parser allows by default, and
 * enough to spend the stack of one that descends by calling itself. */
#define ENTITY_DEPTH 10000

/*
 * Write the entity in that shape to out.
 *
 * entity  the manager's; when it holds no element (an error of a legacy
 *         manager) it stays as it is, but for EMPTY, ILL_FORMED and UTF_16
 * size    HUGE: bytes of text in its message
 */
void entity_shape(struct buf *out, enum bytes_kind kind, const char *entity,
                  size_t len, size_t size);

/* The entity with an attribute of its root set to value, or without it where
 * value is "". */
void entity_attribute(struct buf *out, const char *entity, size_t len,
                      const char *name, const char *value);

#endif
