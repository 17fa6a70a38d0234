/*
 * Transcripts: a dialogue of client and manager as text, which a session of
 * libbosh must speak word for word. Written by hand from the XEPs' examples,
 * so that our library is not only held to our own mock.
 *
 * A step is a line, some with XML below it up to the next empty line. Lines
 * that begin with # are remarks. Transmissions are counted from 1; all that
 * the session sends, gives up or tells must be in the transcript, in order.
 *
 *   > option: NAME=VALUE       before the first verb
 *   > verb: NAME ARGUMENTS     a call; several in a row come before the
 *                              session is asked what it wants to send. XML of
 *                              `send` stands behind it or below; `send-on 1`
 *                              and `close-stream 1` name a stream
 *   > time: MS                 so much time passes, then the session is asked
 *   C N                        transmission N must be this <body/>
 *   C N repeats M              the same bytes as transmission M
 *   X N                        transmission N is given up
 *   S N [HTTP-STATUS]          it is answered, with these bytes
 *   F N                        it fails without an answer
 *   ! STATUS[:CONDITION][#1]   the application is told so, of stream 1
 *   ! stanza[#1]               it gets this one
 *
 * Bodies and stanzas are compared as XML: the order of attributes, quotes and
 * white space between elements do not count, nor any white space in SASL's
 * elements. ${name} in an attribute or a text stands for what the XEPs leave to
 * us: it fits anything but nothing, the same each time, and can stand in an
 * answer. rids are relative: the first one of the transcript is our first one,
 * and `ack` and `report` go along. Keys must hash to what came before.
 */
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include "common/err.h"

/* Play text. path names it in messages, which read path:line: ... Returns 0,
 * or -1 with e set: the session did otherwise, or text is no transcript. */
int transcript_play(const char *path, const char *text, struct err *e);

#endif
