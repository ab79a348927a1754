// Walks through the customer's side as its customers do: in a browser, with e-mails
// that come over SMTP, and with nothing made up but where it says so.
//
//   ESCROWD=/path/to/escrowd ARTIFACTS=/path node flows.mjs
//
// It prints a line for each flow and one of counts, and exits with 1 if anything
// went wrong.
import assert from 'node:assert/strict';
import { Browser } from './browser.mjs';
import { Person } from './person.mjs';
import { Escrowd, Mailbox, linkIn, totp } from './servers.mjs';

const mailbox = new Mailbox();
await mailbox.start();
const server = new Escrowd(process.env.ESCROWD);
await server.start('--smtp-url', mailbox.url, '--network-limit', '2000/10m');
// In this one links expire soon. A fresh one is not sent within a minute of the
// last, so what is to expire is begun first.
const hasty = new Escrowd(process.env.ESCROWD);
await hasty.start('--smtp-url', mailbox.url, '--network-limit', '2000/10m', '--link-validity', '25s');
const browser = await Browser.launch(process.env.ARTIFACTS);

const subjects = { introduction: /has introduced you/, confirmation: /^Confirm your/, // By then the customer reads Spanish, if they have chosen so.
  reset: /^(Set a new password|Elija una contraseña nueva)/, disbursement: /^How you are paid out/ };
