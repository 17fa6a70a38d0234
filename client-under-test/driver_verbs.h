/*
 * The driver protocol: JSON lines in, sessions moved, JSON lines out.
 *
 * Version 1 of docs/drivers.md. Part of bosh-client, not of the library.
 */
#ifndef CLIENT_DRIVER_VERBS_H
#define CLIENT_DRIVER_VERBS_H

#include <stdbool.h>
#include <stddef.h>

struct bosh_driver;
struct verbs;

/* driver is borrowed until driver_verbs_free(). Never NULL. */
struct verbs *driver_verbs_new(struct bosh_driver *driver);
void driver_verbs_free(struct verbs *v);

/* Do what one line asks; the reply is on stdout when this returns. */
void driver_verbs_line(struct verbs *v, const char *text, size_t len);

/* Report something that is nobody's reply. */
void driver_verbs_error(struct verbs *v, const char *reason);

/* Nothing more will be asked. */
void driver_verbs_quit(struct verbs *v);
bool driver_verbs_done(const struct verbs *v);

#endif
