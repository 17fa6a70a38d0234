/* One SASL negotiation: see sasl_client.h. */
#include "sasl_client.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

struct sasl_client {
    Gsasl *context;
    Gsasl_session *session;
    bool done;
};

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += len) {
        if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' '))
            return true;
    }
    return false;
}

const char *sasl_client_pick(const char *offered, bool password,
                             unsigned *tried)
{
    static const struct {
        const char *name;
        bool password;
    } known[SASL_CLIENT_MECHANISMS] = {
        {"SCRAM-SHA-256", true},
        {"SCRAM-SHA-1", true},
        {"PLAIN", true},
        {"ANONYMOUS", false},
    };

    for (size_t i = 0; i < SASL_CLIENT_MECHANISMS; i++) {
        if (known[i].password != password || (*tried & (1u << i)) ||
            !has_word(offered, known[i].name))
            continue;
        *tried |= 1u << i;
        return known[i].name;
    }
    return NULL;
}

struct sasl_client *sasl_client_new(const char *mechanism, const char *user,
                                    const char *password)
{
    struct sasl_client *sc = mem_alloc(sizeof *sc);

    if (gsasl_init(&sc->context) != GSASL_OK ||
        gsasl_client_start(sc->context, mechanism, &sc->session) != GSASL_OK) {
        sasl_client_free(sc);
        return NULL;
    }
    gsasl_property_set(sc->session, GSASL_AUTHID, user);
    gsasl_property_set(sc->session, GSASL_PASSWORD, password);
    gsasl_property_set(sc->session, GSASL_ANONYMOUS_TOKEN, "boshspec");
    return sc;
}

void sasl_client_free(struct sasl_client *sc)
{
    if (!sc)
        return;
    if (sc->session)
        gsasl_finish(sc->session);
    if (sc->context)
        gsasl_done(sc->context);
    free(sc);
}

int sasl_client_step(struct sasl_client *sc, const char *in, char **out)
{
    char *text = NULL;
    int rc = gsasl_step64(sc->session, in, &text);

    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
        return -1;
    sc->done = rc == GSASL_OK;
    *out = mem_dup(text ? text : "");
    gsasl_free(text);
    return 0;
}

bool sasl_client_done(const struct sasl_client *sc)
{
    return sc->done;
}
