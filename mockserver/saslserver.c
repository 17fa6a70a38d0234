/* The server's side of SASL: see saslserver.h. */
#include "saslserver.h"

#include <stdlib.h>
#include <string.h>

#include <gsasl.h>

#include "keytable.h"

#define SALT_LEN 16
#define MAX_HASH_LEN 32
#define MAX_SECRETS 256 /* cached; more users than that share by turns */

/* What SCRAM derives from a password: thousands of hashes, so once a user. */
struct secret {
    struct secret *next;
    char *name; /* hash name, colon, user */
    char *salt; /* all base64 */
    char *stored_key;
    char *server_key;
};

struct saslserver {
    const struct mock_options *options;
    Gsasl *gsasl;
    struct keytable by_name;
    struct secret *secrets;
};

struct saslserver_exchange {
    struct saslserver *server;
    Gsasl_session *session;
    bool anonymous;
};

static void forget_secrets(struct saslserver *s)
{
    while (s->secrets) {
        struct secret *next = s->secrets->next;

        free(s->secrets->name);
        free(s->secrets->salt);
        free(s->secrets->stored_key);
        free(s->secrets->server_key);
        free(s->secrets);
        s->secrets = next;
    }
    keytable_release(&s->by_name);
}

static const char *password_of(const struct saslserver *s, const char *user)
{
    for (size_t i = 0; i < s->options->account_count; i++) {
        if (strcmp(s->options->accounts[i].user, user) == 0)
            return s->options->accounts[i].password;
    }
    return s->options->any_user_password;
}

static char *to_base64(const char *data, size_t len)
{
    char *made = NULL;
    char *copy;

    gsasl_base64_to(data, len, &made, NULL);
    copy = mem_dup(made ? made : "");
    gsasl_free(made);
    return copy;
}

static struct secret *derive(struct saslserver *s, bool sha256,
                             const char *password)
{
    size_t len = sha256 ? 32 : 20;
    char salt[SALT_LEN], salted[MAX_HASH_LEN], client[MAX_HASH_LEN];
    char server[MAX_HASH_LEN], stored[MAX_HASH_LEN];
    struct secret *made;

    s->options->random(s->options->random_arg, salt, sizeof salt);
    if (gsasl_scram_secrets_from_password(
            sha256 ? GSASL_HASH_SHA256 : GSASL_HASH_SHA1, password,
            (unsigned int)s->options->scram_iterations, salt, sizeof salt,
            salted, client, server, stored) != GSASL_OK)
        return NULL;
    made = mem_alloc(sizeof *made);
    made->salt = to_base64(salt, sizeof salt);
    made->server_key = to_base64(server, len);
    made->stored_key = to_base64(stored, len);
    return made;
}

