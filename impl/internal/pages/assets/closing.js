import { api, Problem } from './api.js';
import { drop } from './carry.js';
import { $, onSubmit, said } from './form.js';
import { openable } from './section.js';

/** The end of the account. */
export function closing(page) {
  const section = $('#close');
  const second = $('#close-second-factor');
  openable(section, { onOpen: () => { second.hidden = !page.me.totp_enabled; } });
  onSubmit($('form', section), async () => {
    if (!$('#consent').checked) throw new Problem({ code: 'invalid_request', errors: [{ pointer: 'consent', code: 'consent' }] });
    await page.own(api.closeAccount({
      password: $('#close-password').value,
      code: page.me.totp_enabled ? said($('#close-code')) : undefined,
      reason: said($('#reason')) || undefined,
    }));
    drop('email');
    page.closed();
  });
  return {};
}