const good = 'nine green lorries sing 🚛 at dawn';
const better = 'the tea is cold but the cat is warm';
// Numbers that only their owner and the server may know in full.
const numbers = { ach: '000123456789', again: '4000998877665', iban: 'DE89370400440532013000', mistyped: 'DE89370400440532013001', us: '7700331122', wallet: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', tag: '2741650318', xrp: 'rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf', partner: '5550123459876' };
const urls = [];
let passed = 0;
const failed = [];

async function flow(name, act) {
  const began = Date.now();
  const contexts = [];
  const person = async (email, prefix, at = server, options = {}) => {
    const context = await browser.context(at.url, options);
    contexts.push(context);
    context.on('request', (r) => urls.push(r.url()));
    return new Person({ browser, page: await context.newPage(), email, prefix });
  };
  try {
    await act(person);
    passed++;
    console.log(`ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (e) {
    failed.push(name);
    console.log(`FAIL  ${name}\n${e.stack}`);
    for (const [i, c] of contexts.entries()) await c.pages()[0].screenshot({ path: `${process.env.ARTIFACTS}/failed-${failed.length}-${i}.png`, fullPage: true }).catch(() => {});
  }
  for (const c of contexts) await c.close();
}

/** life is what both kinds of customers do, once they have a link. */
async function life(p, other, link, { title, weak, names }) {
  await p.page.goto(link);
  await p.heading(title);
  assert.equal(new URL(p.page.url()).hash, '', 'the token is still in the address bar');
  assert.equal(await p.page.getByLabel('Your account').inputValue(), p.email);
  await p.says('This link is valid until');
  await p.see('link-valid');
  await p.page.reload(); // looking uses nothing up
  await p.heading(title);
  await p.setPassword(good, { weak });
  await p.page.getByRole('link', { name: 'Go on to log in' }).click();
  await p.heading('Log in');
  assert.equal(await p.field('E-mail address').inputValue(), p.email, 'the address was not carried over');
  await p.logIn();
  const cookie = (await p.page.context().cookies()).find((c) => c.name === 'cex_session');
  assert.ok(cookie?.httpOnly && cookie.sameSite === 'Strict', 'the cookie of the session is not kept safe');
  await p.says(names);
  await p.see('account');
  await p.enrol();
  await p.change();
  await p.takeAlong();
  await p.logOut();
  await p.see('logged-out');
  await p.logIn({ code: totp(p.secret, 1), see: 'log-in-code' });

  // Another device, whose session is ended from here.
  other.password = p.password;
  await other.page.goto('/log-in');
  await other.logIn({ code: p.recoveryCodes[0] });
  await p.page.reload();
  const sessions = p.section('Where you are logged in');
  await sessions.getByRole('button', { name: /^End the session in Chrome/ }).waitFor();
  await p.see('sessions');
  await sessions.getByRole('button', { name: /^End the session in Chrome/ }).click();
  await p.says('The session has ended.', sessions);
  await other.page.goto('/account#sessions');
  await other.page.reload();
  await other.heading('Log in');
  await other.says('your session has ended');
  await other.see('session-ended');
  await other.logIn({ code: p.recoveryCodes[1] });
  assert.equal(new URL(other.page.url()).hash, '#sessions', 'not led back to where it was');

  // A forgotten password.
  await p.logOut();
  await p.page.getByRole('link', { name: 'Forgotten your password?' }).click();
  await p.heading('Forgotten your password?');
  await p.see('forgot-password');
  await p.field('E-mail address').fill(p.email);
  await p.button('Send me a link').click();
  await p.heading('Look into your mailbox');
  await p.see('forgot-password-sent');
  await p.page.goto(linkIn(await mailbox.next(p.email, subjects.reset)));
  await p.heading(/^Set a new password/);
  await p.see('reset-password');
  await p.setPassword(better, { see: false });
  await p.see('reset-password-done');
  await other.page.goto('/account');
  await other.heading('Log in'); // all sessions have ended
  await p.page.getByRole('link', { name: 'Go on to log in' }).click();
  await p.logIn({ code: p.recoveryCodes[2] });

  // Another password, and no second factor any more.
  const password = p.section('Password');
  await p.button('Change password', password).click();
  await p.field('Current password', password).fill(better);
  await p.field('New password', password).fill(good);
  await p.says('That is a strong password.', password);
  await p.see('change-password');
  await p.button('Set new password', password).click();
  await p.says('Your password is changed', password);
  p.password = good;
  const second = p.section(/Second factor/);
  await p.button('Turn off', second).click();
  await p.field('Password', second).fill(good);
  await p.field('Code of your app', second).fill(p.recoveryCodes[3]);
  await p.see('second-factor-turn-off');
  await p.button('Turn second factor off', second).click();
  await p.says('Your second factor is off.', second);
}

// What is to expire later.
const late = { invited: 'late.invited@example.com', signedUp: 'late.signup@example.com', forgetful: 'late.forgetful@example.com' };
const stale = {};
await flow('links that are to expire are sent', async (person) => {
  await hasty.create({ email: late.invited, first_name: 'Ines' });
  stale.invitation = linkIn(await mailbox.next(late.invited, subjects.introduction));
  const p = await person(late.signedUp, 'late', hasty);
  await p.page.goto('/sign-up');
  await p.field('E-mail address').fill(late.signedUp);
  await p.button('Go on').click();
  await p.heading('Look into your mailbox');
  stale.confirmation = linkIn(await mailbox.next(late.signedUp, subjects.confirmation));
  await hasty.create({ email: late.forgetful, first_name: 'Noor' });
  p.email = late.forgetful;
  await p.page.goto(linkIn(await mailbox.next(late.forgetful, subjects.introduction)));
  await p.setPassword(good, { see: false });
  await p.page.goto('/forgot-password');
  await p.field('E-mail address').fill(late.forgetful);
  await p.button('Send me a link').click();
  await p.heading('Look into your mailbox');
  stale.reset = linkIn(await mailbox.next(late.forgetful, subjects.reset));
  stale.at = Date.now();
});

const introduced = 'maria.smith@example.com';
let introducedLink;
await flow('introduced by a partner: e-mail, link, password, log in, second factor, changes, sessions, forgotten password', async (person) => {
  const customer = await server.create({
    email: introduced, first_name: 'Maria', last_name: 'Smith', phone_number: '+18885118600', language: 'en',
    address: { line1: 'East Lane', line2: 'Apartment 2', city: 'San Francisco', state: 'CA', country: 'US', post_code: 10203 },
  });
  const message = await mailbox.next(introduced, subjects.introduction);
  introducedLink = linkIn(message);
  assert.equal(new URL(introducedLink).pathname, '/set-password');
  const p = await person(introduced, 'introduced');
  await life(p, await person(introduced, 'other-device'), introducedLink, { title: 'Welcome, Maria', weak: 'maria.smith@example', names: /Introduced by Example Marketplace/ });
  const now = await server.read(customer.id);
  assert.equal(now.invitation.state, 'accepted');
  assert.equal(now.first_name, 'María José');
});

const alone = 'ana.garcia@example.com';
await flow('signed up alone: e-mail, link, password, log in, second factor, changes, sessions, forgotten password', async (person) => {
  const p = await person(alone, 'signed-up', server, { locale: 'en-US', timezoneId: 'America/New_York' });
  await p.page.goto('/log-in');
  await p.see('log-in');
  await p.page.getByRole('navigation').getByRole('link', { name: 'Sign up' }).click();
  await p.heading('Sign up');
  await p.see('sign-up');
  await p.field('E-mail address').fill('ana.garcia');
  await p.button('Go on').click();
  await p.says('This is no e-mail address');
  await p.see('sign-up-refused');
  await p.field('E-mail address').fill(alone);
  await p.field('First name').fill('Ana');
  await p.field('Last name').fill('García');
  await p.button('Go on').click();
  await p.heading('Look into your mailbox');
  await p.see('sign-up-sent');
  const link = linkIn(await mailbox.next(alone, subjects.confirmation));
  assert.equal(new URL(link).pathname, '/confirm-email');
  await life(p, await person(alone, 'other-device-2'), link, { title: 'Nearly there, Ana', weak: 'passwordpassword', names: /^Account \d+, opened on/ });

  // And to the end.
  const section = p.section('Close your account');
  await p.button('Close my account …', section).click();
  await p.field('Password', section).fill(good);
  await p.button('Close account for good', section).click();
  await p.says('Please confirm that you mean it.', section);
  await p.see('close-account');
  await section.getByRole('checkbox').check();
  await p.field('Why are you leaving?', section).fill('I do not trade any more.');
  await p.button('Close account for good', section).click();
  await p.heading('Your account is closed');
  await p.see('account-closed');
  await p.page.goto('/log-in');
  await p.field('E-mail address').fill(alone);
  await p.page.getByLabel('Password', { exact: true }).fill(good);
  await p.button('Log in').click();
  await p.page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
});

await flow('links that are used, cut short or foreign', async (person) => {
  const p = await person(introduced, 'link');
  await p.page.goto(introducedLink);
  await p.heading('This link has been used');
  await p.see('used');
  for (const broken of [introducedLink.slice(0, -5), introducedLink.replace(/#.*/, ''), introducedLink.replace('/set-password', '/reset-password'), `${server.url}/confirm-email#token=${'x'.repeat(300)}`]) {
    await p.page.evaluate(() => sessionStorage.clear());
    await p.page.goto('about:blank');
    await p.page.goto(broken);
    await p.heading('We do not know this link');
  }
  await p.see('unknown');
});

await flow('expired links offer fresh ones', async (person) => {
  await new Promise((done) => { setTimeout(done, Math.max(0, stale.at + 61_000 - Date.now())); });
  const p = await person(late.invited, 'expired-invitation', hasty);
  await p.page.goto(stale.invitation);
  await p.heading('This link has expired');
  assert.equal(await p.page.getByRole('textbox').count(), 0, 'something could be typed before the link was known to be good');
  await p.see('offer');
  await p.button('Send me a fresh link').click();
  await p.heading('A fresh link is on its way');
  const fresh = linkIn(await mailbox.next(late.invited, subjects.introduction));
  await p.page.goto(fresh);
  await p.heading('Welcome, Ines');
  await p.setPassword(good, { see: false });
  await p.page.getByRole('link', { name: 'Go on to log in' }).click();
  await p.logIn();

  const q = await person(late.signedUp, 'expired-confirmation', hasty);
  await q.page.goto(stale.confirmation);
  await q.heading('This link has expired');
  await q.see('offer');
  await q.page.getByRole('link', { name: 'Sign up again' }).click();
  const email = q.field('E-mail address');
  for (let i = 0; i < 50 && await email.inputValue() === ''; i++) { // the page fills it in when it is there
    await q.page.waitForTimeout(100);
  }
  assert.equal(await email.inputValue(), late.signedUp);
  await q.button('Go on').click();
  await q.page.goto(linkIn(await mailbox.next(late.signedUp, subjects.confirmation)));
  await q.setPassword(good, { see: false });

  const r = await person(late.forgetful, 'expired-reset', hasty);
  await r.page.goto(stale.reset);
  await r.heading('This link has expired');
  await r.see('offer');
  await r.button('Send me a fresh link').click();
  await r.heading('A fresh link is on its way');
  await r.page.goto(linkIn(await mailbox.next(late.forgetful, subjects.reset)));
  await r.setPassword(better, { see: false });

  await p.page.goto(fresh);
  await p.heading('This link has been used');
  // The state in which a fresh link is on its way, at leisure.
  const s = await person('late.second@example.com', 'expired', hasty);
  await hasty.create({ email: s.email });
  await s.page.route('**/invitation/renew', (route) => route.fulfill({ status: 202, json: { email: s.email } })); // made up
  await s.page.route('**/invitation/check', (route) => route.fulfill({ status: 200, json: { state: 'expired', email: s.email, first_name: null, partner_name: null, expires_at: '2026-01-01T00:00:00.000000Z' } })); // made up
  await s.page.goto(linkIn(await mailbox.next(s.email, subjects.introduction)));
  await s.button('Send me a fresh link').click();
  await s.heading('A fresh link is on its way');
  await s.see('fresh-link-sent');
});

await flow('wrong passwords, too many tries, suspended', async (person) => {
  const customer = await server.create({ email: 'peter.wrong@example.com', first_name: 'Peter' });
  const p = await person('peter.wrong@example.com', 'log-in');
  await p.page.goto(linkIn(await mailbox.next(p.email, subjects.introduction)));
  await p.setPassword(good, { see: false });
  await p.page.goto('/log-in');
  await p.field('E-mail address').fill('');
  await p.button('Log in').click();
  await p.says('Please fill this in.');
  await p.see('empty');
  await p.field('E-mail address').fill(p.email);
  await p.page.getByLabel('Password', { exact: true }).fill('wrong password indeed');
  await p.button('Log in').click();
  await p.says('The e-mail address or the password is wrong.');
  await p.see('wrong');
  await p.page.getByLabel('Password', { exact: true }).fill(good);
  await p.button('Log in').click();
  await p.heading('Hello, Peter');
  await server.operate('customer', 'suspend', String(customer.id));
  await p.button('Download my data').click();
  await p.heading('Log in');
  await p.says('your session has ended');
  assert.equal(await p.field('E-mail address').inputValue(), p.email);
  await p.page.getByLabel('Password', { exact: true }).fill(good);
  await p.button('Log in').click();
  await p.says('This account is suspended');
  await p.see('suspended');
  await server.operate('customer', 'restore', String(customer.id));
  await p.button('Log in').click();
  await p.heading('Hello, Peter');
  await p.logOut();
  await p.field('E-mail address').fill(p.email);
  let waits = false;
  for (let i = 0; i < 40 && !waits; i++) {
    await p.page.getByLabel('Password', { exact: true }).fill(`wrong password ${i}`);
    await Promise.all([p.page.waitForResponse('**/session'), p.button('Log in').click()]);
    await p.page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
    waits = (await p.page.getByRole('alert').textContent()).includes('Too many tries. Please wait');
  }
  assert.ok(waits, 'nothing keeps one from trying');
  await p.see('too-many-tries');
});

await flow('disbursement methods: each kind, refused and saved, the default, replaced, removed, told of by e-mail', async (person) => {
  await server.create({
    email: 'johny.smith@example.com', first_name: 'Johny', last_name: 'Smith', language: 'en',
    address: { line1: 'East Lane', city: 'San Francisco', state: 'CA', country: 'US', post_code: '10203' },
  });
  const p = await person('johny.smith@example.com', 'disbursement');
  await p.page.goto(linkIn(await mailbox.next(p.email, subjects.introduction)));
  await p.setPassword(good, { see: false });
  await p.page.getByRole('link', { name: 'Go on to log in' }).click();
  await p.logIn();
  const section = p.section('Disbursement methods');
  const told = async () => {
    const { text } = await mailbox.next(p.email, subjects.disbursement);
    assert.match(text, /were changed on/);
  };
  await p.says('There is none yet.', section);
  await p.see('none');

  // An account in the United States.
  await p.button('Add a method', section).click();
  assert.equal(await p.page.evaluate(() => document.activeElement.id), 'kind-ach', 'the focus is not where the form begins');
  assert.equal(await p.field('Name of the account holder', section).inputValue(), 'Johny Smith');
  await p.see('ach');
  await p.button('Save method', section).click();
  await p.says('Please fill this in.', section);
  assert.equal(await p.page.evaluate(() => document.activeElement.id), 'ach-type', 'the focus is not at the first field that is empty');
  await p.see('ach-empty');
  await section.getByRole('combobox', { name: 'Kind of account' }).selectOption('checking');
  await p.field('Routing number (ABA)', section).fill('12345');
  await p.field('Account number', section).fill(numbers.ach);
  await p.field('Name of the bank', section).fill('Bank of Coffee');
  await p.field('City of the bank', section).fill('New York');
  await p.field('State of the bank', section).fill('NY');
  await p.field('Password', section).fill(good);
  await p.button('Save method', section).click();
  await p.faultAt('ach-routing', 'A routing number has nine digits.');
  await p.field('Routing number (ABA)', section).fill('021000022');
  await p.button('Save method', section).click();
  await p.faultAt('ach-routing', /\w/);
  await p.see('ach-routing-number');
  await p.field('Routing number (ABA)', section).fill('0210 00021');
  await p.field('Password', section).fill('not my password');
  await p.button('Save method', section).click();
  await p.faultAt('disbursement-password', 'This is not your password');
  await p.see('wrong-password');
  await p.field('Password', section).fill(good);
  await p.button('Save method', section).click();
  await p.says('Bank of Coffee … 6789 is saved.', section);
  assert.equal(await p.page.evaluate(() => document.activeElement.id), 'disbursement-title', 'the focus is lost');
  await told();
  await p.says('US bank account (ACH) · US Dollar · Checking account · Johny Smith', section);
  assert.equal(await section.getByText('Default', { exact: true }).count(), 1, 'the first one is not the default');
  await p.see('ach-saved');

  // One in Germany.
  await p.button('Add a method', section).click();
  await section.getByRole('radio', { name: 'Wire transfer' }).check();
  await p.see('wire-begun');
  await section.getByRole('combobox', { name: 'Country of the bank' }).selectOption('DE');
  await section.getByRole('combobox', { name: 'Currency of the account' }).selectOption('eur');
  assert.equal(await p.field('Street and number', section).last().inputValue(), 'East Lane', 'the address is not filled in');
  await p.see('wire');
  await p.field('Name of the bank', section).first().fill('Deutsche Beispielbank');
  await p.field('City of the bank', section).first().fill('Frankfurt am Main');
  await p.field('BIC (SWIFT code)', section).first().fill('DEUTDEFF');
  await p.field('Password', section).fill(good);
  await p.button('Save method', section).click();
  await p.faultAt('wire-iban', 'Please fill in the IBAN');
  await p.field('IBAN', section).fill('DE89-3704');
  await p.button('Save method', section).click();
  await p.faultAt('wire-iban', 'An IBAN has letters and digits only');
  await p.field('IBAN', section).fill(numbers.mistyped.replace(/.{4}/g, '$& '));
  await p.button('Save method', section).click();
  await p.faultAt('wire-iban', /check digits/);
  await p.see('wire-mistyped');
  // A fault in what is folded up is shown as well.
  await p.field('IBAN', section).fill(numbers.iban.replace(/.{4}/g, '$& '));
  await section.getByText('Branch, address of the bank').click();
  await p.field('BIC (SWIFT code)', section).last().fill('CHASUS33');
  await section.getByText('Branch, address of the bank').click();
  await p.button('Save method', section).click();
  await p.faultAt('via-bank', 'Please fill this in.');
  await p.see('wire-intermediary');
  await p.field('Name of the bank', section).last().fill('First Correspondent Bank');
  await p.button('Save method', section).click();
  await p.says('Deutsche Beispielbank … 3000 is saved.', section);
  await told();

  // A wallet, by the networks that have it.
  await p.button('Add a method', section).click();
  await section.getByRole('radio', { name: 'Crypto wallet' }).check();
  const asset = section.getByRole('combobox', { name: 'What should we send?' });
  const network = section.getByRole('combobox', { name: 'On which network?' });
  await asset.selectOption('USDC');
  assert.deepEqual((await network.getByRole('option').allTextContents()).slice(0, 4), ['Please choose', 'Ethereum', 'Solana', 'Stellar']);
  await network.selectOption('stellar');
  await p.field('Memo', section).waitFor();
  await p.see('wallet-with-memo');
  await asset.selectOption('BTC');
  assert.equal(await network.inputValue(), 'bitcoin', 'a network without an alternative has to be chosen');
  assert.equal(await p.field('Memo', section).count(), 0, 'a memo is asked for where there is none');
  await p.field('Address of the wallet', section).fill(`bitcoin:${numbers.wallet}`);
  await p.field('Password', section).fill(good);
  await p.button('Save method', section).click();
  await p.faultAt('wallet-address', 'An address has letters and digits only.');
  await p.see('wallet');
  await p.field('Address of the wallet', section).fill(` ${numbers.wallet}`);
  await p.button('Save method', section).click();
  await p.says('Bitcoin … f3t4 is saved.', section);
  await told();
  await p.see('three');

  // Another default.
  await section.getByRole('button', { name: 'Make default: Deutsche Beispielbank, ending in 3000' }).click();
  await p.says('Make Deutsche Beispielbank … 3000 the default?', section);
  await p.field('Password', section).fill('not my password');
  await p.button('Make it the default', section).click();
  await p.faultAt('choice-password', 'This is not your password');
  await p.see('make-default');
  await p.field('Password', section).fill(good);
  await p.button('Make it the default', section).click();
  await p.says('Deutsche Beispielbank … 3000 is the default now.', section);
  await told();
  assert.match(await section.getByRole('listitem').filter({ has: p.page.getByText('Default', { exact: true }) }).textContent(), /Deutsche Beispielbank/);

  // Another in the place of one, in somebody else's name.
  await section.getByRole('button', { name: /^Replace Bank of Coffee/ }).click();
  await p.says('Replace Bank of Coffee … 6789', section);
  assert.equal(await p.field('Routing number (ABA)', section).inputValue(), '021000021', 'what is known is not filled in');
  assert.equal(await p.field('Account number', section).inputValue(), '', 'an account number was filled in');
  await p.see('replace');
  await p.field('Name of the account holder', section).fill('Somebody Else');
  await p.field('Account number', section).fill(numbers.again);
  await p.field('Password', section).fill(good);
  await p.button('Replace method', section).click();
  await p.says('Bank of Coffee … 7665 is saved, and we have sent you an e-mail about it. Please read', section);
  await p.says('The account is in another name than yours.', section);
  await told();
  await p.see('name-differs');

  // Another kind in the place of one: a wire to the United States.
  await section.getByRole('button', { name: /^Replace Deutsche Beispielbank/ }).click();
  assert.equal(await p.field('BIC (SWIFT code)', section).last().inputValue(), 'CHASUS33');
  await section.getByRole('combobox', { name: 'Country of the bank' }).first().selectOption('US');
  assert.equal(await p.field('IBAN', section).count(), 0, 'a bank in the United States has no IBAN');
  await section.getByRole('combobox', { name: 'Currency of the account' }).selectOption('usd');
  await p.field('Routing number (ABA)', section).first().fill('021000021');
  await p.field('Account number', section).first().fill(numbers.us);
  await p.see('wire-us');
  await p.field('Password', section).fill(good);
  await p.button('Replace method', section).click();
  await p.says('Deutsche Beispielbank … 1122 is saved.', section);
  await told();

  // One less. What was typed is gone with the form.
  await section.getByRole('button', { name: /^Remove Bitcoin, ending in f3t4/ }).click();
  await p.field('Password', section).fill(good);
  await p.page.keyboard.press('Escape');
  assert.match(await p.page.evaluate(() => document.activeElement.getAttribute('aria-label')), /^Remove Bitcoin/, 'the focus is not where it was');
  assert.equal(await p.page.locator('#choice-password').inputValue(), '');
  await section.getByRole('button', { name: /^Remove Bitcoin, ending in f3t4/ }).click();
  await p.says('Remove Bitcoin … f3t4?', section);
  await p.see('remove');
  await p.field('Password', section).fill(good);
  await p.button('Remove for good', section).click();
  await p.says('Bitcoin … f3t4 is removed.', section);
  await told();
  assert.equal(await section.getByRole('listitem').filter({ hasText: 'Bitcoin' }).count(), 0);
  const typed = await p.page.evaluate(() => [...document.querySelectorAll('#disbursement input')].map((e) => e.value).join() + document.documentElement.outerHTML + JSON.stringify([sessionStorage, localStorage]));
  assert.deepEqual(Object.values(numbers).filter((n) => typed.includes(n)), [], 'the page keeps a number');
});

await flow('disbursement methods of a partner that cannot be used, are mended, and cannot be loaded (made up)', async (person) => {
  const bank = { account_name: 'Vera Vendor', account_type: 'checking', bank_name: 'Bank of Coffee', bank_address: { city: 'New York', state: 'NY' }, currency: 'usd' };
  await server.create({
    email: 'vera.vendor@example.com', first_name: 'Vera', last_name: 'Vendor', language: 'en',
    disbursement_methods: [{ type: 'ach', ...bank, bank_aba_routing_number: '123456789', bank_account_number: numbers.partner }],
  }, { Prefer: 'handling=lenient' });
  const p = await person('vera.vendor@example.com', 'disbursement-partner');
  await p.page.goto(linkIn(await mailbox.next(p.email, subjects.introduction)));
  await p.setPassword(good, { see: false });
  await p.page.getByRole('link', { name: 'Go on to log in' }).click();
  await p.logIn();
  const section = p.section('Disbursement methods');
  await p.says('Cannot be used', section);
  assert.equal(await section.getByRole('button', { name: /^Make default/ }).count(), 0, 'what cannot be used can be made the default');
  await p.see('unusable');
  await section.getByRole('button', { name: /^Replace Bank of Coffee/ }).click();
  await section.getByRole('radio', { name: 'Crypto wallet' }).check();
  await section.getByRole('combobox', { name: 'What should we send?' }).selectOption('XRP');
  await p.field('Address of the wallet', section).fill(numbers.xrp);
  await p.field('Destination tag', section).fill(numbers.tag);
  await p.field('Password', section).fill(good);
  await p.button('Replace method', section).click();
  await p.says('XRP Ledger … QYpf is saved.', section);
  await p.says('Crypto wallet · XRP · with a memo', section);
  await mailbox.next(p.email, subjects.disbursement);
  assert.equal(await section.getByText('Cannot be used').count(), 0);
  await section.getByRole('button', { name: /^Remove XRP Ledger/ }).click();
  await p.says('It is the only one.', section);
  await p.page.route('**/disbursement-methods/*/remove', (route) => route.abort()); // made up
  await p.field('Password', section).fill(good);
  await p.button('Remove for good', section).click();
  await p.says('We could not be reached.', section);
  await p.page.unroute('**/disbursement-methods/*/remove');
  await p.button('Try again', section).click();
  await p.says('There is none yet.', section);
  await mailbox.next(p.email, subjects.disbursement);
  await p.page.route('**/disbursement-methods', (route) => route.abort()); // made up
  await p.page.reload();
  await p.says('We could not be reached.', section);
  await p.see('not-loaded');
  await p.page.unroute('**/disbursement-methods');
  await p.button('Try again', section).click();
  await p.says('There is none yet.', section);
});

await flow('no network, and a fault of the server (made up)', async (person) => {
  const p = await person('nobody@example.com', 'trouble');
  await p.page.goto('/sign-up');
  await p.field('E-mail address').fill(p.email);
  await p.page.context().setOffline(true);
  await p.button('Go on').click();
  await p.says('We could not be reached.');
  await p.see('no-network');
  await p.page.context().setOffline(false);
  await p.button('Try again').click();
  await p.heading('Look into your mailbox');
  await p.page.goto('about:blank');
  await p.page.route('**/password-reset/check', (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', json: { code: 'internal_error', request_id: '018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081' } }));
  await p.page.goto('/reset-password#token=abc');
  await p.heading('Your link could not be checked');
  await p.says('018f6b1c');
  await p.see('server-fault');
});

await flow('with the keyboard alone', async (person) => {
  await server.create({ email: 'kim.keys@example.com', first_name: 'Kim' });
  const p = await person('kim.keys@example.com', 'keyboard');
  const { page } = p;
  await page.goto(linkIn(await mailbox.next(p.email, subjects.introduction)));
  await p.heading('Welcome, Kim');
  const { keyboard } = page;
  const tabTo = async (id) => {
    for (let i = 0; i < 60; i++) {
      await keyboard.press('Tab');
      const at = await page.evaluate(() => { const e = document.activeElement; const s = getComputedStyle(e); return { id: e.id, seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2, name: e.outerHTML.slice(0, 80) }; });
      assert.ok(at.seen || at.id === '', `nobody sees that the focus is at ${at.name}`);
      if (at.id === id) return;
    }
    assert.fail(`the keyboard does not lead to ${id}`);
  };
  await tabTo('password');
  await keyboard.type(good);
  await keyboard.press('Enter');
  await p.heading('Your password is set');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await p.heading('Log in');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'password', 'the focus is not where typing goes on');
  await keyboard.type(good);
  await keyboard.press('Enter');
  await p.heading('Hello, Kim');
  await p.says('This session');
  const wanted = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input, select')].filter((e) => e.checkVisibility()).length);
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  const reached = new Set();
  for (let i = 0; i < wanted + 5; i++) {
    await keyboard.press('Tab');
    reached.add(await page.evaluate(() => { const e = document.activeElement; return e === document.body ? '' : e.outerHTML; }));
  }
  reached.delete('');
  assert.equal(reached.size, wanted, 'the keyboard does not reach everything');
  await page.getByRole('button', { name: 'Change your information' }).focus();
  await keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'first-name');
  await keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Change');
  await page.getByRole('button', { name: 'Add a method' }).focus();
  await keyboard.press('Enter');
  await keyboard.press('ArrowDown');
  const radio = await page.evaluate(() => { const e = document.activeElement; const s = getComputedStyle(e.labels[0]); return { id: e.id, checked: e.checked, seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }; });
  assert.deepEqual(radio, { id: 'kind-wire', checked: true, seen: true });
  await tabTo('wire-country');
  await keyboard.type('Germany');
  await tabTo('wire-iban');
  await keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Add a method');
});

await flow('password managers, and pages without scripts', async (person) => {
  const p = await person('nobody@example.com', 'plain');
  await p.page.goto('/log-in');
  const kinds = () => p.page.evaluate(() => Object.fromEntries([...document.querySelectorAll('input')].map((i) => [i.id, [i.autocomplete, i.maxLength]])));
  assert.deepEqual(await kinds(), { email: ['username', -1], password: ['current-password', -1], code: ['one-time-code', -1] });
  await p.page.goto('/set-password');
  assert.deepEqual(await kinds(), { username: ['username', -1], password: ['new-password', -1] });
  const q = await person('nobody@example.com', 'no-scripts', server, { javaScriptEnabled: false });
  for (const path of ['/log-in', '/account', '/set-password']) {
    await q.page.goto(path);
    assert.ok(await q.page.locator('.noscript').isVisible(), `${path} says nothing`);
    assert.equal(await q.page.getByRole('textbox').count(), 0);
  }
  await q.page.screenshot({ path: `${process.env.ARTIFACTS}/no-scripts-desktop-light.png` });
});

await flow('nothing leaves: one host, no token or account number in a URL, no complaint of the browser', async () => {
  const own = [server, hasty].map((s) => new URL(s.url).host);
  assert.deepEqual([...browser.hosts.keys()].filter((h) => !own.includes(h)), [], 'other hosts were asked');
  // A fragment is sent to nobody, but Chromium tells of it.
  assert.deepEqual(urls.filter((u) => /token/.test(u.replace(/#.*/, ''))), [], 'a token is in a URL');
  assert.deepEqual(['token=', good, better].filter((s) => server.log().includes(s)), [], 'a secret is in the log');
  const everything = JSON.stringify([urls, server.log(), mailbox.messages]).replace(/ |%20|\+/g, '');
  assert.deepEqual(Object.entries(numbers).filter(([, n]) => everything.includes(n)).map(([name]) => name), [], 'the number of an account or wallet is in a URL, the log or an e-mail');
  assert.deepEqual([...new Set(browser.complaints)], []);
});

await browser.close();
await Promise.all([server.stop(), hasty.stop(), mailbox.stop()]);

const f = browser.figures;
const lesser = [...f.lesser].map(([id, n]) => `${id} ${n}`).join(', ') || 'none';
console.log(`hosts asked: ${[...browser.hosts].map(([h, n]) => `${h} (${n} requests)`).join(', ')}, and no other`);
console.log(`e-mails over SMTP: ${mailbox.messages.length}`);
console.log(`axe: ${f.axe} runs on ${f.states} states, light and dark, phone and desktop: ${f.rules} rules checked, ${f.serious} serious or critical, others: ${lesser}`);
console.log(`screenshots: ${f.screenshots}`);
console.log(`${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
