/*
 * An XMLHttpRequest for Node, as much of it as Strophe.js uses, as browsers
 * have it: responseXML is null where the text is not well-formed; a connection
 * that ends before the answer was whole is status 0; 307 and 308 repeat the
 * POST, 301 to 303 go on as a GET; a page from https is not led to http, which
 * is mixed content; at most six connections to an origin.
 *
 * A page's requests belong to its Page, which is found by the asynchronous
 * context: that of the code that made the request.
 */
import {AsyncLocalStorage} from 'node:async_hooks';
import {readFileSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const MAX_REDIRECTS = 20;
const current = new AsyncLocalStorage();

/* What a browser has for one page: storage, connections, what is under way. */
export class Page {
    #agents = {};
    #open = new Set();
    #items = new Map();
    left = false;

    constructor(ca) {
        const options = {keepAlive: true, maxSockets: 6};
        this.#agents['http:'] = new http.Agent(options);
        this.#agents['https:'] = new https.Agent(
            ca ? {...options, ca: readFileSync(ca)} : options);
    }

    /* Run fn, and all that it starts, as code of this page. */
    run(fn) { return current.run(this, fn); }

    agent(protocol) { return this.#agents[protocol]; }
    begin(xhr) { this.#open.add(xhr); }
    end(xhr) { this.#open.delete(xhr); }

    /* The page is left: nothing of it is on the wire from now on. */
    leave() {
        this.left = true;
        for (const xhr of this.#open)
            xhr.drop();
        Object.values(this.#agents).forEach((agent) => agent.destroy());
    }

    getItem(key) { return this.#items.get(key) ?? null; }
    setItem(key, value) { this.#items.set(key, String(value)); }
    removeItem(key) { this.#items.delete(key); }
}

/* sessionStorage of whatever page the code that asks belongs to. */
export const sessionStorage = {
    getItem: (key) => current.getStore()?.getItem(key) ?? null,
    setItem: (key, value) => current.getStore()?.setItem(key, value),
    removeItem: (key) => current.getStore()?.removeItem(key),
};

export class XMLHttpRequest {
    readyState = 0;
    status = 0;
    responseText = '';
    responseXML = null;
    onreadystatechange = null;
    withCredentials = false;
    #page = current.getStore();
    #url;
    #method;
    #headers = {};
    #answerHeaders = {};
    #request = null;

    overrideMimeType() {} /* Strophe wants XML in UTF-8: that is what it gets */

    open(method, url) {
        this.#url = new URL(url);
        this.#method = method;
        this.#change(1);
    }

    setRequestHeader(name, value) {
        const had = this.#headers[name];

        this.#headers[name] = had === undefined ? value : `${had}, ${value}`;
    }

    getAllResponseHeaders() {
        return Object.entries(this.#answerHeaders)
            .map(([name, value]) => `${name}: ${value}\r\n`).join('');
    }

    send(data) {
        if (this.#page.left)
            return;
        this.#page.begin(this);
        this.#go(data, 0);
    }

    abort() {
        if (this.#request) {
            this.drop();
            this.#fail();
        }
        this.readyState = 0;
    }

    /* End it without a word to anybody. */
    drop() {
        const request = this.#request;

        this.#request = null;
        this.#page.end(this);
        request?.destroy();
    }

    #go(data, redirects) {
        const module = this.#url.protocol === 'https:' ? https : http;
        const bytes = Buffer.from(data ?? '');
        const headers = {...this.#headers};

        if (this.#method !== 'GET')
            headers['Content-Length'] = bytes.length;
        const request = module.request(this.#url, {
            method: this.#method,
            headers,
            agent: this.#page.agent(this.#url.protocol),
        });

        this.#request = request;
        request.on('response',
            (answer) => this.#answered(request, answer, data, redirects));
        request.on('error', () => this.#lost(request));
        request.end(this.#method === 'GET' ? undefined : bytes);
    }

    #answered(request, answer, data, redirects) {
        const parts = [];

        if (this.#redirects(answer, redirects)) {
            const next = new URL(answer.headers.location, this.#url);

            answer.resume();
            if (this.#url.protocol === 'https:' && next.protocol !== 'https:')
                return this.#lost(request);
            this.#request = null;
            this.#follow(answer.statusCode, next);
            return this.#go(data, redirects + 1);
        }
        answer.on('data', (part) => parts.push(part));
        answer.on('error', () => {}); /* 'close' follows */
        answer.on('close', () => {
            if (!answer.complete)
                this.#lost(request);
            else if (this.#request === request)
                this.#done(answer, Buffer.concat(parts));
        });
    }

    #redirects(answer, redirects) {
        return [301, 302, 303, 307, 308].includes(answer.statusCode) &&
            answer.headers.location && redirects < MAX_REDIRECTS;
    }

    #follow(status, url) {
        this.#url = url;
        if (status < 307) {
            this.#method = 'GET';
            delete this.#headers['Content-Type'];
        }
    }

    #done(answer, bytes) {
        this.#request = null;
        this.#page.end(this);
        this.status = answer.statusCode;
        this.#answerHeaders = answer.headers;
        this.responseText = decode(bytes);
        this.responseXML = parse(this.responseText);
        this.#change(4);
    }

    #lost(request) {
        if (this.#request !== request)
            return;
        this.#request = null;
        this.#page.end(this);
        this.#fail();
    }

    #fail() {
        this.status = 0;
        this.responseText = '';
        this.responseXML = null;
        this.#change(4);
    }

    /* What is thrown out of a handler is reported, and goes no further. */
    #change(state) {
        this.readyState = state;
        try {
            this.onreadystatechange?.();
        } catch (e) {
            process.stderr.write(`uncaught: ${e.stack ?? e}\n`);
        }
    }
}

/* A byte order mark has the first word, then the charset that Strophe wants. */
function decode(bytes) {
    const mark = bytes.length > 1 ? bytes.readUInt16BE(0) : 0;
    const charset = {0xfeff: 'utf-16be', 0xfffe: 'utf-16le'}[mark] ?? 'utf-8';

    return new TextDecoder(charset).decode(bytes);
}

/* Strophe's parser in Node takes two characters for ends of lines that are
 * none in XML 1.0, unless they are written as references. */
export function spare(text) {
    return text.includes('<![CDATA[') ? text
        : text.replace(/[\u0085\u2028]/g, (c) => `&#${c.codePointAt(0)};`);
}

/* As a browser's DOMParser, it gives a document of its own for text that is no
 * XML. */
function parse(text) {
    const parsed = text
        ? new globalThis.DOMParser().parseFromString(spare(text), 'text/xml')
        : null;
    const name = parsed?.documentElement?.nodeName;

    return name && name !== 'parsererror' ? parsed : null;
}