static struct secret *secret_of(struct saslserver *s, bool sha256,
                                const char *user)
{
    const char *password = password_of(s, user);
    struct secret *found;
    char *name;

    if (!password)
        return NULL;
    name = mem_printf("%s:%s", sha256 ? "256" : "1", user);
    found = keytable_get(&s->by_name, name, strlen(name));
    if (found) {
        free(name);
        return found;
    }
    if (s->by_name.count >= MAX_SECRETS)
        forget_secrets(s);
    found = derive(s, sha256, password);
    if (!found) {
        free(name);
        return NULL;
    }
    found->name = name;
    found->next = s->secrets;
    s->secrets = found;
    keytable_put(&s->by_name, name, strlen(name), found);
    return found;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static int give_scram(struct saslserver *s, Gsasl_session *session)
{
    const char *mechanism = gsasl_mechanism_name(session);
    const char *user = gsasl_property_fast(session, GSASL_AUTHID);
    struct secret *secret;
    char iterations[24];

    if (!mechanism || !starts_with(mechanism, "SCRAM-") || !user)
        return GSASL_NO_CALLBACK;
    secret = secret_of(s, strcmp(mechanism, "SCRAM-SHA-256") == 0, user);
    if (!secret)
        return GSASL_AUTHENTICATION_ERROR;
    snprintf(iterations, sizeof iterations, "%d", s->options->scram_iterations);
    gsasl_property_set(session, GSASL_SCRAM_ITER, iterations);
    gsasl_property_set(session, GSASL_SCRAM_SALT, secret->salt);
    gsasl_property_set(session, GSASL_SCRAM_STOREDKEY, secret->stored_key);
    gsasl_property_set(session, GSASL_SCRAM_SERVERKEY, secret->server_key);
    return GSASL_OK;
}

static int give_password(struct saslserver *s, Gsasl_session *session)
{
    const char *user = gsasl_property_fast(session, GSASL_AUTHID);
    const char *password = user ? password_of(s, user) : NULL;

    if (!password)
        return GSASL_AUTHENTICATION_ERROR;
    gsasl_property_set(session, GSASL_PASSWORD, password);
    return GSASL_OK;
}

/* GNU SASL asks for what it wants to know; its enum is open, hence default. */
static int on_question(Gsasl *gsasl, Gsasl_session *session,
                       Gsasl_property what)
{
    struct saslserver *s = gsasl_callback_hook_get(gsasl);

    switch (what) {
    case GSASL_SCRAM_ITER:
    case GSASL_SCRAM_SALT:
    case GSASL_SCRAM_STOREDKEY:
    case GSASL_SCRAM_SERVERKEY:
        return give_scram(s, session);
    case GSASL_PASSWORD:
        return give_password(s, session);
    case GSASL_VALIDATE_ANONYMOUS:
        return GSASL_OK;
    default:
        return GSASL_NO_CALLBACK;
    }
}

struct saslserver *saslserver_new(const struct mock_options *options)
{
    struct saslserver *s = mem_alloc(sizeof *s);

    s->options = options;
    if (gsasl_init(&s->gsasl) != GSASL_OK) {
        free(s);
        return NULL;
    }
    keytable_init(&s->by_name, 0);
    gsasl_callback_hook_set(s->gsasl, s);
    gsasl_callback_set(s->gsasl, on_question);
    return s;
}

void saslserver_free(struct saslserver *s)
{
    if (!s)
        return;
    forget_secrets(s);
    gsasl_done(s->gsasl);
    free(s);
}

bool saslserver_offers(const struct saslserver *s, const char *mechanism)
{
    size_t len = strlen(mechanism);
    const char *list = s->options->mechanisms;

    if (s->options->anonymous && strcmp(mechanism, "ANONYMOUS") == 0)
        return true;
    while (*list) {
        size_t word = strcspn(list, " ");

        if (len && word == len && memcmp(list, mechanism, len) == 0)
            return true;
        list += word + strspn(list + word, " ");
    }
    return false;
}

struct saslserver_exchange *saslserver_begin(struct saslserver *s,
                                             const char *mechanism)
{
    struct saslserver_exchange *x;

    if (!saslserver_offers(s, mechanism))
        return NULL;
    x = mem_alloc(sizeof *x);
    x->server = s;
    x->anonymous = strcmp(mechanism, "ANONYMOUS") == 0;
    if (gsasl_server_start(s->gsasl, mechanism, &x->session) != GSASL_OK) {
        free(x);
        return NULL;
    }
    return x;
}

void saslserver_end(struct saslserver_exchange *x)
{
    if (!x)
        return;
    gsasl_finish(x->session);
    free(x);
}

const char *saslserver_user(struct saslserver_exchange *x)
{
    if (x->anonymous)
        return NULL;
    return gsasl_property_fast(x->session, GSASL_AUTHID);
}

/* Nobody acts for somebody else here: an authorization identity must be the
 * user's own JID, bare, or its local part. */
static bool own_authzid(struct saslserver_exchange *x)
{
    const char *authzid = gsasl_property_fast(x->session, GSASL_AUTHZID);
    const char *user = saslserver_user(x);
    size_t len = user ? strlen(user) : 0;

    if (!authzid || !*authzid || !user)
        return true;
    if (strncmp(authzid, user, len) != 0)
        return false;
    return !authzid[len] ||
           (authzid[len] == '@' &&
            strcmp(authzid + len + 1, x->server->options->domain) == 0);
}

/* White space inside base64 is legal on other layers, not here. */
static int decode(const char *data, char **out, size_t *len)
{
    if (strcmp(data, "=") == 0 || !*data) {
        *out = NULL;
        *len = 0;
        return GSASL_OK;
    }
    return gsasl_base64_from(data, strlen(data), out, len);
}

static enum saslserver_result conclude(struct saslserver_exchange *x, int rc,
                                       const char **condition)
{
    if (rc == GSASL_NEEDS_MORE)
        return SASLSERVER_CHALLENGE;
    if (rc == GSASL_OK && own_authzid(x))
        return SASLSERVER_SUCCESS;
    if (rc == GSASL_OK)
        *condition = "invalid-authzid";
    else if (rc == GSASL_MECHANISM_PARSE_ERROR)
        *condition = "malformed-request";
    else
        *condition = "not-authorized";
    return SASLSERVER_FAILURE;
}

enum saslserver_result saslserver_step(struct saslserver_exchange *x,
                                       const char *data, struct buf *out,
                                       const char **condition)
{
    char *in = NULL, *answer = NULL, *coded;
    size_t in_len = 0, answer_len = 0;
    int rc;

    buf_clear(out);
    if (x->anonymous && (!data || !*data || strcmp(data, "=") == 0))
        return SASLSERVER_SUCCESS; /* the trace may be empty, RFC 4505 §2 */
    if (!data)
        return SASLSERVER_CHALLENGE; /* an empty one, RFC 6120 §6.4.2 */
    if (decode(data, &in, &in_len) != GSASL_OK) {
        *condition = "incorrect-encoding";
        return SASLSERVER_FAILURE;
    }
    rc = gsasl_step(x->session, in ? in : "", in_len, &answer, &answer_len);
    if (answer_len && (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)) {
        coded = to_base64(answer, answer_len);
        buf_adds(out, coded);
        free(coded);
    }
    gsasl_free(in);
    gsasl_free(answer);
    return conclude(x, rc, condition);
}
