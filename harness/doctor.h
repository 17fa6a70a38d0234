/*
 * What a first contact says to a person: how far it came, and where it ended
 * what may be the matter. Reads the journal of one play; judges nothing.
 */
#ifndef HARNESS_DOCTOR_H
#define HARNESS_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

#include "play.h"
#include "stage_sockets.h"

/* What was told us about the server. Borrowed. */
struct doctor_server {
    const char *url, *domain;
    bool tls;
    const struct account *accounts;
    size_t account_count;
};

/* A play that makes a session, or one for each account. Line by line, as far
 * as it came; returns whether that was to the end. */
bool doctor_server(const struct doctor_server *d,
                   const struct stage_outcome *outcome, FILE *out);

/* A play in which a client logs in and leaves again. */
bool doctor_client(const struct stage_outcome *outcome, FILE *out);

/* Prints "WORD  text", and behind it what may be done where the text has
 * words that we know: of a problem, a status line or a condition. */
void doctor_says(FILE *out, const char *word, const char *text);

#endif
