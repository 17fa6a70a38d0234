/* bosh-client as a tool for people: see tool.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"
#include "tool_main.h"

/* --resource belongs to the JID. */
static char *jid_of(const struct tool_options *o)
{
    return o->resource ? mem_printf("%s/%s", o->jid, o->resource)
                       : mem_dup(o->jid);
}

/* Not to be guessed, so that nobody answers what he was not asked. */
static char *make_stem(const struct tool_options *o)
{
    const struct bosh_random *random = &o->asked.options.random;
    uint64_t value = 0;

    random->fill(random->ctx, &value, sizeof value);
    return mem_printf("c%016llx-", (unsigned long long)value);
}

static void run(struct tool *t)
{
    const struct tool_command *command = t->options->command;

    t->jid = jid_of(t->options);
    t->stem = make_stem(t->options);
    if (!command->prepare || command->prepare(t))
        tool_session_run(t);
    free(t->jid);
    free(t->stem);
    buf_release(&t->payload);
}

int tool_main(int argc, char **argv)
{
    struct tool_options options;
    struct tool t = {.options = &options, .due_ms = BOSH_NEVER};

    tool_options_read(&options, argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    t.signals = tool_signals_open();
    t.driver = bosh_driver_new();
    if (t.signals < 0 || !t.driver)
        tool_fail(&t, TOOL_FAULT, "%s", strerror(errno));
    else
        run(&t);
    bosh_driver_free(t.driver);
    if (t.signals >= 0)
        close(t.signals);
    tool_options_release(&options);
    return t.status;
}
