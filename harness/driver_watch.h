/*
 * Ends driver processes when we cannot any more: after a SIGKILL nobody else
 * would, and not every driver ends with its stdin.
 *
 * A small process of ours reads a pipe whose other end only we hold; its end
 * of file means that we are gone. Then each process group that is still on
 * its list gets some time to end by itself, SIGTERM, and SIGKILL.
 */
#ifndef HARNESS_DRIVER_WATCH_H
#define HARNESS_DRIVER_WATCH_H

/* Process groups at once; more are not watched. */
#define DRIVER_WATCH_MAX 256

struct driver_watch;

/* NULL when there is no process to be had: then nobody watches. The other
 * functions accept NULL. */
struct driver_watch *driver_watch_new(void);
/* Watch a process group, or no more since it is gone. */
void driver_watch_add(struct driver_watch *w, int group);
void driver_watch_remove(struct driver_watch *w, int group);
/* End what is still watched, wait for that, and free. */
void driver_watch_free(struct driver_watch *w);

#endif
