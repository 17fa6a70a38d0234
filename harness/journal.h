/*
 * The journal: the event log of one play as a tree, with derived facts as
 * attributes, kept up to date event by event. Pure: no clock, no I/O.
 *
 *   <journal role="client">
 *     <x n=.. kind=.. rid=.. ..>
 *       <req method=.. body-id=.. ..><header name=.. value=../><b:body/></req>
 *       <answer/> <res status=.. body-id=.. ..> ... <b:body/></res></x>
 *     <ev n=.. seq=.. t=.. kind=status value=.. condition=../>
 *     <s n=.. sid=.. rid=.. jid=.. wait=.. ..><up/><down/></s>
 *     <gap session=.. t0=.. t1=.. ms=.. limit=../>
 *     <conn n=.. tls=../> <do verb=../> <lag t0=.. t1=.. ms=../> <step/> <end/>
 *     <health alive=../>
 *   </journal>
 *
 * All are brothers, in the order of their beginnings. Times are milliseconds
 * since the play began, seq the number of an event in the log. In the server
 * role the steps end it: what our sign-off brings about is in the log only. An
 * attribute whose fact does not apply or is not known is not there. [c] in the
 * client role only, [s] in the server role only.
 *
 * <journal>  variable $journal
 *   role version case rev ..   of the log
 *   partial        requests of which only a part was seen
 *   fault          our faults that were done to no exchange in particular
 *   attached       [c] sid that a client was told to attach to
 *   url            [c] what the client was given as the manager's URL
 *   t1             when the play ended (once it has)
 *
 * <x>  an exchange; all of them: $x
 *   n conn         number, from 1; connection
 *   seq0 t0        the request began: its first byte at the wire [c]; we
 *                  began to send it [s]
 *   seq1 t1        [c] when an answer was put on the wire to the client (one
 *                  that is withheld has no <res> and no t1 until released);
 *                  [s] when it came whole, or as much of it as came
 *   sent           [s] when all of the request was written
 *   forwarded      [c] when the manager got it
 *   answered       [c] when the manager answered, whatever became of it
 *   delivered-t    [c] when we knew that the client has the answer
 *   method         of the request
 *   kind           the first that fits: options (the method), other (no
 *                  <body/>), terminate, pause, restart, create (no sid),
 *                  payload, poll. Where the manager named the session's first
 *                  stream, a poll with 'to' is add-stream, and a terminate with
 *                  'stream' is close-stream if others stay open
 *   rid sid        as the request has them; a rid without '+' and zeros in
 *                  front
 *   rid-form       how the rid is spelled: plain padded (zeros) signed (+) bad
 *   sid-known      yes no: did the manager give that sid? (not on creations)
 *   session        the <s> it belongs to; a creation: once it was answered
 *   copy           1, or 2 and up for repeats of an rid in its session; for
 *                  creations: of the same rid with the same bytes
 *   copy-of        n of the first; on copies only
 *   first          n of the first: its own, or as copy-of
 *   copies         on the first: how many there are by now, when more than 1
 *   same           on copies: yes no, are they the first one's bytes?
 *   empty payloads yes no; how many
 *   arrived        the request, at the manager: whole part none unknown
 *   delivered      the answer, at the client: whole part none unknown
 *   by             whose answer: manager between
 *   fault rule     our faults and rules that were done to it, by name; fault
 *                  is empty when there were none
 *   abandoned      [c] how the client ended its connection before the answer
 *   closed closed-by  how, and by whom (us peer), its connection ended while
 *                  the answer was not there
 *   problem        [s] why no answer came
 *   open-client    distinct rids without an answer as the client can know when
 *                  it sends this one, itself included; those whose connection
 *                  died, or whose answer was on its way, not counted
 *   open-limit     what open-client may be: requests, and 1 for pause,
 *                  terminate and close-stream
 *   open-manager   distinct rids that the manager has, or was sent, and did
 *                  not answer, itself included
 *   since-poll polling-ms  polling sessions: ms since the empty request
 *                  before this empty one, which brought nothing; the least
 *   after-end      a new rid: ms since the end of its session was delivered
 *   took wait-ms   [s] how long it was held, counted from where no lower rid
 *                  was missing; the most. Not for repeats and their firsts,
 *                  nor for an rid below the creation's
 *   early-by       [s] ms by which its answer came before a lower rid's
 *   surplus        [s] ids of iqs that it answers more often than asked
 *
 * <req> and <res>, and <answer> [c]: what the manager answered, as long as it
 * is not what went to the client (withheld, lost, changed)
 *   method target  of a request;  status reason by  of a response
 *   version        of HTTP: 1.1
 *   body-id        equality class of the entity's bytes without its content
 *                  coding; only when whole
 *   length         of the entity on the wire, bytes
 *   content-type media charset  the header; its parts in small letters
 *   content-encoding chunked    chunked: yes
 *   coding         gzip deflate: it was so on the wire
 *   decoded-length bytes without it
 *   undecoded      or why it could not be undone; the entity is not looked at
 *   problem        what is wrong with the HTTP framing
 *   malformed      yes: it is broken, and not only cut short
 *   extra          bytes behind the message
 *   error          why the entity is not well-formed XML
 *   comment pi doctype bom text  yes: XEP-0124 6 forbids it (not bom); text:
 *                  characters between the payloads
 *   encoding       as the XML declaration has it
 *   replay         [s] on answers to repeats of an answered rid: same
 *                  different
 *   children: header (name value), the entity's root: b:body
 *
 * <s>  a session: it begins with the creation's answer. $s is all of them,
 * unless the case gives that name
 *   n sid create   number; sid; n of the creation's exchange
 *   jid            full, from resource binding
 *   wait hold      as granted, else as asked
 *   requests inactivity polling maxpause ver ack accept  as granted
 *   asked-wait asked-hold asked-ver asked-content
 *   polls          yes: a polling session
 *   stream         name of the first one, where the manager gives names
 *   rid            the highest
 *   rids-missing   rids below it that never came, at most 100; "": none
 *   missing-ms     at the end: for how long the first of them was missing
 *   open           distinct rids open as the client knows
 *   idle-since     t of the last delivered answer, while open is 0
 *   ended ended-t ended-by  seq and t; client manager
 *   condition      of the manager's end
 *   terminate-delivered terminate-delivered-t  an end reached the client
 *   <up> <down>    its payloads, each once, in rid order; down: as the manager
 *                  answered
 *
 * <gap>  a time in which a session had nothing open; written at its end
 *   session t0 t1 ms
 *   limit          inactivity, or the pause in force, in ms
 *   by x           request (and which), or end: the play was over
 *   clean          yes no: all was delivered before it, and nothing of our
 *                  doing explains it
 *
 * <conn>  a connection that was opened
 *   n seq t        number, event and time
 *   tls            a manager that speaks TLS: yes, no (it began in clear, and
 *                  was taken so), failed (the handshake)
 *   problem        why it failed
 *   closed closed-by t1  how, by whom (us peer) and when it ended
 *
 * <ev>  what the driver said; all of them: $ev
 *   n seq t client kind value condition text; a stanza is inside; stream: its
 *   number, where it is not the first
 * <do>  a verb for the driver, and once more with its result
 *   seq t client verb result reason; stanzas are inside; stream: of the order
 * <lag>  our own loop was late, or a connection was long in coming, or the
 *   server slow with a login: t0 t1 ms
 * <step> <end>  seq t line what outcome; seq t how because line
 * <health>  [s] behind the end, where something got no answer: was asked
 *   seq t          whether the server is still there
 *   alive          yes no
 *   alone          yes no: did it have no other case to serve meanwhile
 */
