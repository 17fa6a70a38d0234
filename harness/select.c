/* Which cases a run plays: see select.h. */
#include "select.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"

#define MAX_FOLDERS 16 /* one inside the other */

/* ------------------------------------------------------------- files */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool is_knowledge(const char *name, int depth)
{
    static const char *const names[] = {"schema", "requirements.xml",
                                        "invariants.xml"};
    size_t i;

    for (i = 0; depth == 0 && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

static void add_file(struct case_files *f, char *path, char *id)
{
    f->items = mem_grow(f->items, (f->count + 1) * sizeof *f->items);
    f->items[f->count].path = path;
    f->items[f->count].id = id;
    f->count++;
}

static int walk(const char *root, const char *path, int depth,
                struct case_files *out, struct err *e)
{
    DIR *dir = depth < MAX_FOLDERS ? opendir(path) : NULL;
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return depth < MAX_FOLDERS
                   ? err_set(e, "%s: %s", path, strerror(errno))
                   : err_set(e, "%s: folders nested too deeply", path);
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        struct stat st;
        char *child;

        if (is_knowledge(entry->d_name, depth))
            continue;
        child = mem_printf("%s/%s", path, entry->d_name);
        if (stat(child, &st) == 0 && S_ISDIR(st.st_mode)) {
            rc = walk(root, child, depth + 1, out, e);
        } else if (ends_with(child, ".xml")) {
            add_file(out, child, select_id(child, &root, 1));
            continue;
        }
        free(child);
    }
    closedir(dir);
    return rc;
}

static int by_id(const void *a, const void *b)
{
    const struct case_file *x = a, *y = b;

    return strcmp(x->id, y->id);
}

int select_files(const char *dir, struct case_files *out, struct err *e)
{
    char *root = mem_dup(dir);
    size_t n = strlen(root);
    int rc;

    while (n > 1 && root[n - 1] == '/')
        root[--n] = '\0';
    rc = walk(root, root, 0, out, e);
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_id);
    free(root);
    return rc;
}

void case_files_release(struct case_files *f)
{
    size_t i;

    for (i = 0; i < f->count; i++) {
        free(f->items[i].path);
        free(f->items[i].id);
    }
    free(f->items);
    memset(f, 0, sizeof *f);
}

/* ------------------------------------------------------------- names */

/* What follows dir in path, or NULL when path is not below it. */
static const char *below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    while (n > 0 && dir[n - 1] == '/')
        n--;
    if (n == 0 || strncmp(path, dir, n) != 0 || path[n] != '/')
        return NULL;
    while (path[n] == '/')
        n++;
    return path + n;
}

static const char *after_cases(const char *path)
{
    const char *found = NULL, *at = path;

    while ((at = strstr(at, "cases/")) != NULL) {
        if (at == path || at[-1] == '/')
            found = at + 6;
        at += 6;
    }
    return found;
}

char *select_id(const char *path, const char *const *dirs, size_t dir_count)
{
    const char *rest = NULL;
    size_t i, n;

    for (i = 0; i < dir_count && !rest; i++)
        rest = below(path, dirs[i]);
    if (!rest)
        rest = after_cases(path);
    if (!rest)
        rest = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    n = strlen(rest);
    if (ends_with(rest, ".xml"))
        n -= 4;
    return mem_dupn(rest, n);
}

/* ------------------------------------------------------------- words */

