/*
 * The result as GitHub-flavoured Markdown: for a job's summary or a comment.
 * Pure.
 */
#ifndef REPORTS_MARKDOWN_H
#define REPORTS_MARKDOWN_H

#include "common/buf.h"
#include "result.h"

/*
 * Append the report: a heading, the counts, a table of what is not as it
 * should be, and each failure in full, folded.
 *
 * dir  where the logs' paths start; "" when they are whole
 *
 * A peer's bytes stand in code spans and code blocks, so that they are no
 * markup, link or mention. It stays below 1 MiB, GitHub's limit: what is left
 * out is counted.
 */
void markdown_write(struct buf *out, const struct result *r, const char *dir);

#endif
