// What a person does on the pages. Everything is found as a screen reader finds
// it, by its role and name.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { totp } from './servers.mjs';

export class Person {
  constructor({ browser, page, email, prefix }) {
    Object.assign(this, { browser, page, email, prefix });
  }

  see(state) {
    return this.browser.see(this.page, `${this.prefix}-${state}`);
  }

  heading(name) {
    return this.page.getByRole('heading', { level: 1, name }).waitFor();
  }

  async says(text, within = this.page) {
    await within.getByText(text).first().waitFor();
  }

  field(name, within = this.page) {
    return within.getByRole('textbox', { name });
  }

  button(name, within = this.page) {
    return within.getByRole('button', { name, exact: true });
  }

  /** faultAt waits until something is said of a field, and the focus is there. */
  async faultAt(id, text) {
    const { page } = this;
    await page.locator(`#${id}[aria-invalid="true"]`).waitFor();
    await page.locator(`#${id}-error`).filter({ hasText: text }).waitFor();
    await page.waitForFunction((wanted) => document.activeElement.id === wanted, id);
    assert.ok((await page.locator(`#${id}`).getAttribute('aria-describedby')).split(' ').includes(`${id}-error`), `nobody hears what is wrong with ${id}`);
  }

  section(name) {
    return this.page.getByRole('region', { name });
  }

  /** setPassword is refused a weak password, and then sets a good one. */
  async setPassword(password, { weak, see = true } = {}) {
    const input = this.field('New password');
    if (weak) {
      await input.fill(weak);
      await this.button('Set password').click();
      await this.page.locator('[aria-invalid="true"]').waitFor();
      assert.equal(await this.page.evaluate(() => document.activeElement.id), 'password', 'the focus is not at the refused password');
      assert.match(await input.evaluate((e) => document.getElementById(e.getAttribute('aria-describedby').split(' ').at(-1)).textContent), /\w/);
      if (see) await this.see('password-refused');
    }
    await input.fill(password);
    await this.button('Set password').click();
    await this.heading('Your password is set');
    this.password = password;
    if (see) await this.see('password-set');
  }

  /** logIn types what is asked for, with a code if there is a second factor. */
  async logIn({ code, see } = {}) {
    await this.heading('Log in');
    await this.field('E-mail address').fill(this.email);
    await this.page.getByLabel('Password', { exact: true }).fill(this.password);
    await this.button('Log in').click();
    if (code) {
      await this.says('Now enter the code');
      assert.equal(await this.page.getByLabel('Password', { exact: true }).inputValue(), this.password, 'the password was lost');
      if (see) await this.see(see);
      if (code.length > 6) await this.button('Use a recovery code instead').click();
      await this.field(code.length > 6 ? 'Recovery code' : 'Code of your').fill(code);
      await this.button('Confirm and log in').click();
    }
    await this.heading(/^Hello/);
  }

  async logOut() {
    await this.button('Log out').click();
    await this.heading('Log in');
    await this.says('You are logged out.');
  }

  /** enrol turns the second factor on. */
  async enrol() {
    const { page } = this;
    const section = this.section(/Second factor/);
    await this.button('Set up an app', section).click();
    await this.field('Password', section).fill('not my password');
    await this.button('Go on', section).click();
    await this.says('This is not your password', section);
    await this.see('second-factor-password');
    await this.field('Password', section).fill(this.password);
    await this.button('Go on', section).click();
    await this.says('Add CryptoExchange to your app', section);
    const picture = section.getByRole('img', { name: /QR code/ });
    assert.ok(await picture.evaluate(async (i) => { await i.decode(); return i.naturalWidth; }) > 50, 'the QR code is no picture');
    this.secret = await page.locator('#key').textContent();
    await this.see('second-factor-picture');
    await this.field('Then enter', section).fill('000000');
    await this.button('Turn on', section).click();
    await page.locator('#totp-code[aria-invalid="true"]').waitFor();
    await this.see('second-factor-wrong-code');
    await this.field('Then enter', section).fill(totp(this.secret));
    await this.button('Turn on', section).click();
    await this.says('Keep your recovery codes', section);
    this.recoveryCodes = await section.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
    assert.equal(this.recoveryCodes.length, 10);
    await this.see('recovery-codes');
    const [file] = await Promise.all([page.waitForEvent('download'), this.button('Download', section).click()]);
    const kept = await readFile(await file.path(), 'utf8');
    assert.ok(this.recoveryCodes.every((code) => kept.includes(code)), 'the file has not all recovery codes');
    await this.button('I have kept them', section).click();
    await this.says('10 recovery codes left', section);
    await this.see('second-factor-on');
  }

  /** change corrects a mistake in the address, and saves it. */
  async change() {
    const section = this.section('Your information');
    await this.button('Change your information', section).click();
    await this.field('First name', section).fill('María José');
    await section.getByRole('combobox', { name: 'Country' }).selectOption('CA');
    await this.field('Street and number', section).fill('290 Bremner Boulevard');
    await this.field('Apartment', section).fill('');
    await this.field('City', section).fill('Toronto');
    await this.field('Post code', section).fill('M5V 3L9');
    await this.field('Province', section).fill('');
    await this.field('Phone number', section).fill('12');
    await this.button('Save', section).click();
    await this.says('Please fill this in.', section);
    await this.field('Province', section).fill('ON');
    await this.button('Save', section).click();
    await this.page.locator('#phone[aria-invalid="true"]').waitFor();
    assert.equal(await this.page.evaluate(() => document.activeElement.id), 'phone');
    await this.see('information-refused');
    await this.field('Phone number', section).fill('+1 416 868 6937');
    await section.getByRole('combobox', { name: 'Language' }).selectOption('es');
    await this.button('Save', section).click();
    await this.says('Saved.', section);
    await this.says('Toronto, ON M5V 3L9', section);
    await this.says('+14168686937', section);
    await this.says('From you', section);
    await this.see('information-saved');
  }

  /** takeAlong downloads the customer's data. */
  async takeAlong() {
    const section = this.section('Your data');
    const [file] = await Promise.all([this.page.waitForEvent('download'), this.button('Download my data', section).click()]);
    const data = JSON.parse(await readFile(await file.path(), 'utf8'));
    assert.equal(data.customer.email, this.email);
    assert.equal(data.customer.address.post_code, 'M5V 3L9');
    assert.ok(!JSON.stringify(data).includes(this.secret.replaceAll(' ', '')), 'the file has the secret of the second factor');
    await this.says('Your data is in your downloads.', section);
  }
}
