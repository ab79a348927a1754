import { api } from './api.js';
import { $, element, notice, onClick, onSubmit, reset, said } from './form.js';
import { save } from './save.js';
import { count, dateOf, t } from './text.js';

const fewCodes = 3;

/**
 * The second factor: off -> password -> picture and code -> recovery codes -> on,
 * and from there, with password and code, off again.
 */
export function secondFactor(page) {
  const section = $('#second-factor');
  const button = $('#totp-open');
  const steps = { begin: $('#totp-begin'), confirm: $('#totp-confirm'), codes: $('#totp-codes'), off: $('#totp-off') };
  let secret = '';
  let recoveryCodes = [];

  /** step shows one of the steps, or none, and puts the focus where it begins. */
  function step(name, focus) {
    for (const [each, part] of Object.entries(steps)) {
      part.hidden = each !== name;
      if (part.matches('form') && each !== name) reset(part);
    }
    button.hidden = Boolean(name);
    (name ? $(focus, steps[name]) : button).focus();
  }

  const cancel = () => {
    secret = '';
    step('');
  };
  for (const form of [steps.begin, steps.confirm, steps.off]) {
    $('[data-cancel]', form).addEventListener('click', cancel);
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') cancel();
    });
  }

  button.addEventListener('click', () => {
    notice(section, '');
    if (page.me.totp_enabled) step('off', '#off-password');
    else step('begin', '#totp-password');
  });

  onSubmit(steps.begin, async () => {
    const enrolment = await page.own(api.enrolTotp($('#totp-password').value));
    secret = enrolment.secret;
    $('#qr-code').src = enrolment.qr_code;
    $('#key').textContent = secret.match(/.{1,4}/g).join(' ');
    $('#open-app').href = enrolment.uri;
    step('confirm', 'h3');
  });

  onSubmit(steps.confirm, async () => {
    recoveryCodes = (await page.own(api.confirmTotp(said($('#totp-code'))))).recovery_codes;
    secret = '';
    $('#key').textContent = '';
    $('#qr-code').removeAttribute('src');
    $('#recovery-codes').replaceChildren(...recoveryCodes.map((code) => element('li', { textContent: code })));
    step('codes', 'h3');
    await page.update();
  });

  onSubmit(steps.off, async () => {
    await page.own(api.disableTotp($('#off-password').value, said($('#off-code'))));
    await page.update();
    step('');
    notice(section, t('totp.done.off'));
  });

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      notice(section, t('message.copied'));
    } catch {
      notice(section, t('message.copy_failed'));
    }
  }

  onClick($('#copy-key'), section, () => copy(secret));
  onClick($('#copy-codes'), section, () => copy(recoveryCodes.join('\n')));
  onClick($('#print-codes'), section, () => print());
  onClick($('#download-codes'), section, () => {
    const head = t('totp.codes.file', { email: page.me.email, date: dateOf(new Date()) });
    save('cryptoexchange-recovery-codes.txt', 'text/plain', `${head}\n\n${recoveryCodes.join('\n')}\n`);
  });
  $('#kept-codes').addEventListener('click', () => {
    recoveryCodes = [];
    $('#recovery-codes').replaceChildren();
    step('');
    notice(section, t('totp.done.on'));
  });

  return {
    update(me) {
      const on = me.totp_enabled;
      const left = me.recovery_codes_left;
      $('#totp-state').textContent = t(on ? 'totp.on' : 'totp.off');
      $('#totp-state').classList.toggle('good', on);
      const about = [t(on ? 'totp.lead.on' : 'totp.lead.off')];
      if (on) about.push(count('totp.codes_left', left));
      if (on && left <= fewCodes) about.push(t('totp.codes_low'));
      $('#totp-about').textContent = about.join(' ');
      button.textContent = t(on ? 'totp.turn_off' : 'totp.set_up');
    },
  };
}
