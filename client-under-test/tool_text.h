/*
 * What may be shown to a person, and how: no byte of a peer's moves the
 * cursor, no secret is seen. Pure.
 */
#ifndef CLIENT_TOOL_TEXT_H
#define CLIENT_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* Append text in which control characters are seen, not obeyed: \x1b, \n. With
 * lines, newlines are left. */
void tool_text_clean(struct buf *out, const char *text, size_t len, bool lines);

/* Append XML that says the same in one line. */
void tool_text_xml(struct buf *out, const char *xml, size_t len);

/*
 * Append what went over the wire, well-formed or not, without what would let a
 * reader act as the user: the texts of SASL's <auth/>, <challenge/>,
 * <response/> and <success/> (RFC 6120 §6.4), of any <password/>, and the
 * attributes key and newkey (XEP-0124 §15).
 */
void tool_text_hide(struct buf *out, const char *data, size_t len);

#endif
