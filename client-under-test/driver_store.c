/* A file that keeps a session: see bosh.h. */
#include "bosh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"

/* No session is longer: see store.c for its requests, which are escaped. */
#define TEXT_MAX (8u << 20)

static int write_all(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t put = write(fd, text, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        text += put;
        len -= (size_t)put;
    }
    return 0;
}

/* Always the same, so that crashes do not leave one each. */
static char *beside_of(const char *path)
{
    return mem_printf("%s.new", path);
}

/* A file beside the old one, and then its name: rename() is atomic. What is
 * there already is not written to: it may be somebody else's. */
static int replace(const char *path, const char *text)
{
    char *beside = beside_of(path);
    int fd;
    int rc = -1;

    unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        rc = write_all(fd, text);
        if (close(fd) != 0 || rc != 0 || rename(beside, path) != 0) {
            unlink(beside);
            rc = -1;
        }
    }
    free(beside);
    return rc;
}

static int forget(const char *path)
{
    char *beside = beside_of(path);

    unlink(beside);
    free(beside);
    return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

static int save(void *ctx, const char *text)
{
    const char *path = ctx;

    return text ? replace(path, text) : forget(path);
}

/* Somebody else's file, or one that others can write, says nothing. */
static int open_ours(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
                    st.st_uid != geteuid() || (st.st_mode & 022))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static char *load(void *ctx)
{
    int fd = open_ours(ctx);
    struct buf text = BUF_INIT;
    char piece[4096];
    ssize_t got;

    if (fd < 0)
        return NULL;
    while ((got = read(fd, piece, sizeof piece)) > 0 && text.len < TEXT_MAX)
        buf_add(&text, piece, (size_t)got);
    close(fd);
    if (got == 0)
        return buf_take(&text);
    buf_release(&text);
    return NULL;
}

struct bosh_store bosh_store_file(const char *path)
{
    return (struct bosh_store){save, load, (void *)(uintptr_t)path};
}