#ifndef HARNESS_JOURNAL_H
#define HARNESS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxml/tree.h>
#include <libxml/xpath.h>

#include "common/err.h"
#include "common/log_events.h"

enum role { ROLE_CLIENT, ROLE_SERVER };
const char *role_name(enum role role); /* "client", "server" */

struct journal;

struct journal *journal_new(enum role role);
void journal_free(struct journal *j);

/* Take in one event: nodes appear, facts are brought up to date, handles are
 * bound. An event that makes no sense (an unknown x) is ignored. */
void journal_add(struct journal *j, const struct event *ev);

/* The play is over: facts that can only be told now (open gaps, rids still
 * missing, deliveries still unknown). Idempotent. */
void journal_finish(struct journal *j, int64_t now_ms);

xmlDocPtr journal_doc(const struct journal *j);            /* borrowed */
xmlNodePtr journal_root(const struct journal *j);          /* borrowed */
xmlNodePtr journal_x(const struct journal *j, unsigned n); /* or NULL */

/* What a variable stands for. A new object, yours; an empty node-set when it
 * is not bound. */
xmlXPathObjectPtr journal_variable(struct journal *j, const char *name);

/* Bind by hand; events of the name "name" and "let" do the same. In-place for
 * the judge's $it: node NULL unbinds. */
void journal_set_it(struct journal *j, xmlNodePtr node);

/* For invariants: what the case named is out of sight, $s is all sessions. */
void journal_hide_names(struct journal *j, bool hide);

/* The kept XPath context (prefixes and functions registered); one journal is
 * used by one thread at a time. For expr.c. */
xmlXPathContextPtr journal_xpath(struct journal *j);

/* How late we, or the server with all, were within [t0, t1], all in all; ms. */
int64_t journal_lag(const struct journal *j, int64_t t0, int64_t t1);

/* The worst single one, in milliseconds; 0: none was worth a word. */
int64_t journal_worst_lag(const struct journal *j);

/* A journal that holds each element and attribute once, for lint. */
struct journal *journal_specimen(enum role role);

#endif
