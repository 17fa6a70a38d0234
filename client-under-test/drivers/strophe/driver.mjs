/*
 * Strophe.js as a driver of boshspec: the protocol is docs/drivers.md.
 *
 * It only translates. Each session is one Strophe.Connection in a page of its
 * own (xhr.mjs), used as Strophe's documentation says. Strophe does not tell
 * apart what it polls with; what it has no word for is 'unsupported'.
 */
import {createInterface} from 'node:readline';
import {createRequire} from 'node:module';
import {Page, XMLHttpRequest, sessionStorage, spare} from './xhr.mjs';

globalThis.XMLHttpRequest = XMLHttpRequest;
globalThis.sessionStorage = sessionStorage;
const {Strophe} = await import('strophe.js');
const {version} = createRequire(import.meta.url)('strophe.js/package.json');

const STORE = 'strophe-bosh-session';
const ENDS = ['disconnected', 'connfail', 'authfail'];
const names = Object.fromEntries(
    Object.entries(Strophe.Status).map(([name, n]) => [n, name.toLowerCase()]));
const serializer = new XMLSerializer();
const sessions = new Map();

const put = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const text = (value) => typeof value === 'string' ? value : undefined;
const number = (value) => value === undefined ? undefined : Number(value);

Strophe.setLogLevel(Strophe.LogLevel.FATAL);
process.on('uncaughtException',
    (e) => process.stderr.write(`uncaught: ${e.stack ?? e}\n`));

class Session {
    alive = false;
    #handlers = [];

    constructor(n, {url, ca, options}) {
        this.number = n;
        this.url = url;
        this.page = new Page(ca);
        this.page.run(() => {
            this.connection = new Strophe.Connection(url,
                {keepalive: true, ...connectionOptions(options)});
        });
        this.#reportUnhandled();
    }

    /* Strophe forgets its handlers with most sessions, not with all. */
    #listen() {
        const report = (element) => (this.#stanza(element), true);
        const c = this.connection;

        this.#handlers.forEach((handler) => c.deleteHandler(handler));
        this.#handlers = [
            c.addHandler(report, null, 'message'),
            c.addHandler(report, null, 'presence'),
            c.addHandler(report, null, 'iq', ['result', 'error']),
        ];
    }

    /* A question that no handler takes is refused by Strophe. A handler for
     * all of them would silence that; so look on instead. */
    #reportUnhandled() {
        const fallback = this.connection.iqFallbackHandler;

        this.connection.iqFallbackHandler = {
            isMatch: (element) => fallback.isMatch(element),
            run: (element) => {
                this.#stanza(element);
                return fallback.run(element);
            },
        };
    }

    #stanza(element) {
        /* the answers to Strophe's own questions are not for applications */
        if (!/^_(bind|session)_auth_/.test(element.getAttribute('id') ?? ''))
            put({event: 'stanza', session: this.number,
                 xml: serializer.serializeToString(element)});
    }

    #status = (n, condition) => {
        const status = names[n] ?? 'error';

        if (ENDS.includes(status))
            this.alive = false;
        put({event: 'status', session: this.number, status,
             condition: text(condition)});
    };

    /* begin(connection, onStatus) starts a session. */
    start(begin) {
        this.alive = true;
        this.#listen();
        begin(this.connection, this.#status);
    }
}

/* The options of a driver are strings. */
const OPTIONS = {
    mechanisms: (value) => ({mechanisms: value.split(/[ ,]+/).filter(Boolean)
        .map(mechanism)}),
    headers: (value) => ({customHeaders: Object.fromEntries(
        value.split(/[\r\n]+/).filter(Boolean).map((line) => {
            const [, name, rest] = line.match(/^([^:]+):\s*(.*)$/) ?? [];

            if (!name)
                throw new Error(`no header: '${line}'`);
            return [name, rest];
        }))}),
    route: () => ({}), /* it goes to connect() */
};

