// Forms, and what a page says about them. Each field has the JSON Pointer of what
// it becomes in the request as data-pointer, so that a fault of a request is
// shown where it can be mended.
import { Problem } from './api.js';
import { duration, has, t } from './text.js';

export const $ = (selector, within = document) => within.querySelector(selector);

/** element makes an element with properties and children. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** show shows one state of a page, says it in the title, and moves on to it. */
export function show(state, { quiet = false } = {}) {
  let shown;
  for (const part of document.querySelectorAll('[data-state]')) {
    part.hidden = part.dataset.state !== state;
    if (!part.hidden) shown = part;
  }
  const heading = $('h1', shown);
  document.title = `${heading.textContent} · ${t('brand')}`;
  if (!quiet) {
    scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  }
}

/** said gives what a person typed into a field, without spaces around it. */
export const said = (field) => field.value.trim();

/**
 * onSubmit sends a form by a function, once at a time, and shows what it throws.
 * A field that must not be empty is told of at once.
 */
export function onSubmit(form, send) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (form.ariaBusy === 'true') return;
    clear(form);
    const empty = [...form.elements].filter((f) => f.required && !f.closest('[hidden]') && (f.type === 'password' ? f.value : said(f)) === '');
    if (empty.length > 0) {
      showProblem(form, new Problem({ code: 'invalid_request', errors: empty.map((f) => ({ pointer: f.dataset.pointer, code: 'required' })) }));
      return;
    }
    hidePasswords(form); // or a password manager might not know them for what they are
    form.ariaBusy = 'true';
    try {
      await send(form);
    } catch (e) {
      showProblem(form, asProblem(e), () => form.requestSubmit());
    } finally {
      form.ariaBusy = null;
    }
  });
  form.addEventListener('input', ({ target }) => unmark(target));
}

/** onClick does the same for a button, with the message around it or elsewhere. */
export function onClick(button, around, act) {
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return;
    clear(around);
    button.ariaBusy = 'true';
    try {
      await act();
    } catch (e) {
      showProblem(around, asProblem(e), () => button.click());
    } finally {
      button.ariaBusy = null;
    }
  });
}

function asProblem(e) {
  if (e instanceof Problem) return e;
  console.error(e);
  return new Problem({ code: 'internal_error' });
}

/** clear takes back what was shown. */
export function clear(within) {
  for (const field of within.querySelectorAll('[aria-invalid]')) unmark(field);
  $('.message', within)?.replaceChildren();
}

function unmark(field) {
  if (!field.ariaInvalid) return;
  field.ariaInvalid = null;
  errorOf(field).textContent = '';
}

const errorOf = (field) => document.getElementById(`${field.id || 'address'}-error`);

/** reset empties a form and takes back what was shown in it. */
export function reset(form) {
  clear(form);
  form.reset();
  hidePasswords(form);
  for (const field of form.querySelectorAll('[type="password"]')) field.dispatchEvent(new Event('input', { bubbles: true }));
}

/**
 * showProblem shows each fault at its field, and everything else at the top, and
 * moves the focus to the first. retry repeats what failed.
 */
export function showProblem(within, problem, retry) {
  const fields = new Map([...within.querySelectorAll('[data-pointer]')].filter((f) => f.dataset.pointer && !f.closest('[hidden]')).map((f) => [f.dataset.pointer, f]));
  const elsewhere = [];
  let first;
  for (const fault of problem.errors) {
    const field = fields.get(fault.pointer);
    if (!field) {
      elsewhere.push(wordsOf(fault));
      continue;
    }
    field.ariaInvalid = 'true';
    const folded = field.closest('details');
    if (folded) folded.open = true;
    errorOf(field).textContent ||= wordsOf(fault, field);
    if (!first || first.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_PRECEDING) first = field;
  }
  const box = $('.message', within);
  if (first && elsewhere.length === 0) {
    box.replaceChildren(t('message.fields'));
    first.focus();
    return;
  }
  box.replaceChildren(...summary(problem, elsewhere, { retry, typed: within.matches('form') }));
  if (problem.retryAfter > 0) saySoon(box, problem.retryAfter);
  (first ?? box).focus();
}

function summary(problem, faults, { retry, typed }) {
  const again = () => {
    const button = element('button', { type: 'button', textContent: t('message.retry') });
    button.addEventListener('click', retry);
    return retry ? [element('br'), button] : [];
  };
  switch (problem.code) {
    case 'network':
      return [t(typed ? 'message.network' : 'message.network.load'), ...again()];
    case 'rate_limit_exceeded':
      return [t('message.wait', { time: duration(problem.retryAfter || 60) })];
    case 'service_unavailable':
      return [t('message.busy', { time: duration(problem.retryAfter || 10) }), ...again()];
    case 'internal_error':
      return [t('message.internal', { request: problem.requestId || '-' }), ...again()];
    case 'invalid_request':
    case 'unacceptable_data':
      return [faults.join(' ') || problem.detail];
    default:
      return [problem.detail];
  }
}

/** saySoon tells when the time to wait is over, if nothing else is said by then. */
function saySoon(box, seconds) {
  const waiting = box.textContent;
  setTimeout(() => {
    if (box.textContent === waiting) box.replaceChildren(t('message.wait.over'));
  }, seconds * 1000);
}

// Fields by what is in them, for which the rules of the contract have friendlier
// words than its own.
const kinds = {
  email: 'email', code: 'code', bank_aba_routing_number: 'routing', bank_account_number: 'account', bank_iban: 'iban', bank_swift_code: 'bic',
};

function kindOf(field) {
  const pointer = field?.dataset.pointer ?? '';
  if (pointer.endsWith('password')) return 'password';
  if (pointer === '/method/address') return 'wallet';
  return kinds[pointer.split('/').at(-1)] ?? 'text';
}

function wordsOf(fault, field) {
  const { code } = fault;
  const kind = kindOf(field);
  if (has(`fault.${code}`)) return t(`fault.${code}`);
  if (has(`fault.${kind}.${code}`)) return t(`fault.${kind}.${code}`);
  const shape = ['pattern', 'format', 'min_length', 'max_length', 'one_of', 'invalid_email'].includes(code);
  if (shape && has(`fault.${kind}`)) return t(`fault.${kind}`);
  return fault.detail;
}

/** notice says that something went well. */
export function notice(within, text) {
  $('.notice', within).replaceChildren(text);
}

function hidePasswords(form) {
  for (const button of form.querySelectorAll('.reveal')) reveal(button, false);
}

function reveal(button, visible) {
  const input = document.getElementById(button.getAttribute('aria-controls'));
  const word = visible ? 'hide' : 'show';
  input.type = visible ? 'text' : 'password';
  button.textContent = t(`password.${word}`);
  button.ariaLabel = t(`password.${word}.label`);
}

for (const button of document.querySelectorAll('.reveal')) {
  button.addEventListener('click', () => reveal(button, button.textContent === t('password.show')));
}