static bool is_file(const char *word)
{
    struct stat st;

    return ends_with(word, ".xml") && stat(word, &st) == 0 &&
           S_ISREG(st.st_mode);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 &&
                                 x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* Is the file named by the word this one? */
static bool names_file(const char *word, const char *path)
{
    return is_file(word) && same_file(word, path);
}

bool select_matches_id(const char *word, const char *id)
{
    size_t n = strlen(word);

    if (fnmatch(word, id, 0) == 0)
        return true;
    while (n > 0 && word[n - 1] == '/')
        n--;
    return n > 0 && strncmp(word, id, n) == 0 && id[n] == '/';
}

/* "XEP-0124 14" selects 14 and 14.2, not 1.4 and not 141. */
static bool in_section(const char *word, const char *section)
{
    size_t n = strlen(word);

    return n > 0 && strncasecmp(word, section, n) == 0 &&
           (section[n] == '\0' || section[n] == '.' || section[n] == ' ');
}

bool select_matches_requirement(const struct requirement *r, const char *word)
{
    return fnmatch(word, r->id, 0) == 0 || in_section(word, r->section);
}

static bool matches_requirement(const struct knowledge *k, const char *word,
                                const char *id)
{
    const struct requirement *r = catalogue_find(&k->catalogue, id);

    return r ? select_matches_requirement(r, word) : fnmatch(word, id, 0) == 0;
}

bool select_matches_case(const struct knowledge *k, const char *word,
                         const struct testcase *tc)
{
    size_t i;

    for (i = 0; i < tc->cover_count; i++)
        if (matches_requirement(k, word, tc->covers[i]))
            return true;
    for (i = 0; i < tc->assert_count; i++)
        if (matches_requirement(k, word, tc->asserts[i].req))
            return true;
    return false;
}

/* Can the word be answered by looking at the id alone? */
static bool is_id_word(const char *word)
{
    return strchr(word, '/') != NULL;
}

static bool word_selects(const struct knowledge *k, const char *word,
                         const struct testcase *tc)
{
    if (is_file(word))
        return same_file(word, tc->path);
    return select_matches_id(word, tc->id) ||
           (!is_id_word(word) && select_matches_case(k, word, tc));
}

/* ------------------------------------------------------------- cases */

/* Is it certain, before reading it, that the file is not selected? A broken
 * case that nobody wants must not stand in the way. */
static bool ruled_out(const struct select_options *o,
                      const struct case_file *file)
{
    const char *other = o->role == ROLE_CLIENT ? "server/" : "client/";
    size_t i;

    for (i = 0; i < o->word_count; i++)
        if (names_file(o->words[i], file->path))
            return false;
    if (!o->any_role && strncmp(file->id, other, strlen(other)) == 0)
        return true;
    for (i = 0; i < o->word_count; i++)
        if (!is_file(o->words[i]) && (!is_id_word(o->words[i]) ||
                                      select_matches_id(o->words[i], file->id)))
            return false;
    return o->word_count > 0;
}

/* Which words and tags have selected something. */
struct hits {
    bool *words, *tags;
};

static bool has_tag(const struct select_options *o, const struct testcase *tc,
                    bool *hit)
{
    bool any = o->tag_count == 0;
    size_t i, j;

    for (i = 0; i < o->tag_count; i++)
        for (j = 0; j < tc->tag_count; j++)
            if (strcmp(o->tags[i], tc->tags[j]) == 0)
                any = hit[i] = true;
    return any;
}

static bool wanted(const struct knowledge *k, const struct select_options *o,
                   const struct testcase *tc, const struct hits *hit)
{
    bool chosen = o->word_count == 0;
    size_t i;

    for (i = 0; i < o->word_count; i++)
        if (word_selects(k, o->words[i], tc)) {
            hit->words[i] = true;
            chosen = true;
        }
    if (!chosen || !has_tag(o, tc, hit->tags))
        return false;
    for (i = 0; i < o->exclude_count; i++)
        if (word_selects(k, o->excludes[i], tc))
            return false;
    return true;
}

static int take(const struct knowledge *k, const struct select_options *o,
                const struct case_file *file, const struct hits *hit,
                struct selection *out, struct err *e)
{
    struct testcase *tc;
    size_t i;

    if (case_read(k, file->path, file->id, &tc, e) < 0)
        return -1;
    if (!o->any_role && tc->role != o->role) {
        int rc = 0;

        for (i = 0; i < o->word_count; i++)
            if (names_file(o->words[i], file->path))
                rc = err_set(e, "%s: a case for the %s role", file->path,
                             role_name(tc->role));
        testcase_free(tc);
        return rc;
    }
    if (!wanted(k, o, tc, hit)) {
        testcase_free(tc);
        return 0;
    }
    out->cases =
        mem_grow(out->cases, (out->count + 1) * sizeof(struct testcase *));
    out->cases[out->count++] = tc;
    return 0;
}

static bool has_path(const struct case_files *f, const char *path)
{
    size_t i;

    for (i = 0; i < f->count; i++)
        if (same_file(f->items[i].path, path))
            return true;
    return false;
}

/* A folder of that name comes before the word. */
static bool is_bundled(const char *dir)
{
    return strcmp(dir, "bundled") == 0 && access(dir, F_OK) < 0;
}

static int add_folder(const struct knowledge *k, const char *dir,
                      struct case_files *files, struct err *e)
{
    size_t before = files->count;

    if (select_files(is_bundled(dir) ? k->dir : dir, files, e) < 0)
        return -1;
    return files->count > before
               ? 0
               : err_set(e, "%s: there is no case file in it", dir);
}

static int gather(const struct knowledge *k, const struct select_options *o,
                  struct case_files *files, struct err *e)
{
    const char *const bundled[] = {k->dir};
    const char *const *dirs = o->dir_count ? o->dirs : bundled;
    size_t dir_count = o->dir_count ? o->dir_count : 1;
    size_t i;

    for (i = 0; i < dir_count; i++)
        if (add_folder(k, dirs[i], files, e) < 0)
            return -1;
    for (i = 0; i < o->word_count; i++)
        if (ends_with(o->words[i], ".xml") && access(o->words[i], R_OK) < 0)
            return err_set(e, "%s: %s", o->words[i], strerror(errno));
        else if (is_file(o->words[i]) && !has_path(files, o->words[i]))
            add_file(files, mem_dup(o->words[i]),
                     select_id(o->words[i], dirs, dir_count));
    if (files->count > 0)
        qsort(files->items, files->count, sizeof *files->items, by_id);
    return 0;
}

int select_known(const struct knowledge *k, const struct select_options *o,
                 struct case_files *out, struct err *e)
{
    if (gather(k, o, out, e) < 0)
        return -1;
    return o->dir_count > 0 ? select_files(k->dir, out, e) : 0;
}

static const char *first_missed(const char *const *list, const bool *hit,
                                size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (!hit[i])
            return list[i];
    return NULL;
}

int select_cases(const struct knowledge *k, const struct select_options *o,
                 struct selection *out, struct err *e)
{
    struct case_files files = {NULL, 0};
    struct hits hit = {mem_alloc(o->word_count + 1),
                       mem_alloc(o->tag_count + 1)};
    int rc = gather(k, o, &files, e);
    size_t i;

    memset(out, 0, sizeof *out);
    for (i = 0; rc == 0 && i < files.count; i++)
        if (!ruled_out(o, &files.items[i]))
            rc = take(k, o, &files.items[i], &hit, out, e);
    out->missed = first_missed(o->words, hit.words, o->word_count);
    out->missed_tag = first_missed(o->tags, hit.tags, o->tag_count);
    if (rc < 0)
        selection_release(out);
    free(hit.words);
    free(hit.tags);
    case_files_release(&files);
    return rc;
}

int selection_check(const struct selection *s, const struct select_options *o,
                    struct err *e)
{
    if (s->missed)
        return err_set(e, "'%s' selects no case", s->missed);
    if (s->missed_tag)
        return err_set(e, "--tag=%s selects no case%s", s->missed_tag,
                       o->word_count ? " of those named" : "");
    if (s->count == 0)
        return err_set(e, "%s",
                       o->exclude_count ? "--exclude leaves no case"
                                        : "there is no case");
    return 0;
}

void selection_keep(struct selection *s,
                    bool (*wants)(void *ctx, const struct testcase *tc),
                    void *ctx)
{
    size_t kept = 0, i;

    for (i = 0; i < s->count; i++)
        if (wants(ctx, s->cases[i]))
            s->cases[kept++] = s->cases[i];
        else
            testcase_free(s->cases[i]);
    s->count = kept;
}

bool select_in_shard(const char *id, unsigned shard, unsigned shards)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 0x100000001b3u;
    h ^= h >> 32; /* its low bits alone are not good enough */
    return shards <= 1 || h % shards == shard - 1;
}

void selection_release(struct selection *s)
{
    size_t i;

    for (i = 0; i < s->count; i++)
        testcase_free(s->cases[i]);
    free(s->cases);
    memset(s, 0, sizeof *s);
}