function mechanism(name) {
    const all = {
        'SCRAM-SHA-512': Strophe.SASLSHA512,
        'SCRAM-SHA-384': Strophe.SASLSHA384,
        'SCRAM-SHA-256': Strophe.SASLSHA256,
        'SCRAM-SHA-1': Strophe.SASLSHA1,
        PLAIN: Strophe.SASLPlain,
        ANONYMOUS: Strophe.SASLAnonymous,
        EXTERNAL: Strophe.SASLExternal,
    };

    if (!all[name])
        throw new Error(`there is no mechanism '${name}'`);
    return all[name];
}

function connectionOptions(options = {}) {
    return Object.assign({}, ...Object.entries(options).map(([name, value]) => {
        if (!OPTIONS[name])
            throw new Error(`there is no option '${name}'`);
        return OPTIONS[name](value);
    }));
}

/* The session of an order that begins one: the same object again when the
 * application connects again, as Strophe's own examples do. */
function fresh(order) {
    const old = sessions.get(order.session);

    if (old?.alive)
        throw new Error('the session is alive');
    if (old && old.url === order.url && !order.options && !old.page.left)
        return old;
    const session = new Session(order.session, order);

    sessions.set(order.session, session);
    return session;
}

function stanzas(xml) {
    const {documentElement: root} = new DOMParser().parseFromString(
        `<r xmlns='jabber:client'>${spare(xml)}</r>`, 'text/xml');

    if (root.nodeName === 'parsererror')
        throw new Error(`no XML: ${root.textContent}`);
    return Array.from(root.childNodes).filter((node) => node.nodeType === 1)
        .map((node) => {
            if (!node.prefix && !node.hasAttribute('xmlns'))
                node.setAttribute('xmlns', node.namespaceURI);
            return node;
        });
}

/* Each gets the connection, the order and the session; what it returns goes
 * into the answer. */
const BEGIN = {
    connect: (o) => (c, onStatus) => c.connect(o.jid, o.password, onStatus,
        number(o.wait), number(o.hold), o.route ?? o.options?.route),
    attach: (o) => (c, onStatus) => c.attach(o.jid, o.sid, Number(o.rid),
        onStatus, number(o.wait), number(o.hold)),
    restore: (o) => (c, onStatus) => {
        sessionStorage.setItem(STORE, JSON.stringify(o.state));
        c.restore(o.jid, onStatus, number(o.wait), number(o.hold));
    },
};
const ACT = {
    send: (c, o) => c.send(stanzas(o.xml)),
    disconnect: (c, o) => c.disconnect(o.reason),
    pause: (c, o) => o.seconds === undefined ? c.pause()
        : {result: 'unsupported'}, /* it can't ask the manager for one */
    resume: (c) => c.resume(),
    flush: (c) => c.flush(),
    reset: (c, o, session) => {
        c.reset();
        session.alive = false;
        session.page.leave(); /* whoever forgets a session leaves its page */
    },
    save: () => {
        const state = sessionStorage.getItem(STORE);

        if (!state)
            throw new Error('Strophe has stored no session');
        return {state: JSON.parse(state)};
    },
};
const VERBS = ['hello', 'ping', 'quit', ...Object.keys(BEGIN),
    ...Object.keys(ACT)];

function obey(order) {
    const {verb} = order;

    if (verb === 'hello')
        return {protocol: 1, name: 'strophe.js', version, verbs: VERBS,
                events: ['status', 'stanza'], options: Object.keys(OPTIONS),
                sessions: 0};
    if (verb === 'ping' || verb === 'quit')
        return {};
    if (Object.hasOwn(BEGIN, verb)) {
        const session = fresh(order);

        session.page.run(() => session.start(BEGIN[verb](order)));
        return {};
    }
    if (!Object.hasOwn(ACT, verb))
        return {result: 'unsupported'};
    const session = sessions.get(order.session);

    if (!session)
        throw new Error('there is no such session');
    return session.page.run(
        () => ACT[verb](session.connection, order, session)) ?? {};
}

function take(line) {
    const order = JSON.parse(line);

    try {
        put({id: order.id, result: 'ok', ...obey(order)});
    } catch (e) {
        put({id: order.id, result: 'error', reason: String(e.message ?? e)});
    }
    if (order.verb === 'quit')
        process.exit(0);
}

createInterface({input: process.stdin}).on('line', take)
    .on('close', () => process.exit(0));
