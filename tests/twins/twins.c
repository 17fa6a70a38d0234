/* All twins of both roles: see twins.h. */
#include "twins.h"

#include <string.h>

#include "client_shim.h"
#include "server_shim.h"

#define LENGTH(table) (sizeof(table) / sizeof *(table))

static const struct twin *const clients[] = {
    twins_client_acks,    twins_client_answers, twins_client_attach,
    twins_client_bytes,   twins_client_codings, twins_client_creation,
    twins_client_ending,  twins_client_ends,    twins_client_errors,
    twins_client_flow,    twins_client_habits,  twins_client_http,
    twins_client_keys,    twins_client_login,   twins_client_loss,
    twins_client_numbers, twins_client_order,   twins_client_pause,
    twins_client_repeats, twins_client_streams, twins_client_timing,
    twins_client_tls,
};
static const struct twin *const servers[] = {
    twins_server_bytes,   twins_server_creation,    twins_server_ending,
    twins_server_errors,  twins_server_flow,        twins_server_habits,
    twins_server_http,    twins_server_headers,     twins_server_hostile,
    twins_server_idle,    twins_server_keys,        twins_server_login,
    twins_server_loss,    twins_server_negotiation, twins_server_order,
    twins_server_polling, twins_server_repeats,     twins_server_spelling,
    twins_server_streams, twins_server_talk,        twins_server_time,
    twins_server_xml,
};

const struct twin *twin_at(enum role role, size_t i)
{
    const struct twin *const *tables = role == ROLE_CLIENT ? clients : servers;
    size_t left = role == ROLE_CLIENT ? LENGTH(clients) : LENGTH(servers);

    for (; left > 0; left--, tables++)
        for (const struct twin *t = *tables; t->name; t++)
            if (i-- == 0)
                return t;
    return NULL;
}

const struct twin *twin_find(enum role role, const char *name)
{
    const struct twin *t;

    for (size_t i = 0; (t = twin_at(role, i)); i++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

const char *twin_name(enum role role, size_t i)
{
    const struct twin *t = twin_at(role, i);

    return t ? t->name : NULL;
}

struct client_peer *twin_client_peer(const struct twin *twin)
{
    return twin ? client_shim_new(twin->client) : peer_libbosh(NULL);
}

struct server_peer *twin_server_peer(const struct twin *twin)
{
    return twin ? server_shim_new(twin->server) : peer_mock(NULL);
}
