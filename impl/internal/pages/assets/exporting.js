import { api } from './api.js';
import { $, notice, onClick } from './form.js';
import { save } from './save.js';
import { t } from './text.js';

/** The customer's data, to be taken along. */
export function exporting(page) {
  const section = $('#data');
  onClick($('#export'), section, async () => {
    notice(section, '');
    const data = await page.own(api.exportMe());
    save(`cryptoexchange-${data.exported_at.slice(0, 10)}.json`, 'application/json', `${JSON.stringify(data, null, 2)}\n`);
    notice(section, t('data.done'));
  });
  return {};
}
