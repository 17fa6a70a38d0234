/*
 * SELECT: which cases a run plays. Reads directories; knows nothing of
 * playing.
 *
 * A word selects by
 *   an id, a folder of ids, or a pattern  client/order/swapped-responses,
 *                                         client/order, 'client/o*'
 *   a file                                my/case.xml
 *   a requirement, or a pattern           x124-rid-plus-one, 'x124-rid-*'
 *   a section of a XEP                    'XEP-0124 14.2', 'XEP-0124 14'
 * Several words select what any of them does; none select everything.
 */
#ifndef HARNESS_SELECT_H
#define HARNESS_SELECT_H

#include "case_xml.h"

struct select_options {
    const char *const *words;
    size_t word_count;
    const char *const *excludes; /* words; what one selects is left out */
    size_t exclude_count;
    const char *const *tags; /* a case must have one of them; none: any */
    size_t tag_count;
    const char *const *dirs; /* folders of cases, "bundled" for those that come
                                with boshspec; none: the bundled ones */
    size_t dir_count;
    bool any_role;
    enum role role; /* unless any_role */
};

struct selection {
    struct testcase **cases; /* sorted by id */
    size_t count;
    const char *missed;     /* the first word that selects nothing, or NULL */
    const char *missed_tag; /* the first tag that no such case has, or NULL */
};

/*
 * Read the cases that are selected.
 *
 * Returns 0 with out filled, free with selection_release(); -1 with e when a
 * case is broken, a file or a folder cannot be read, a folder has no case
 * file, or a file named by a word is for the other role.
 */
int select_cases(const struct knowledge *k, const struct select_options *o,
                 struct selection *out, struct err *e);
void selection_release(struct selection *s);

/* 0 when each word and each tag selects something, and a case is left; -1
 * with e, which names the one that does not. */
int selection_check(const struct selection *s, const struct select_options *o,
                    struct err *e);

/* Leave the cases that are wanted; the others are freed. */
void selection_keep(struct selection *s,
                    bool (*wants)(void *ctx, const struct testcase *tc),
                    void *ctx);

/* Is a case in this shard, from 1, of so many? It depends on the id alone, so
 * that a case stays where it is whatever else is selected. */
bool select_in_shard(const char *id, unsigned shard, unsigned shards);

/* One file that may hold a case. */
struct case_file {
    char *path;
    char *id;
};
struct case_files {
    struct case_file *items; /* sorted by id */
    size_t count;
};

/* All *.xml below dir but for schemas, catalogue and invariants. Adds to out,
 * which starts zeroed; free with case_files_release(). 0, or -1 with e. */
int select_files(const char *dir, struct case_files *out, struct err *e);
/* The files among which o selects, and the bundled ones: all that are known.
 * As select_files(). */
int select_known(const struct knowledge *k, const struct select_options *o,
                 struct case_files *out, struct err *e);
void case_files_release(struct case_files *f);

/* What a file is called: its path below one of dirs, or what follows the last
 * "cases/" in it, or its name; without .xml. Yours, free(). */
char *select_id(const char *path, const char *const *dirs, size_t dir_count);

/* Does a word, seen as a pattern of ids, select this id? */
bool select_matches_id(const char *word, const char *id);
/* Does a word, seen as a requirement or a section, select the row? */
bool select_matches_requirement(const struct requirement *r, const char *word);
/* The same of a case: one of the rows that it is about. */
bool select_matches_case(const struct knowledge *k, const char *word,
                         const struct testcase *tc);

#endif
