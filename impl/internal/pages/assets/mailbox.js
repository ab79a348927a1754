// The state of a page in which an e-mail has been asked for.
import { $, notice, onSubmit, show } from './form.js';
import { fillAll, t } from './text.js';

/**
 * mailbox gives a function that shows the state for an address. send asks for the
 * e-mail again.
 */
export function mailbox(lead, send) {
  const again = $('#again');
  onSubmit(again, async () => {
    notice(again, '');
    await send();
    notice(again, t('sent.again.done'));
  });
  $('#other').addEventListener('click', () => {
    show('form', { quiet: true });
    $('#email').select();
    $('#email').focus();
  });
  return (email) => {
    fillAll(lead, { email });
    fillAll('sent.typo', { email });
    notice(again, '');
    show('sent');
  };
}
