// A section of the account in which a form takes the place of a view.
import { $, clear, notice, reset } from './form.js';

/**
 * openable makes the button of a section open its form, and returns functions
 * that open and close it. The focus goes along.
 */
export function openable(section, { onOpen = () => {}, form = $('[data-edit]', section) } = {}) {
  const button = $('[data-open]', section);
  const view = $('[data-view]', section);
  const open = () => {
    notice(section, '');
    reset(form);
    onOpen();
    form.hidden = false;
    button.hidden = true;
    if (view) view.hidden = true;
    $('input:not([hidden]):not([readonly]), select', form).focus();
  };
  const close = () => {
    clear(form);
    reset(form);
    form.hidden = true;
    button.hidden = false;
    if (view) view.hidden = false;
    button.focus();
  };
  button.addEventListener('click', open);
  $('[data-cancel]', form).addEventListener('click', close);
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  return { open, close };
}
