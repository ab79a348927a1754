// The servers of a run: a mail server, and escrowd as it is run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createHmac } from 'node:crypto';
import { tmpdir } from 'node:os';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** Mailbox is a mail server that keeps what it gets. */
export class Mailbox {
  messages = [];
  #waiting = new Set();

  async start() {
    this.server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      onData: async (stream, session, done) => {
        const message = await simpleParser(stream);
        this.messages.push({ to: session.envelope.rcptTo.map((r) => r.address), subject: message.subject, text: message.text, html: message.html });
        done();
        for (const look of this.#waiting) look();
      },
    });
    this.server.on('error', (e) => console.error(`mail server: ${e.message}`));
    this.server.listen(0, '127.0.0.1');
    await once(this.server.server, 'listening');
    this.url = `smtp://127.0.0.1:${this.server.server.address().port}?tls=none`;
  }

  /** next waits for the next e-mail to an address that has not been taken yet. */
  async next(to, subject) {
    const find = () => this.messages.find((m) => !m.taken && m.to.includes(to) && subject.test(m.subject));
    let found = find();
    if (!found) {
      found = await new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no e-mail to ${to} within 20 s: ${subject}; there are ${this.messages.map((m) => m.subject).join(', ')}`)), 20_000);
        const look = () => {
          const m = find();
          if (!m) return;
          clearTimeout(late);
          this.#waiting.delete(look);
          resolve(m);
        };
        this.#waiting.add(look);
      });
    }
    found.taken = true;
    return found;
  }

  stop() {
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** linkIn gives the link with a token in an e-mail, which both parts must have. */
export function linkIn(message) {
  const link = /https?:\/\/\S+#token=[\w-]+/.exec(message.text)?.[0];
  if (!link || !message.html.includes(link)) throw new Error(`no link in both parts of ${message.subject}`);
  return link;
}

/** Escrowd is a running server in a folder of its own. */
export class Escrowd {
  constructor(program) {
    this.program = program;
  }

  async start(...flags) {
    this.data = await mkdtemp(`${tmpdir()}/escrowd-`);
    this.process = spawn(this.program, ['--data', this.data, '--listen', '127.0.0.1:0', ...flags]);
    let out = '';
    let log = '';
    this.process.stdout.on('data', (b) => { out += b; });
    const listening = new Promise((resolve, reject) => {
      this.process.stderr.on('data', (b) => {
        log += b;
        const url = /msg=listening .*url=(\S+)/.exec(log)?.[1];
        if (url) resolve(url);
      });
      this.process.on('exit', () => reject(new Error(`escrowd has ended:\n${log}`)));
    });
    this.log = () => log;
    this.url = await listening;
    this.key = /cex_live_[A-Z2-7]*/.exec(out)[0];
  }

  /** create makes a customer, as a partner does. */
  async create(customer, headers = {}) {
    const response = await fetch(`${this.url}/api/v1/escrow/partner/customers`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.key}`, 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(customer),
    });
    if (response.status !== 201) throw new Error(`creating ${customer.email}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** read gives a customer as the partner sees them. */
  async read(id) {
    const response = await fetch(`${this.url}/api/v1/escrow/partner/customer/${id}`, { headers: { Authorization: `Bearer ${this.key}` } });
    return response.json();
  }

  /** operate runs a sub-command on the folder, as the operator does. */
  async operate(...command) {
    const child = spawn(this.program, ['--data', this.data, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [status] = await once(child, 'exit');
    if (status !== 0) throw new Error(`escrowd ${command.join(' ')}: ${status}`);
  }

  async stop() {
    this.process.removeAllListeners('exit');
    const ended = once(this.process, 'exit');
    this.process.kill();
    await ended;
    await rm(this.data, { recursive: true });
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** totp gives the code of an authenticator app (RFC 6238), some steps from now. */
export function totp(secret, steps = 0) {
  let bits = '';
  for (const c of secret.replaceAll(' ', '')) bits += alphabet.indexOf(c).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map((octet) => Number.parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
