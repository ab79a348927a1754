import { api } from './api.js';
import { $, notice, onSubmit } from './form.js';
import { advise, lengths } from './password.js';
import { openable } from './section.js';
import { dateOf, t } from './text.js';

/** The change of the password. */
export function passwordSection(page) {
  const section = $('#password-section');
  const next = $('#new-password');
  const { close } = openable(section);
  advise(next, {
    demand: () => (page.me.totp_enabled ? lengths.secondFactor : lengths.only),
    about: () => [page.me.email, page.me.first_name, page.me.middle_name, page.me.last_name],
  });
  onSubmit($('form', section), async () => {
    await page.own(api.changePassword({ current_password: $('#current-password').value, new_password: next.value }));
    close();
    notice(section, t('security.password.done'));
    await page.update();
  });
  return {
    update(me) {
      $('#password-set').textContent = t('security.password.lead', { date: dateOf(me.password_changed_at) });
      $('#new-password-hint').textContent = t(me.totp_enabled ? 'password.hint.second_factor' : 'password.hint');
    },
  };
}
