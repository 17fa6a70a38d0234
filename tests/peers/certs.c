/*
 * peer-certs DIR: makes the certificates of one run for a server of other
 * people: ca.pem to trust, server.pem and server.key to serve 127.0.0.1 and
 * localhost by. DIR exists and is nobody else's: a key is left there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "harness/certs.h"

static int write_file(const char *dir, const char *name, const char *text,
                      struct err *e)
{
    char *path = mem_printf("%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    int rc = fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;

    if (fd >= 0 && close(fd) != 0)
        rc = -1;
    if (rc != 0)
        err_set(e, "%s: %s", path, strerror(errno));
    free(path);
    return rc;
}

int main(int argc, char **argv)
{
    const struct wire_identity *good;
    struct err e = {""};
    struct certs *c;
    int rc = -1;

    if (argc != 2) {
        fprintf(stderr, "usage: peer-certs DIR\n");
        return 2;
    }
    c = certs_new(argv[1], &e);
    if (c) {
        good = certs_identity(c, "good");
        rc = write_file(argv[1], "server.pem", good->cert, &e);
        if (rc == 0)
            rc = write_file(argv[1], "server.key", good->key, &e);
    }
    if (rc != 0)
        fprintf(stderr, "peer-certs: %s\n", e.text);
    certs_free(c);
    return rc == 0 ? 0 : 1;
}
